"""The layout of a block for tensors: the axes in `along` come last."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.grid import per_axis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid, Shape

# How many times as long a pixel may be along one axis as along another.
MOST_STRETCHED = 100.0


@dataclass(frozen=True)
class Frame:
    """A block as (T, C, Z, Y, X), where a tensor has the last two or three axes.

    One axis alone is X with a Y of one pixel, two are Y and X. T and what is left are batches,
    but of four axes that diffuse the first, time, is T and diffuses by itself.

    Attributes
    ----------
    order : tuple of 5 int
        The canonical axes in the order of the frame, before some are joined.
    apart : tuple of 5 int
        Shape of the block in that order.
    shape : tuple of 5 int
        Shape of the frame.
    dimensions : int
        How many axes a tensor has: 2 or 3.
    lengths : tuple of 4 float
        Pixel size along Z, Y, X and T; infinite where nothing diffuses.
    """

    order: tuple[int, ...]
    apart: tuple[int, ...]
    shape: Shape
    dimensions: int
    lengths: tuple[float, float, float, float]

    @classmethod
    def of(cls, shape: Sequence[int], grid: Grid) -> Frame:
        """Lay out a canonical block of this shape."""
        along = list(grid.along_axes)
        batch = [axis for axis in (0, 2, 3, 4) if axis not in along]
        last = [grid.length(axis) for axis in along[-3:]]
        z, y, x = [math.inf] * (3 - len(last)) + last
        t = grid.length(along[0]) if len(along) == 4 else math.inf
        order = [*batch, *along]
        order.insert(1 if len(along) > 1 else 2, 1)
        apart = tuple(shape[axis] for axis in order)
        framed = apart if len(along) > 1 else (apart[0] * apart[1], apart[2], apart[3], 1, apart[4])
        dimensions = 3 if len(along) > 2 else 2
        return cls(tuple(order), apart, per_axis(framed), dimensions, (z, y, x, t))

    @property
    def is_timed(self) -> bool:
        """Whether T diffuses by itself."""
        return not math.isinf(self.lengths[3])

    @property
    def ratios(self) -> NDArray[np.float64]:
        """Shortest spacing / spacing along Z, Y, X and T; 0 where nothing diffuses."""
        return min(self.lengths) / np.array(self.lengths)

    @property
    def row_count(self) -> int:
        """How many rows of pixels along X there are."""
        return self.shape[0] * self.shape[2] * self.shape[3]

    @property
    def rows_apart(self) -> int:
        """How many consecutive rows have nothing to do with those before and after."""
        t, _, z, y, _ = self.shape
        return y if self.dimensions == 2 else z * y * (t if self.is_timed else 1)

    def of_axes(self, values: Sequence[int]) -> tuple[int, int, int, int]:
        """Return one value per canonical axis in the order Z, Y, X, T; 0 for batches."""
        found = [values[axis] for axis in self.order if axis != 1]
        z, y, x = found[1:]
        if self.shape != self.apart:
            z, y = 0, 0
        return (z if self.dimensions == 3 else 0), y, x, (found[0] if self.is_timed else 0)

    def rows_within(self, box: Sequence[slice]) -> NDArray[np.bool_]:
        """Return which site rows reach into a box of the canonical block, all of its batches."""
        t, _, z, y, _ = self.shape
        wanted = np.zeros((t, z, y), np.bool_)
        starts = self.of_axes([part.start for part in box])
        stops = self.of_axes([part.stop for part in box])
        # Axes that are batches end at 0.
        ends = zip(starts, stops, strict=True)
        planes, rows, _, times = (slice(a, b) if b else slice(None) for a, b in ends)
        wanted[times, planes, rows] = True
        return wanted.ravel()

    def arranged(self, block: NDArray[Any]) -> NDArray[Any]:
        """Return a contiguous copy of a canonical block, laid out."""
        return np.array(block.transpose(self.order), order="C").reshape(self.shape)

    def restored(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return a canonical block of what is laid out, which may have fewer channels."""
        back = np.argsort(self.order)
        apart = [-1 if axis == 1 else n for axis, n in zip(self.order, self.apart, strict=True)]
        return np.ascontiguousarray(array.reshape(apart).transpose(back))


def refuse_stretched(name: str, grid: Grid) -> None:
    """Raise for pixel sizes so different that stencils would reach very far along an axis."""
    ratio = max(grid.spacing) / min(grid.spacing)
    if ratio > MOST_STRETCHED:
        raise ValueError(
            f"{name}: spacing={grid.spacing} is {ratio:.3g} times as large along one axis as along "
            f"another, more than {MOST_STRETCHED:g}: exclude the long axis from along, or correct "
            "the spacing."
        )
