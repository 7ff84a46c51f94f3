"""Reads an image from a file of any supported format."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from napari_diffusion.core.readable_name import readable_name
from napari_diffusion.io.file_image import NotReadable, Source

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike
    from pathlib import Path


@dataclass(frozen=True)
class Format:
    """Files of one kind: how their names end, and what reads them.

    Attributes
    ----------
    endings : tuple of str
        Lower case, with the dot.
    reader : str
        ``"module:function"`` of this package; the function takes a path and whether it may be lazy.
    extra : str
        The extra that installs what the reader needs; empty if the package itself does.
    """

    endings: tuple[str, ...]
    reader: str
    extra: str = ""

    def function(self) -> Callable[[Path, bool | None], Source]:
        """Return the reader."""
        module, _, name = self.reader.partition(":")
        found = getattr(importlib.import_module(f"napari_diffusion.io.{module}"), name)
        return cast("Callable[[Path, bool | None], Source]", found)


FORMATS = (
    Format((".tif", ".tiff"), "tiff.reader:read_tiff"),
    Format((".png", ".jpg", ".jpeg"), "photo_reader:read_photo"),
    Format((".npy",), "npy_reader:read_npy"),
    Format((".mrc", ".mrcs", ".map", ".rec", ".st", ".ali"), "formats.mrc:read_mrc", "formats"),
    Format((".nii", ".nii.gz"), "formats.nifti:read_nifti", "formats"),
    Format((".dcm", ".dicom"), "formats.dicom:read_dicom", "formats"),
    Format(
        (".czi", ".nd2", ".lif", ".oib", ".oif", ".vsi", ".lsm", ".ims", ".dv", ".sldy"),
        "formats.bioio_images:read_bioio",
        "bioio",
    ),
)
#: Files that make a folder a zarr array or group.
STORES = ("zarr.json", ".zgroup", ".zarray")
_ZARR = Format((".zarr",), "ome_zarr.reader:read_zarr")
_DICOM_SERIES = Format((), "formats.dicom:read_dicom", "formats")

READABLE = " ".join(ending for each in (*FORMATS, _ZARR) for ending in each.endings)


def read_image(path: str | PathLike[str], *, lazy: bool | None = None) -> Source:
    """Read an image with its axes, pixel sizes and unit.

    Parameters
    ----------
    path : path
        A TIFF (plain, ImageJ's or OME), PNG, JPEG or NPY file, an OME-Zarr image (0.4, 0.5), or
        with the extra ``formats`` an MRC or NIfTI file, a DICOM file or a folder with a DICOM
        series; with the extra ``bioio`` what bioio reads.
    lazy : bool, optional
        Open OME-Zarr, TIFF, NPY, MRC and what bioio reads as dask array, of which parts are read
        when they are needed; by default only if a run on it does not fit into the free memory.

    Returns
    -------
    Source
        The image with its axes, pixel sizes, unit and record.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    NotReadable
        If it holds no image of these formats.
    """
    from pathlib import Path

    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"File {str(path)!r} does not exist.")
    if not path.is_file() and not path.is_dir():
        raise NotReadable(f"{str(path)!r} is a pipe or a device: save what it gives to a file.")
    chosen = _format_of(path)
    try:
        source = chosen.function()(path, lazy)
        return source.replaced(name=readable_name(source.name))
    except (NotReadable, MemoryError, OSError):
        raise
    except ImportError as error:
        if not chosen.extra:
            raise
        raise NotReadable(
            f"{str(path)!r} needs the package {error.name}: pip install "
            f'"napari-diffusion[{chosen.extra}]".'
        ) from error
    except Exception as error:
        # The decoders raise whatever they meet first in a broken file.
        why = " ".join(str(error).split()) or type(error).__name__
        raise NotReadable(f"{str(path)!r} cannot be read: {why}") from error


def _format_of(path: Path) -> Format:
    if path.is_dir():
        if is_dicom_series(path):
            return _DICOM_SERIES
        _refuse_loose_images(path)
        return _ZARR
    name = path.name.lower()
    for each in FORMATS:
        if name.endswith(each.endings):
            return each
    raise NotReadable(f"{str(path)!r} has an unsupported extension: use {READABLE}.")


def _refuse_loose_images(folder: Path) -> None:
    """Refuse a folder of images, which says neither what they are of nor whether one is missing."""
    if any((folder / name).exists() for name in STORES):
        return
    endings = tuple(ending for each in FORMATS for ending in each.endings)
    images = sorted(each.name for each in folder.iterdir() if each.name.lower().endswith(endings))
    if images:
        raise NotReadable(
            f"{str(folder)!r} is a folder of {len(images)} images: give one of them, such as "
            f"{str(folder / images[0])!r}, or save them as one stack."
        )


def is_dicom_series(folder: Path) -> bool:
    """Return whether a folder holds DICOM files."""
    if folder.suffix.lower() == ".zarr":
        return False
    return any(each.name.lower().endswith((".dcm", ".dicom")) for each in folder.iterdir())
