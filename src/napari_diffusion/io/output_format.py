"""The format of an output by its name: what it can hold, and where it is written at first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_diffusion.core.units import METRES, PIXEL, SECONDS
from napari_diffusion.io.layout import STACKABLE, Layout
from napari_diffusion.io.physical_size import warn
from napari_diffusion.io.step_writer import ENDINGS, FOLDER, SINGLE

if TYPE_CHECKING:
    from pathlib import Path

    from napari_diffusion.io.file_image import Source

# Formats that keep the record in a file beside.
_BESIDE = (".npy", ".mrc")


@dataclass(frozen=True)
class OutputFormat:
    """Where an output is written, and in what format.

    Attributes
    ----------
    path : path
        The name it will have.
    partial : path
        Where it is written until it is whole.
    ending : str
        The extension in lower case; empty for a folder of OME-TIFF files.
    imagej : bool
        Whether a .tif is a hyperstack of ImageJ.
    """

    path: Path
    partial: Path
    ending: str
    imagej: bool = False

    @classmethod
    def of(cls, path: Path, source: Source, count: int, *, imagej: bool = False) -> OutputFormat:
        """Return the format of that many steps of a source under a name."""
        wanted, ending = split_extension(path)
        if imagej:
            _check_plain_tiff(path, ending)
        elif ending.endswith(("tif", "tiff")):
            from napari_diffusion.io.tiff.writer import holds_steps

            # Where one file cannot hold the steps, a folder of that name without ending can.
            if not holds_steps(source, count):
                path, ending = wanted, FOLDER
        return cls(path, _partial(wanted, ending), ending, imagej)

    @property
    def apart(self) -> bool:
        """Whether the record is in a file beside."""
        return self.imagej or self.ending in _BESIDE

    def check_count(self, source: Source, count: int, *, stack: bool) -> None:
        """Refuse steps that the format cannot hold."""
        if count < 2:
            return
        name, axes = self.path.name, source.axes or ""
        if self.ending in SINGLE:
            raise ValueError(
                f"{name!r} can hold one image, and {count} steps are to be written: write "
                ".ome.zarr or .ome.tif, or keep one step."
            )
        if not stack:
            return
        if self.ending == FOLDER:
            raise ValueError(
                f"{name!r} is to be a folder with one file per step, and no stack: write .ome.zarr "
                "or .ome.tif, or leave the stack out."
            )
        if self.ending.endswith("zarr") and Layout.of(axes).axes not in STACKABLE:
            raise ValueError(
                f"OME-Zarr can stack the steps of images with the axes yx or zyx only (got {axes}):"
                " write .npy, or leave the stack out for one image per step."
            )

    def warn_of_sizes(self, source: Source) -> None:
        """Warn of pixel sizes and frame intervals that are lost, as the format cannot say them."""
        if self.ending.endswith(("zarr", "npy")):
            return
        nifti, mrc = self.ending.startswith(".nii"), self.ending == ".mrc"
        sizes = {size for axis, size in source.lengths.items() if axis in "zyx"}
        counted = source.unit == PIXEL and (not mrc or sizes <= {1.0})
        if sizes and source.unit not in METRES and not counted:
            _warn_of_loss(self.path, f"pixel sizes in {source.unit!r}")
        timed = source.time_unit in SECONDS or nifti
        if source.lengths.get("t", 1.0) != 1 and (mrc or not timed):
            _warn_of_loss(self.path, f"a frame interval in {source.time_unit!r}")


def split_extension(path: Path) -> tuple[Path, str]:
    """Return a path without its extension, and the extension; refuse unsupported ones."""
    name = path.name
    for ending in ENDINGS:
        if name.lower().endswith(ending) and len(name) > len(ending):
            return path.with_name(name[: -len(ending)]), name[-len(ending) :].lower()
    if path.suffix:
        raise ValueError(
            f"{name!r} has an unsupported extension: use {', '.join(ENDINGS)}, or none for a "
            "folder of OME-TIFF files."
        )
    return path, FOLDER


def partial_path(path: Path) -> Path:
    """Return where an output is written until it is whole."""
    wanted, ending = split_extension(path)
    return _partial(wanted, ending)


def _partial(wanted: Path, ending: str) -> Path:
    return wanted.with_name(f"{wanted.name}.partial{ending}")


def _check_plain_tiff(path: Path, ending: str) -> None:
    if ending not in (".tif", ".tiff"):
        raise ValueError(f"A hyperstack of ImageJ must end in .tif (got {path.name!r}).")


def _warn_of_loss(path: Path, what: str) -> None:
    warn(path.name, f"cannot hold {what}: write .ome.zarr to keep it.")
