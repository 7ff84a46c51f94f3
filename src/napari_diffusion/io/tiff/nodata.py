"""What GDAL and GeoTIFF say of an image: its mark of no data, and its place on the Earth."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.io.physical_size import warn

if TYPE_CHECKING:
    import tifffile
    from numpy.typing import NDArray

_NODATA = 42113
_METADATA = 42112
# ModelPixelScale, ModelTransformation, GeoKeyDirectory
_GEOGRAPHIC = (33550, 34264, 34735)


def valid_pixels(
    name: str, page: tifffile.TiffPage, image: NDArray[Any]
) -> NDArray[np.bool_] | None:
    """Return where the image, as it is stored, has data; None if it has everywhere."""
    text = page.tags.valueof(_NODATA)
    if text is None:
        return None
    mark = _mark(name, str(text).strip(" \0"), image.dtype)
    if mark is None:
        return None
    invalid = np.isnan(image) if mark != mark else image == mark
    count = int(np.count_nonzero(invalid))
    if not count:
        return None
    share = f"{100 * count / image.size:.3g}%"
    warn(name, f"marks {count} of {image.size} values ({share}) as no data, by {mark}.")
    return ~invalid


def warn_of_geography(name: str, page: tifffile.TiffPage) -> None:
    """Warn that the pixel sizes of a GeoTIFF are not read."""
    if any(code in page.tags for code in _GEOGRAPHIC):
        warn(name, "is a GeoTIFF: its pixel sizes and place on the Earth are not read.")


def warn_of_scale(name: str, page: tifffile.TiffPage) -> None:
    """Warn of a scale and an offset of the values, which GDAL does not apply either."""
    text = str(page.tags.valueof(_METADATA, default=""))
    if 'role="scale"' in text or 'role="offset"' in text:
        warn(name, "gives a scale and an offset of its values: they are read as they are stored.")


def _mark(name: str, text: str, dtype: np.dtype[Any]) -> Any:
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
            limits = np.iinfo(dtype)
            if limits.min <= number <= limits.max:
                return dtype.type(int(number))
    except (ValueError, OverflowError):
        warn(name, f"has a mark of no data that is no number ({text[:40]!r}): it is not used.")
        return None
    warn(name, f"marks no data by {text[:40]}, which no {dtype} can be: every pixel is used.")
    return None
