"""Power spectra of small tiles, averaged over rings of equal decay rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Tiles that are nearly constant, or of which more than this share is clipped, say nothing.
_LEAST_SD, _MOST_CLIPPED = 0.3, 0.05


@dataclass(frozen=True)
class Tiles:
    """Tiles of `size` pixels every `size` / 2, and `rings` rings of frequencies.

    A ring holds frequencies of like rate ``λ = 4 sin²(ω_y/2) + 4 sin²(ω_x/2)``: heat multiplies its
    power by ``exp(−2 t λ)``.
    """

    size: int = 16
    rings: int = 9
    most: int = 1500

    def weights(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the weight of each frequency in each ring, and the rate of each ring."""
        down, across = (2 * np.pi * f(self.size) for f in (np.fft.fftfreq, np.fft.rfftfreq))
        rate = 4 * (np.sin(down[:, None] / 2) ** 2 + np.sin(across[None] / 2) ** 2)
        edges = np.linspace(3.5 * np.pi / self.size, np.sqrt(rate.max()) * 1.0001, self.rings + 1)
        ring = np.digitize(np.sqrt(rate), edges) - 1
        # The axes hold what rows and columns of a camera, and borders, add.
        ring[0], ring[:, 0] = -1, -1
        inside = np.stack([(ring == k).ravel() for k in range(self.rings)], 1).astype(np.float64)
        inside /= inside.sum(0)
        return inside, rate.ravel() @ inside

    def chosen(self, plane: NDArray[np.float64], unit: float) -> NDArray[np.intp]:
        """Return the indices of the tiles that say something, evenly spread over the plane."""
        views = self._views(plane)
        low, high = plane.min(), plane.max()
        flat = views.reshape(-1, self.size, self.size)
        clipped = ((flat <= low + unit / 2) | (flat >= high - unit / 2)).mean((1, 2))
        some = np.flatnonzero((flat.std((1, 2)) > _LEAST_SD * unit) & (clipped <= _MOST_CLIPPED))
        return some[np.linspace(0, len(some) - 1, min(len(some), self.most)).astype(int)]

    def spectra(
        self, plane: NDArray[np.float64], chosen: NDArray[np.intp], unit: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the logarithm of the power in each ring, (tiles, rings), and the means of tiles.

        Power below that of rounding to whole units is not told apart.
        """
        views = self._views(plane)
        tiles = views[chosen // views.shape[1], chosen % views.shape[1]]
        means = tiles.mean((1, 2))
        hann = np.outer(*[np.hanning(self.size + 1)[:-1]] * 2)
        found = np.fft.rfft2((tiles - means[:, None, None]) * hann)
        power = np.abs(found) ** 2 / (hann**2).sum()
        inside, _ = self.weights()
        return np.log(power.reshape(len(power), len(inside)) @ inside + unit**2 / 12), means

    def _views(self, plane: NDArray[np.float64]) -> NDArray[np.float64]:
        step = self.size // 2
        views = np.lib.stride_tricks.sliding_window_view(plane, (self.size, self.size))
        return views[::step, ::step]
