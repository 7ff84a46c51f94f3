"""A recipe run with several random seeds: mean, variance, and how both ends follow the source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.analysis.intervals.stein import slope
from napari_diffusion.engine.perturbation import perturbed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from napari_diffusion.analysis.study import Study

# Of the seeds so many run on a perturbed source as well: more of them hardly help.
PROBES = 2


@dataclass(frozen=True, eq=False)
class SeedRuns:
    """What runs with several seeds gave, canonical, of the studied part.

    Attributes
    ----------
    count : int
        How many seeds.
    mean, variance : ndarray
        Of the last step over the seeds, at every pixel.
    slopes : ndarray
        Estimates of how much the mean follows each pixel of the source.
    first, first_slopes : ndarray
        The first step with the first seed, and the same of it.
    """

    count: int
    mean: NDArray[np.float64]
    variance: NDArray[np.float64]
    slopes: NDArray[np.float64]
    first: NDArray[np.float64]
    first_slopes: NDArray[np.float64]


def seed_runs(study: Study, seeds: Sequence[int], ran: Callable[[], None]) -> SeedRuns:
    """Run the recipe of a study with each seed; `ran` is called after each of its runs."""
    runs = [study.reseeded(seed - study.recipe.seed) for seed in seeds]
    first, start = _ends(runs[0], study.image.data, ran)
    total, squares = np.zeros(start.shape), np.zeros(start.shape)
    slopes, first_slopes = np.zeros(start.shape), np.zeros(start.shape)
    for k, run in enumerate(runs):
        began, ended = _ends(run, study.image.data, ran) if k else (first, start)
        # Differences from the first run lose no digits where all runs are alike.
        total += ended - start
        squares += np.square(ended - start)
        if k < PROBES:
            changed, change = perturbed(study.image, np.asarray(study.noise.sigma), k)
            one, other = _ends(run, changed, ran)
            slopes += slope(change[study.run.core], other - ended)
            first_slopes += slope(change[study.run.core], one - began)
    count, probes = len(seeds), min(PROBES, len(seeds))
    variance = np.maximum(squares - np.square(total) / count, 0) / (count - 1)
    return SeedRuns(
        count, start + total / count, variance, slopes / probes, first, first_slopes / probes
    )


def _ends(
    study: Study, values: NDArray[Any], ran: Callable[[], None]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the first and the last step for an image."""
    steps = study.results(values)
    first = last = next(steps)
    for each in steps:
        last = each
    ran()
    return first.astype(np.float64), last.astype(np.float64)
