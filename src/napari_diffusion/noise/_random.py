"""Random numbers that belong to a place: a pure function of seed, step, stream and coordinates.

The generator is Philox4x32-10. The key of a plane is the first 64 bits of its output for the
counter (t, c, step, stream) under the key (seed's low half, seed's high half); the counter of a
sample is (x >> 2, y, z, attempt) under the key of its plane, and lane x & 3 of the four output
words is the sample's. Nothing depends on the order, the chunks or the threads in which numbers are
asked for.

Normal numbers come in pairs (lanes 0 and 1, lanes 2 and 3) by the Box–Muller transform in float32.
No arithmetic here is left to the compiler's choice: products and sums are rounded one by one
except where `_fma` rounds them once. Vector and scalar code, and processors of different makes,
therefore agree to the bit.

References
----------
Salmon, Moraes, Dror and Shaw (2011), Parallel random numbers: as easy as 1, 2, 3.
Box and Muller (1958), A note on the generation of random normal deviates.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

AXES = "tczyx"
# Bits of each coordinate: x loses two to the lane.
AXIS_BITS = (32, 32, 32, 32, 34)

# Four samples share a counter. The scratch of a block of counters (8 KiB) stays in the L1 cache.
BLOCK = 256

_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)
_MULTIPLIER_0, _MULTIPLIER_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL_0, _WEYL_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)

_ULP_32 = np.float32(2.0**-32)
_HALF_ULP_32 = np.float32(2.0**-33)
_BELOW_ONE = np.float32(1.0 - 2.0**-24)
_ONE, _TWO = np.float32(1), np.float32(2)
_ANGLE_UNIT = np.float32(2.0**-30)
_MINUS_2_LN_2 = np.float32(-1.3862943611198906)

_MANTISSA, _HALF_EXPONENT = np.int32(0x007FFFFF), np.int32(0x3F000000)
_SIGN, _SWAP = np.uint32(0x80000000), np.uint32(0x40000000)


@intrinsic  # type: ignore[untyped-decorator]
def _fma(typingctx: Any, a: Any, b: Any, c: Any) -> Any:
    """Return a·b + c in float32, rounded once."""
    del typingctx, a, b, c
    signature = types.float32(types.float32, types.float32, types.float32)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del context, signature
        return builder.fma(*arguments)

    return signature, generate


@njit(forceinline=True)
def philox4x32_10(c0: Any, c1: Any, c2: Any, c3: Any, k0: Any, k1: Any) -> Any:
    """Return the four output words of Philox4x32-10.

    Words are held in uint64, whose upper halves may hold anything on the way: each product reads
    the lower halves alone, as the processor's vector multiplication does.
    """
    c0, c1, c2, c3 = np.uint64(c0), np.uint64(c1), np.uint64(c2), np.uint64(c3)
    k0, k1 = np.uint64(k0), np.uint64(k1)
    for _ in range(10):
        p0 = (c0 & _LOW) * _MULTIPLIER_0
        p1 = (c2 & _LOW) * _MULTIPLIER_1
        c0, c1, c2, c3 = (p1 >> _32) ^ c1 ^ k0, p1, (p0 >> _32) ^ c3 ^ k1, p0
        k0 += _WEYL_0
        k1 += _WEYL_1
    return c0 & _LOW, c1 & _LOW, c2 & _LOW, c3 & _LOW


@njit(nogil=True, cache=True)
def plane_key(seed: Any, t: Any, c: Any, step: Any, stream: Any) -> Any:
    """Return the two key words of a plane; `seed` is a numpy.uint64."""
    k0, k1, _, _ = philox4x32_10(t, c, step, stream, seed & _LOW, seed >> _32)
    return k0, k1


def addresses(
    shape: Sequence[int], origin: Sequence[int], seed: int, step: int = 0, stream: int = 0
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return what places the planes of a block: their keys and their z.

    Parameters
    ----------
    shape, origin : sequence of 5 int
        Size of a canonical (t, c, z, y, x) block, and the address of its first sample.
    seed : int
        0 … 2⁶⁴ − 1.
    step, stream : int
        0 … 2³² − 1.

    Returns
    -------
    keys : ndarray of uint32, shape (t · c · z, 2)
    z : ndarray of int64, shape (t · c · z,)
        Both in the order of ``block.reshape(-1, y, x)``.

    Raises
    ------
    ValueError
        If a number cannot be addressed: t, c, z and y end at 2³², x at 2³⁴.
    """
    for name, value, bits in (("seed", seed, 64), ("step", step, 32), ("stream", stream, 32)):
        if not 0 <= value < 1 << bits:
            raise ValueError(f"{name} must be from 0 to 2**{bits} - 1 (got {value}).")
    for axis, first, size, bits in zip(AXES, origin, shape, AXIS_BITS, strict=True):
        if first < 0 or first + size > 1 << bits:
            raise ValueError(
                f"Random numbers have addresses from 0 to 2**{bits} - 1 along {axis} "
                f"(got {first} to {first + size - 1}); move the block's origin."
            )
    (t0, c0, z0), (num_t, num_c, num_z) = origin[:3], shape[:3]
    pairs = [
        plane_key(np.uint64(seed), t, c, step, stream)
        for t in range(t0, t0 + num_t)
        for c in range(c0, c0 + num_c)
    ]
    keys = np.array(pairs, np.uint32).reshape(-1, 2).repeat(num_z, axis=0)
    z = np.tile(np.arange(z0, z0 + num_z, dtype=np.int64), len(pairs))
    return keys, z


