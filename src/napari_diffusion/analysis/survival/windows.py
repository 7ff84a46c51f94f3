"""Windows around many places, read and written at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of one size around places.

    Attributes
    ----------
    index : ndarray of int, shape (places, side, …)
        Where each pixel lies in the flat array; the nearest one for pixels beyond the border.
    inside : ndarray of bool
        Which pixels lie in the array.
    offsets : tuple of ndarray
        Pixels from the place along each axis; they broadcast to the shape of `index`.
    """

    index: NDArray[np.int64]
    inside: NDArray[np.bool_]
    offsets: tuple[NDArray[np.float64], ...]

    @classmethod
    def of(
        cls,
        places: NDArray[np.float64],
        shape: tuple[int, ...],
        object_axes: Sequence[int],
        half: int,
    ) -> Windows:
        """Return windows of 2·half + 1 pixels along each axis of the objects."""
        centres = np.rint(places).astype(np.int64)
        count, dims = len(places), len(object_axes)
        strides = np.cumprod([1, *shape[:0:-1]])[::-1]
        flat = np.zeros((count,) + (1,) * dims, np.int64)
        inside: NDArray[np.bool_] = np.ones_like(flat, bool)
        offsets, ticks = [], np.arange(-half, half + 1)
        for axis, n in enumerate(shape):
            position = centres[:, axis, None]
            if axis not in object_axes:
                flat = flat + (position * strides[axis]).reshape((count,) + (1,) * dims)
                continue
            place = [count] + [1] * dims
            place[1 + list(object_axes).index(axis)] = len(ticks)
            positions = (position + ticks).reshape(place)
            inside = inside & (positions >= 0) & (positions < n)
            flat = flat + np.clip(positions, 0, n - 1) * strides[axis]
            offsets.append((position + ticks - places[:, axis, None]).reshape(place))
        return cls(flat, inside, tuple(offsets))

    def of_values(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return the values in the windows."""
        return values.ravel()[self.index].astype(np.float64)

    def inner(self, less: int) -> tuple[slice, ...]:
        """Return what is left of a window without a border."""
        return (slice(None),) + (slice(less, -less or None),) * (self.index.ndim - 1)
