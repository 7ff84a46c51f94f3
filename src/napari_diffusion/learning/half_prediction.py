"""What a mixture of Gaussians expects of the pixels of an image that are not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.filters.mixture.mixture import Mixture

    Array = NDArray[np.float64]


def halves(shape: tuple[int, int]) -> list[NDArray[np.bool_]]:
    """Return masks of the upper, lower, left and right half of an image; lines in between count."""
    rows, columns = np.indices(shape)
    height, width = shape
    found = [
        rows < height / 2,
        rows >= height / 2,
        columns < width / 2,
        columns >= width / 2,
    ]
    # Of a single row or column nothing would be left.
    return [mask for mask in found if mask.any() and not mask.all()]


def predicted(mixture: Mixture, images: Array, seen: NDArray[np.bool_]) -> Array:
    """Return what is expected of the pixels not seen, given those seen; both are exact.

    An image is its mean, plus a point of the mixture along the directions, plus white noise of the
    variance of the floor; so the pixels not seen follow from that point.

    Parameters
    ----------
    mixture : Mixture
    images : ndarray, shape (n, H, W)
    seen : ndarray of bool, shape (H, W)

    Returns
    -------
    ndarray, shape (n, pixels not seen)
    """
    here, there = mixture.directions[:, seen.ravel()], mixture.directions[:, ~seen.ravel()]
    away = (images - mixture.mean)[:, seen]
    logs, points = zip(
        *(_given(mixture, k, here, away) for k in range(len(mixture.shares))), strict=True
    )
    likely = np.exp(np.stack(logs) - np.max(logs, axis=0))
    likely /= likely.sum(axis=0)
    point = np.einsum("kn,knq->nq", likely, np.stack(points))
    return np.asarray(mixture.mean[~seen] + point @ there)


def _given(mixture: Mixture, k: int, here: Array, away: Array) -> tuple[Array, Array]:
    """Return the log-likelihood of what is seen under one Gaussian, and its expected points."""
    floor, centre = mixture.floor, mixture.centres[k]
    # What varies beyond the floor.
    root = mixture.rotations[k].T * np.sqrt(mixture.variances[k] - floor)
    apart = away - centre @ here
    inner = np.eye(len(root)) + root.T @ (here @ here.T) @ root / floor
    projected = apart @ here.T @ root
    solved = np.linalg.solve(inner, projected.T).T
    distance = ((apart**2).sum(axis=1) - (projected * solved).sum(axis=1) / floor) / floor
    log = np.log(mixture.shares[k]) - 0.5 * (distance + np.linalg.slogdet(inner)[1])
    return log, centre + solved @ root.T / floor
