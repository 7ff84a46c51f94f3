"""Which step is best, and what every step did: the runs that metrics ask for, and their curves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

import numpy as np

from napari_diffusion.metrics import Decorrelation, JInvariance, Metric, Psnr, Score, Sure
from napari_diffusion.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from napari_diffusion.drive import StopToken
    from napari_diffusion.grid import GridOptions
    from napari_diffusion.recipe import Recipe


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
    """

    metric: Metric
    values: tuple[float, ...]
    valid: bool = True
    why: str = ""

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
    image: ArrayLike,
    recipe: Recipe,
    *,
    reference: ArrayLike | None = None,
    noise_sigma: float | None = None,
    region: tuple[slice, ...] | None = None,
    stop: StopToken | None = None,
    **options: Unpack[GridOptions],
) -> BestStep:
    """Return the step of a run that is nearest to the truth, as far as the picture can tell.

    With a reference that is the step of least error. Without one, `Sure` decides where the noise is
    credibly white; else `JInvariance`; `Decorrelation` is shown beside them.

    Parameters
    ----------
    image : array_like
        2D arrays are read as ``yx``, 3D ones as ``zyx``; name other axes. Never written.
    recipe : Recipe
        What makes the steps.
    reference : array_like, optional
        The truth, of the image's shape.
    noise_sigma : float, optional
        Standard deviation of the noise; measured if it is not given.
    region : tuple of slice, optional
        The part to judge by, one slice per axis. Of more than 2²⁰ samples the middle is taken.
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
    parameters for general denoising algorithms. Batson and Royer (2019), Noise2Self.
    """
    votes: tuple[Metric, ...] = (Sure(), JInvariance(), Decorrelation())
    if reference is not None:
        votes = (Psnr(), *votes)
    found = curves(
        image,
        recipe,
        votes,
        reference=reference,
        noise_sigma=noise_sigma,
        region=region,
        stop=stop,
        **options,
    )
    for curve in found:
        if curve.valid and curve.best is not None:
            return BestStep(curve.best, _reason(curve, found), tuple(found))
    return BestStep(-1, "No measure can tell: there is no noise, or nothing changes.", tuple(found))


def _reason(chosen: Curve, all_curves: Sequence[Curve]) -> str:
    index = chosen.best
    place = "The source itself" if index == -1 else f"Step {index}"
    said = {
        "Psnr": "has the least error against the reference",
        "Sure": "has the least expected error for white noise (Stein's estimate)",
        "JInvariance": "best predicts samples that the filter was not shown",
        "Decorrelation": "is least correlated with what was taken out",
    }[chosen.name]
    doubts = [f"{c.name}: {c.why}" for c in all_curves if c.why and not c.valid]
    return f"{place} {said}." + (f" No vote for {'; '.join(doubts)}" if doubts else "")


def curves(
    image: ArrayLike,
    recipe: Recipe,
    metrics: Sequence[Metric],
    *,
    reference: ArrayLike | None = None,
    noise_sigma: float | None = None,
    region: tuple[slice, ...] | None = None,
    stop: StopToken | None = None,
    **options: Unpack[GridOptions],
) -> list[Curve]:
    """Run a recipe, and what the metrics ask for beside it; return a curve for each metric.

    Parameters
    ----------
    image, recipe, reference, noise_sigma, region, stop, **options
        As for `best_step`.
    metrics : sequence of Metric
        What to measure. All that ask for the same second run share it.

    Returns
    -------
    list of Curve
        In the order of the metrics.
    """
    trial = Trial.of(image, recipe, reference, noise_sigma, region, stop, options)
    scores: list[list[Score]] = [[] for _ in metrics]
    for views in trial.views({metric.probe for metric in metrics}):
        for metric, said in zip(metrics, scores, strict=True):
            said.append(metric.score(views[metric.probe]))
    return [_curve(metric, said) for metric, said in zip(metrics, scores, strict=True)]


def _curve(metric: Metric, scores: list[Score]) -> Curve:
    doubts = [score.why for score in scores if not score.valid]
    values = tuple(score.value for score in scores)
    return Curve(metric, values, not doubts, doubts[0] if doubts else "")
