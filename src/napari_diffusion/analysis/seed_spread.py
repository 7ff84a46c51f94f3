"""Many seeds at once: their mean, their spread, and whether the spread is the error."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Unpack

import numpy as np

from napari_diffusion.analysis.ensemble import check_random, seeds_of
from napari_diffusion.analysis.intervals.bounds import (
    check_inside,
    check_noise,
    counting,
    inside_of,
)
from napari_diffusion.analysis.intervals.local_square import is_independent, variance_of
from napari_diffusion.analysis.residual.windows import Windows
from napari_diffusion.analysis.spread.calibration import gain_of
from napari_diffusion.analysis.spread.result import SeedSpread
from napari_diffusion.analysis.spread.seed_runs import PROBES, seed_runs
from napari_diffusion.analysis.spread.spread_law import spread_law
from napari_diffusion.analysis.study import Progress, Study
from napari_diffusion.analysis.trial import Trial
from napari_diffusion.core.image import Image
from napari_diffusion.core.whole_number import checked_whole
from napari_diffusion.engine.threads import Threads
from napari_diffusion.loop.preview import shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.analysis.source_noise import GivenSigma
    from napari_diffusion.analysis.spread.seed_runs import SeedRuns
    from napari_diffusion.core.grid import GridOptions
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.estimate import NoiseModel
    from napari_diffusion.loop.recipe import Recipe

# Pixels in a window that the spread is averaged over.
_WINDOW_PIXELS = 49

# Of the interval whose coverage is measured.
_COVERAGE = 0.9


def seed_spread(
    image: ArrayLike | Image,
    recipe: Recipe,
    *,
    seeds: int | Sequence[int] = 8,
    second: ArrayLike | None = None,
    reference: ArrayLike | None = None,
    step: int | None = None,
    noise_sigma: GivenSigma | None = None,
    noise_model: NoiseModel | None = None,
    white: bool | None = None,
    region: tuple[slice, ...] | None = None,
    progress: Progress | None = None,
    stop: StopToken | None = None,
    **options: Unpack[GridOptions],
) -> SeedSpread:
    """Run a recipe with several seeds, and test on this image whether their spread is the error.

    If the results are draws of the posterior, the mean of K of them has ``1 + 1/K`` times the least
    squared error: their variance V is the squared error E of the mean of many. Both are known
    without ground truth: V from the seeds, and E from Stein's estimate, ``⟨(m − y)² + σ² (2 ∂m/∂y −
    1)⟩ − V/K`` for the mean m of K and the source y with noise of variance σ². Where V/E is near 1
    and known well enough, and the mean is no worse than the first step, deviations from the mean
    are multiplied by about ``√(E/V)``, more where all seeds agree; the spread is then called
    posterior. Else, and for whole updates, which do not sample, it is sensitivity to the noise
    added.

    Parameters
    ----------
    image : array_like
        2D arrays are read as ``yx``, 3D ones as ``zyx``; name other axes. Never written.
    recipe : Recipe
        With random noise, such as one of reverse updates; resolved once on the whole image.
    seeds : int or sequence of int
        Number of random seeds, counted up from that of the recipe, or the seeds themselves; 2 or
        more. With 8 they take 10 runs.
    second : array_like, optional
        An independent acquisition of the same scene, to measure the coverage on.
    reference : array_like, optional
        The ground truth, if known, to measure the coverage on.
    step : int, optional
        Index of the step. Default: the last one.
    noise_sigma, noise_model : optional
        The noise of the image, if known. Default: of reverse updates whose starting noise scale is
        a number this number; else it is measured, which leaves more in doubt.
    white : bool, optional
        Whether the noise is independent from pixel to pixel; measured by default.
    region : tuple of slice, optional
        The part to study, one slice per axis. Default: all of the image.
    progress : callable, optional
        Takes how many runs of the recipe are done, and how many there are.
    stop : StopToken, optional
        As for `steps`.
    **options
        ``axes, spacing, along, joint_channels, rgb, mask, missing``.

    Returns
    -------
    SeedSpread
        With `mean`, `spread` and `verdict`.

    Raises
    ------
    ValueError, TypeError
        For a recipe without random noise or with a measurement, correlated noise or none in the
        image, and for parameters out of range.

    Examples
    --------
    >>> import numpy as np, napari_diffusion as nd
    >>> noisy = np.random.default_rng(0).normal(size=(96, 96)).astype("float32")
    >>> recipe = nd.Recipe(1, starting_noise_scale=0.5, diffusion_filter=nd.filters.Heat(time=2.0))
    >>> nd.analysis.seed_spread(noisy, recipe, seeds=4, noise_sigma=1.0).verdict
    'sensitivity'

    References
    ----------
    Stein (1981), Estimation of the mean of a multivariate normal distribution. Ramani, Blu and
    Unser (2008), Monte-Carlo SURE.
    """
    chosen = seeds_of(recipe, seeds)
    check_random(recipe)
    _check_measured(recipe)
    given = noise_sigma
    if noise_sigma is None and noise_model is None:
        given = _told(recipe)
    source = Image.of(image, **options)
    trial = Trial.of(
        source,
        shortened(recipe, checked_whole("step", step, 0)),
        options,
        reference=reference,
        second=second,
        noise_sigma=given,
        noise_model=noise_model,
        region=region or (slice(None),) * len(source.grid.axes),
        stop=stop,
    )
    study = Study(trial.whole, trial.noise)
    check_inside(study.run)
    check_noise(study.noise, is_independent(study.noise) if white is None else white)
    runs = seed_runs(study, chosen, counting(progress, len(chosen) + min(PROBES, len(chosen))))
    return _result(trial, chosen, runs, given is None and noise_model is None)


def _check_measured(recipe: Recipe) -> None:
    if recipe.measurement is not None:
        raise ValueError(
            "The spread of restored images cannot be tested: where nothing was measured there is "
            "no noisy pixel to compare with. nd.analysis.ensemble gives their mean, and their "
            "sensitivity to the noise added."
        )


def _told(recipe: Recipe) -> GivenSigma | None:
    """Return the noise of the source that a recipe of reverse updates was told, if a number."""
    scale = recipe.starting_noise_scale
    if recipe.update != "reverse" or recipe.domain is not None or isinstance(scale, str):
        return None
    return scale


def _result(trial: Trial, seeds: tuple[int, ...], runs: SeedRuns, measured: bool) -> SeedSpread:
    study, inside = Study(trial.whole, trial.noise), inside_of(trial.whole)
    variance = variance_of(study, runs.mean)
    law = spread_law(
        runs, study.run.source, variance, inside,
        samples=study.recipe.update == "reverse", measured=measured,
    )  # fmt: skip
    around = _around(study, runs.variance)
    gain = np.ones_like(around)
    if law.verdict == "posterior":
        gain = gain_of(law, around)
    spread = np.where(inside, gain * np.sqrt(runs.variance), 0.0)
    coverage, of = _coverage(trial, runs, spread, variance)
    dtype = study.run.source.dtype
    shown = np.sqrt(np.square(spread).mean(axis=1, keepdims=True)) if study.grid.rgb else spread
    return SeedSpread(
        recipe=study.recipe,
        step=study.step,
        seeds=seeds,
        mean=study.in_axes(runs.mean.astype(dtype)),
        spread=study.in_axes(shown.astype(dtype)),
        gain=study.in_axes(gain.astype(dtype)),
        law=law,
        coverage=coverage,
        coverage_of=of,
        noise_sigma=trial.noise.sigma,
        measured=measured,
    )


def _around(study: Study, variance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the variance over the seeds, averaged over small windows."""
    mask, axes = study.image.mask, study.grid.along_axes
    inside = None if mask is None else np.ascontiguousarray(mask[study.run.core])
    side = round(_WINDOW_PIXELS ** (1 / len(axes)))
    return Windows(side, axes, inside, False, Threads(stop=study.run.stop)).mean(variance)


def _coverage(
    trial: Trial, runs: SeedRuns, spread: NDArray[np.float64], variance: NDArray[np.float64]
) -> tuple[float | None, str]:
    """Return how many pixels of a reference or a repeat the interval holds, and of which."""
    from scipy.stats import norm, t

    half = t.ppf(0.5 + _COVERAGE / 2, runs.count - 1) * spread * math.sqrt(1 + 1 / runs.count)
    if trial.reference is not None:
        other, of = trial.reference[trial.whole.core], "ground truth"
    elif trial.halves is not None:
        other, of = trial.halves[1].source, "repeat acquisition"
        half = np.hypot(half, norm.ppf(0.5 + _COVERAGE / 2) * np.sqrt(variance))
    else:
        return None, ""
    held = np.abs(runs.mean - other) <= half
    return float(held[inside_of(trial.whole)].mean()), of
