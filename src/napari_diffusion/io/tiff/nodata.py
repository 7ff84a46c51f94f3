"""What GDAL and GeoTIFF say of an image: its mark of no data, and its place on the Earth."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.io.physical_size import warn
from napari_diffusion.io.stored.file_parts import ChangedParts

if TYPE_CHECKING:
    import tifffile
    from numpy.typing import NDArray

    from napari_diffusion.io.stored.file_parts import Box, FileParts

    #: The value that stands for no data.
    Mark = np.generic | None

_NODATA = 42113
_METADATA = 42112
# ModelPixelScale, ModelTransformation, GeoKeyDirectory
_GEOGRAPHIC = (33550, 34264, 34735)


def no_data_mark(name: str, page: tifffile.TiffPage, dtype: np.dtype[np.generic]) -> Mark:
    """Return the value that stands for no data; None if there is none."""
    text = page.tags.valueof(_NODATA)
    return None if text is None else _mark(name, str(text).strip(" \0"), dtype)


def valid_pixels(name: str, image: NDArray[Any], mark: Mark) -> NDArray[np.bool_] | None:
    """Return where the image, as it is stored, has data; None if it has everywhere."""
    valid = _is_data(image, mark)
    count = image.size - int(np.count_nonzero(valid))
    if not count:
        return None
    share = f"{100 * count / image.size:.3g}%"
    warn(name, f"marks {count} of {image.size} values ({share}) as no data, by {mark}.")
    return valid


class ValidPixels(ChangedParts):
    """Where an image in a file, as it is stored, has data; found as it is read.

    Parameters
    ----------
    held : FileParts
        Its values.
    mark : number or None
        The value that stands for no data.
    planes : ndarray of bool
        Which planes are in a file, along the first axes.
    """

    def __init__(self, held: FileParts, mark: Mark, planes: NDArray[np.bool_]) -> None:
        super().__init__(held)
        self._mark, self._planes, self.dtype = mark, planes, np.dtype(bool)

    def read(self, box: Box) -> NDArray[Any]:
        """Return a new array of the values in a box."""
        sizes = [each.stop - each.start for each in box]
        leading = self._planes.ndim
        planes = self._planes[box[:leading]].reshape(sizes[:leading] + [1] * len(sizes[leading:]))
        if self._mark is None:
            return np.broadcast_to(planes, sizes).copy()
        return _is_data(self.held.read(box), self._mark) & planes


def warn_of_geography(name: str, page: tifffile.TiffPage) -> None:
    """Warn that the pixel sizes of a GeoTIFF are not read."""
    if any(code in page.tags for code in _GEOGRAPHIC):
        warn(name, "is a GeoTIFF: its pixel sizes and place on the Earth are not read.")


def warn_of_scale(name: str, page: tifffile.TiffPage) -> None:
    """Warn of a scale and an offset of the values, which GDAL does not apply either."""
    text = str(page.tags.valueof(_METADATA, default=""))
    if 'role="scale"' in text or 'role="offset"' in text:
        warn(name, "gives a scale and an offset of its values: they are read as they are stored.")


def _is_data(image: NDArray[Any], mark: Mark) -> NDArray[np.bool_]:
    return np.asarray(~np.isnan(image) if mark != mark else image != mark)


def _mark(name: str, text: str, dtype: np.dtype[np.generic]) -> Mark:
    """Return the value that stands for no data; None, with a warning, if no pixel can have it."""
    try:
        try:
            number: float = int(text)
        except ValueError:
            number = float(text)
        if dtype.kind == "f":
            with np.errstate(over="ignore"):
                return dtype.type(number)
        if math.isfinite(number) and number == int(number) and dtype.kind in "iu":
            limits = np.iinfo(dtype.str)
            if limits.min <= number <= limits.max:
                return dtype.type(int(number))
    except (ValueError, OverflowError):
        warn(name, f"has a mark of no data that is no number ({text[:40]!r}): it is not used.")
        return None
    warn(name, f"marks no data by {text[:40]}, which no {dtype} can be: every pixel is used.")
    return None