@njit(forceinline=True)
def uniform(word: Any) -> Any:
    """Return (word + ½) / 2³² as float32, kept below 1."""
    return min(_fma(np.float32(np.uint32(word)), _ULP_32, _HALF_ULP_32), _BELOW_ONE)


@njit(forceinline=True)
def twice_exponential(word: Any) -> Any:
    """Return −2 ln u as float32, u = (word + ½) / 2³², to 2 ulp at both ends of u.

    With s the distance of u to the nearer end: above ½, −2 ln(1 − s); below, s = 2^e (1 − g) and
    −2 ln s = −2 ln(1 − g) − 2 e ln 2. The polynomial serves both; it is the minimax of
    (−2 ln(1 − g) − 2 g) / g² for the relative error of −2 ln(1 − g) on 0 … ½ (2.4e-8).
    """
    signed = np.int32(word)
    above = np.int32(signed >> np.int32(31))
    s = _fma(np.float32(np.int32(signed ^ above)), _ULP_32, _HALF_ULP_32)
    bits = np.float32(s).view(np.int32)
    exponent = np.int32(np.int32(np.int32(bits >> np.int32(23)) - np.int32(126)) & ~above)
    mantissa = np.int32(np.int32(bits & _MANTISSA) | _HALF_EXPONENT).view(np.float32)
    g = s if signed < 0 else _ONE - mantissa
    p = np.float32(2.8285913467407227)
    p = _fma(p, g, np.float32(-3.2781124114990234))
    p = _fma(p, g, np.float32(2.4165027141571045))
    p = _fma(p, g, np.float32(-0.3614821135997772))
    p = _fma(p, g, np.float32(0.5272734761238098))
    p = _fma(p, g, np.float32(0.48738059401512146))
    p = _fma(p, g, np.float32(0.6672631502151489))
    p = _fma(p, g, np.float32(0.9999904632568359))
    return _fma(g * g, p, _fma(np.float32(np.int32(exponent)), _MINUS_2_LN_2, g * _TWO))


@njit(forceinline=True)
def point_on_circle(word: Any) -> Any:
    """Return (cos, sin) of a uniform angle as float32.

    The lower 30 bits are an angle within ±45°; bit 31 mirrors it to the other side and bit 30
    swaps the axes. Neither is ever 0, and every value comes with its negative.
    """
    # Twice the signed 30-bit number plus 1: odd, so symmetric about 0.
    odd = np.int32(np.int32(np.int32(word) << np.int32(2)) >> np.int32(1)) | np.int32(1)
    t = np.float32(np.int32(odd)) * _ANGLE_UNIT
    z = t * t
    p = _fma(np.float32(-3.5868146e-05), z, np.float32(0.002490002))
    p = _fma(p, z, np.float32(-0.08074552))
    sine = t * _fma(p, z, np.float32(0.7853982))
    p = _fma(np.float32(-0.00031897702), z, np.float32(0.01585015))
    p = _fma(p, z, np.float32(-0.3084244))
    cosine = _fma(p, z, _ONE)
    flipped = np.uint32(np.float32(cosine).view(np.uint32) ^ np.uint32(word & _SIGN))
    cosine = flipped.view(np.float32)
    if np.uint32(word & _SWAP) != 0:
        return sine, cosine
    return cosine, sine


@njit(forceinline=True)
def normal_pair(even: Any, odd: Any) -> Any:
    """Return two independent standard normal numbers, float32, from two words."""
    radius = np.float32(math.sqrt(twice_exponential(even)))
    first, second = point_on_circle(odd)
    return radius * first, radius * second


