"""The runs of a plan, and what they show of its objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.analysis.survival.cells import SurvivalCell, cells_of, limits_of
from napari_diffusion.analysis.survival.detection import Nulls, scores
from napari_diffusion.analysis.survival.kept import Remains
from napari_diffusion.analysis.survival.local_noise import merged

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_diffusion.analysis.study import Progress
    from napari_diffusion.analysis.survival.detection_limit import DetectionLimit
    from napari_diffusion.analysis.survival.plan import SurvivalPlan

    # Takes the number of a run; returns its result with objects minus that without.
    Difference = Callable[[int], NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Measurement:
    """What was measured of every object of a plan.

    Attributes
    ----------
    plan : SurvivalPlan
    remains : Remains
    found : ndarray of bool
        Whether the detector finds it.
    """

    plan: SurvivalPlan
    remains: Remains
    found: NDArray[np.bool_]

    @classmethod
    def of(cls, plan: SurvivalPlan, nulls: Nulls, difference: Difference) -> Measurement:
        """Measure the objects of all runs.

        Parameters
        ----------
        plan : SurvivalPlan
        nulls : Nulls
            Of the recipe, or of none.
        difference : callable
            Takes the number of a run; returns its result with the objects minus that without.
        """
        objects = plan.objects
        remains = Remains.empty(len(objects.run))
        found = np.zeros(len(objects.run), bool)
        thresholds = {
            (k, region): nulls.threshold(shape, region, plan.object_axes, plan.dark)
            for k, shape in enumerate(plan.shapes)
            for region in range(plan.noise.num_regions)
        }
        for run in range(plan.num_runs):
            made = merged(difference(run).astype(np.float64), plan.study)
            remains.measure(plan, run, made)
            for k, shape in enumerate(plan.shapes):
                these = np.flatnonzero((objects.run == run) & (objects.shape == k))
                some = objects.of(these)
                least = np.array([thresholds[k, region] for region in some.region])
                least *= some.sigma / np.array([plan.noise.sigma_in(r) for r in some.region])
                found[these] = scores(plan, shape, some, made, nulls, run) > least
        return cls(plan, remains, found)

    def cells(self, region: int | None = None) -> tuple[SurvivalCell, ...]:
        """Return what was measured, by shape and contrast; in one region or in all."""
        return cells_of(self.plan, self.remains, self.found, self._chosen(region))

    def limits(self, region: int | None = None) -> tuple[DetectionLimit, ...]:
        """Return the limits of detection, in one region or in all."""
        return limits_of(self.plan, self.found, self._chosen(region))

    def _chosen(self, region: int | None) -> NDArray[np.bool_]:
        regions = self.plan.objects.region
        return np.ones(len(regions), bool) if region is None else regions == region


def nulls_of(
    plan: SurvivalPlan, false_rate: float, after: Callable[[], object] = lambda: None
) -> Nulls:
    """Return the results of the recipe on blanks; `after` is called after each."""
    study, noise = plan.study, plan.noise
    nulls = Nulls(false_rate, _mask(plan))
    for turn, region in enumerate(noise.blanks()):
        made = study.result(noise.blank(study, region, turn))
        levels = np.reshape(noise.levels[region], (1, -1, 1, 1, 1))
        nulls.results.append((region, merged(made - levels, study)))
        after()
    return nulls


def measured(plan: SurvivalPlan, false_rate: float, progress: Progress | None) -> Measurement:
    """Run the recipe without objects, on blanks, and with the objects of each run."""
    total = 1 + len(plan.noise.blanks()) + plan.num_runs
    done = 0

    def after() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    study, source = plan.study, plan.study.run.image.data
    without = study.result(source)
    after()
    nulls = nulls_of(plan, false_rate, after)

    def difference(run: int) -> NDArray[Any]:
        made = study.result(plan.changed(source, run)) - without
        after()
        return made

    return Measurement.of(plan, nulls, difference)


def _mask(plan: SurvivalPlan) -> NDArray[np.bool_] | None:
    mask = plan.study.run.image.mask
    if mask is None:
        return None
    inside = mask[plan.study.run.core]
    return np.asarray(inside.all(axis=1, keepdims=True) if plan.study.grid.rgb else inside)
