"""The gradient at the pixels, by central differences."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def squared(
    u: NDArray[Any], mask: NDArray[np.bool_] | None, slopes: NDArray[Any], joint: bool
) -> NDArray[Any]:
    """Return Σ (slope · ∂u)² at every pixel; what is measured once is worth no compiling.

    Parameters
    ----------
    u : ndarray
        Canonical (t, c, z, y, x).
    mask : ndarray of bool or None
        A neighbour outside of it counts as the pixel itself, as beyond the border.
    slopes : ndarray
        (c, 5): what a difference per pixel is multiplied by; 0 where nothing diffuses.
    joint : bool
        Whether the channels are summed, to a single one.
    """
    total = np.zeros(u.shape, u.dtype)
    for axis in (4, 3, 2, 0):
        if not slopes[:, axis].any() or u.shape[axis] == 1:
            continue
        difference = np.zeros(u.shape, u.dtype)
        for low, high, at in _neighbours(u.shape[axis]):
            a, b, middle = (_part(u, axis, each) for each in (low, high, at))
            if mask is not None:
                a = np.where(_part(mask, axis, low), a, middle)
                b = np.where(_part(mask, axis, high), b, middle)
            np.subtract(b, a, out=_part(difference, axis, at))
        difference *= (slopes[:, axis] * u.dtype.type(0.5)).reshape(1, -1, 1, 1, 1)
        difference *= difference
        total += difference
    if not joint:
        return total
    # One after the other, so that the order of the sum is the same for every layout.
    return functools.reduce(np.add, [total[:, c : c + 1] for c in range(u.shape[1])])


def _neighbours(size: int) -> list[tuple[slice, slice, slice]]:
    """Return the slices of the lower and the upper neighbours of some pixels, and their own."""
    first, last = slice(0, 1), slice(size - 1, size)
    inner = (slice(0, size - 2), slice(2, size), slice(1, size - 1))
    return [inner, (first, slice(1, 2), first), (slice(size - 2, size - 1), last, last)]


def _part(array: NDArray[Any], axis: int, part: slice) -> NDArray[Any]:
    return array[tuple(part if i == axis else slice(None) for i in range(5))]
