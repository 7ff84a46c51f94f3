"""What is counted of a local measurement over a whole image."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_diffusion.engine.block import Block

if TYPE_CHECKING:
    from napari_diffusion.core.grid import Shape
    from napari_diffusion.core.image import Image

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


T = TypeVar("T", bound=Tally)


def slabs(shape: Shape, halo: Sequence[int]) -> Iterator[tuple[slice, ...]]:
    """Cut a canonical shape into slabs with all channels, so that measuring takes little memory."""
    t, c, z, y, x = shape
    axis = 2 if z >= y else 3  # along the longer one least is measured twice
    thick = max(SLAB_VOXELS * shape[axis] // (c * z * y * x), 4 * halo[axis], 1)
    frames = t if halo[0] else 1
    for t0 in range(0, t, frames):
        for first in range(0, shape[axis], thick):
            core = [slice(0, size) for size in shape]
            core[0] = slice(t0, min(t0 + frames, t))
            core[axis] = slice(first, min(first + thick, shape[axis]))
            yield tuple(core)


def intensities(block: Block) -> NDArray[Any]:
    """Return the values of a block, to count themselves."""
    return block.values


def inside(values: NDArray[Any], mask: NDArray[np.bool_] | None) -> NDArray[Any]:
    """Return the values inside a mask; numbers for all channels together have one channel."""
    if mask is None:
        return values
    return values[mask if mask.shape == values.shape else mask.any(axis=1, keepdims=True)]


def counted(
    values: NDArray[Any], mask: NDArray[np.bool_] | None, around: float | None = None
) -> NDArray[Any]:
    """Return what was measured inside a mask, or its distance from a number, as it is counted."""
    values = inside(values, mask)
    values = values[values >= 0]
    if around is not None:
        values = np.abs(values - around)
    # The last bin has an upper edge too.
    return np.minimum(values, np.finfo(values.dtype).max / 2)


@dataclass(frozen=True, eq=False)
class Measurement(Generic[T]):
    """What is measured at every pixel of an image, and what counts it.

    Attributes
    ----------
    image : Image
        The whole source, in memory or a dask array.
    measure : callable
        ``measure(block)`` returns one number per pixel.
    halo : sequence of 5 int
        How far it reaches.
    tally : callable
        Makes what counts the numbers.
    chosen : callable
        Returns the numbers to count of a part, given its mask: see `counted` and `inside`.
    """

    image: Image
    measure: Measure
    halo: Sequence[int]
    tally: Callable[[], T]
    chosen: Callable[[NDArray[Any], NDArray[np.bool_] | None], NDArray[Any]] = counted

    def count(self, block: Block, core: Sequence[slice], total: T) -> None:
        """Count what is measured in a core of a block, which has the halo around it."""
        shape = tuple(part.stop - part.start for part in core)
        for slab in slabs(shape, self.halo):
            place = tuple(
                slice(part.start + whole.start, part.stop + whole.start)
                for part, whole in zip(slab, core, strict=True)
            )
            part, inner = block.around(place, self.halo)
            mask = None if block.mask is None else block.mask[place]
            values = self.measure(part)[(inner[0], slice(None), *inner[2:])]
            total.add(self.chosen(values, mask))
