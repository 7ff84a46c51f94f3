"""A mixture of Gaussians fitted to images of one size by expectation maximisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.filters.mixture.mixture import Mixture
from napari_diffusion.filters.mixture.mixture_file import MOST_DIRECTIONS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Rounds that look for centres, and rounds of expectation maximisation.
_CENTRE_ROUNDS, _ROUNDS = 10, 15

# Directions that few images vary along are chance, and those that hold no more than such a share of
# all variance together would be fitted to chance.
_IMAGES_A_DIRECTION, _REST = 4, 0.01

# Of the mean variance of a pixel: less is not told from none.
_LEAST_FLOOR = 1e-5


def fitted(images: Array, gaussians: int, shrinkage: float, seed: int) -> Mixture:
    """Return the mixture of so many Gaussians that was fitted to images.

    Parameters
    ----------
    images : ndarray, shape (n, H, W)
        At least 2, not all the same.
    gaussians : int
        From 1 to n.
    shrinkage : float
        The covariance of each Gaussian is that of its images and of so many further ones that vary
        along each direction by itself, as all images do.
    seed : int
        Of where the Gaussians begin.
    """
    mean = images.mean(axis=0)
    away = (images - mean).reshape(len(images), -1)
    directions, floor = _directions(away)
    along = away @ directions.T
    shares = _nearest(along, _centres(along, gaussians, seed), gaussians)
    for _ in range(_ROUNDS if gaussians > 1 else 1):
        counts = shares.sum(axis=0) + 1e-9
        centres = shares.T @ along / counts[:, None]
        rotations, variances = _covariances(along, shares, centres, shrinkage, floor)
        found = Mixture(
            mean, directions, counts / counts.sum(), centres, rotations, variances, floor
        )
        shares = _shares(found, along)
    return found


def _directions(away: Array) -> tuple[Array, float]:
    """Return the directions in which images differ most, and the variance in each of the others."""
    count, size = away.shape
    _, lengths, directions = np.linalg.svd(away, full_matrices=False)
    left = 1 - np.cumsum(lengths**2) / (lengths**2).sum()
    most = min(MOST_DIRECTIONS, size, max(count // _IMAGES_A_DIRECTION, 1))
    most = min(most, int((left > _REST).sum()) + 1)
    rest = float((lengths[most:] ** 2).sum()) / count / max(size - most, 1)
    least = _LEAST_FLOOR * float((lengths**2).sum()) / count / size
    return directions[:most], max(rest, least)


def _centres(along: Array, gaussians: int, seed: int) -> Array:
    """Return where the Gaussians begin: at means of images, each nearest to its own."""
    random = np.random.Generator(np.random.Philox(seed))
    centres = along[np.sort(random.choice(len(along), gaussians, replace=False))]
    for _ in range(_CENTRE_ROUNDS):
        near = _nearest(along, centres, gaussians)
        counts = near.sum(axis=0)
        # One that no image is nearest to stays where it is.
        means = near.T @ along / np.maximum(counts, 1)[:, None]
        centres = np.where(counts[:, None] > 0, means, centres)
    return centres


def _nearest(along: Array, centres: Array, gaussians: int) -> Array:
    """Return of each image a 1 at the centre that it is nearest to, and 0 at all others."""
    distances = (centres**2).sum(axis=1) - 2 * along @ centres.T
    return np.eye(gaussians)[distances.argmin(axis=1)]


def _covariances(
    along: Array, shares: Array, centres: Array, shrinkage: float, floor: float
) -> tuple[Array, Array]:
    """Return the principal axes of each Gaussian, one a row, and the variances along them."""
    alone = np.diag(along.var(axis=0))
    found = []
    for share, centre in zip(shares.T, centres, strict=True):
        apart = along - centre
        spread = (share[:, None] * apart).T @ apart + shrinkage * alone
        variances, axes = np.linalg.eigh(spread / (share.sum() + 1e-9 + shrinkage))
        found.append((axes.T, np.maximum(variances, 0) + floor))
    rotations, spreads = zip(*found, strict=True)
    return np.stack(rotations), np.stack(spreads)


def _shares(mixture: Mixture, along: Array) -> Array:
    """Return how likely each image is of each Gaussian."""
    logs = np.empty((len(along), len(mixture.shares)))
    for k, (share, centre) in enumerate(zip(mixture.shares, mixture.centres, strict=True)):
        turned = (along - centre) @ mixture.rotations[k].T
        spread = mixture.variances[k]
        logs[:, k] = np.log(share) - 0.5 * (turned**2 / spread + np.log(spread)).sum(axis=1)
    shares = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))
