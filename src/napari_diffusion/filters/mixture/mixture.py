"""Images of one size as a mixture of Gaussians, and what is expected of a noisy one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Squares of larger differences from the mean, added up, would overflow.
_FARTHEST = 1e60


@dataclass(frozen=True, eq=False)
class Mixture:
    """How likely images of one size are: a mixture of Gaussians.

    Images differ from their mean in a few directions; there each Gaussian has a centre and a
    covariance. In all other directions they differ by white noise of the variance `floor`.

    Attributes
    ----------
    mean : ndarray, shape (H, W)
    directions : ndarray, shape (q, H * W)
        Orthonormal.
    shares : ndarray, shape (K,)
        Of the Gaussians; they add up to 1.
    centres : ndarray, shape (K, q)
        Of each Gaussian, minus the mean, along the directions.
    rotations : ndarray, shape (K, q, q)
        The principal axes of each Gaussian, orthonormal, one a row.
    variances : ndarray, shape (K, q)
        Along them; none below the floor.
    floor : float
        Greater than 0.
    """

    mean: NDArray[np.float64]
    directions: NDArray[np.float64]
    shares: NDArray[np.float64]
    centres: NDArray[np.float64]
    rotations: NDArray[np.float64]
    variances: NDArray[np.float64]
    floor: float

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the images."""
        height, width = self.mean.shape
        return height, width

    def expected(self, noisy: NDArray[Any], sigma: float) -> NDArray[np.float64]:
        """Return E[x | x + sigma · white noise = noisy], the denoised image of least mean error.

        Sums are numpy's own loops, not BLAS: their order does not depend on threads.

        Parameters
        ----------
        noisy : ndarray, shape (H, W)
        sigma : float
            0 or more.
        """
        noise = sigma**2
        away = np.clip(noisy.astype(np.float64) - self.mean, -_FARTHEST, _FARTHEST).ravel()
        along = np.einsum("qd,d->q", self.directions, away)
        kept = self.variances / (self.variances + noise)
        turned = np.einsum("kij,kj->ki", self.rotations, along - self.centres)
        inner = self.centres + np.einsum("kij,ki->kj", self.rotations, kept * turned)
        inside = np.einsum("k,kq->q", self._weights(turned, noise), inner)
        rest = self.floor / (self.floor + noise)
        found = rest * away + np.einsum("q,qd->d", inside - rest * along, self.directions)
        return self.mean + found.reshape(self.shape)

    def _weights(self, turned: NDArray[np.float64], noise: float) -> NDArray[np.float64]:
        """Return how likely each Gaussian is, given how far away its centre is along its axes."""
        spread = self.variances + noise
        logs = np.log(self.shares) - 0.5 * (turned**2 / spread + np.log(spread)).sum(axis=1)
        weights = np.exp(logs - logs.max())
        return np.asarray(weights / weights.sum())
