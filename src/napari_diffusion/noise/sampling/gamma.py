"""Gamma numbers of many pixels at once: the quantile of a uniform number, from a table.

A gamma number of shape a divided by its mean a is f³ = (1 + e)³; by Wilson and Hilferty e is
nearly a normal number, and so f is a smooth function of the normal quantile z of the pixel's
uniform number, at every shape. The table has its cubic pieces, a thirty-second wide: of f, or of e
at shapes from LARGE on, where e is small. A number is within 3e-6 of the exact quantile of the
pixel's 64 bits, or 3e-8 of the mean, at shapes of 1 or more; no number is rejected and none is a
rounded normal one.

References
----------
Wilson and Hilferty (1931), The distribution of chi-square.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.engine.jit import exact_inline_kernel, exact_inner_kernel
from napari_diffusion.noise.sampling.quantile import (
    is_inner,
    long_word_at,
    normal_quantile,
    normal_quantile_at,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

# 64 bits reach to 9.16.
PIECES_PER_UNIT = 32
_REACH = 9.25
PIECES = int(2 * _REACH * PIECES_PER_UNIT)
_MIDDLE = PIECES // 2

# From this shape on the table is one of e.
LARGE = 1e4

_PER_UNIT, _QUARTER = np.float32(PIECES_PER_UNIT), np.float32(0.25)

# From this shape on one polynomial is enough where z is inner; it needs no look into a table.
SMOOTH = 2.0
_DEGREE = 13

_INFINITE = 1e30

# e as a double series in r = z / √a and 1 / a, fitted to the exact quantile for a > 32 and the
# whole reach of z: to 1.1e-6 of its spread 1 / (3 √a).
SERIES = (
    (
        0.3333332160482848, 3.474269180464215e-08, -0.0030843328179886486, 0.0008225562079088576,
        -0.0001324638292488899, 5.236085594529131e-06, 6.720732122713603e-06,
        -2.124967893537357e-06,
    ),
    (
        -0.11111451363141828, 0.009211005835789935, 0.0033340364962275767, -0.0016637226953742069,
        0.00031846062521907574, 3.921074551784445e-06,
    ),
    (-0.005763515533482785, -0.0007650112928006444, 0.0020533914711607887, -0.002000662291738089),
)  # fmt: skip


def law(shape: float) -> tuple[float, NDArray[np.float32], NDArray[np.float32]]:
    """Return the arguments of `gamma_block` for a shape; an infinite shape has no spread."""
    if shape > _INFINITE:
        return shape, np.zeros((PIECES, 4), np.float32), np.zeros(_DEGREE + 1, np.float32)
    smooth = polynomial(shape) if shape >= SMOOTH else np.zeros(_DEGREE + 1, np.float32)
    return shape, pieces(shape), smooth


@functools.lru_cache(maxsize=64)
def pieces(shape: float) -> NDArray[np.float32]:
    """Return the coefficients of 1, t, t² and t³ of f or e, 0 ≤ t < 1, in each piece of z."""
    z = np.arange(-_MIDDLE, _MIDDLE + 1) / PIECES_PER_UNIT
    value, slope = _series_at(z, shape) if shape >= LARGE else _quantile_at(z, shape)
    slope = slope / PIECES_PER_UNIT
    rise = np.diff(value)
    a, b = slope[:-1], slope[1:]
    return np.stack([value[:-1], a, 3 * rise - 2 * a - b, a + b - 2 * rise], 1).astype(np.float32)


@functools.lru_cache(maxsize=64)
def polynomial(shape: float) -> NDArray[np.float32]:
    """Return the coefficients of f or e in z / 4, the highest first, for shapes from SMOOTH on."""
    x = np.cos(np.pi * (np.arange(200) + 0.5) / 200)
    series = shape >= LARGE
    value, _ = _series_at(4 * x, shape) if series else _quantile_at(4 * x, shape)
    weights = np.ones_like(x) if series else 1 / value
    chebyshev = np.polynomial.chebyshev.chebfit(x, value, _DEGREE, w=weights)
    found = np.polynomial.chebyshev.cheb2poly(chebyshev)
    # Highest coefficients that are exactly 0 are cut off, and kernels read all of them.
    return np.pad(found, (0, _DEGREE + 1 - found.size))[::-1].astype(np.float32)


def _quantile_at(z: NDArray[Any], shape: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return f and its slope over z."""
    from scipy import special

    tail = special.ndtr(-np.abs(z))
    found = np.where(z < 0, special.gammaincinv(shape, tail), special.gammainccinv(shape, tail))
    root = np.cbrt(found / shape)
    with np.errstate(all="ignore"):
        log_density = (shape - 1) * np.log(found) - found - special.gammaln(shape)
        steep = np.exp(-0.5 * z * z - log_density) / np.sqrt(2 * np.pi)
        slope = root / (3 * found) * steep
    # Where a number is too small to be told from 0 the quantile is flat.
    return root, np.where(np.isfinite(slope), slope, 0.0)


