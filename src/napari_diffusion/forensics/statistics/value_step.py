"""The step between the values of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Values, evenly over an image, that are looked at.
_LOOKED_AT = 1 << 18

# How far from a multiple of the step a value may be, in steps: single precision is no better.
_NEAR = 0.05


def value_step(values: NDArray[Any]) -> float:
    """Return the largest step of which all differences between values are multiples; 0 if none is.

    It is 1 for the whole numbers of a camera, 1/255 for such numbers divided by 255, and 0 for
    floating-point numbers without a common step, and for a constant image.
    """
    flat = values.ravel()
    levels = np.unique(flat[:: max(1, flat.size // _LOOKED_AT)]).astype(np.float64)
    steps = np.diff(levels)
    if not steps.size or steps.min() < 4 * np.finfo(np.float32).eps * np.abs(levels).max():
        return 0.0
    extent = levels[-1] - levels[0]
    step = extent / np.rint(extent / steps.min())
    numbers = (levels - levels[0]) / step
    return float(step) if np.abs(numbers - np.rint(numbers)).max() < _NEAR else 0.0
