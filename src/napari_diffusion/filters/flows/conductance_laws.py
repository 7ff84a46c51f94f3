"""Conductances by name: which code the kernels have for them, and which K a contrast stands for."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple


class Law(NamedTuple):
    """A conductance: its code in the kernels, and its own parameter K over the contrast."""

    code: int
    factor: float


# With these factors the flux is greatest where s = contrast, so that conductances may be
# exchanged; Charbonnier's and Huber's flux only ever grows, and contrast is their K.
LAWS = {
    "rational": Law(0, 1.0),
    "exponential": Law(1, math.sqrt(2.0)),
    "simple exponential": Law(2, 1.0),
    "charbonnier": Law(3, 1.0),
    "huber": Law(4, 1.0),
    "tukey": Law(5, math.sqrt(5.0)),
    "weickert": Law(6, 1.0),
}


@functools.cache
def weickert_constant(sharpness: int) -> float:
    """Return C > 0 with exp(C) = 1 + 2·sharpness·C, by Newton's method from above."""
    constant = 2.0 + math.log(1 + 2 * sharpness)
    for _ in range(50):
        rest = math.exp(constant) - 1 - 2 * sharpness * constant
        constant -= rest / (math.exp(constant) - 2 * sharpness)
    return constant
