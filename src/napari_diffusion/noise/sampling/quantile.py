"""Normal quantiles of a pixel's uniform number: of its first 32 bits for many, of 64 for one.

References
----------
Giles (2012), Approximating the erfinv function.
Abramowitz and Stegun (1964), Handbook of mathematical functions, 26.2.23.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from napari_diffusion.engine.jit import exact_inner_kernel, exact_kernel, inline_kernel
from napari_diffusion.noise.sampling.random_numbers import philox4x32_10

# Farther out than 4 the first 32 bits say too little of where a pixel is.
_LOWEST = np.uint32(136_024)
_SPAN = np.uint32(2**32 - 2 * 136_024)

_32 = np.uint64(32)
_ULP_64 = 2.0**-64
_SIGN = np.uint32(0x80000000)
_INT_MAX = np.int32(0x7FFFFFFF)
_MANTISSA, _HALF_EXPONENT = np.int32(0x007FFFFF), np.int32(0x3F000000)
_ULP_31, _HALF = np.float32(2.0**-31), np.float32(0.5)
_ONE, _TWO, _LN_2 = np.float32(1), np.float32(2), np.float32(0.6931471805599453)


@inline_kernel
def is_inner(word: Any) -> Any:
    """Say whether the normal quantile of (word + ½) / 2³² is less than 4 from 0."""
    return np.uint32(word - _LOWEST) < _SPAN


@inline_kernel
def normal_quantile(word: Any) -> Any:
    """Return the normal quantile of (word + ½) / 2³² to 5e-7 of itself where it is inner."""
    signed = np.int32(word ^ _SIGN)
    inner = np.int32(signed ^ np.int32(signed >> np.int32(31)))
    x = (np.float32(signed) + _HALF) * _ULP_31
    h = (np.float32(np.int32(_INT_MAX - inner)) + _HALF) * _ULP_31
    y = np.float32(h * (_TWO - h))
    bits = y.view(np.int32)
    exponent = np.float32(np.int32(np.int32(bits >> np.int32(23)) - np.int32(126)))
    mantissa = np.int32(np.int32(bits & _MANTISSA) | _HALF_EXPONENT).view(np.float32)
    g = _ONE - mantissa
    p = np.float32(1.4142957)
    p = p * g - np.float32(1.6390562)
    p = p * g + np.float32(1.2082514)
    p = p * g - np.float32(0.18074106)
    p = p * g + np.float32(0.26363674)
    p = p * g + np.float32(0.2436903)
    p = p * g + np.float32(0.33363158)
    p = p * g + np.float32(0.49999523)
    # t = −ln(4 u (1 − u)); the quantile is an odd function of 2u − 1 and smooth in t.
    t = g + g * g * p - exponent * _LN_2
    q = np.float32(-4.120491985247325e-11)
    q = q * t + np.float32(2.3058045472034536e-09)
    q = q * t - np.float32(5.4905075668453185e-08)
    q = q * t + np.float32(7.044225031565928e-07)
    q = q * t - np.float32(4.8741842858735225e-06)
    q = q * t + np.float32(1.2278355368954465e-05)
    q = q * t + np.float32(5.0322514257622526e-05)
    q = q * t - np.float32(0.000166671554052309)
    q = q * t - np.float32(0.0033079871262788637)
    q = q * t + np.float32(0.01633280375734092)
    q = q * t + np.float32(0.3281175090296864)
    q = q * t + np.float32(1.2533140953890662)
    return x * q


@exact_kernel
def word_at(x: Any, y: Any, z: Any, attempt: Any, k0: Any, k1: Any) -> Any:
    """Return the word of one pixel, as uint64, under the key of its plane."""
    words = philox4x32_10(x >> 2, y, z, attempt, k0, k1)
    lane = x & 3
    if lane == 0:
        return words[0]
    if lane == 1:
        return words[1]
    if lane == 2:
        return words[2]
    return words[3]


@exact_inner_kernel
def long_word_at(x: Any, y: Any, z: Any, attempt: Any, k0: Any, k1: Any) -> Any:
    """Return 64 bits of one pixel: the words of the slots `attempt` and `attempt` + 1."""
    high = word_at(x, y, z, attempt, k0, k1)
    return (high << _32) | word_at(x, y, z, attempt + 1, k0, k1)


@exact_kernel
def tails(bits: Any) -> Any:
    """Return u = (bits + ½) / 2⁶⁴ and 1 − u, either to all digits of float64."""
    return (np.float64(bits) + 0.5) * _ULP_64, (np.float64(~bits) + 0.5) * _ULP_64


@exact_inner_kernel
def rough_quantile(tail: Any) -> Any:
    """Return a normal number that is exceeded with probability `tail` ≤ ½, to 5e-4."""
    t = math.sqrt(-2 * math.log(tail))
    above = 2.515517 + t * (0.802853 + t * 0.010328)
    return t - above / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)))


@exact_inner_kernel
def normal_quantile_at(bits: Any) -> Any:
    """Return the normal quantile of (bits + ½) / 2⁶⁴ in float64."""
    lower, upper = tails(bits)
    tail = min(lower, upper)
    z = max(rough_quantile(tail), 0.0)
    for _ in range(3):
        density = math.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
        step = (0.5 * math.erfc(z / math.sqrt(2)) - tail) / density
        z += step / (1 + 0.5 * z * step)
    return -z if lower <= upper else z
