"""Reads an image from a file of any supported format."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.io.file_image import NotReadable, Source

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL.Image import Image as PillowImage
    from PIL.ImageFile import ImageFile

_NPY = b"\x93NUMPY"

READABLE = ".tif .tiff .png .jpg .jpeg .npy .zarr"


def read_image(path: str | PathLike[str], *, lazy: bool | None = None) -> Source:
    """Read an image with its axes, pixel sizes and unit.

    Parameters
    ----------
    path : path
        A TIFF (plain, ImageJ's or OME), PNG, JPEG or NPY file, or an OME-Zarr image (0.4, 0.5).
    lazy : bool, optional
        Open an OME-Zarr as dask array; by default only if it does not fit into the free memory.

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
    reader = _reader(path, lazy)
    try:
        return reader(path)
    except (NotReadable, MemoryError, OSError):
        raise
    except Exception as error:
        # The decoders raise whatever they meet first in a broken file.
        why = str(error) or type(error).__name__
        raise NotReadable(f"{str(path)!r} cannot be read: {why}") from error


def _reader(path: Path, lazy: bool | None) -> Callable[[Path], Source]:
    if path.is_dir():
        from napari_diffusion.io.ome_zarr_reader import read_zarr

        return lambda folder: read_zarr(folder, lazy=lazy)
    ending = path.suffix.lower()
    if ending in (".tif", ".tiff"):
        from napari_diffusion.io.tiff_reader import read_tiff

        return read_tiff
    if ending in (".png", ".jpg", ".jpeg"):
        return _read_photo
    if ending == ".npy":
        return _read_npy
    raise NotReadable(f"{str(path)!r} has an unsupported extension: use {READABLE}.")


def _read_npy(path: Path) -> Source:
    with path.open("rb") as file:
        if file.read(len(_NPY)) != _NPY:
            raise NotReadable(f"{str(path)!r} is not a NPY file.")
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    return Source(name=path.name, image=np.array(array))


def _read_photo(path: Path) -> Source:
    from PIL import Image, ImageOps

    with Image.open(path) as file:
        if _loses_bits(file):
            warnings.warn(
                f"{path.name} is a 16-bit colour PNG and is read with 8 bits: save it as TIFF "
                "to keep all 16.",
                stacklevel=4,
            )
        upright = ImageOps.exif_transpose(file)
        image = _pixels(upright)
    axes = "yx" if image.ndim == 2 else "yxc"
    return Source(name=path.name, image=image, axes=axes, rgb=image.ndim == 3)


def _loses_bits(file: ImageFile) -> bool:
    # Pillow reads colours of 16 bits as 8 without a word. The header has bit depth, colour type.
    if file.format != "PNG":
        return False
    with open(file.filename, "rb") as raw:
        header = raw.read(26)
    return len(header) == 26 and header[24] == 16 and header[25] != 0


def _pixels(image: PillowImage) -> NDArray[Any]:
    """Return grey values unchanged, and any kind of colours as RGB or RGBA."""
    if image.mode in ("1", "L", "F", "I") or image.mode.startswith("I;16"):
        return np.array(image)
    transparent = image.mode in ("LA", "PA", "RGBA", "La", "RGBa")
    transparent = transparent or "transparency" in image.info
    return np.array(image.convert("RGBA" if transparent else "RGB"))
