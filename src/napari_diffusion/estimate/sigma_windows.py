"""White noise from the finest coefficients of calm windows, without what texture adds to them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.engine.counting import NOT_MEASURED, Measurement
from napari_diffusion.engine.executor import measured, tallied
from napari_diffusion.engine.histogram import WIDTH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.image import Image
    from napari_diffusion.engine.block import Block

# The calmer half of the windows is looked at, in so many groups from the calmest up.
CALM, GROUPS = 0.5, 8

# Windows that make a group.
FEWEST = 12

# Energies are added up as whole numbers, so that order and chunks cannot matter: of the largest
# calm energy one is so small a part, and the finest may be so many times that.
_UNIT, _MOST = 2.0**-18, 2.0**4
_BITS = 23

# Texture puts at most this part of its middle energy into the finest.
_STEEPEST = 0.9

_ROUNDS = 10


def sigma_of_windows(image: Image, axes: tuple[int, ...]) -> float | None:
    """Return the noise in the calmer windows, None where there are no windows that vary."""
    halo = tuple(7 * int(axis in axes) for axis in range(5))

    def activity(block: Block) -> NDArray[Any]:
        return _energies(block, axes)[0]

    found = measured(image, activity, halo)
    if found.quantile(CALM) == 0:
        return None
    groups = max(min(GROUPS, int(CALM * found.total) // FEWEST), 1)
    edges = np.array([found.quantile(CALM * (g + 1) / groups) for g in range(groups)])
    # Quantiles are known to the width of a bin; windows all alike must not fall out.
    edges[-1] *= 1 + WIDTH
    largest = float(edges[-1])

    def grouped(block: Block) -> NDArray[Any]:
        lively, middle, fine = _energies(block, axes)
        calm = (lively >= 0) & (lively <= largest)
        out = np.full(lively.shape, NOT_MEASURED)
        out[calm] = packed(lively[calm], middle[calm], fine[calm], edges)
        return out

    middle, fine = tallied(Measurement(image, grouped, halo, Groups)).means()
    return largest * math.sqrt(without_texture(middle, fine))


def without_texture(middle: NDArray[Any], fine: NDArray[Any]) -> float:
    """Return the variance that noise alone would have in groups of windows, calm ones first.

    Noise adds as much to the middle coefficients as to the finest, texture more to the middle ones,
    and in one proportion: ``fine = σ² + slope · (middle − σ²)``, a line through the groups.
    """
    variance = float(fine[: max(len(fine) // 4, 1)].mean())
    weights = np.maximum(fine, max(1e-6 * float(fine.max()), 1e-100)) ** -2.0
    weights /= weights.sum()
    for _ in range(_ROUNDS):
        texture = np.maximum(middle - variance, 0.0)
        x, y = float(weights @ texture), float(weights @ fine)
        spread = float(weights @ (texture - x) ** 2)
        slope = float(weights @ ((texture - x) * (fine - y))) / spread if spread > 0 else 0.0
        variance = max(y - min(max(slope, 0.0), _STEEPEST) * x, 0.0)
    return variance


def packed(
    lively: NDArray[Any], middle: NDArray[Any], fine: NDArray[Any], edges: NDArray[Any]
) -> NDArray[np.float64]:
    """Return the group, the middle and the finest energy of windows as one whole number each."""
    group = np.searchsorted(edges, lively).astype(np.int64)
    both = [
        np.rint(np.minimum((e / edges[-1]) ** 2, _MOST) / _UNIT).astype(np.int64)
        for e in (middle, fine)
    ]
    return np.asarray(((group << _BITS | both[0]) << _BITS) | both[1], np.float64)


class Groups:
    """Adds up the energies of groups of windows, exactly."""

    def __init__(self) -> None:
        self.counts = np.zeros(GROUPS, np.int64)
        self.sums = np.zeros((2, GROUPS), np.int64)

    def add(self, values: NDArray[np.float64]) -> None:
        """Count windows that `packed` has packed."""
        whole = values.astype(np.int64)
        group = whole >> (2 * _BITS)
        low = (1 << _BITS) - 1
        self.counts += np.bincount(group, minlength=GROUPS)
        for row, part in enumerate((whole >> _BITS & low, whole & low)):
            # Sums of whole numbers below 2⁵³ are exact in float64 too.
            self.sums[row] += np.bincount(group, part, GROUPS).astype(np.int64)

    def means(self) -> NDArray[np.float64]:
        """Return the mean energies, (middle, fine), of the groups that have windows."""
        some = self.counts > 0
        return np.asarray(_UNIT * self.sums[:, some] / self.counts[some])


def _energies(block: Block, axes: tuple[int, ...]) -> list[NDArray[Any]]:
    """Return the roots of three energies of every window at its first pixel, else NOT_MEASURED."""
    from napari_diffusion.estimate.dct_windows import STRIDE, window_energies

    u = np.ascontiguousarray(np.moveaxis(block.values, axes, (3, 4)))
    inside = block.mask
    if inside is not None:
        inside = np.ascontiguousarray(np.moveaxis(inside, axes, (3, 4)))
    found = [np.full(u.shape, NOT_MEASURED) for _ in range(3)]
    y0, x0 = (block.grid.origin[axis] % STRIDE for axis in axes)

    def work(t: int, c: int, z: int) -> None:
        plane = (t, c, z)
        here = None if inside is None else inside[plane]
        window_energies(u[plane], here, y0, x0, *(each[plane] for each in found))

    block.threads.each(work, list(np.ndindex(*u.shape[:3])))
    return [np.moveaxis(each, (3, 4), axes) for each in found]
