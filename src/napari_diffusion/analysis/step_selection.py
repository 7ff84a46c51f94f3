"""The recommended step of a run, and the curves of metrics over its steps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

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

    from napari_diffusion.analysis.source_noise import GivenSigma
    from napari_diffusion.analysis.trial import Halves
    from napari_diffusion.core.grid import GridOptions
    from napari_diffusion.core.image import Image
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.estimate import NoiseModel
    from napari_diffusion.loop.recipe import Recipe

_REASONS: dict[type[Metric], str] = {
    Psnr: "has the lowest error against the reference",
    Sure: "has the lowest expected error for white noise (Stein's estimate)",
    Pure: "has the lowest expected error for noise that grows with the intensity",
    HalfError: "of one half is closest to the other half",
    JInvariance: "best predicts pixels that were hidden from the filter",
    Decorrelation: "is least correlated with what was removed",
}

# Means over pixels, for which parts of an image do as well as all of it.
_PIXEL_MEANS = (Psnr, Sure, Pure, HalfError, JInvariance, Decorrelation)


@dataclass(frozen=True, eq=False)
class Curve:
    """The values of one metric for the source and every step.

    Attributes
    ----------
    metric : Metric
        Has the unit and says which direction is better.
    values : tuple of float
        Of the source, and of steps 0, 1, …; NaN where there is none.
    valid : bool
        Whether the metric may recommend a step.
    why : str
        Why it is excluded from the recommendation; empty where it is not.
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
        """The best step, −1 for the source; None without a better direction or any value."""
        if not self.metric.better or not np.isfinite(self.values).any():
            return None
        sign = 1.0 if self.metric.better == "lower" else -1.0
        found = [sign * v if math.isfinite(v) else math.inf for v in self.values]
        return int(np.argmin(found)) - 1


@dataclass(frozen=True, eq=False)
class BestStep:
    """The recommended step, and what recommends it.

    Attributes
    ----------
    index : int
        Index of the step; −1 where every step is worse than the source itself.
    curves : tuple of Curve
        All metrics of all steps.
    decided_by : Curve or None
        The metric that recommends the step; None where no metric can.
    """

    index: int
    curves: tuple[Curve, ...]
    decided_by: Curve | None = None

    @property
    def reason(self) -> str:
        """Which metric recommends the step, and which ones were excluded and why."""
        if self.decided_by is None:
            return "No step is recommended: there is no noise, or nothing changes."
        step = "The source itself" if self.index == -1 else f"Step {self.index}"
        before = self.curves[: self.curves.index(self.decided_by)]
        excluded = [f"{c.metric.display_name}: {c.why}" for c in before if not c.valid]
        reason = f"{step} {_REASONS[type(self.decided_by.metric)]}."
        if excluded:
            reason += f" Excluded from the recommendation: {' '.join(excluded)}"
        return reason


def best_step(
    image: ArrayLike | Image,
    recipe: Recipe,
    *,
    reference: ArrayLike | None = None,
    second: ArrayLike | None = None,
    halves: Halves | None = None,
    noise_sigma: GivenSigma | None = None,
    noise_model: NoiseModel | None = None,
    region: tuple[slice, ...] | None = None,
    metrics: Sequence[Metric] = (),
    stop: StopToken | None = None,
    **options: Unpack[GridOptions],
) -> BestStep:
    """Recommend the step of a run that is closest to the ground truth, by estimates of its error.

    The first metric that applies decides: the error against a reference; `Sure`, where the noise is
    credibly white and equally strong everywhere; `Pure`, where it grows with the intensity;
    `HalfError`, where there are two independent acquisitions; `JInvariance`; `Decorrelation`.

    Parameters
    ----------
    image : array_like
        2D arrays are read as ``yx``, 3D ones as ``zyx``; name other axes. Never written.
    recipe : Recipe
        The recipe that makes the steps.
    reference : array_like, optional
        The ground truth, of the image's shape.
    second : array_like, optional
        An independent acquisition of the same scene, of the image's shape. The same recipe runs
        on it, with the parameters estimated on the image; noise that it adds is independent.
    halves : "frames", optional
        Take frames 0, 2, 4, … and 1, 3, 5, … of the image as two such acquisitions.
    noise_sigma : float, tuple of float or array, optional
        Standard deviation of the noise, one value, one per channel, or one per pixel, such as
        `estimate.noise_map`; measured by default.
    noise_model : NoiseModel, optional
        How the noise depends on the intensity; measured on the image by default.
        `estimate.noise_model` measures it better on repeated frames or a background.
    region : tuple of slice, optional
        The part to measure, one slice per axis. Default: sixteen parts spread over a plane of more
        than 2¹⁹ pixels, each run as a separate image; the middle of any other image, and of any
        with further `metrics`.
    metrics : sequence of Metric
        Further metrics to compute curves of; they do not take part in the recommendation.
    stop : StopToken, optional
        As for `steps`.
    **options
        ``axes, spacing, along, joint_channels, rgb, mask, missing``.

    Returns
    -------
    BestStep
        Its index, the reason and the curves.

    Examples
    --------
    >>> import numpy as np, napari_diffusion as nd
    >>> noisy = np.random.default_rng(0).normal(size=(64, 64))
    >>> heat = nd.Recipe(num_steps=2, noise=None, diffusion_filter=nd.filters.Heat(time=1.0))
    >>> nd.analysis.best_step(noisy, heat, noise_sigma=1.0).index
    1

    References
    ----------
    Ramani, Blu and Unser (2008), Monte-Carlo SURE: a black-box optimization of regularization
    parameters for general denoising algorithms. Le Montagner, Angelini and Olivo-Marin (2014), An
    unbiased risk estimator for image denoising in the presence of mixed Poisson–Gaussian noise.
    Lehtinen and others (2018), Noise2Noise. Batson and Royer (2019), Noise2Self.
    """
    deciding: list[Metric] = [] if reference is None else [Psnr()]
    deciding += [Sure(), Pure()]
    deciding += [] if second is None and halves is None else [HalfError()]
    deciding += [JInvariance(), Decorrelation()]
    found = curves(
        image,
        recipe,
        [*deciding, *(metric for metric in metrics if metric not in deciding)],
        reference=reference,
        second=second,
        halves=halves,
        noise_sigma=noise_sigma,
        noise_model=noise_model,
        region=region,
        stop=stop,
        **options,
    )
    for curve in found[: len(deciding)]:
        if curve.valid and curve.best is not None:
            return BestStep(curve.best, tuple(found), curve)
    return BestStep(-1, tuple(found))


