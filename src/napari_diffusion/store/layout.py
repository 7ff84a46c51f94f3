"""In which order and type a picture's values are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

# Large enough to be read in one go, small enough for many of them.
_SLAB_BYTES = 1 << 26


@dataclass(frozen=True)
class Layout:
    """The axes of a file: canonical order, y and x always there.

    Attributes
    ----------
    given : str
        The picture's own axes.
    axes : str
        The file's axes; c comes last where it holds colours that the format puts last.
    """

    given: str
    axes: str

    @classmethod
    def of(cls, given: str, *, colours_last: bool = False) -> Layout:
        """Return the layout for a picture with these axes."""
        axes = "".join(axis for axis in "tczyx" if axis in given or axis in "yx")
        return cls(given, axes.replace("c", "") + "c" if colours_last else axes)

    def shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape in the file of a picture of this shape."""
        sizes = dict(zip(self.given, shape, strict=True))
        return tuple(sizes.get(axis, 1) for axis in self.axes)

    def arranged(self, image: Any) -> Any:
        """View a picture (numpy or dask) in the order of the file."""
        order = [self.given.index(axis) for axis in self.axes if axis in self.given]
        index = tuple(slice(None) if axis in self.given else None for axis in self.axes)
        return image.transpose(order)[index]


def cast(image: Any, dtype: Any) -> Any:
    """Return a picture's values in another type, clipped to its range and rounded.

    Works on numpy and dask arrays.
    """
    dtype = np.dtype(dtype)
    if dtype == image.dtype:
        return image
    low, high = limits(dtype)
    if dtype.kind == "f":
        return image.clip(low, high).astype(dtype)
    return np.rint(image.astype(np.float64)).clip(low, high).astype(dtype)


def limits(dtype: Any) -> tuple[float, float]:
    """Return the least and the greatest float that a type can hold."""
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return 0.0, 1.0
    if dtype.kind == "f":
        return -float(np.finfo(dtype).max), float(np.finfo(dtype).max)
    info = np.iinfo(dtype)
    low, high = float(info.min), float(info.max)
    # The greatest integers of 64 bits are no floats: the next float below stands for them.
    return low, high if int(high) <= info.max else float(np.nextafter(high, 0))


def cast_record(source: Any, dtype: Any) -> dict[str, Any] | None:
    """Return, for a record, what `cast` does to computed values; None where it does nothing."""
    source, dtype = np.dtype(source), np.dtype(dtype)
    if source == dtype:
        return None
    low, high = limits(dtype)
    return {"dtype": dtype.name, "clipped": [low, high], "rounded": dtype.kind in "iub"}


def slabs(image: Any) -> Iterator[Any]:
    """Cut a picture (numpy or dask) along its first axis into parts that fit the memory easily."""
    row = max(image.nbytes // max(image.shape[0], 1), 1)
    rows = max(_SLAB_BYTES // row, 1)
    for start in range(0, image.shape[0], rows):
        yield np.ascontiguousarray(image[start : start + rows])


def planes(image: Any, ndim: int) -> Iterator[Any]:
    """Cut a picture (numpy or dask) into its planes of `ndim` axes, in order."""
    if image.ndim == ndim:
        yield np.ascontiguousarray(image)
        return
    for part in image:
        yield from planes(part, ndim)
