"""Conversion of computed values to another data type: that of the source, or of a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    from napari_diffusion.io.step_record import CastEntry


@dataclass(frozen=True)
class Cast:
    """Converts values to a type: clipped, and rounded for integer types.

    Attributes
    ----------
    dtype : str
        Name of the type.
    limits : tuple of float or None
        The lowest and the highest value; values beyond are clipped. None clips nothing.
    """

    dtype: str
    limits: tuple[float, float] | None

    @classmethod
    def into(cls, dtype: DTypeLike) -> Self:
        """Return the cast into a type, clipped to its range."""
        return cls(np.dtype(dtype).name, _limits(np.dtype(dtype)))

    @classmethod
    def to_colours(cls, source: NDArray[Any]) -> Self:
        """Return the cast back to the type of an RGB source.

        Floats are clipped to 0 … 1, unless the source itself goes beyond.
        """
        dtype = np.dtype(source.dtype)
        if dtype.kind in "iu":
            return cls.into(dtype)
        within = dtype.kind != "f" or (np.nanmin(source) >= 0 and np.nanmax(source) <= 1)
        return cls(dtype.name, (0.0, 1.0) if within else None)

    def __call__(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return a new array, numpy or dask, of the type."""
        dtype = np.dtype(self.dtype)
        if dtype.kind in "iub":
            # Of 32 bits and more not every integer is a float32.
            image = np.rint(image.astype(np.float64) if dtype.itemsize > 2 else image)
        clipped = image if self.limits is None else image.clip(*self.limits)
        return clipped.astype(dtype)

    def record(self) -> CastEntry:
        """Return what was done to the values, for the record of a step."""
        rounded = np.dtype(self.dtype).kind in "iub"
        limits = None if self.limits is None else list(self.limits)
        return {"dtype": self.dtype, "clipped": limits, "rounded": rounded}

    @classmethod
    def recorded(cls, kept: CastEntry) -> Self:
        """Return the cast of a record."""
        limits = kept["clipped"]
        return cls(kept["dtype"], None if limits is None else (limits[0], limits[1]))


def cast(image: NDArray[Any], dtype: DTypeLike) -> NDArray[Any]:
    """Return an image (numpy or dask) in a type; unchanged if it has that type."""
    return image if image.dtype == np.dtype(dtype) else Cast.into(dtype)(image)


def cast_record(source: DTypeLike, dtype: DTypeLike) -> CastEntry | None:
    """Return what `cast` does to computed values, for a record; None if it does nothing."""
    same = np.dtype(source) == np.dtype(dtype)
    return None if same else Cast.into(dtype).record()


def _limits(dtype: np.dtype[Any]) -> tuple[float, float]:
    """Return the least and the greatest float that a type can hold."""
    if dtype.kind == "b":
        return 0.0, 1.0
    if dtype.kind == "f":
        return -float(np.finfo(dtype).max), float(np.finfo(dtype).max)
    info = np.iinfo(dtype)
    low, high = float(info.min), float(info.max)
    # The greatest integers of 64 bits are no floats: the next float below stands for them.
    return low, high if int(high) <= info.max else float(np.nextafter(high, 0))
