"""A JPEG file: its brightness as it is stored, and the steps of its coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.estimate.window_spectrum import SIZE
from napari_diffusion.io.file_image import NotReadable
from napari_diffusion.io.photo_reader import read_photo
from napari_diffusion.io.tiff.orientation import ORIENTATIONS, swaps, upright

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL.ImageFile import ImageFile

_FORMATS = ("JPEG",)
_START = b"\xff\xd8"
_ORIENTATION = 0x0112


@dataclass(frozen=True, eq=False)
class StoredJpeg:
    """What a JPEG file holds of brightness.

    Attributes
    ----------
    brightness : (Y, X) array
        In grey levels, as stored: not yet turned upright.
    steps : (8, 8) array
        The quantisation table of brightness.
    orientation : int
        From 1, upright, to 8.
    """

    brightness: NDArray[np.float64]
    steps: NDArray[np.int64]
    orientation: int

    def upright(self, values: NDArray[Any]) -> NDArray[Any]:
        """Turn a map of the stored brightness as the image is turned when it is read."""
        return upright(values, self.orientation, 0, 1)


def why_not_jpeg(path: Path, shape: tuple[int, ...]) -> str:
    """Return why a file has no JPEG coefficients of an image; empty where it has. Quick.

    Parameters
    ----------
    path : Path
    shape : tuple of int
        Pixels of the image along y and x, read from that file.
    """
    from PIL import Image

    try:
        with open(path, "rb") as raw:
            start = raw.read(len(_START))
        if start != _START:
            return "The file is not a JPEG: only those hold a quantisation table."
        with Image.open(path, formats=_FORMATS) as file:
            return _why_not_its_brightness(file) or _why_not_its_size(file, shape)
    except (OSError, SyntaxError, RuntimeError, Image.DecompressionBombError):
        return "The file cannot be opened, is damaged, or declares too many pixels."


def read_jpeg(path: Path) -> StoredJpeg:
    """Read a file for which `why_not_jpeg` is empty.

    Raises
    ------
    NotReadable
        For damaged files, and those that would take very much memory or time.
    """
    from PIL import Image

    read_photo(path)
    try:
        with Image.open(path, formats=_FORMATS) as file:
            steps, orientation = _steps(file), _orientation(file)
            # Brightness alone, as it is stored: through colours it would be rounded once more.
            file.draft("L", file.size)
            brightness = np.asarray(file, np.float64)
    except (OSError, SyntaxError, RuntimeError, ValueError) as error:
        raise NotReadable(f"{str(path)!r} is damaged: {error}.") from error
    return StoredJpeg(brightness, steps, orientation)


def _why_not_its_brightness(file: ImageFile) -> str:
    layers = getattr(file, "layer", [])
    as_rgb = file.info.get("adobe_transform") == 0 or [each[0] for each in layers] == [*b"RGB"]
    if file.mode not in ("L", "RGB") or (file.mode == "RGB" and as_rgb):
        return "The file does not store brightness and colour apart, as this trace needs it."
    steps = _steps(file)
    if steps.shape != (SIZE, SIZE) or steps.min() < 1:
        return "The file has no quantisation table of brightness."
    return ""


def _why_not_its_size(file: ImageFile, shape: tuple[int, ...]) -> str:
    size = file.size if swaps(_orientation(file)) else file.size[::-1]
    if size == tuple(shape):
        return ""
    stored, given = (f"{height} × {width}" for height, width in (size, shape))
    return f"The file holds {stored} pixels, the image {given}: give the image as it was read."


def _orientation(file: ImageFile) -> int:
    found = file.getexif().get(_ORIENTATION, 1)
    return int(found) if found in ORIENTATIONS else 1


def _steps(file: ImageFile) -> NDArray[np.int64]:
    """Return the table of the first component, rows along y; empty where there is none."""
    tables, layers = getattr(file, "quantization", {}), getattr(file, "layer", [])
    table = tables.get(layers[0][3] if layers else 0, ())
    square = (SIZE, SIZE) if len(table) == SIZE * SIZE else (0,)
    return np.asarray(table, np.int64)[: square[0] * square[-1]].reshape(square)
