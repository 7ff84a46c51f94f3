"""What is counted of a local measurement over a whole image."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_diffusion.engine.block import Block

if TYPE_CHECKING:
    from napari_diffusion.core.grid import Shape

# Stands where a pixel cannot be measured; such pixels are not counted.
NOT_MEASURED = -1.0

# Measured at a time.
SLAB_VOXELS = 1 << 20

#: Returns one number for each pixel, or for all its channels: 0 or more, or NOT_MEASURED.
Measure = Callable[[Block], NDArray[Any]]


class Tally(Protocol):
    """Counts numbers, in any order and in parts; such as a `Histogram`."""

    def add(self, values: NDArray[Any], /) -> None:
        """Count some more."""
        ...


def slabs(shape: Shape, halo: Sequence[int]) -> Iterator[tuple[slice, ...]]:
    """Cut a canonical shape into slabs with all channels, so that measuring takes little memory."""
    t, c, z, y, x = shape
    axis = 2 if z > 1 else 3
    thick = max(SLAB_VOXELS * shape[axis] // (c * z * y * x), 4 * halo[axis], 1)
    frames = t if halo[0] else 1
    for t0 in range(0, t, frames):
        for first in range(0, shape[axis], thick):
            core = [slice(0, size) for size in shape]
            core[0] = slice(t0, min(t0 + frames, t))
            core[axis] = slice(first, min(first + thick, shape[axis]))
            yield tuple(core)


def counted(
    values: NDArray[Any], mask: NDArray[np.bool_] | None, around: float | None
) -> NDArray[Any]:
    """Return the values to count: those inside a mask, or their distances from a number."""
    if mask is not None:
        values = values[mask if mask.shape == values.shape else mask.any(axis=1, keepdims=True)]
    values = values[values >= 0]
    if around is not None:
        values = np.abs(values - around)
    # The last bin has an upper edge too.
    return np.minimum(values, np.finfo(values.dtype).max / 2)
