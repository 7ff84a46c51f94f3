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

from napari_diffusion.engine.jit import exact_inner_kernel, exact_kernel
from napari_diffusion.noise.sampling.quantile import long_word_at, rough_quantile, tails, word_at

# From this rate on values are proposed and accepted.
LARGE = 65536.0
# Whole numbers are counted exactly up to here.
LARGEST = 2.0**53
ATTEMPTS = 64

_32 = np.uint64(32)
_ULP_32, _ULP_53 = 2.0**-32, 2.0**-53

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
    # The cells count from the rate rounded down: everything may lie a pixel nearer.
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


@exact_inner_kernel
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


@exact_inner_kernel
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
def _cell(x: Any, y: Any, z: Any, slot: Any, k0: Any, k1: Any) -> Any:
    """Return a cell, each as likely as its hat is large; the second word is seldom needed."""
    word = word_at(x, y, z, slot, k0, k1)
    cell, part = np.int64(word >> np.uint64(24)), word & np.uint64(0xFFFFFF)
    keep = _KEEP[cell]
    if part == keep >> _32:
        kept = ((part << _32) | word_at(x, y, z, slot + 1, k0, k1)) < keep
    else:
        kept = part < keep >> _32
    return cell if kept else _OTHER[cell]


@exact_kernel
def _offset(width: Any, x: Any, y: Any, z: Any, slot: Any, k0: Any, k1: Any) -> Any:
    """Return a whole number less than `width` < 2³²: the upper half of its product with 64 bits."""
    product = word_at(x, y, z, slot, k0, k1) * width
    if (product & np.uint64(0xFFFFFFFF)) + width > np.uint64(0xFFFFFFFF):
        product += (word_at(x, y, z, slot + 1, k0, k1) * width) >> _32
    return product >> _32


@exact_inner_kernel
def _is_below(wanted: Any, hat: Any, x: Any, y: Any, z: Any, slot: Any, k0: Any, k1: Any) -> Any:
    """Say whether a uniform number of 64 bits times the hat is less than what is wanted."""
    word = word_at(x, y, z, slot, k0, k1)
    if (np.float64(word) + 1) * _ULP_32 * hat < wanted:
        return True
    if np.float64(word) * _ULP_32 * hat >= wanted:
        return False
    bits = (word << _32) | word_at(x, y, z, slot + 1, k0, k1)
    return np.float64(bits >> np.uint64(11)) * _ULP_53 * hat < wanted


@exact_kernel
def _accepted(rate: Any, x: Any, y: Any, z: Any, k0: Any, k1: Any) -> Any:
    """Return a Poisson number at a rate of LARGE or more, by proposals under a hat of steps."""
    width = math.floor(math.sqrt(rate) / _PER_SIGMA) + 1.0
    for attempt in range(ATTEMPTS):
        slot = 6 * attempt
        cell = _cell(x, y, z, slot, k0, k1)
        offset = np.float64(_offset(np.uint64(width), x, y, z, slot + 2, k0, k1))
        k = math.floor(rate) + (cell - _CELLS // 2) * width + offset
        wanted = math.exp(-_stirling_error(k) - _log_deviance(k, rate)) * math.sqrt(rate / k)
        if _is_below(wanted, _HATS[cell], x, y, z, slot + 4, k0, k1):
            return k
    return inverted(rate, long_word_at(x, y, z, 0, k0, k1))


@exact_inner_kernel
def poisson_at(rate: Any, x: Any, y: Any, z: Any, k0: Any, k1: Any) -> Any:
    """Return the Poisson number of one pixel, as float64, under the key of its plane."""
    if rate <= 0:
        return 0.0
    if rate >= LARGE:
        return _accepted(rate, x, y, z, k0, k1)
    return inverted(rate, long_word_at(x, y, z, 0, k0, k1))
