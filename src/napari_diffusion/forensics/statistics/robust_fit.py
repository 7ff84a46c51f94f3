"""A fit that few values out of the rest do not move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# Rounds of weighting, and from how many spreads on a value weighs less.
_ROUNDS, _FAR = 6, 2.0

# Median of |r| of a normal distribution to its standard deviation.
_MAD = 1.4826

# Keeps equations solvable where a variable is constant.
_RIDGE = 1e-6


@dataclass(frozen=True, eq=False)
class QuadraticFit:
    """What a value is expected to be, as a quadratic polynomial of other values.

    Attributes
    ----------
    coefficients : ndarray
    centres, scales : ndarray
        Of each variable; they are taken off before.
    spread : float
        Robust standard deviation of what the polynomial leaves.
    """

    coefficients: NDArray[Any]
    centres: NDArray[Any]
    scales: NDArray[Any]
    spread: float

    @classmethod
    def of(cls, values: NDArray[Any], variables: Sequence[NDArray[Any]]) -> QuadraticFit:
        """Fit by least squares with the weights of a Cauchy distribution."""
        given = np.stack([each.ravel() for each in variables])
        centres, scales = given.mean(axis=1), given.std(axis=1) + _RIDGE
        terms, wanted = _terms(given, centres, scales), values.ravel()
        weights = np.ones(wanted.size)
        for _ in range(_ROUNDS):
            weighted = terms * weights
            matrix = weighted @ terms.T + _RIDGE * wanted.size * np.eye(len(terms))
            coefficients = np.linalg.solve(matrix, weighted @ wanted)
            rest = wanted - coefficients @ terms
            spread = spread_of(rest)
            weights = 1 / (1 + (rest / (_FAR * spread)) ** 2)
        return cls(coefficients, centres, scales, spread)

    def deviation(self, values: NDArray[Any], variables: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """Return by how many spreads values differ from what is expected."""
        given = np.stack([each.ravel() for each in variables])
        expected = self.coefficients @ _terms(given, self.centres, self.scales)
        return np.asarray((values - expected.reshape(values.shape)) / self.spread)


def spread_of(rest: NDArray[Any]) -> float:
    """Return the standard deviation about 0 that most values have."""
    return _MAD * float(np.median(np.abs(rest))) + _RIDGE


def _terms(given: NDArray[Any], centres: NDArray[Any], scales: NDArray[Any]) -> NDArray[Any]:
    plain = (given - centres[:, None]) / scales[:, None]
    products = [plain[i] * plain[j] for i in range(len(plain)) for j in range(i + 1)]
    return np.stack([np.ones(plain.shape[1]), *plain, *products])
