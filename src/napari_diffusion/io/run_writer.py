"""Writes the steps of a run; an incomplete output never gets the name asked for."""

from __future__ import annotations

import contextlib
import importlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, Self
from typing import cast as cast_type

from napari_diffusion.core.units import METRES, PIXEL, SECONDS
from napari_diffusion.io.cast import cast
from napari_diffusion.io.layout import STACKABLE, Layout
from napari_diffusion.io.output_path import check_free, publish, remove
from napari_diffusion.io.physical_size import warn
from napari_diffusion.io.record_reader import beside, step_entry
from napari_diffusion.io.step_record import StepEntry, StepRecord

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    import numpy as np
    from numpy.typing import NDArray

    from napari_diffusion.io.file_image import Source

FOLDER = ""

# What writes one image, or all steps of a run, by the extension: "module:class".
_WRITERS = {
    ".ome.zarr": "ome_zarr.writer:ZarrWriter",
    ".zarr": "ome_zarr.writer:ZarrWriter",
    ".ome.tiff": "tiff.writer:TiffWriter",
    ".ome.tif": "tiff.writer:TiffWriter",
    ".tiff": "tiff.writer:TiffWriter",
    ".tif": "tiff.writer:TiffWriter",
    ".mrc": "formats.mrc_writer:MrcWriter",
    ".nii.gz": "formats.nifti_writer:NiftiWriter",
    ".nii": "formats.nifti_writer:NiftiWriter",
    ".npy": "npy_writer:NpyWriter",
    FOLDER: "tiff.writer:FolderWriter",
}
_IMAGEJ = "tiff.imagej_writer:ImageJWriter"
_RUN, _STACK = "ome_zarr.writer:ZarrRunWriter", "ome_zarr.writer:ZarrStackWriter"

#: Extensions and so formats; none at all asks for a folder of OME-TIFF files.
ENDINGS = tuple(ending for ending in _WRITERS if ending)

# Formats of one image, and those that keep the record in a file beside.
_SINGLE = (".mrc", ".nii.gz", ".nii")
_BESIDE = (".npy", ".mrc")


class Writer(Protocol):
    """Writes steps in one format, each as it comes."""

    #: Whether earlier steps stay valid if writing one is interrupted.
    separate: bool

    def write(self, image: NDArray[Any], record: StepRecord) -> None:
        """Write the next step."""

    def finish(self, record: StepRecord) -> None:
        """Complete the file with the steps written so far, however many."""

    def close(self) -> None:
        """Close open files, complete or not."""


