"""The straight line that variances follow over intensities, found in spite of outliers."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_ROUNDS = 30

# Where Tukey's weights end, in standard deviations: 95 % as good as least squares without outliers.
_TUKEY = 4.685

_MAD_TO_SIGMA = 1.4826

# How many standard errors a slope must be from 0 to be one.
SIGNIFICANT = 3.5


@dataclass(frozen=True)
class Line:
    """variance = slope · intensity + intercept.

    Attributes
    ----------
    slope, intercept : float
        The line.
    slope_error : float
        Standard error of the slope.
    misfit : float
        Root mean square of the points' relative distance from the line beyond what chance gives.
    unsure : float
        How steep a line could be that is taken for a level one.
    centre : float
        The intensity that `covariance` refers to.
    covariance : tuple of float
        Variance of the height at `centre`, covariance of height and slope, variance of the slope.
    """

    slope: float
    intercept: float
    slope_error: float
    misfit: float
    unsure: float = 0.0
    centre: float = 0.0
    covariance: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def error_at(self, intensity: float) -> float:
        """Return the standard error of the variance at an intensity."""
        away = intensity - self.centre
        height, both, slope = self.covariance
        return math.sqrt(max(height + 2 * away * both + away**2 * slope, 0.0))

    @overload
    def at(self, intensity: float) -> float: ...

    @overload
    def at(self, intensity: NDArray[np.float64]) -> NDArray[np.float64]: ...

    def at(self, intensity: float | NDArray[np.float64]) -> float | NDArray[np.float64]:
        """Return the variance at an intensity."""
        return self.slope * intensity + self.intercept

    def above(self, least: float) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
        """Return the line as a function that is nowhere less than a variance."""
        return lambda intensity: np.maximum(self.at(intensity), least)


@dataclass(frozen=True)
class Points:
    """Variances measured at some intensities.

    Attributes
    ----------
    levels, variances : ndarray
        Intensity and variance of each point.
    freedoms : ndarray
        Degrees of freedom of each variance: its relative variance is 2 over them.
    """

    levels: NDArray[np.float64]
    variances: NDArray[np.float64]
    freedoms: NDArray[np.float64]

    @property
    def least(self) -> float:
        """A variance that every pixel has, greater than 0."""
        return 0.5 * max(float(self.variances.min()), 1e-6 * float(self.variances.max()), 1e-300)

    def line(self) -> Line:
        """Return the line through the points; a level one where no slope can be told from 0."""
        line = self._fitted(sloped=len(self.levels) > 2)
        if abs(line.slope) < SIGNIFICANT * line.slope_error:
            unsure = SIGNIFICANT * line.slope_error
            line = dataclasses.replace(self._fitted(sloped=False), unsure=unsure)
        return line

    def _fitted(self, sloped: bool) -> Line:
        centre = float(np.average(self.levels, weights=self.freedoms))
        width = float(self.levels.max() - self.levels.min())
        x = (self.levels - centre) / (width or 1.0)
        basis = np.stack([np.ones_like(x), x], axis=1) if sloped and width else np.ones((len(x), 1))
        model = np.full(len(x), float(np.median(self.variances)))
        floor = 1e-3 * float(self.variances.max()) or 1.0
        for _ in range(_ROUNDS):
            errors = np.maximum(model, floor) * np.sqrt(2 / self.freedoms)
            z = (self.variances - model) / errors
            spread = max(_MAD_TO_SIGMA * float(np.median(np.abs(z))), 1.0)
            trust = np.maximum(1 - (z / (_TUKEY * spread)) ** 2, 0.0) ** 2
            weights = trust / errors**2
            normal = basis.T @ (weights[:, None] * basis)
            found = np.linalg.lstsq(normal, basis.T @ (weights * self.variances), rcond=None)[0]
            model = basis @ found
        inverse = np.linalg.pinv(normal)
        relative = (self.variances - model) / np.maximum(model, floor)
        excess = np.average(relative**2 - 2 / self.freedoms, weights=trust + 1e-12)
        slope = float(found[1]) / width if len(found) > 1 else 0.0
        error = spread * math.sqrt(max(float(inverse[-1, -1]), 0.0)) / (width or 1.0)
        return Line(
            slope=slope,
            intercept=float(found[0]) - slope * centre,
            slope_error=error if len(found) > 1 else 0.0,
            misfit=math.sqrt(max(float(excess), 0.0)),
            centre=centre,
            covariance=_covariance(spread**2 * inverse, width or 1.0),
        )


def _covariance(found: NDArray[np.float64], width: float) -> tuple[float, float, float]:
    """Return that of height and slope, from that of the coefficients in widths of the levels."""
    if len(found) < 2:
        return float(found[0, 0]), 0.0, 0.0
    return float(found[0, 0]), float(found[0, 1]) / width, float(found[1, 1]) / width**2


def gathered(
    levels: NDArray[Any],
    variances: NDArray[Any],
    freedom: float,
    centre: Callable[[NDArray[Any]], float],
    most: int = 40,
    least: int = 30,
) -> Points:
    """Return points of measurements with like levels, about as many for each point.

    Parameters
    ----------
    levels, variances : ndarray
        Of single measurements.
    freedom : float
        Degrees of freedom of one measurement.
    centre : callable
        Gives the variance of many measurements: their mean, or a sturdier middle.
    most, least : int
        At most so many points, and at least so many measurements for each.
    """
    order = np.argsort(levels, kind="stable")
    count = max(min(most, len(order) // least), 1)
    parts = np.array_split(order, count)
    return Points(
        levels=np.array([levels[part].mean() for part in parts]),
        variances=np.array([float(centre(variances[part])) for part in parts]),
        freedoms=np.array([freedom * len(part) for part in parts]),
    )
