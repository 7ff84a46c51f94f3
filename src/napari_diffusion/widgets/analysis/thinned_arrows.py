"""Arrows and lines at a few pixels of an image, so that each of them can be seen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# Cells along the longest side, at most: in a plane and in space.
PER_SIDE = {1: 32, 2: 32, 3: 14}

# What is weaker than this part of the strongest is not drawn; in space more would hide the rest.
_FAINTEST, _FAINTEST_IN_SPACE = 0.02, 0.4

# The least eigenvalue over the largest of a tensor that is not drawn in space.
_ROUND = 0.5

# Length of a line over that of its cell: crosses of neighbours do not touch.
_CROSS = 0.8

# The magnitude that has the full length and colour, as a percentile of those that are drawn.
_STRONGEST = 98.0


@dataclass(frozen=True)
class Cells:
    """Cells of pixels, one arrow each.

    Attributes
    ----------
    sizes : tuple of int
        Pixels of a cell along each axis of the layer.
    spacing : tuple of float
        Pixel size along each axis.
    length : float
        Length of a cell in world units: that of the longest arrow.
    in_space : bool
        Whether all of a volume is on the canvas.
    """

    sizes: tuple[int, ...]
    spacing: tuple[float, ...]
    length: float
    in_space: bool

    @classmethod
    def of(
        cls, shape: Sequence[int], spacing: tuple[float, ...], shown_axes: Sequence[int]
    ) -> Self:
        """Cut what is on the canvas into cells of about the same length along each axis."""
        longest = max(shape[axis] * spacing[axis] for axis in shown_axes)
        length = longest / PER_SIDE[len(shown_axes)]
        sizes = tuple(
            max(math.ceil(length / spacing[axis] - 1e-9), 1) if axis in shown_axes else 1
            for axis in range(len(shape))
        )
        sides = [sizes[axis] * spacing[axis] for axis in shown_axes]
        return cls(sizes, spacing, min(sides), len(shown_axes) == 3)

    @property
    def width(self) -> float:
        """Width of a line in pixels."""
        return (0.08 if self.in_space else 0.16) * self.length / min(self.spacing[-2:])

    def means(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return the mean over each cell; those at the end of an axis may be smaller."""
        mean = np.asarray(values, np.float64)
        for axis, size in enumerate(self.sizes):
            edges = np.arange(0, mean.shape[axis], size)
            counts = np.diff(np.append(edges, mean.shape[axis]))
            shape = [-1 if i == axis else 1 for i in range(mean.ndim)]
            mean = np.add.reduceat(mean, edges, axis) / counts.reshape(shape)
        return mean

    def middles(self, shape: Sequence[int]) -> NDArray[np.float64]:
        """Return where the middle of each cell is: (cells, axes) for a layer of this shape."""
        along = []
        for n, size in zip(shape, self.sizes, strict=True):
            edges = np.arange(0, n, size)
            along.append((edges + np.minimum(edges + size, n) - 1) / 2)
        grid = np.meshgrid(*along, indexing="ij")
        return np.stack([each.ravel() for each in grid], axis=-1)


def arrows(
    components: Sequence[NDArray[Any]], places: Sequence[int], cells: Cells
) -> tuple[NDArray[Any], NDArray[Any], float]:
    """Return arrows (n, 2, axes): starts and extents; their magnitudes; and the one drawn longest.

    Parameters
    ----------
    components : sequence of ndarray
        In the axes of a layer, one for each world direction.
    places : sequence of int
        The axis of the layer that each of them is along.
    cells : Cells
        Each gets the mean of its arrows. The length is the root of the magnitude.
    """
    means = [cells.means(each).ravel() for each in components]
    values = np.sqrt(sum(np.square(each) for each in means))
    at = cells.middles(components[0].shape)
    faintest = _FAINTEST_IN_SPACE if cells.in_space else _FAINTEST
    drawn = values > faintest * values.max(initial=0.0)
    at, values = at[drawn], values[drawn]
    most = float(np.percentile(values, _STRONGEST)) if values.size else 1.0
    lengths = cells.length * np.sqrt(np.minimum(values / most, 1.0))
    extents = np.zeros(at.shape)
    for mean, axis in zip(means, places, strict=True):
        extents[:, axis] = mean[drawn] / values * lengths / cells.spacing[axis]
    return np.stack([at - extents / 2, extents], axis=1), values, most


def axes_of_tensors(
    matrices: NDArray[Any], places: Sequence[int], cells: Cells
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return a line along each axis of some tensors, as long as its eigenvalue; and these.

    Parameters
    ----------
    matrices : ndarray
        (…, d, d) in the axes of a layer, eigenvalues 0 … 1.
    places, cells
        See `arrows`; each cell gets the mean of its tensors.
    """
    d = matrices.shape[-1]
    means = np.stack(
        [cells.means(matrices[..., i, j]).ravel() for i in range(d) for j in range(d)], axis=-1
    )
    at = cells.middles(matrices.shape[:-2])
    own, directions = np.linalg.eigh(means.reshape(-1, d, d))
    if cells.in_space:
        # Where a tensor is round there is nothing to see.
        drawn = own[:, 0] < _ROUND * own[:, -1]
        at, own, directions = at[drawn], own[drawn], directions[drawn]
    parts, values, length = [], [], _CROSS * cells.length
    for k in range(own.shape[-1]):
        extents = np.zeros(at.shape)
        for i, axis in enumerate(places):
            extents[:, axis] = directions[:, i, k] * own[:, k] * length / cells.spacing[axis]
        long = own[:, k] > _FAINTEST
        parts.append(np.stack([at - extents / 2, extents], axis=1)[long])
        values.append(own[long, k])
    return np.concatenate(parts), np.concatenate(values)