@dataclass(eq=False)
class Output:
    """The output of a run; a context that publishes the steps when all are written.

    Until then they are in a file called "partial". If the run is interrupted, the steps made so
    far stay there, and the exception gets a note that says so.

    Parameters
    ----------
    path : path
        The name asked for; its extension chooses the format.
    source : Source
        Axes, pixel sizes and unit of the steps.
    count : int
        How many steps are to come.
    dtype : dtype
        Type of the values written.
    overwrite : bool
        Whether something of that name may be replaced.
    stack : bool
        Whether the steps in an OME-Zarr are one image, the step being its first axis.
    imagej : bool
        Whether a .tif is a hyperstack of ImageJ instead of an OME-TIFF.

    Raises
    ------
    ValueError
        If the format cannot hold that many steps, or not as a stack.
    """

    path: Path
    source: Source
    count: int
    dtype: np.dtype[Any]
    overwrite: bool = False
    stack: bool = False
    imagej: bool = False
    steps: list[StepEntry] = field(default_factory=list)
    record: StepRecord = field(default_factory=StepRecord)

    def __post_init__(self) -> None:
        wanted, ending = split_extension(self.path)
        if self.imagej:
            _check_plain_tiff(self.path, ending)
        elif ending.endswith(("tif", "tiff")):
            from napari_diffusion.io.tiff.writer import holds_steps

            # Where one file cannot hold the steps, a folder of that name without ending can.
            if not holds_steps(self.source, self.count):
                self.path, ending = wanted, FOLDER
        self.ending = ending
        if self.count > 1:
            self._check_count()
        self.partial = wanted.with_name(f"{wanted.name}.partial{ending}")
        for path in (*self._pieces(self.path), *self._pieces(self.partial)):
            check_free(path, self.overwrite)

    def _check_count(self) -> None:
        """Refuse steps that the format cannot hold."""
        name, axes = self.path.name, self.source.axes or ""
        if self.ending in _SINGLE:
            raise ValueError(
                f"{name!r} can hold one image, and {self.count} steps are to be written: write "
                ".ome.zarr or .ome.tif, or keep one step."
            )
        if not self.stack:
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

    def __enter__(self) -> Self:
        for path in self._pieces(self.partial):
            remove(path)
        self._whole, self._images = True, 0
        self._writer = self._made_writer()
        _warn_of_sizes(self.path, self.ending, self.source)
        return self

    def write(self, image: NDArray[Any], record: StepRecord) -> None:
        """Write the next step and its record."""
        try:
            self._writer.write(cast(image, self.dtype), record)
        except BaseException:
            self._whole = self._writer.separate
            raise
        self.record = record
        self._images += 1
        if "step" in record:  # an image that nothing was done to has none
            self.steps.append(step_entry(record))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._finish()
            self._publish()
            return
        if self._images and self._whole:
            try:
                self._writer.finish(self._whole_record())
            except OSError:
                # Steps that are files of their own are whole without a last word.
                self._whole = self._writer.separate
        if self._images and self._whole:
            error.add_note(f"The {_counted(self._images)} saved in {str(self.partial)!r}.")
            return
        self._drop()
        error.add_note(f"Nothing was written to {str(self.path)!r}.")

    def _made_writer(self) -> Writer:
        chosen = _WRITERS[self.ending]
        if self.ending.endswith("zarr") and self.count > 1:
            chosen = _STACK if self.stack else _RUN
        if self.imagej:
            chosen = _IMAGEJ
        module, _, name = chosen.partition(":")
        try:
            made = getattr(importlib.import_module(f"napari_diffusion.io.{module}"), name)
            return cast_type("Writer", made(self.partial, self.source, self.dtype, self.count))
        except ImportError as error:
            if self.ending not in _SINGLE:
                raise
            raise ValueError(
                f"{self.path.name!r} needs the package {error.name}: pip install "
                '"napari-diffusion[formats]".'
            ) from error

    def _whole_record(self) -> StepRecord:
        return {**self.record, "steps": self.steps} if self.steps else self.record

    def _finish(self) -> None:
        try:
            self._writer.finish(self._whole_record())
        except OSError as error:
            error.add_note(f"What was written stays in {str(self.partial)!r}.")
            raise

    def _publish(self) -> None:
        try:
            pieces = zip(self._pieces(self.partial), self._pieces(self.path), strict=True)
            for partial, path in pieces:
                publish(partial, path, self.overwrite)
        except OSError as error:
            error.add_note(f"The complete output is saved in {str(self.partial)!r}.")
            raise

    def _drop(self) -> None:
        with contextlib.suppress(Exception):
            self._writer.close()
        for path in self._pieces(self.partial):
            remove(path)

    def _pieces(self, path: Path) -> tuple[Path, ...]:
        """Return the path and, for a format without records, first that of the record."""
        apart = self.imagej or self.ending in _BESIDE
        return (beside(path), path) if apart else (path,)


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
    return wanted.with_name(f"{wanted.name}.partial{ending}")


def _check_plain_tiff(path: Path, ending: str) -> None:
    if ending not in (".tif", ".tiff"):
        raise ValueError(f"A hyperstack of ImageJ must end in .tif (got {path.name!r}).")


def _warn_of_sizes(path: Path, ending: str, source: Source) -> None:
    """Warn of pixel sizes and frame intervals that are lost because the format cannot say them."""
    if ending.endswith(("zarr", "npy")):
        return
    nifti, mrc = ending.startswith(".nii"), ending == ".mrc"
    sizes = {size for axis, size in source.lengths.items() if axis in "zyx"}
    counted = source.unit == PIXEL and (not mrc or sizes <= {1.0})
    if sizes and source.unit not in METRES and not counted:
        _warn_of_loss(path, f"pixel sizes in {source.unit!r}")
    timed = source.time_unit in SECONDS or nifti
    if source.lengths.get("t", 1.0) != 1 and (mrc or not timed):
        _warn_of_loss(path, f"a frame interval in {source.time_unit!r}")


def _warn_of_loss(path: Path, what: str) -> None:
    warn(path.name, f"cannot hold {what}: write .ome.zarr to keep it.")


def _counted(steps: int) -> str:
    return "first step is" if steps == 1 else f"{steps} steps made are"
