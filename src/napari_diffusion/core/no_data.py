"""Missing values: NaN, infinity, no-data marks, and what masked arrays mask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.dask_array import is_dask
from napari_diffusion.core.value_limits import check_magnitude, largest_magnitude, limits_of

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    from napari_diffusion.core.grid import Grid


def unmasked(image: Any) -> tuple[Any, Any]:
    """Return the values of an array, and what it does not mask; None where it masks nothing.

    Masked arrays of numpy, alone or as the chunks of a dask array, say which pixels are masked.
    """
    if is_dask(image):
        if not isinstance(image._meta, np.ma.MaskedArray):
            return image, None
        import dask.array as da

        return da.ma.getdata(image), ~da.ma.getmaskarray(image)
    if isinstance(image, np.ma.MaskedArray):
        mask = np.ma.getmaskarray(image)
        return image.data, ~mask if mask.any() else None
    return np.asarray(image), None


def both_inside(given: Any, own: Any, grid: Grid) -> Any:
    """Return what is inside of a canonical mask and of an array that masks some of its pixels.

    A pixel of a colour image is outside where any of its colours is masked.
    """
    if own is None:
        return given
    inside = grid.canonical(own)
    if grid.rgb:
        inside = inside[:, :3].all(axis=1, keepdims=True)
    if inside.shape != grid.shape:
        inside = _like(inside).broadcast_to(inside, grid.shape)
    if given is not None:
        inside = inside & given
    return inside if is_dask(inside) else np.ascontiguousarray(inside)


def without_holes(data: Any, mask: Any, missing: str) -> tuple[Any, Any, Any]:
    """Return (data, mask, missing values); missing values are outside of the mask.

    Parameters
    ----------
    data, mask : array
        Canonical values, float32 or float64, and which of them are inside, or None.
    missing : {"refuse", "ignore"}
        What becomes of values inside that are missing.

    Raises
    ------
    ValueError
        For missing values inside that are refused, and for values that are too large or too small.
    """
    if is_dask(data):
        # What is missing is not known before the chunks are there.
        return (data, mask, None) if missing == "refuse" else split_holes(data, mask)
    if mask is None and _has_none(data):
        return data, mask, None
    inside = data if mask is None else data[mask]
    if missing == "refuse":
        check_present(inside)
    present = is_present(data)
    _check_range(inside[present if mask is None else present[mask]])
    if present.all():
        return data, mask, None
    return split_holes(data, mask)


def check_present(values: NDArray[Any], whose: str = "The image") -> None:
    """Refuse values of which some are missing, or too large.

    Raises
    ------
    ValueError
        It says how many they are, and how to go on.
    """
    if not values.size:
        return
    low, high = values.min(), values.max()
    if is_present(np.array([low, high])).all():
        check_magnitude(float(low), float(high), values.dtype, part=True)
        return
    present = is_present(values)
    count, marks = int(np.count_nonzero(~present)), values[~present & np.isfinite(values)]
    words = f"{count} NaN or infinite value{'s' * (count > 1)}"
    if marks.size:
        words = f"{count} value{'s' * (count > 1)} of {marks[0]:g}, a mark of “no data”"
        words += ", NaN or infinity" * (marks.size < count)
    raise ValueError(f"{whose} has {words}: use missing='ignore' to treat them as missing.")


def kept_holes(data: Any, holes: Any) -> Any:
    """Return data with the missing values at their places."""
    return _like(data).where(holes == 0, data, holes)


def marks_of(dtype: DTypeLike) -> tuple[float, ...]:
    """Return magnitudes that mark missing values in an image: the largest numbers of a type.

    Height models in float32 have one, and keep it when they are converted to float64.
    """
    return tuple({float(np.finfo(each).max) for each in (np.float32, dtype)})


def split_holes(data: Any, mask: Any) -> tuple[Any, Any, Any]:
    """Return (data, mask, missing values); each has 0 where the other has values."""
    present, own = is_present(data), _like(data)
    holes = own.where(present, 0, data).astype(data.dtype)
    filled = own.where(present, data, 0).astype(data.dtype)
    return filled, present if mask is None else (present & mask), holes


def is_present(data: Any) -> Any:
    """Return where values are data: finite, and no mark of “no data”."""
    present, magnitudes = np.isfinite(data), np.abs(data)
    for mark in marks_of(data.dtype):
        present &= magnitudes != mark
    return present


def _has_none(data: NDArray[Any]) -> bool:
    """Return whether nothing is missing and no value too large or too small, at one glance."""
    smallest, most = limits_of(data.dtype)
    largest = largest_magnitude(data)
    return (smallest <= largest <= most and largest not in marks_of(data.dtype)) or largest == 0


def _check_range(values: NDArray[Any]) -> None:
    if values.size:
        check_magnitude(float(values.min()), float(values.max()), values.dtype)


def _like(array: Any) -> Any:
    """Return the module with the functions of an array."""
    if not is_dask(array):
        return np
    import dask.array as da

    return da