def curves(
    image: ArrayLike | Image,
    recipe: Recipe,
    metrics: Sequence[Metric],
    *,
    reference: ArrayLike | None = None,
    second: ArrayLike | None = None,
    halves: Halves | None = None,
    noise_sigma: GivenSigma | None = None,
    noise_model: NoiseModel | None = None,
    region: tuple[slice, ...] | None = None,
    seeds: int = 1,
    stop: StopToken | None = None,
    **options: Unpack[GridOptions],
) -> list[Curve]:
    """Run a recipe and measure every step; return a curve for each metric.

    Parameters
    ----------
    image, recipe, reference, second, halves, noise_sigma, noise_model, region, stop, **options
        As for `best_step`.
    metrics : sequence of Metric
        What to measure. Metrics that need the same second run share it.
    seeds : int
        Number of runs, with the random seed of the recipe, the next one, and so on: values are
        then means, and `Curve.spread` their standard deviations. The spread shows how stable a
        measurement is under noise and filtering, not how accurate it is.

    Returns
    -------
    list of Curve
        In the order of the metrics.
    """
    if seeds < 1:
        raise ValueError(f"seeds must be 1 or more (got {seeds}).")
    if seeds > 1 and recipe.noise is None:
        raise ValueError(
            f"seeds={seeds} would give the same steps each time, because this recipe adds no "
            "noise: add noise, or leave seeds out."
        )
    trial = Trial.of(
        image,
        recipe,
        options,
        reference=reference,
        second=second,
        halves=halves,
        noise_sigma=noise_sigma,
        noise_model=noise_model,
        region=region,
        parts=all(isinstance(metric, _PIXEL_MEANS) for metric in metrics),
        stop=stop,
    )
    runs = [_scores(trial.with_seed(recipe.seed + turn), metrics) for turn in range(seeds)]
    return [_curve(metric, of_metric) for metric, *of_metric in zip(metrics, *runs, strict=True)]


def _scores(trial: Trial, metrics: Sequence[Metric]) -> list[list[Score]]:
    """Return the score of each metric for every step of one run."""
    scores: list[list[Score]] = [[] for _ in metrics]
    for views in trial.views(metrics):
        for metric, of_metric in zip(metrics, scores, strict=True):
            of_metric.append(metric.score(views[metric.probe]))
    return scores


def _curve(metric: Metric, runs: Sequence[Sequence[Score]]) -> Curve:
    """Return the curve of one metric: the mean and the standard deviation over the runs."""
    doubts = [score.why for scores in runs for score in scores if not score.valid]
    table = np.array([[score.value for score in scores] for scores in runs])
    spread = () if len(runs) < 2 else tuple(map(float, table.std(axis=0, ddof=1)))
    values = tuple(map(float, table.mean(axis=0)))
    return Curve(metric, values, not doubts, doubts[0] if doubts else "", spread)
