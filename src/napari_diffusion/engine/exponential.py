"""2 to a negative power, in operations that a loop can be vectorised with.

A call to the mathematical library would end vectorisation. Adding 1.5 times the number of which
the last bit of the fraction counts ones rounds to a whole number; a polynomial, the minimax for
|r| ≤ ½, gives the fraction's power; the whole number goes into the exponent's bits.
"""

from __future__ import annotations

import numpy as np
from numba import types
from numba.extending import overload

from napari_diffusion.engine.jit import inline_kernel

LOG2_E = 1.4426950408889634


def two_to_minus(y):
    """Return 2^−y for y ≥ 0, infinity included, to 1 ulp; not below the smallest normal number."""
    return 2.0**-y


@inline_kernel
def _two_to_minus_32(y):
    y = min(y, np.float32(126))
    shifted = y + np.float32(12582912)
    r = (shifted - np.float32(12582912)) - y
    p = np.float32(0.0013264727213697718)
    p = p * r + np.float32(0.009671512812493614)
    p = p * r + np.float32(0.055507337448246666)
    p = p * r + np.float32(0.2402224208267754)
    p = p * r + np.float32(0.6931469775973305)
    p = p * r + np.float32(1)
    whole = np.int32(np.float32(shifted).view(np.int32) << np.int32(23))
    return np.int32(np.float32(p).view(np.int32) - whole).view(np.float32)


@inline_kernel
def _two_to_minus_64(y):
    y = min(y, np.float64(1022))
    shifted = y + np.float64(6755399441055744)
    r = (shifted - np.float64(6755399441055744)) - y
    p = 4.194784468436132e-10
    p = p * r + 7.066291045752148e-09
    p = p * r + 1.0180065929227097e-07
    p = p * r + 1.3215492194473387e-06
    p = p * r + 1.525272820521518e-05
    p = p * r + 0.00015403530301932603
    p = p * r + 0.0013333558153276193
    p = p * r + 0.009618129107772403
    p = p * r + 0.055504108664789095
    p = p * r + 0.24022650695909398
    p = p * r + 0.6931471805599454
    p = p * r + 1.0
    whole = np.int64(np.float64(shifted).view(np.int64) << np.int64(52))
    return np.int64(np.float64(p).view(np.int64) - whole).view(np.float64)


@overload(two_to_minus, inline="always")
def _two_to_minus(y):
    if y == types.float32:
        return lambda y: _two_to_minus_32(y)
    return lambda y: _two_to_minus_64(y)


@inline_kernel
def exp_of_minus(q):
    """Return exp(−q) for q ≥ 0, infinity included; not below the smallest normal number."""
    return two_to_minus(q * type(q)(LOG2_E))
