"""Poisson numbers one by one, exact at any rate: what the fast loop leaves open is settled here.

A number is the smallest k whose cumulative probability exceeds u, a uniform number of 64 bits. The
probability is summed outwards from k in the tail that u lies in, each term positive, so that no
digit is lost in either tail. From the rate LARGE on that sum is long, and rounding in it would add
up over the many values; there a value is proposed and accepted with a probability that is known to
nearly all digits of float64, so that the error does not grow with the rate.

References
----------
Loader (2000), Fast and accurate computation of binomial probabilities.
Walker (1977), An efficient method for generating discrete random variables.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from napari_diffusion.compiled import exact_kernel
from napari_diffusion.noise._quantile import long_word_at, rough_quantile, tails

# From this rate on values are proposed and accepted.
LARGE = 65536.0
# Whole numbers are counted exactly up to here.
LARGEST = 2.0**53
ATTEMPTS = 64

_32 = np.uint64(32)
_ULP_53 = 2.0**-53

# ln k! − ln(√(2πk) (k/e)^k) for k = 0 … 15.
_STIRLING = np.array(
    [0.0]
    + [
        math.fsum([math.lgamma(k + 1), k, -(k + 0.5) * math.log(k), -0.5 * math.log(2 * math.pi)])
        for k in range(1, 16)
    ]
)

# A cell of the proposals is a sixteenth of a standard deviation wide, or a little more.
_PER_SIGMA = 16
_CELLS = 256


def _hats() -> Any:
    """Return for each cell an upper bound of pmf(k) · √(2π·rate) within it, for rates ≥ LARGE."""
    cell = np.arange(_CELLS) - _CELLS // 2
    # The cells count from the rate rounded down: everything may lie a sample nearer.
    inner = np.where(cell >= 0, cell, -cell - 1) / _PER_SIGMA - 1 / math.sqrt(LARGE)
    x = np.maximum(inner, 0.0)
    skew = (x**3 + 3 * x) / (6 * math.sqrt(LARGE)) + x**4 / (8 * LARGE)
    return np.exp(-x * x / 2 + skew + 1e-4)


def _alias(weights: Any) -> tuple[Any, Any]:
    """Return Walker's tables: how much of 2⁵⁶ keeps a cell, and the cell that has the rest."""
    share = weights * (len(weights) / weights.sum())
    keep, other = np.ones(len(share)), np.arange(len(share))
    small = [i for i, s in enumerate(share) if s < 1]
    large = [i for i, s in enumerate(share) if s >= 1]
    while small and large:
        low, high = small.pop(), large[-1]
        keep[low], other[low] = share[low], high
        share[high] -= 1 - share[low]
        if share[high] < 1:
            small.append(large.pop())
    return (keep * 2.0**56).astype(np.uint64), other


_HATS = _hats()
_KEEP, _OTHER = _alias(_HATS)


@exact_kernel
def _log_deviance(k: Any, rate: Any) -> Any:
    """Return k ln(k / rate) + rate − k without cancellation (Loader's bd0)."""
    difference = k - rate
    if abs(difference) < 0.1 * (k + rate):
        v = difference / (k + rate)
        total = difference * v
        term = 2 * k * v
        v *= v
        for j in range(1, 1000):
            term *= v
            longer = total + term / (2 * j + 1)
            if longer == total:
                break
            total = longer
        return total
    return k * math.log(k / rate) + rate - k


@exact_kernel
def _stirling_error(k: Any) -> Any:
    if k < 16:
        return _STIRLING[int(k)]
    kk = 1 / (k * k)
    return (1 / 12 - kk * (1 / 360 - kk * (1 / 1260 - kk * (1 / 1680 - kk / 1188)))) / k


@exact_kernel
def probability(k: Any, rate: Any) -> Any:
    """Return the probability of k at a rate greater than 0."""
    if k == 0:
        return math.exp(-rate)
    return math.exp(-_stirling_error(k) - _log_deviance(k, rate)) / math.sqrt(2 * math.pi * k)


@exact_kernel
def below(k: Any, rate: Any) -> Any:
    """Return the probability of k or less, summed downwards; precise for k up to the rate."""
    term = total = probability(k, rate)
    while k > 0 and term > 1e-18 * total:
        term *= k / rate
        total += term
        k -= 1
    return total


@exact_kernel
def above(k: Any, rate: Any) -> Any:
    """Return the probability of more than k, summed upwards; precise for k from the rate on."""
    term = total = probability(k + 1, rate)
    k += 2
    while term > 1e-18 * total:
        term *= rate / k
        total += term
        k += 1
    return total


@exact_kernel
def inverted(rate: Any, bits: Any) -> Any:
    """Return the smallest k whose cumulative probability exceeds u = (bits + ½) / 2⁶⁴."""
    lower, upper = tails(bits)
    z = rough_quantile(min(lower, upper))
    if lower <= upper:
        z = -z
    middle = math.floor(rate + math.sqrt(rate) * z + (z * z - 1) / 6)
    if lower <= upper:
        k = max(middle - 1.0, 0.0)
        while k > 0 and below(k - 1, rate) > lower:
            k -= 1
        total = below(k, rate)
        while total <= lower:
            k += 1
            total += probability(k, rate)
        return k
    k = max(middle + 1.0, 0.0)
    while above(k, rate) >= upper:
        k += 1
    total = above(k, rate)
    while k > 0:
        total += probability(k, rate)
        if total >= upper:
            break
        k -= 1
    return k


@exact_kernel
def _product_high(a: Any, b: Any) -> Any:
    """Return the upper 64 bits of a product of two uint64, b less than 2³²."""
    low = (a & np.uint64(0xFFFFFFFF)) * b
    return ((a >> _32) * b + (low >> _32)) >> _32


@exact_kernel
def _accepted(rate: Any, x: Any, y: Any, z: Any, k0: Any, k1: Any) -> Any:
    """Return a Poisson number at a rate of LARGE or more, by proposals under a hat of steps."""
    root = math.sqrt(rate)
    width = math.floor(root / _PER_SIGMA) + 1.0
    for attempt in range(ATTEMPTS):
        slot = 6 * attempt
        bits = long_word_at(x, y, z, slot, k0, k1)
        cell = np.int64(bits >> np.uint64(56))
        if (bits & np.uint64(0xFFFFFFFFFFFFFF)) >= _KEEP[cell]:
            cell = _OTHER[cell]
        offset = _product_high(long_word_at(x, y, z, slot + 2, k0, k1), np.uint64(width))
        k = math.floor(rate) + (cell - _CELLS // 2) * width + np.float64(offset)
        chance = float(long_word_at(x, y, z, slot + 4, k0, k1) >> np.uint64(11)) * _ULP_53
        wanted = math.exp(-_stirling_error(k) - _log_deviance(k, rate)) * math.sqrt(rate / k)
        if chance * _HATS[cell] < wanted:
            return k
    return inverted(rate, long_word_at(x, y, z, 0, k0, k1))


@exact_kernel
def poisson_at(rate: Any, x: Any, y: Any, z: Any, k0: Any, k1: Any) -> Any:
    """Return the Poisson number of one sample, as float64, under the key of its plane."""
    if rate <= 0:
        return 0.0
    if rate >= LARGE:
        return _accepted(rate, x, y, z, k0, k1)
    return inverted(rate, long_word_at(x, y, z, 0, k0, k1))
