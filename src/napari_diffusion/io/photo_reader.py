"""Reads PNG and JPEG photos."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.io.file_image import Source

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL.Image import Image as PillowImage
    from PIL.ImageFile import ImageFile


def read_photo(path: Path, lazy: bool | None = None) -> Source:
    """Read a photo upright: grey values as they are, any kind of colours as RGB or RGBA."""
    del lazy
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
