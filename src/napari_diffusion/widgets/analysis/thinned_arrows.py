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

# What is weaker than this part of the strongest is not drawn.
_FAINTEST = 0.02

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
    """

    sizes: tuple[int, ...]
    spacing: tuple[float, ...]
    length: float

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
        return cls(sizes, spacing, min(sides))

    @property
    def width(self) -> float:
        """Width of a line in pixels."""
        return 0.16 * self.length / min(self.spacing[-2:])

    def strongest(self, strength: NDArray[Any]) -> NDArray[np.intp]:
        """Return the position (n, axes) of the strongest pixel of each cell."""
        counts = [math.ceil(n / size) for n, size in zip(strength.shape, self.sizes, strict=True)]
        cell = np.zeros(strength.shape, np.int64)
        for axis, (size, count) in enumerate(zip(self.sizes, counts, strict=True)):
            index = np.arange(strength.shape[axis]) // size
            cell = cell * count + index.reshape([-1 if i == axis else 1 for i in range(cell.ndim)])
        order = np.lexsort((strength.ravel(), cell.ravel()))
        last = np.append(np.diff(cell.ravel()[order]) != 0, True)
        return np.stack(np.unravel_index(order[last], strength.shape), axis=-1)


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
        Each gets the strongest of its arrows. The length is the root of the magnitude.
    """
    strength = np.sqrt(sum(np.square(each, dtype=np.float64) for each in components))
    at = cells.strongest(strength)
    values = strength[tuple(at.T)]
    drawn = values > _FAINTEST * values.max(initial=0.0)
    at, values = at[drawn], values[drawn]
    most = float(np.percentile(values, _STRONGEST)) if values.size else 1.0
    lengths = cells.length * np.sqrt(np.minimum(values / most, 1.0))
    extents = np.zeros(at.shape)
    for component, axis in zip(components, places, strict=True):
        extents[:, axis] = component[tuple(at.T)] / values * lengths / cells.spacing[axis]
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
        See `arrows`; each cell gets the least round of its tensors.
    """
    trace = np.trace(matrices, axis1=-2, axis2=-1)
    deviation = np.sum(np.square(matrices), (-2, -1)) - trace**2 / matrices.shape[-1]
    at = cells.strongest(deviation / np.maximum(trace, 1e-12) ** 2)
    own, directions = np.linalg.eigh(matrices[tuple(at.T)].astype(np.float64))
    parts, values = [], []
    for k in range(own.shape[-1]):
        extents = np.zeros(at.shape)
        for i, axis in enumerate(places):
            extents[:, axis] = directions[:, i, k] * own[:, k] * cells.length / cells.spacing[axis]
        long = own[:, k] > _FAINTEST
        parts.append(np.stack([at - extents / 2, extents], axis=1)[long])
        values.append(own[long, k])
    return np.concatenate(parts), np.concatenate(values)
