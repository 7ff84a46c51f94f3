"""The weights as training changes them: filters of any mean and norm, which the network divides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.filters.learned.network import Network
from napari_diffusion.filters.learned.scale import Scale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_diffusion.learning.gradient import ScaleGradient

# Before training: how strong φ is, as a share of r / (1 + r²), and how strongly y draws.
_INFLUENCE, _REACTION = 0.05, 0.1


@dataclass(frozen=True, eq=False)
class FreeWeights:
    """Numbers without constraints, from which a network follows.

    A filter of the network is the free one minus its mean, over its norm: it adds up to 0, and
    only its influence function says how strong it is. That is the free one minus its value at 0:
    what is constant stays as it is.

    Attributes
    ----------
    arrays : list of ndarray of float64
        Filters, influences and reactions of each scale, the finest first.
    reach : float
        Where influence functions end, in units of the noise.
    pilot : tuple of (float, float)
        As in `Network`.
    """

    arrays: list[NDArray[np.float64]]
    reach: float
    pilot: tuple[tuple[float, float], ...]

    @classmethod
    def of(cls, network: Network) -> FreeWeights:
        """Return the free weights from which a network follows."""
        arrays = [
            np.array(each, np.float64)
            for scale in network.scales
            for each in (scale.kernels, scale.influences, scale.reactions)
        ]
        return cls(arrays, network.scales[0].reach, network.pilot)

    @classmethod
    def random(
        cls,
        steps: Sequence[int],
        filters: int,
        nodes: int,
        reach: float,
        pilot: tuple[tuple[float, float], ...],
        seed: int = 0,
    ) -> FreeWeights:
        """Return weights to begin with: random filters, all with the same influence function.

        Parameters
        ----------
        steps : sequence of int
            How many there are at each scale, the finest first.
        filters, nodes : int
            How many filters a step has, and nodes an influence function.
        reach, pilot : float and tuple
            As in the attributes.
        seed : int
        """
        random = np.random.Generator(np.random.Philox(seed))
        at = np.linspace(-reach, reach, nodes)
        shape = _INFLUENCE * at / (1 + at * at)
        arrays: list[NDArray[np.float64]] = []
        for count in steps:
            arrays.append(random.standard_normal((count, filters, 25)))
            arrays.append(np.tile(shape, (count, filters, 1)))
            arrays.append(np.full(count, _REACTION))
        return cls(arrays, reach, pilot)

    def replaced(self, arrays: list[NDArray[np.float64]]) -> FreeWeights:
        """Return other numbers for the same kind of network."""
        return replace(self, arrays=arrays)

    def network(self) -> Network:
        """Return the network that follows from these weights."""
        scales = []
        for n in range(0, len(self.arrays), 3):
            kernels, influences, reactions = self.arrays[n : n + 3]
            parts = (_divided(kernels)[0], _from_zero(influences), reactions)
            k, i, r = (np.ascontiguousarray(part, np.float32) for part in parts)
            scales.append(Scale(k, i, r, self.reach))
        return Network(tuple(scales), self.pilot)

    def gradient(self, by_network: Sequence[ScaleGradient]) -> list[NDArray[np.float64]]:
        """Return by how much an error grows with these weights, by how it does with the network.

        Only the part of a filter's gradient remains that changes neither its mean nor its norm.
        """
        found: list[NDArray[np.float64]] = []
        for n, scale in enumerate(by_network):
            unit, norm = _divided(self.arrays[3 * n])
            grows = scale.kernels
            along = (grows * unit).sum(axis=2, keepdims=True)
            across = (grows - along * unit) / norm
            found.append(across - across.mean(axis=2, keepdims=True))
            by_node = scale.influences.copy()
            by_node[..., by_node.shape[2] // 2] -= by_node.sum(axis=2)
            found += [by_node, scale.reactions]
        return found


def _from_zero(influences: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return influence functions minus their value at 0, that of the node in the middle."""
    middle = influences.shape[2] // 2
    return influences - influences[..., middle : middle + 1]


def _divided(kernels: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return filters minus their mean over their norm, and the norm."""
    without_mean = kernels - kernels.mean(axis=2, keepdims=True)
    norm = np.linalg.norm(without_mean, axis=2, keepdims=True)
    return without_mean / norm, norm
