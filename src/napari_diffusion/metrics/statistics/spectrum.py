"""Spectra of images along the axes in `along`, with frequencies in cycles per world unit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid
    from napari_diffusion.metrics.base import View

# Shells that are too few for a spectrum.
FEWEST = 4


def long_axes(view: View) -> tuple[int, ...]:
    """Return the canonical axes that diffuse and have more than one pixel."""
    return tuple(axis for axis in view.grid.along_axes if view.image.shape[axis] > 1)


def spectrum(values: NDArray[Any], view: View) -> NDArray[Any]:
    """Return the Fourier coefficients of every image, minus its mean, under a Hann window.

    The last axis that diffuses is halved, as by `scipy.fft.rfftn`. What is outside the mask counts
    as the mean of each image.
    """
    from scipy import fft

    axes = long_axes(view)
    inside = None if view.mask is None else view.mask
    taper = np.ones((1,) * 5, values.dtype)
    for axis in axes:
        size = values.shape[axis]
        shape = [size if a == axis else 1 for a in range(5)]
        # Of the pixels' middles, so that no pixel is lost.
        window = np.sin(np.pi * (np.arange(size) + 0.5) / size) ** 2
        taper = taper * window.astype(values.dtype).reshape(shape)
    if inside is None:
        flat = values - values.mean(axes, dtype=np.float64, keepdims=True).astype(values.dtype)
    else:
        count = np.maximum(inside.sum(axes, keepdims=True), 1)
        middle = np.where(inside, values, 0).sum(axes, dtype=np.float64, keepdims=True) / count
        flat = np.where(inside, values - middle.astype(values.dtype), 0)
    return fft.rfftn(flat * taper, axes=axes)


def frequencies(view: View, lengths: dict[int, float]) -> NDArray[Any]:
    """Return the radial frequency of every coefficient, in cycles per unit of the lengths."""
    axes = long_axes(view)
    squared = np.zeros((1,) * 5)
    for axis in axes:
        size = view.image.shape[axis]
        of_axis = (np.fft.rfftfreq if axis == axes[-1] else np.fft.fftfreq)(size, lengths[axis])
        squared = squared + (of_axis**2).reshape([-1 if a == axis else 1 for a in range(5)])
    return np.sqrt(squared)


def shell_width(view: View) -> float:
    """Return the least distance of shells of which every one holds some coefficients."""
    grid, shape = view.grid, view.image.shape
    return max(1 / (shape[axis] * grid.length(axis)) for axis in long_axes(view))


def highest(view: View) -> float:
    """Return the highest frequency that any axis holds, in cycles per world unit."""
    return 0.5 / min(view.grid.length(axis) for axis in long_axes(view))


def shells(view: View) -> tuple[NDArray[np.int64], int]:
    """Return the shell of every coefficient, and how many shells there are; the last is beyond."""
    return view.once("shells", lambda: _shells(view))


def _shells(view: View) -> tuple[NDArray[np.int64], int]:
    width = shell_width(view)
    count = math.floor(highest(view) / width * (1 + 1e-9)) + 1
    radius = frequencies(view, _lengths(view.grid)) / width
    return np.minimum(np.rint(radius), count).astype(np.int64), count


def _lengths(grid: Grid) -> dict[int, float]:
    return {axis: grid.length(axis) for axis in grid.along_axes}


def both_sides(view: View, values: NDArray[Any]) -> NDArray[Any]:
    """Return the values with those weighed twice that stand for their mirror images too."""
    axis = long_axes(view)[-1]
    weights = np.full(values.shape[axis], 2.0, values.dtype)
    weights[0] = 1.0
    if view.image.shape[axis] % 2 == 0:
        weights[-1] = 1.0
    return values * weights.reshape([-1 if a == axis else 1 for a in range(5)])


def added_up(
    values: NDArray[Any], view: View, shell: NDArray[np.int64], count: int
) -> NDArray[np.float64]:
    """Return the sum of the values in each shell, of all images together."""
    batch = tuple(axis for axis in range(5) if axis not in long_axes(view))
    each = both_sides(view, values.sum(batch, keepdims=True))
    total = np.bincount(shell.ravel(), each.ravel(), count + 1)[:count]
    return np.asarray(total, np.float64)
