"""Random numbers that belong to a place: a pure function of seed, step, stream and coordinates.

The generator is Philox4x32-10. The key of a plane is the first 64 bits of its output for the
counter (t, c, step, stream) under the key (seed's low half, seed's high half); the counter of a
pixel is (x >> 2, y, z, attempt) under the key of its plane, and lane x & 3 of the four output
words is the pixel's. Nothing depends on the order, the chunks or the threads in which numbers are
asked for.

No arithmetic here is left to the compiler's choice: products and sums are rounded one by one
except where `fma` rounds them once. Vector and scalar code, and processors of different makes,
therefore agree to the bit (one without fused multiply-add gets there slowly).

References
----------
Salmon, Moraes, Dror and Shaw (2011), Parallel random numbers: as easy as 1, 2, 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from napari_diffusion.engine.jit import exact_allocating_kernel, exact_kernel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

AXES = "tczyx"
# Bits of each coordinate: x loses two to the lane.
AXIS_BITS = (32, 32, 32, 32, 34)

# Counters worked on at a time; four pixels share one. The scratch stays in the L1 cache; a shorter
# one would wait more often for the last words of a block.
BLOCK = 256

_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)
_MULTIPLIER_0, _MULTIPLIER_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL_0, _WEYL_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)

ULP_32 = np.float32(2.0**-32)
HALF_ULP_32 = np.float32(2.0**-33)
_BELOW_ONE = np.float32(1.0 - 2.0**-24)


@intrinsic
def fma(typingctx: Any, a: Any, b: Any, c: Any) -> Any:
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


@exact_kernel
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
        Size of a canonical (t, c, z, y, x) block, and the address of its first pixel.
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
                f"Coordinates of random numbers along {axis} must be from 0 to 2**{bits} - 1 "
                f"(got {first} to {first + size - 1}): move the origin of the block."
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
    """Return u = (word + ½) / 2³² as float32; where that would round to 1, the number below it."""
    return min(fma(np.float32(np.uint32(word)), ULP_32, HALF_ULP_32), _BELOW_ONE)


@njit(forceinline=True)
def num_counters(start: Any, width: Any) -> Any:
    """Return how many counters to work on for the pixels from `start` to the end of a row.

    Whole vectors of them: numbers too many are cheaper than the scalar remainder of a loop.
    """
    return min(BLOCK, (((width - start + 3) >> 2) + 7) & ~7)


@njit(forceinline=True)
def word_block(even: Any, odd: Any, n: Any, x: Any, y: Any, z: Any, attempt: Any, key: Any) -> None:
    """Fill the first n of `even` and `odd`, uint64, with the words of the counters from x on.

    x is a multiple of 4. Seen as uint32, entry j of `even` is the word of the pixel x + 2j and
    entry j of `odd` that of x + 2j + 1 (on little-endian processors, numba's only ones).
    """
    first, k0, k1 = np.uint64(x >> 2), np.uint64(key[0]), np.uint64(key[1])
    for i in range(n):
        w0, w1, w2, w3 = philox4x32_10(first + np.uint64(i), y, z, attempt, k0, k1)
        even[i] = w0 | (w2 << _32)
        odd[i] = w1 | (w3 << _32)


@njit(forceinline=True)
def weave(words: Any, even: Any, odd: Any, n: Any) -> None:
    """Put the words of 2n pairs of pixels into the order of the pixels."""
    for j in range(2 * n):
        words[2 * j], words[2 * j + 1] = even[j], odd[j]


@njit(forceinline=True)
def copy(out: Any, numbers: Any) -> None:
    """Copy as many numbers as `out` has room for."""
    for i in range(out.size):
        out[i] = numbers[i]


@exact_allocating_kernel
def fill_words(
    out: Any,
    keys: Any,
    z: Any,
    y0: Any,
    x0: Any,
    plane_start: Any,
    plane_stop: Any,
    row_start: Any,
    row_stop: Any,
    attempt: Any,
) -> None:
    """Write each pixel's word to `out`, uint32 (planes, y, x); see `normal.add_normal`."""
    even, odd = np.empty(BLOCK, np.uint64), np.empty(BLOCK, np.uint64)
    even32, odd32 = even.view(np.uint32), odd.view(np.uint32)
    words = np.empty(4 * BLOCK, np.uint32)
    width = out.shape[2]
    for plane in range(plane_start, plane_stop):
        for row in range(row_start, row_stop):
            for start in range(-(x0 & 3), width, 4 * BLOCK):
                n = num_counters(start, width)
                word_block(even, odd, n, x0 + start, y0 + row, z[plane], attempt, keys[plane])
                weave(words, even32, odd32, n)
                a, b = max(start, 0), min(start + 4 * n, width)
                copy(out[plane, row, a:b], words[a - start : b - start])
