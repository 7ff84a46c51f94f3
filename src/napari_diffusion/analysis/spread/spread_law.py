"""Whether seeds spread as plausible images do: squared errors without ground truth, and a verdict.

If the results of single seeds, and the noise-free image, are all draws of one distribution, then
the mean of K of them has the squared error 1 + 1/K times the least possible one. That is so where
their variance is the squared error of the mean of many.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from napari_diffusion.analysis.intervals.stein import squared_error

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.analysis.spread.seed_runs import SeedRuns

#: What the spread over the seeds is.
Verdict = Literal["posterior", "sensitivity", "not tested"]

# The interval of the ratio of spread to error: of 90 %, in standard errors. It is decided where it
# reaches no farther than so much of the ratio to both sides.
QUANTILE, DECIDED = 1.645, 0.1

# The ratio that may be calibrated away, and by how much the mean of many seeds may be worse than
# the first step, as a share of the squared error. Chosen on photographs of the role "choose".
LEAST, MOST, EXCESS = 0.75, 1.34, 0.1

# Relative error of a noise sigma that was measured instead of given: the root mean square by which
# it was off in the benchmark of the estimates.
SIGMA_ERROR = 0.016


@dataclass(frozen=True)
class SpreadLaw:
    """Mean squares over the pixels, estimated without ground truth.

    Attributes
    ----------
    seeds : int
        How many seeds ran.
    samples : bool
        Whether the recipe can sample at all: it has reverse updates.
    variance : float
        Over the seeds.
    error : float
        Squared error of the mean of many seeds; by chance it may be below 0.
    first : float
        Squared error of the first step.
    relative_error : float
        Standard error of `variance` / `error`, relative to it; infinite where `error` is not
        positive.
    """

    seeds: int
    samples: bool
    variance: float
    error: float
    first: float
    relative_error: float

    @property
    def ratio(self) -> float:
        """Root mean square of the spread over that of the error; NaN where that is unknown."""
        return math.sqrt(self.variance / self.error) if self.error > 0 else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """The 90 % interval of `ratio`."""
        if not self.error > 0:
            return 0.0, math.inf
        far = QUANTILE * self.relative_error
        return self.ratio * math.sqrt(max(1 - far, 0)), self.ratio * math.sqrt(1 + far)

    @property
    def excess(self) -> float:
        """By how much the mean of many is worse than the first step, as a share of that."""
        return self.error / self.first - 1 if self.first > 0 else math.inf

    @property
    def verdict(self) -> Verdict:
        """What the spread is; "not tested" where there are too few pixels to decide."""
        low, high = self.interval
        if not self.samples or high < LEAST or low > MOST:
            return "sensitivity"
        if not self.error > 0 or (high - low) / 2 > DECIDED * self.ratio:
            return "not tested"
        holds = LEAST <= self.ratio <= MOST and self.excess <= EXCESS
        return "posterior" if holds else "sensitivity"

    def figure(self, count: int) -> float:
        """Return the squared error of the mean of so many seeds over the least that is known."""
        least = min(self.error, self.first)
        return (self.error + self.variance / count) / least if least > 0 else math.nan


def spread_law(
    runs: SeedRuns,
    source: NDArray[np.float64],
    variance: NDArray[np.float64],
    inside: NDArray[np.bool_],
    *,
    samples: bool,
    measured: bool,
) -> SpreadLaw:
    """Compare the spread of runs with their error.

    The squared error of the mean of many is Stein's of the mean of K minus 1/K of their variance;
    at a single pixel it has much noise.

    Parameters
    ----------
    runs : SeedRuns
        Of a source.
    source, variance : ndarray
        The studied part, and the variance of its noise, which is independent between pixels.
    inside : ndarray of bool
        Which pixels count.
    samples : bool
        Whether the recipe can sample at all.
    measured : bool
        Whether the variance was measured on the image, and is so less certain.
    """
    error = squared_error(source, runs.mean, variance, runs.slopes) - runs.variance / runs.count
    first = squared_error(source, runs.first, variance, runs.first_slopes)
    spread, mean = float(runs.variance[inside].mean()), float(error[inside].mean())
    relative = math.inf
    if mean > 0:
        away = runs.variance - spread / mean * error
        chance = float(away[inside].std()) / math.sqrt(np.count_nonzero(inside))
        # The estimate of the error is off by so much if that of the noise is.
        doubt = 2 * SIGMA_ERROR * abs(float(np.mean((variance * (2 * runs.slopes - 1))[inside])))
        shares = chance / spread if spread > 0 else chance / mean, measured * doubt / mean
        relative = math.hypot(*shares)
    best = float(first[inside].mean())
    return SpreadLaw(runs.count, samples, spread, mean, best, relative)
