"""Normal numbers that belong to a place, from the words of `_random`.

They come in pairs (lanes 0 and 1, lanes 2 and 3) by the Box–Muller transform in float32.

References
----------
Box and Muller (1958), A note on the generation of random normal deviates.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from napari_diffusion.engine.jit import exact_allocating_kernel
from napari_diffusion.noise.sampling.random_numbers import (
    BLOCK,
    HALF_ULP_32,
    ULP_32,
    copy,
    fma,
    num_counters,
    word_block,
)

_ONE, _SQRT_2 = np.float32(1), np.float32(1.4142135623730951)
_ANGLE_UNIT = np.float32(2.0**-30)
_MINUS_LN_2 = np.float32(-0.6931471805599453)

_MANTISSA, _HALF_EXPONENT = np.int32(0x007FFFFF), np.int32(0x3F000000)
_SIGN, _SWAP = np.uint32(0x80000000), np.uint32(0x40000000)


@njit(forceinline=True)
def exponential(word: Any) -> Any:
    """Return −ln u as float32, u = (word + ½) / 2³², within 2e-7 of itself at both ends of u.

    s is the distance of u to its nearer end. For u > ½, −ln u = −ln(1 − s). Else s = 2^e (1 − g)
    and −ln u = −ln(1 − g) − e ln 2, a sum without cancellation. The polynomial serves both: the
    minimax of (−ln(1 − g) − g) / g² over 0 ≤ g ≤ ½ for the relative error of −ln(1 − g), 2.4e-8.
    """
    signed = np.int32(word)
    above = np.int32(signed >> np.int32(31))
    s = np.float32(fma(np.float32(np.int32(signed ^ above)), ULP_32, HALF_ULP_32))
    bits = s.view(np.int32)
    exponent = np.int32(np.int32(np.int32(bits >> np.int32(23)) - np.int32(126)) & ~above)
    mantissa = np.int32(np.int32(bits & _MANTISSA) | _HALF_EXPONENT).view(np.float32)
    g = s if signed < 0 else _ONE - mantissa
    p = np.float32(1.4142957)
    p = fma(p, g, np.float32(-1.6390562))
    p = fma(p, g, np.float32(1.2082514))
    p = fma(p, g, np.float32(-0.18074106))
    p = fma(p, g, np.float32(0.26363674))
    p = fma(p, g, np.float32(0.2436903))
    p = fma(p, g, np.float32(0.33363158))
    p = fma(p, g, np.float32(0.49999523))
    return fma(g * g, p, fma(np.float32(exponent), _MINUS_LN_2, g))


@njit(forceinline=True)
def point_on_circle(word: Any) -> Any:
    """Return √2 (cos θ, sin θ) of a uniform angle θ as float32, each within 2e-7 of itself.

    The lower 30 bits are an angle between −45° and 45°, bit 31 mirrors the point in the second
    axis and bit 30 swaps the axes. No coordinate is 0, and each comes with its negative.
    """
    # Twice the signed 30-bit number plus 1 is odd and so symmetric about 0.
    odd = np.int32(np.int32(np.int32(word) << np.int32(2)) >> np.int32(1)) | np.int32(1)
    t = np.float32(np.int32(odd)) * _ANGLE_UNIT
    tt = t * t
    p = fma(np.float32(-5.0774546e-05), tt, np.float32(0.0035214361))
    p = fma(p, tt, np.float32(-0.1141914))
    sine = t * fma(p, tt, np.float32(1.1107208))
    p = fma(np.float32(-0.00045095567), tt, np.float32(0.022415202))
    p = fma(p, tt, np.float32(-0.43617782))
    cosine = np.float32(fma(p, tt, _SQRT_2))
    mirrored = np.uint32(cosine.view(np.uint32) ^ np.uint32(word & _SIGN)).view(np.float32)
    if np.uint32(word & _SWAP) != 0:
        return sine, mirrored
    return mirrored, sine


@njit(forceinline=True)
def normal_pair(even: Any, odd: Any) -> Any:
    """Return two independent standard normal numbers as float32, each within 3e-7 of itself."""
    radius = np.float32(math.sqrt(exponential(even)))
    first, second = point_on_circle(odd)
    return radius * first, radius * second


@njit(forceinline=True)
def normal_block(normals: Any, even: Any, odd: Any, n: Any) -> None:
    """Fill the first 4n of `normals` from the uint32 views of the words of n counters."""
    for j in range(2 * n):
        normals[2 * j], normals[2 * j + 1] = normal_pair(even[j], odd[j])


@njit(forceinline=True)
def _add_normal_block(out: Any, image: Any, scale: Any, even: Any, odd: Any) -> None:
    """Add the normal numbers of a block of whole counters to the image, without a buffer."""
    for j in range(out.size >> 1):
        first, second = normal_pair(even[j], odd[j])
        out[2 * j] = image[2 * j] + scale * first
        out[2 * j + 1] = image[2 * j + 1] + scale * second


@njit(forceinline=True)
def _add_scaled(out: Any, image: Any, scale: Any, numbers: Any) -> None:
    for i in range(out.size):
        out[i] = image[i] + scale * numbers[i]


@exact_allocating_kernel
def fill_normal(
    out: Any,
    keys: Any,
    z: Any,
    y0: Any,
    x0: Any,
    plane_start: Any,
    plane_stop: Any,
    row_start: Any,
    row_stop: Any,
) -> None:
    """Write each pixel's standard normal number to `out`, float32 or float64; see `add_normal`."""
    even, odd = np.empty(BLOCK, np.uint64), np.empty(BLOCK, np.uint64)
    even32, odd32 = even.view(np.uint32), odd.view(np.uint32)
    normals = np.empty(4 * BLOCK, np.float32)
    width = out.shape[2]
    for plane in range(plane_start, plane_stop):
        for row in range(row_start, row_stop):
            for start in range(-(x0 & 3), width, 4 * BLOCK):
                n = num_counters(start, width)
                word_block(even, odd, n, x0 + start, y0 + row, z[plane], 0, keys[plane])
                normal_block(normals, even32, odd32, n)
                a, b = max(start, 0), min(start + 4 * n, width)
                copy(out[plane, row, a:b], normals[a - start : b - start])


