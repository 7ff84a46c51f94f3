"""Which step is best, and what every step did: the runs that metrics ask for, and their curves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from napari_diffusion.analysis.trial import Trial
from napari_diffusion.metrics import (
    Decorrelation,
    HalfError,
    JInvariance,
    Metric,
    Psnr,
    Pure,
    Score,
    Sure,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from napari_diffusion.analysis.trial import Halves
    from napari_diffusion.core.grid import GridOptions
    from napari_diffusion.core.image import Image
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.estimate import NoiseModel
    from napari_diffusion.loop.recipe import Recipe

_SAID = {
    "Psnr": "has the least error against the reference",
    "Sure": "has the least expected error for white noise (Stein's estimate)",
    "Pure": "has the least expected error for noise that grows with the intensity",
    "HalfError": "of one half is nearest to the other half",
    "JInvariance": "best predicts pixels that the filter was not shown",
    "Decorrelation": "is least correlated with what was taken out",
}

# Means over pixels, which parts of an image tell as well as all of it.
_BY_SAMPLES = (Psnr, Sure, Pure, HalfError, JInvariance, Decorrelation)


@dataclass(frozen=True, eq=False)
class Curve:
    """What one metric says of every step, the source first.

    Attributes
    ----------
    metric : Metric
        Says its unit and which way is good.
    values : tuple of float
        Of the source, and of steps 0, 1, …; NaN where it cannot be said.
    valid : bool
        Whether it has a vote.
    why : str
        Why it has none.
    spread : tuple of float
        Standard deviation of each value over the seeds; empty for one seed.
    """

    metric: Metric
    values: tuple[float, ...]
    valid: bool = True
    why: str = ""
    spread: tuple[float, ...] = ()

    @property
    def name(self) -> str:
        """Name of the metric."""
        return type(self.metric).__name__

    @property
    def best(self) -> int | None:
        """The best step, −1 for the source; None where no way is good, or nothing is known."""
        if not self.metric.better or not np.isfinite(self.values).any():
            return None
        sign = 1.0 if self.metric.better == "lower" else -1.0
        found = [sign * v if math.isfinite(v) else math.inf for v in self.values]
        return int(np.argmin(found)) - 1


@dataclass(frozen=True, eq=False)
class BestStep:
    """The step to take, and why.

    Attributes
    ----------
    index : int
        Of the step; −1 where every step is worse than the source itself.
    reason : str
        One sentence.
    curves : tuple of Curve
        What all metrics say of all steps.
    """

    index: int
    reason: str
    curves: tuple[Curve, ...]


def best_step(
    image: ArrayLike | Image,
    recipe: Recipe,
    *,
    reference: ArrayLike | None = None,
    second: ArrayLike | None = None,
    halves: Halves | None = None,
    noise_sigma: float | tuple[float, ...] | None = None,
    noise_model: NoiseModel | None = None,
    region: tuple[slice, ...] | None = None,
    metrics: Sequence[Metric] = (),
    stop: StopToken | None = None,
    **options: Unpack[GridOptions],
) -> BestStep:
    """Return the step of a run that is nearest to the ground truth, as far as the image can tell.

    The first of these that can tell decides: the error against a reference; `Sure`, where the noise
    is credibly white and alike everywhere; `Pure`, where it grows with the intensity; `HalfError`,
    where there are two images of the same thing; `JInvariance`; `Decorrelation`.

    Parameters
    ----------
    image : array_like
        2D arrays are read as ``yx``, 3D ones as ``zyx``; name other axes. Never written.
    recipe : Recipe
        What makes the steps.
    reference : array_like, optional
        The ground truth, of the image's shape.
    second : array_like, optional
        Another image of the same thing with noise of its own, of the image's shape. The same
        recipe runs on it, with the numbers found on the image, and other noise if it adds any.
    halves : "frames", optional
        Frames 0, 2, 4, … and 1, 3, 5, … of the image are two such images.
    noise_sigma : float or tuple of float, optional
        Standard deviation of the noise, one number or one per channel; measured if it is not given.
    noise_model : NoiseModel, optional
        How the noise depends on the intensity, as `estimate.noise_model` measures it on repeated
        frames or a background better than on the image alone; measured if it is not given.
    region : tuple of slice, optional
        The part to judge by, one slice per axis. Without it a plane of more than 2¹⁹ pixels is
        judged by sixteen parts spread over it, each run as an image of its own; any other image,
        and any with further `metrics`, by its middle.
    metrics : sequence of Metric
        Further measures whose curves are to come along; they have no vote.
    stop : StopToken, optional
        As for `steps`.
    **options
        ``axes, spacing, along, joint_channels, rgb, mask, missing``.

    Returns
    -------
    BestStep
        Its index, the reason and the curves.

    References
    ----------
    Ramani, Blu and Unser (2008), Monte-Carlo SURE: a black-box optimization of regularization
    parameters for general denoising algorithms. Le Montagner, Angelini and Olivo-Marin (2014), An
    unbiased risk estimator for image denoising in the presence of mixed Poisson–Gaussian noise.
    Lehtinen and others (2018), Noise2Noise. Batson and Royer (2019), Noise2Self.
    """
    votes: list[Metric] = [] if reference is None else [Psnr()]
    votes += [Sure(), Pure()]
    votes += [] if second is None and halves is None else [HalfError()]
    votes += [JInvariance(), Decorrelation()]
    found = curves(
        image,
        recipe,
        [*votes, *(metric for metric in metrics if metric not in votes)],
        reference=reference,
        second=second,
        halves=halves,
        noise_sigma=noise_sigma,
        noise_model=noise_model,
        region=region,
        stop=stop,
        **options,
    )
    for curve in found[: len(votes)]:
        if curve.valid and curve.best is not None:
            return BestStep(curve.best, _reason(curve, found), tuple(found))
    return BestStep(-1, "No measure can tell: there is no noise, or nothing changes.", tuple(found))


def _reason(chosen: Curve, all_curves: Sequence[Curve]) -> str:
    index = chosen.best
    place = "The source itself" if index == -1 else f"Step {index}"
    before = all_curves[: all_curves.index(chosen)]
    doubts = [f"{c.name}: {c.why}" for c in before if not c.valid]
    said = f"{place} {_SAID[chosen.name]}."
    return said + (f" No vote for {' '.join(doubts)}" if doubts else "")


def curves(
    image: ArrayLike | Image,
    recipe: Recipe,
    metrics: Sequence[Metric],
    *,
    reference: ArrayLike | None = None,
    second: ArrayLike | None = None,
    halves: Halves | None = None,
    noise_sigma: float | tuple[float, ...] | None = None,
    noise_model: NoiseModel | None = None,
    region: tuple[slice, ...] | None = None,
    seeds: int = 1,
    stop: StopToken | None = None,
    **options: Unpack[GridOptions],
) -> list[Curve]:
    """Run a recipe, and what the metrics ask for beside it; return a curve for each metric.

    Parameters
    ----------
    image, recipe, reference, second, halves, noise_sigma, noise_model, region, stop, **options
        As for `best_step`.
    metrics : sequence of Metric
        What to measure. All that ask for the same second run share it.
    seeds : int
        Run so often, with noise of the recipe's seed, the next one, and so on: values are then
        means, and `Curve.spread` says how far one run may be from them. It is how stable a
        measurement is under noise and filtering, not how right it is.

    Returns
    -------
    list of Curve
        In the order of the metrics.
    """
    if seeds < 1:
        raise ValueError(f"seeds must be 1 or more (got {seeds}).")
    if seeds > 1 and recipe.noise is None:
        raise ValueError(
            f"seeds={seeds} has nothing to vary: this recipe adds no noise, and every seed makes "
            "the same steps. Give it noise, or leave seeds out."
        )
    common: Any = {
        "reference": reference, "second": second, "halves": halves,
        "noise_sigma": noise_sigma, "noise_model": noise_model, "region": region, "stop": stop,
        "parts": all(isinstance(metric, _BY_SAMPLES) for metric in metrics),
    }  # fmt: skip
    trial = Trial.of(image, recipe, options, **common)
    runs = [_scores(trial.with_seed(recipe.seed + turn), metrics) for turn in range(seeds)]
    return [_curve(metric, of_metric) for metric, *of_metric in zip(metrics, *runs, strict=True)]


def _scores(trial: Trial, metrics: Sequence[Metric]) -> list[list[Score]]:
    """Return what each metric says of every step of one run."""
    scores: list[list[Score]] = [[] for _ in metrics]
    for views in trial.views(metrics):
        for metric, said in zip(metrics, scores, strict=True):
            said.append(metric.score(views[metric.probe]))
    return scores


def _curve(metric: Metric, runs: Sequence[Sequence[Score]]) -> Curve:
    """Return the curve of one metric: the mean and the spread over the runs."""
    doubts = [score.why for scores in runs for score in scores if not score.valid]
    table = np.array([[score.value for score in scores] for scores in runs])
    spread = () if len(runs) < 2 else tuple(map(float, table.std(axis=0, ddof=1)))
    values = tuple(map(float, table.mean(axis=0)))
    return Curve(metric, values, not doubts, doubts[0] if doubts else "", spread)