@njit(forceinline=True)
def word_block(even: Any, odd: Any, n: Any, x: Any, y: Any, z: Any, attempt: Any, k: Any) -> None:
    """Fill `even` and `odd`, uint64, with the words of n counters from x, a multiple of 4, on.

    Seen as uint32, element j of `even` and of `odd` belong to the samples x + 2j and x + 2j + 1.
    """
    k0, k1 = np.uint64(k[0]), np.uint64(k[1])
    first = np.uint64(x >> 2)
    for i in range(n):
        w0, w1, w2, w3 = philox4x32_10(first + np.uint64(i), y, z, attempt, k0, k1)
        even[i] = w0 | (w2 << _32)
        odd[i] = w1 | (w3 << _32)


@njit(forceinline=True)
def _normal_block(out: Any, even: Any, odd: Any, n: Any) -> None:
    for j in range(2 * n):
        out[2 * j], out[2 * j + 1] = normal_pair(even[j], odd[j])


@njit(forceinline=True)
def _weave(out: Any, even: Any, odd: Any, n: Any) -> None:
    for j in range(2 * n):
        out[2 * j] = even[j]
        out[2 * j + 1] = odd[j]


@njit(forceinline=True)
def _copy(out: Any, numbers: Any) -> None:
    for i in range(out.size):
        out[i] = numbers[i]


@njit(forceinline=True)
def _add_scaled(out: Any, image: Any, scale: Any, numbers: Any) -> None:
    for i in range(out.size):
        out[i] = image[i] + scale * numbers[i]


@njit(nogil=True, cache=True)
def fill_words(
    out: Any, keys: Any, z: Any, y0: Any, x0: Any, plane0: Any, plane1: Any, row0: Any, row1: Any,
    attempt: Any,
) -> None:
    even, odd = np.empty(BLOCK, np.uint64), np.empty(BLOCK, np.uint64)
    even32, odd32 = even.view(np.uint32), odd.view(np.uint32)
    words = np.empty(4 * BLOCK, np.uint32)
    width = out.shape[2]
    for plane in range(plane0, plane1):
        for row in range(row0, row1):
            for start in range(-(x0 & 3), width, 4 * BLOCK):
                n = min(BLOCK, (width - start + 3) >> 2)
                word_block(even, odd, n, x0 + start, y0 + row, z[plane], attempt, keys[plane])
                _weave(words, even32, odd32, n)
                a, b = max(start, 0), min(start + 4 * n, width)
                _copy(out[plane, row, a:b], words[a - start : b - start])


@njit(nogil=True, cache=True)
def fill_normal(
    out: Any, keys: Any, z: Any, y0: Any, x0: Any, plane0: Any, plane1: Any, row0: Any, row1: Any
) -> None:
    even, odd = np.empty(BLOCK, np.uint64), np.empty(BLOCK, np.uint64)
    even32, odd32 = even.view(np.uint32), odd.view(np.uint32)
    normals = np.empty(4 * BLOCK, np.float32)
    width = out.shape[2]
    for plane in range(plane0, plane1):
        for row in range(row0, row1):
            for start in range(-(x0 & 3), width, 4 * BLOCK):
                n = min(BLOCK, (width - start + 3) >> 2)
                word_block(even, odd, n, x0 + start, y0 + row, z[plane], 0, keys[plane])
                _normal_block(normals, even32, odd32, n)
                a, b = max(start, 0), min(start + 4 * n, width)
                _copy(out[plane, row, a:b], normals[a - start : b - start])


@njit(nogil=True, cache=True)
def add_normal(
    image: Any, out: Any, scale: Any, keys: Any, z: Any, y0: Any, x0: Any,
    plane0: Any, plane1: Any, row0: Any, row1: Any,
) -> None:
    even, odd = np.empty(BLOCK, np.uint64), np.empty(BLOCK, np.uint64)
    even32, odd32 = even.view(np.uint32), odd.view(np.uint32)
    normals = np.empty(4 * BLOCK, np.float32)
    own_scale = out.dtype.type(scale)
    width = out.shape[2]
    for plane in range(plane0, plane1):
        for row in range(row0, row1):
            for start in range(-(x0 & 3), width, 4 * BLOCK):
                n = min(BLOCK, (width - start + 3) >> 2)
                word_block(even, odd, n, x0 + start, y0 + row, z[plane], 0, keys[plane])
                _normal_block(normals, even32, odd32, n)
                a, b = max(start, 0), min(start + 4 * n, width)
                _add_scaled(out[plane, row, a:b], image[plane, row, a:b], own_scale, normals[a - start : b - start])
