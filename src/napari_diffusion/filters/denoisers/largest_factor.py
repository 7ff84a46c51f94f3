"""How much an image may be multiplied by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


def largest_factor(dtype: DTypeLike) -> float:
    """Return a factor that a type holds: over any noise that is seen in an image of that type."""
    return 1e37 if np.dtype(dtype) == np.float32 else 1e150
