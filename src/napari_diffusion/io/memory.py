"""How much memory a run needs, and how much is free."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.core.image import computing_type

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import DTypeLike

#: Images in memory beside the source and its copy in the computing type: the noisy one, the
#: filtered one, what the filter works in, and the step handed out (measured on 160³).
AT_WORK = 5


def working_memory(
    shape: Sequence[int], dtype: DTypeLike, part: Sequence[int] | None = None
) -> int:
    """Return the bytes that a run on an array needs at least, the steps that are kept aside.

    Parameters
    ----------
    shape, dtype
        Of the source.
    part : sequence of int, optional
        Shape of the region that is computed; the whole image by default.
    """
    real = computing_type(dtype).itemsize
    source = math.prod(shape) * (np.dtype(dtype).itemsize + real)
    return source + math.prod(shape if part is None else part) * real * AT_WORK


def free_memory() -> int:
    """Return how many bytes of memory can be had without swapping."""
    import psutil

    return int(psutil.virtual_memory().available)


def fits(shape: Sequence[int], dtype: DTypeLike) -> bool:
    """Say whether a run on an array of this shape and type fits into the free memory."""
    return working_memory(shape, dtype) <= free_memory()


def written_bytes(count: float) -> str:
    """Return a number of bytes as people read it."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 999.5:
            return f"{count:.0f} {unit}" if count >= 99.5 or unit == "B" else f"{count:.2g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"
