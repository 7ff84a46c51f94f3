"""The runs of a plan, and what they show of its objects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.analysis.survival.cells import SurvivalCell, cells_of, limits_of
from napari_diffusion.analysis.survival.detection import ShapeDetector
from napari_diffusion.analysis.survival.kept import Remains
from napari_diffusion.analysis.survival.local_noise import merged
from napari_diffusion.analysis.survival.null_runs import (
    noise_left,
    noise_of_source,
    null_results,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_diffusion.analysis.study import Progress
    from napari_diffusion.analysis.survival.detection_limit import DetectionLimit
    from napari_diffusion.analysis.survival.plan import SurvivalPlan

# How many images of noise show the limits in the source.
_BEFORE = 5

# Takes the number of a run; returns its result with objects minus that without.
Difference = Callable[[int], "NDArray[Any]"]


@dataclass(frozen=True, eq=False)
class Measurement:
    """What was measured of every object of a plan.

    Attributes
    ----------
    plan : SurvivalPlan
    remains : Remains
        What is left of each object.
    found : ndarray of bool
        Whether the detector finds it.
    """

    plan: SurvivalPlan
    remains: Remains
    found: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        plan: SurvivalPlan,
        noise: Sequence[NDArray[np.float32]],
        false_rate: float,
        difference: Difference,
    ) -> Measurement:
        """Measure the objects of all runs.

        Parameters
        ----------
        plan : SurvivalPlan
        noise : sequence of ndarray
            The noise that is left in results, see `noise_left`.
        false_rate : float
            False objects per megapixel.
        difference : callable
            Takes the number of a run; returns its result with the objects minus that without.
        """
        objects = plan.objects
        detectors = [_detector(plan, k, noise, false_rate) for k in range(len(plan.shapes))]
        remains = Remains.empty(len(objects.run))
        found = np.zeros(len(objects.run), bool)
        for run in range(plan.num_runs):
            made = merged(difference(run).astype(np.float64), plan.study)
            remains.measure(plan, run, made)
            searched = made + noise[run % len(noise)]
            for k, detector in enumerate(detectors):
                these = np.flatnonzero((objects.run == run) & (objects.shape == k))
                if len(these):
                    found[these] = detector.found(objects.place[these], searched)
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


def measured(
    plan: SurvivalPlan, false_rate: float, progress: Progress | None
) -> tuple[Measurement, Measurement]:
    """Run the recipe without objects, on its result plus fresh noise, and with objects.

    Returns
    -------
    result, source : Measurement
        What is left of the objects, and the same objects before the recipe.
    """
    done, total = 0, 1 + plan.num_nulls + plan.num_runs

    def after() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    study, source = plan.study, plan.study.run.image.data
    without = study.result(source)
    after()
    noise = noise_left(study, null_results(study, without, plan.num_nulls, plan.seed, after))

    def difference(run: int) -> NDArray[Any]:
        made = study.result(plan.changed(source, run)) - without
        after()
        return made

    def added(run: int) -> NDArray[Any]:
        return np.asarray((plan.changed(source, run) - source)[study.run.core])

    before = noise_of_source(study, without, _BEFORE, plan.seed)
    return (
        Measurement.of(plan, noise, false_rate, difference),
        Measurement.of(plan, before, false_rate, added),
    )


def _detector(
    plan: SurvivalPlan, shape: int, noise: Sequence[NDArray[np.float32]], false_rate: float
) -> ShapeDetector:
    return ShapeDetector.of(
        plan.shapes[shape], noise, false_rate,
        object_axes=plan.object_axes, sigma=float(np.median(plan.noise.sigma)), dark=plan.dark,
        mask=plan.mask,
    )  # fmt: skip
