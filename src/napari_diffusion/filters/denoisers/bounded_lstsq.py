"""Least squares within bounds, for weights that follow from an estimate of the error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def least_within(
    matrix: NDArray[Any], right: NDArray[Any], low: float, high: float
) -> NDArray[Any]:
    """Return the x from `low` to `high` of least ½ xᵀ A x − bᵀ x.

    Parameters
    ----------
    matrix, right : ndarray
        A, symmetric and positive definite, and b.
    """
    from scipy.optimize import lsq_linear

    if not right.size:
        return right
    root = np.linalg.cholesky((matrix + matrix.T) / 2)
    found = lsq_linear(root.T, np.linalg.solve(root, right), (low, high), method="bvls")
    return np.asarray(np.clip(found.x, low, high))
