"""Adds up floating-point numbers as whole numbers, exponent by exponent."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_diffusion.compiled import exact_kernel


@exact_kernel
def add_up(bits: Any, exponent_bits: Any, fraction_bits: Any, low: Any) -> Any:
    """Return the sums of the lower `low` and of the upper bits of the fractions, per exponent.

    Parameters
    ----------
    bits : ndarray of uint32 or uint64, one-dimensional
        The numbers as they are stored.
    exponent_bits, fraction_bits : int
        How many bits each part has.
    low : int
        How many bits are added up apart, so that no sum leaves int64.
    """
    sums = np.zeros((2, 1 << exponent_bits), np.int64)
    for i in range(bits.size):
        stored = np.int64(bits[i])
        exponent = (stored >> fraction_bits) & ((1 << exponent_bits) - 1)
        fraction = stored & ((1 << fraction_bits) - 1)
        if exponent > 0:
            fraction |= 1 << fraction_bits
        if (stored >> (exponent_bits + fraction_bits)) & 1:
            fraction = -fraction
        upper = fraction >> low
        sums[1, exponent] += upper
        sums[0, exponent] += fraction - (upper << low)
    return sums
