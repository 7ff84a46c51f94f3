"""Adds up floating-point numbers as whole numbers, exponent by exponent."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from napari_diffusion.engine.jit import exact_kernel

#: Exponents of float64, and how many bits of a fraction are added up apart.
EXPONENTS, LOW = 2048, 26

# So many numbers of 24 bits add up without rounding in the 53 of float64, in any order, where none
# but 0 is smaller than 2⁻¹⁹ of the largest.
_BLOCK = 512
_SPARE = 19 << 23
_MAGNITUDE = np.uint32(0x7FFFFFFF)
_SMALLEST_NORMAL = 1 << 23


@njit(forceinline=True, fastmath={"reassoc", "nsz"})
def _sum_in_any_order(values: Any) -> Any:
    total = 0.0
    for i in range(values.size):
        total += np.float64(values[i])
    return total


@njit(forceinline=True)
def _adds_up_exactly(bits: Any) -> Any:
    """Say whether a block of float32 numbers, by their bits, adds up without rounding."""
    largest, smallest = np.uint32(0), np.uint32(0xFFFFFFFF)
    for i in range(bits.size):
        magnitude = np.uint32(bits[i] & _MAGNITUDE)
        largest = max(largest, magnitude)
        # 0 becomes the largest number there is.
        smallest = min(smallest, np.uint32(magnitude - np.uint32(1)))
    least: Any = np.int64(smallest)
    return least >= np.int64(largest) - _SPARE and least >= _SMALLEST_NORMAL


@exact_kernel
def _add(sums: Any, value: Any) -> None:
    stored = np.float64(value).view(np.int64)
    exponent = (stored >> 52) & (EXPONENTS - 1)
    fraction = stored & ((1 << 52) - 1)
    if exponent > 0:
        fraction |= 1 << 52
    if stored < 0:
        fraction = -fraction
    upper = fraction >> LOW
    sums[1, exponent] += upper
    sums[0, exponent] += fraction - (upper << LOW)


@exact_kernel
def add_up(sums: Any, values: Any) -> None:
    """Add one-dimensional float64 values to the sums of the lower and upper bits per exponent."""
    for i in range(values.size):
        _add(sums, values[i])


@exact_kernel
def add_up_narrow(sums: Any, values: Any, bits: Any) -> None:
    """Add one-dimensional float32 values, `bits` being the same as uint32; see `add_up`."""
    for start in range(0, values.size, _BLOCK):
        block = values[start : start + _BLOCK]
        if _adds_up_exactly(bits[start : start + _BLOCK]):
            _add(sums, _sum_in_any_order(block))
        else:
            for i in range(block.size):
                _add(sums, block[i])
