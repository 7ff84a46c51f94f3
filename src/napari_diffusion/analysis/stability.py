"""How stable a user's own measurement is over steps, random seeds and parameters."""

from __future__ import annotations

import collections
import itertools
import math
from typing import TYPE_CHECKING, Unpack

import numpy as np

from napari_diffusion.analysis.answers.measurement import Measure, Measurement, check_measure
from napari_diffusion.analysis.answers.parameter_change import ParameterChange, parameter_changes
from napari_diffusion.analysis.answers.plateau import plateau
from napari_diffusion.analysis.answers.stability_result import (
    ParameterEffect,
    Stability,
    deviations_of,
)
from napari_diffusion.analysis.ensemble import check_random, seeds_of
from napari_diffusion.analysis.study import Progress, Study
from napari_diffusion.loop.preview import shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.analysis.source_noise import GivenSigma
    from napari_diffusion.core.grid import GridOptions
    from napari_diffusion.core.image import Image
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.estimate import NoiseModel
    from napari_diffusion.filters import Filter
    from napari_diffusion.loop.recipe import Recipe


def stability(
    image: ArrayLike | Image,
    recipe: Recipe | Filter,
    measure: Measure,
    *,
    seeds: int | Sequence[int] = 5,
    change: float = 0.1,
    parameters: Sequence[str] | None = None,
    tolerance: float = 0.05,
    step: int | None = None,
    noise_sigma: GivenSigma | None = None,
    noise_model: NoiseModel | None = None,
    region: tuple[slice, ...] | None = None,
    progress: Progress | None = None,
    stop: StopToken | None = None,
    **options: Unpack[GridOptions],
) -> Stability:
    """Follow your own measurement over the steps, the seeds and a little of every parameter.

    The longest range of steps, 3 or more, over which every number stays within a tolerance of the
    middle of its values is the plateau; the step in its middle is recommended for the measurement.
    There, or at the last step without a plateau, each parameter is changed up and down, one at a
    time, with the first seed.

    Parameters
    ----------
    image : array_like
        2D arrays are read as ``yx``, 3D ones as ``zyx``; name other axes. Never written.
    recipe : Recipe or Filter
        What is run, resolved once on the whole image; a filter alone is one step without noise.
    measure : Metric or callable
        A metric of an image alone, such as `Objects` or `RegionStatistic`; or a function of an
        image in its own axes that returns a number, a dictionary or a list of numbers, or integer
        labels, whose number and mean size are then measured; such as
        ``lambda image: model.predict_instances(image)[0]``. NaN means that there is no answer.
    seeds : int or sequence of int
        Number of random seeds, counted up from that of the recipe, or the seeds themselves. A
        recipe without random noise is run once.
    change : float
        By which share parameters are changed, greater than 0 and less than 1. Whole numbers change
        by 1 or more.
    parameters : sequence of str, optional
        Which parameters to change; an empty one for none. Default: every numeric parameter of the
        filters, wherever it occurs in them, the noise scale and the number of steps.
    tolerance : float
        How far from its middle a number may be on the plateau, as a share of that middle; 0 or
        more. Two standard deviations over the seeds are allowed in any case.
    step : int, optional
        Index of the last step to study. Default: the last one.
    noise_sigma, noise_model : optional
        The noise of the image, if known, for metrics that need it.
    region : tuple of slice, optional
        The part to measure, one slice per axis. Default: all of the image.
    progress : callable, optional
        Takes how many runs are done, and how many there are.
    stop : StopToken, optional
        As for `steps`.
    **options
        ``axes, spacing, along, joint_channels, rgb, mask, missing``.

    Returns
    -------
    Stability
        The numbers of every step and seed, the plateau, and what they depend on.

    Raises
    ------
    ValueError, TypeError
        For measurements and parameters that are not of this kind. Exceptions of the function are
        passed on, with a note that names it and the step.

    Examples
    --------
    >>> import numpy as np, napari_diffusion as nd
    >>> noisy = np.random.default_rng(0).normal(50, 5, (64, 64))
    >>> recipe = nd.Recipe(num_steps=4, noise=None, diffusion_filter=nd.filters.Heat(time=1.0))
    >>> found = nd.analysis.stability(noisy, recipe, np.mean)
    >>> found.stable, found.recommended
    ((0, 3), 1)
    """
    check_measure(measure)
    if not 0 < change < 1:
        raise ValueError(f"change must be greater than 0 and less than 1 (got {change!r}).")
    if not 0 <= tolerance < math.inf:
        raise ValueError(f"tolerance must be a share of 0 or more (got {tolerance!r}).")
    study = Study.of(
        image, recipe, options, step=step, noise_sigma=noise_sigma, noise_model=noise_model,
        region=region, stop=stop,
    )  # fmt: skip
    changes = parameter_changes(study.recipe, study.image, change, parameters)
    chosen = _seeds(study.recipe, seeds)
    runs = _Runs(study, Measurement(study, measure), progress)
    runs.total = len(chosen) + sum(len(each.recipes) for each in changes)
    answers = np.stack([runs.answers(seed) for seed in chosen], axis=2)
    means, deviations = answers.mean(axis=2), deviations_of(answers)
    stable = plateau(means[:, 1:], deviations[:, 1:], tolerance)
    at = study.step if stable is None else sum(stable) // 2
    effects = [
        effect
        for each in changes
        if each.recipes
        for effect in runs.effects(each, at, chosen[0], answers[:, at + 1, 0])
    ]
    return Stability(
        recipe=study.recipe,
        step=study.step,
        measurement=runs.measurement.title,
        names=runs.measurement.names,
        seeds=chosen,
        answers=answers,
        by_parameter=tuple(sorted(effects, key=_weight)),
        unchanged=tuple(each.name for each in changes if not each.recipes),
        stable=stable,
        tolerance=tolerance,
        change=change,
    )