def _series_at(z: NDArray[Any], shape: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return e and its slope over z from the series."""
    series = np.polynomial.polynomial
    r, spread = z / np.sqrt(shape), 1 / np.sqrt(shape)
    first, second, third = (0.0, *SERIES[0]), SERIES[1], SERIES[2]
    parts = [(first, 1.0), (second, 1 / shape), (third, shape**-2)]
    value = sum(series.polyval(r, c) * weight for c, weight in parts)
    slope = sum(series.polyval(r, series.polyder(c)) * weight for c, weight in parts)
    return value, slope * spread


@exact_inline_kernel
def place(z: Any) -> Any:
    """Return the piece in which z lies, and where in it."""
    scaled = np.float32(z * _PER_UNIT)
    below = np.float32(np.floor(scaled))
    return np.uint32(np.int32(below) + np.int32(_MIDDLE)), scaled - below


@exact_inline_kernel
def from_table(table: Any, row: Any, t: Any) -> Any:
    """Return the cubic of a row of the table at t, by Horner's rule."""
    return table[row, 0] + t * (table[row, 1] + t * (table[row, 2] + t * table[row, 3]))


@exact_inline_kernel
def _from_polynomial(found: Any, n: Any, c: Any) -> None:
    c0, c1, c2, c3, c4, c5, c6 = c[0], c[1], c[2], c[3], c[4], c[5], c[6]
    c7, c8, c9, c10, c11, c12, c13 = c[7], c[8], c[9], c[10], c[11], c[12], c[13]
    for i in range(n):
        x = found[i] * _QUARTER
        p = ((((c0 * x + c1) * x + c2) * x + c3) * x + c4) * x + c5
        p = ((((p * x + c6) * x + c7) * x + c8) * x + c9) * x + c10
        found[i] = ((p * x + c11) * x + c12) * x + c13


@exact_inner_kernel
def gamma_block(
    found: Any,
    words: Any,
    n: Any,
    shape: Any,
    table: Any,
    smooth: Any,
    x: Any,
    y: Any,
    z: Any,
    slot: Any,
    key: Any,
) -> None:
    """Fill the first n of `found`, float32, with f or e; `words` are the pixels' own.

    Parameters
    ----------
    words : ndarray of uint32
        Of the attempt `slot`, in the order of the pixels; the next one has the further bits.
    shape : float
        Of the distribution.
    table, smooth : ndarray
        From `pieces` and, for shapes from SMOOTH on, `polynomial`.
    x, y, z : int
        Address of the first pixel.
    key : ndarray of uint32
        Of the plane.
    """
    outer = 0
    for i in range(n):
        inner = is_inner(words[i])
        found[i] = normal_quantile(words[i]) if inner else np.float32(0)
        outer += not inner
    if shape >= SMOOTH:
        _from_polynomial(found, n, smooth)
    else:
        for i in range(n):
            row, t = place(found[i])
            found[i] = from_table(table, row, t)
    if outer == 0:
        return
    for i in range(n):
        if not is_inner(words[i]):
            bits = long_word_at(x + i, y, z, slot, np.uint64(key[0]), np.uint64(key[1]))
            row, t = place(np.float32(normal_quantile_at(bits)))
            found[i] = from_table(table, row, t)


@exact_inline_kernel
def times_cubed(value: Any, e: Any) -> Any:
    """Return value · (1 + e)³, not below 0, to all digits for small e too."""
    return max(value + value * (e * (e * (e + type(e)(3)) + type(e)(3))), type(value)(0))
