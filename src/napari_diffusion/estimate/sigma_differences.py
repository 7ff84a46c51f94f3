"""White noise from differences of neighbours: they need few pixels, but texture adds to them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.engine.counting import NOT_MEASURED
from napari_diffusion.engine.executor import measured

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.image import Image
    from napari_diffusion.engine.block import Block
    from napari_diffusion.engine.histogram import Histogram

# The median absolute value of normal numbers of standard deviation 1, and their mean one.
MEDIAN_OF_NORMAL = 0.6744897501960817
MEAN_OF_NORMAL = math.sqrt(2 / math.pi)

_SECOND = np.array([1.0, -2.0, 1.0]) / math.sqrt(6.0)

# The high-pass of Daubechies' wavelet with two vanishing moments.
_ROOT = math.sqrt(3.0)
_WAVELET = np.array([1 - _ROOT, _ROOT - 3, 3 + _ROOT, -1 - _ROOT]) / (4 * math.sqrt(2.0))


def sigma_of_differences(image: Image, axes: tuple[int, ...]) -> float | None:
    """Return ``median |r| / 0.6745`` of second differences, None where there are none."""
    return _median(_filtered(image, axes, _SECOND))


def sigma_of_wavelet(image: Image, axes: tuple[int, ...]) -> float | None:
    """Return ``median |d| / 0.6745`` of the diagonal details, None where there are none."""
    return _median(_filtered(image, axes, _WAVELET))


def sigma_of_mean(image: Image, axes: tuple[int, ...]) -> float | None:
    """Return ``√(π/2) mean |r|`` of second differences, None where there are none."""
    found = _filtered(image, axes, _SECOND)
    return found.mean() / MEAN_OF_NORMAL if found.total else None


def _median(found: Histogram) -> float | None:
    return found.quantile(0.5) / MEDIAN_OF_NORMAL if found.total else None


def _filtered(image: Image, axes: tuple[int, ...], taps: NDArray[np.float64]) -> Histogram:
    """Count |values| after a short filter along each axis, where all its pixels are."""
    before = (len(taps) - 1) // 2
    after = len(taps) - 1 - before
    halo = tuple(after * int(axis in axes) for axis in range(5))

    def filtered(block: Block) -> NDArray[Any]:
        if any(block.shape[axis] < len(taps) for axis in axes):
            return np.full(block.shape, NOT_MEASURED)
        # Squares are not taken, so that float32 has room, but sums of large values need more.
        r = block.values.astype(np.float64)
        whole = block.mask
        for axis in axes:
            parts = [_part(r, axis, k, len(taps)) for k in range(len(taps))]
            r = sum(tap * part for tap, part in zip(taps, parts, strict=True))
            if whole is not None:
                # Else a copy of the mask would be made for each tap.
                inside = _part(whole, axis, 0, len(taps)).copy()
                for k in range(1, len(taps)):
                    inside &= _part(whole, axis, k, len(taps))
                whole = inside
        out = np.full(block.shape, NOT_MEASURED)
        inner = tuple(
            slice(before, -after or None) if axis in axes else slice(None) for axis in range(5)
        )
        out[inner] = np.abs(r) if whole is None else np.where(whole, np.abs(r), NOT_MEASURED)
        return out

    return measured(image, filtered, halo)


def _part(array: NDArray[Any], axis: int, first: int, length: int) -> NDArray[Any]:
    """Return the pixels along an axis that a tap lies on."""
    index = [slice(None)] * 5
    index[axis] = slice(first, array.shape[axis] - length + 1 + first)
    return array[tuple(index)]