class _Runs:
    """The runs of a study, each measured, counted as they are done."""

    def __init__(self, study: Study, measurement: Measurement, progress: Progress | None) -> None:
        self.study, self.measurement = study, measurement
        self.total, self._done, self._progress = 0, 0, progress

    def answers(self, seed: int) -> NDArray[np.float64]:
        """Return the numbers of the source and of every step, (numbers, 1 + steps)."""
        run = self.study.run.with_recipe(self.study.recipe.replaced(seed=seed))
        images = itertools.chain((run.source,), run.images(run.image.data))
        found = [self.measurement.numbers(values, k) for k, values in enumerate(images, -1)]
        self._ran()
        return np.array(found).T

    def effects(
        self, change: ParameterChange, at: int, seed: int, answers: NDArray[np.float64]
    ) -> list[ParameterEffect]:
        """Return what a change of a parameter does to each number at a step."""
        found = {change.value: answers}
        for value, recipe in change.recipes.items():
            whole = change.name == "num_steps" and at == self.study.step
            made = shortened(recipe.replaced(seed=seed), None if whole else at)
            images = self.study.run.with_recipe(made).images(self.study.image.data)
            last = collections.deque(images, maxlen=1).pop()
            found[value] = np.array(self.measurement.numbers(last, at))
            self._ran()
        unknown = np.full(len(answers), math.nan)
        low, high = (
            next((value for value in found if (value - change.value) * sign > 0), math.nan)
            for sign in (-1, 1)
        )
        smaller, larger = found.get(low, unknown), found.get(high, unknown)
        return [
            ParameterEffect(
                change.name, number, change.value, low, high,
                float(answers[k]), float(smaller[k]), float(larger[k]), at,
            )
            for k, number in enumerate(self.measurement.names)
        ]  # fmt: skip

    def _ran(self) -> None:
        self._done += 1
        if self._progress is not None:
            self._progress(self._done, self.total)


def _seeds(recipe: Recipe, seeds: int | Sequence[int]) -> tuple[int, ...]:
    """Return the seeds to run: one for a recipe whose results do not depend on it."""
    if isinstance(seeds, int) and seeds == 1:
        return (recipe.seed,)
    chosen = seeds_of(recipe, seeds)
    try:
        check_random(recipe)
    except ValueError:
        return chosen[:1]
    return chosen


def _weight(effect: ParameterEffect) -> float:
    """Return the place of an effect among others: the strongest first, unknown ones last."""
    change = effect.relative_change
    return math.inf if math.isnan(change) else -change
