"""Poisson numbers of many pixels at once, each at its own rate.

Every number is the Poisson quantile of u, a uniform number of 64 bits that belongs to the pixel.
Its first 32 bits nearly always decide: a loop without branches finds the quantile in float32, by
adding up probabilities at rates below FEW and by an expansion around the normal quantile above
(Temme's, with corrections fitted to the exact quantile). Where the nearest step of the quantile
is closer than the error of that loop, or u is far out, `_poisson_exact` decides with all 64 bits.
So the fast loop's arithmetic changes no number, and the numbers are exact.

References
----------
Giles (2016), Algorithm 955: approximation of the inverse Poisson cumulative distribution function.
Temme (1992), Asymptotic inversion of incomplete gamma functions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_diffusion.engine.jit import inline_kernel, inner_kernel
from napari_diffusion.noise.sampling.poisson_exact import LARGE, poisson_at
from napari_diffusion.noise.sampling.quantile import is_inner, normal_quantile

# Below this rate probabilities are added up.
FEW = 12.0
# Up to this rate a shorter sum is enough.
_VERY_FEW = 4.0

# Marks a pixel that the exact way decides.
OPEN = np.float32(-1e30)

_HALF, _ONE, _ULP_32 = np.float32(0.5), np.float32(1), np.float32(2.0**-32)
_LOG2_E = np.float32(1.4426950408889634)
_WHOLE = np.float32(12582912)

# How far sums of probabilities, and quantiles, are trusted.
_SUM_ERROR = np.float32(1e-5)
_STEP_ERROR, _STEP_ERROR_PER_ROOT = np.float32(1e-4), np.float32(2e-6)
_WIDEST = np.float32(1.05)


@inline_kernel
def _expand(found: Any, rate32: Any, part: Any, words: Any, n: Any) -> None:
    """Write the quantiles less the rate rounded down, for rates of FEW or more."""
    for i in range(n):
        z = normal_quantile(words[i])
        root = np.float32(np.sqrt(max(rate32[i], _ONE)))
        inverse = _ONE / root
        r = z * inverse
        q = np.float32(0.00012044006659687102)
        q = q * r - np.float32(0.00016725327350104524)
        q = q * r + np.float32(9.56973891551767e-06)
        q = q * r - np.float32(0.00015469914220102386)
        q = q * r + np.float32(0.0006186293825356759)
        q = q * r - np.float32(0.0013662784779076673)
        q = q * r + np.float32(0.003693181955186297)
        q = q * r - np.float32(0.013885769397517405)
        q = q * r + np.float32(0.1666669657639752)
        c = np.float32(0.00036735768569645894)
        c = c * r - np.float32(0.0007312318155204791)
        c = c * r + np.float32(0.0023766399497318035)
        c = c * r - np.float32(0.004002201485638175)
        c = c * r + np.float32(0.008296324782462592)
        c = c * r - np.float32(0.027674489526720525)
        c = c * r + np.float32(0.3333510579527002)
        b = np.float32(-0.020861698445457596)
        b = b * r + np.float32(0.018870586789463475)
        b = b * r - np.float32(0.00539161285443437)
        b = b * r + np.float32(0.015059934539436862)
        b = b * r - np.float32(0.020308073169626826)
        v = part[i] + (root * z + (z * z * q + (c + b * (inverse * inverse))))
        k = np.float32(np.floor(v))
        near = min(v - k, _ONE - (v - k))
        sure = near > _STEP_ERROR + _STEP_ERROR_PER_ROOT * root
        sure = sure & is_inner(words[i]) & (abs(r) < _WIDEST)
        found[i] = k if sure else OPEN


@inline_kernel
def _exponential(rate: Any) -> Any:
    """Return e^−rate to 2e-6 of itself, 0 ≤ rate < 80."""
    y = rate * _LOG2_E
    # The last bit of the fraction counts ones: this rounds to a whole number.
    shifted = np.float32(y + _WHOLE)
    r = (shifted - _WHOLE) - y
    p = np.float32(0.0013264727)
    p = p * r + np.float32(0.0096715128)
    p = p * r + np.float32(0.055507337)
    p = p * r + np.float32(0.24022242)
    p = p * r + np.float32(0.69314698)
    p = np.float32(p * r + _ONE)
    whole = np.int32(shifted.view(np.int32) << np.int32(23))
    return np.int32(p.view(np.int32) - whole).view(np.float32)


@inline_kernel
def _add_up(found: Any, rate32: Any, words: Any, n: Any, terms: Any) -> None:
    """Write the quantiles where fewer than `terms` probabilities reach u, for rates below FEW."""
    few = np.float32(FEW)
    for i in range(n):
        rate = rate32[i]
        if rate < few:
            u = (np.float32(words[i]) + _HALF) * _ULP_32
            p = _exponential(rate)
            total, near, k = p, _ONE, np.float32(0)
            for j in range(1, terms):
                distance = u - total
                k += _ONE if distance >= np.float32(0) else np.float32(0)
                near = min(near, abs(distance))
                p *= rate * np.float32(_ONE / np.float32(j))
                total += p
            sure = (near > _SUM_ERROR) & (u < total - _SUM_ERROR)
            found[i] = k if sure else OPEN


@inner_kernel
def poisson_block(
    counts: Any,
    rates: Any,
    words: Any,
    n: Any,
    x: Any,
    y: Any,
    z: Any,
    key: Any,
    scratch: Any,
) -> None:
    """Fill the first n of `counts`, float64, with Poisson numbers; `words` are the pixels' own.

    Parameters
    ----------
    counts, rates : ndarray of float64
        Rates of 0 or more. `counts` may be `rates`.
    words : ndarray of uint32
        Of the attempt 0, in the order of the pixels.
    n : int
        How many.
    x, y, z : int
        Address of the first pixel.
    key : ndarray of uint32
        Of the plane.
    scratch : ndarray of float32, shape (3, n or more)
        Written over.
    """
    rate32, part, found = scratch[0], scratch[1], scratch[2]
    few = very_few = 0
    for i in range(n):
        rate = rates[i]
        few += rate < FEW
        very_few += rate <= _VERY_FEW
        part[i] = np.float32(rate - np.floor(rate))
        rate32[i] = np.float32(min(rate, LARGE))
    if few < n:
        _expand(found, rate32, part, words, n)
    if very_few == n:
        _add_up(found, rate32, words, n, 14)
    elif few:
        _add_up(found, rate32, words, n, 32)
    left = 0
    for i in range(n):
        left += found[i] == OPEN or rates[i] >= LARGE
    if left == 0:
        for i in range(n):
            counts[i] = np.float64(found[i]) + (np.floor(rates[i]) if rates[i] >= FEW else 0.0)
        return
    for i in range(n):
        rate = rates[i]
        if found[i] == OPEN or rate >= LARGE:
            counts[i] = poisson_at(rate, x + i, y, z, np.uint64(key[0]), np.uint64(key[1]))
        else:
            counts[i] = np.float64(found[i]) + (np.floor(rate) if rate >= FEW else 0.0)
