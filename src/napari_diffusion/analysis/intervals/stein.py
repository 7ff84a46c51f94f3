"""Stein's estimate of a squared error: how far a result is from the ground truth, without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def slope(change: NDArray[Any], answer: NDArray[Any]) -> NDArray[np.float64]:
    """Return one estimate of ``∂u/∂y`` at every pixel, ``p (u(y + p) − u(y)) / ⟨p²⟩``.

    Parameters
    ----------
    change : ndarray
        p, a random sign at every pixel times a size for each channel, canonical.
    answer : ndarray
        By how much the result changes.
    """
    probe = change.astype(np.float64)
    size = np.mean(np.square(probe), axis=(0, 2, 3, 4), keepdims=True)
    return np.divide(probe * answer, size, out=np.zeros(answer.shape), where=size > 0)


def squared_error(
    source: NDArray[Any],
    result: NDArray[Any],
    variance: NDArray[np.float64],
    slopes: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return ``(u − y)² + V · (2 ∂u/∂y − 1)``, whose mean is that of the squared error of u.

    Parameters
    ----------
    source, result : ndarray
        y and u.
    variance : ndarray
        V, of the noise of y, which is independent from pixel to pixel.
    slopes : ndarray
        Of u over y at every pixel, or estimates of it as those of `slope`.

    References
    ----------
    Stein (1981), Estimation of the mean of a multivariate normal distribution.
    Ramani, Blu and Unser (2008), Monte-Carlo SURE.
    """
    residual = source.astype(np.float64) - result
    return np.square(residual) + variance * (2 * slopes - 1)
