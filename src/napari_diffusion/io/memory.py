"""How much memory a run takes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Images of the computing type that are there at once: source, noisy and filtered image, what
#: the filter works in, and the step handed out (measured on 256³: 6.5, and more for "auto").
IMAGES = 8


def needed(shape: Sequence[int], dtype: Any) -> int:
    """Return the bytes that a run on an array of this shape and type takes at least."""
    import numpy as np

    wide = np.dtype(dtype).kind == "f" and np.dtype(dtype).itemsize == 8
    return math.prod(shape) * (8 if wide else 4) * IMAGES


def free() -> int:
    """Return the bytes of memory that are free now."""
    import psutil

    return int(psutil.virtual_memory().available)


def fits(shape: Sequence[int], dtype: Any) -> bool:
    """Say whether a run on an array of this shape and type fits into the free memory."""
    return needed(shape, dtype) <= free()