@exact_allocating_kernel
def add_normal(
    image: Any,
    out: Any,
    scale: Any,
    keys: Any,
    z: Any,
    y0: Any,
    x0: Any,
    plane_start: Any,
    plane_stop: Any,
    row_start: Any,
    row_stop: Any,
) -> None:
    """Write image + scale · n to `out` for a band of rows of some planes, n standard normal.

    Parameters
    ----------
    image, out : ndarray, shape (planes, y, x), C-contiguous
        Both float32 or both float64; the normal numbers are the same. `out` may be `image`.
    scale : float
        Standard deviation; rounded to the type of `out`.
    keys, z : ndarray
        From `addresses`.
    y0, x0 : int
        Address of the first row and of the first column of the arrays.
    plane_start, plane_stop, row_start, row_stop : int
        Half-open ranges of what is written.
    """
    even, odd = np.empty(BLOCK, np.uint64), np.empty(BLOCK, np.uint64)
    even32, odd32 = even.view(np.uint32), odd.view(np.uint32)
    normals = np.empty(4 * BLOCK, np.float32)
    own_scale = out.dtype.type(scale)
    width = out.shape[2]
    for plane in range(plane_start, plane_stop):
        for row in range(row_start, row_stop):
            for start in range(-(x0 & 3), width, 4 * BLOCK):
                n = num_counters(start, width)
                word_block(even, odd, n, x0 + start, y0 + row, z[plane], 0, keys[plane])
                a, b = max(start, 0), min(start + 4 * n, width)
                target, source = out[plane, row, a:b], image[plane, row, a:b]
                if b - a == 4 * n:
                    _add_normal_block(target, source, own_scale, even32, odd32)
                else:
                    normal_block(normals, even32, odd32, n)
                    _add_scaled(target, source, own_scale, normals[a - start : b - start])
