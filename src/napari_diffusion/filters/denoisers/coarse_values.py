"""Images whose values are so few that their noise is no Gaussian, and what makes it one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.core.address import Address
from napari_diffusion.noise import Gaussian

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from napari_diffusion.core.noise_map import NoiseField
    from napari_diffusion.engine.block import Block

# Neighbouring values that are farther apart, over the noise, such as those of few photons.
_COARSE = 0.5

# By how much the noise grows where as much is added as there is.
STRENGTH = math.sqrt(2)

# Of random numbers that no noise of a loop uses: added twice, noise would not be independent.
_ADDRESS = Address(seed=0x636F61727365, stream=0xFFFFFFFF)


def is_coarse(blocks: Iterable[Block], noise: NoiseField) -> bool:
    """Say whether values are farther apart than half of the noise, in any channel.

    Half of the pixels then have no other value that near, and each value stands for two pixels or
    more. Not where the noise has a map.
    """
    if noise.whole is not None:
        return False
    return any(
        sigma > 0 and _gap(block.values[:, c]) > _COARSE * sigma
        for block in blocks
        for c, sigma in enumerate(noise.sigmas)
    )


def with_noise_added(block: Block, noise: NoiseField) -> Block:
    """Return a block with as much Gaussian noise added as it has, the same wherever it is cut."""
    return block.with_values(Gaussian().add(block, noise.sigmas, _ADDRESS))


def _gap(values: NDArray[np.floating]) -> float:
    """Return the median over pixels of the distance to the next higher value."""
    levels, counts = np.unique(values, return_counts=True)
    if not 1 < levels.size <= values.size // 2:
        return 0.0
    gaps = np.diff(levels.astype(np.float64))
    order = np.argsort(gaps)
    below = np.cumsum(counts[:-1][order])
    return float(gaps[order][np.searchsorted(below, below[-1] / 2)])
