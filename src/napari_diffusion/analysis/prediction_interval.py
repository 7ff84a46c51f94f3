"""Two intervals around a step, named apart: for a repeat, and for the noise-free value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from napari_diffusion.analysis.intervals.bounds import (
    Bounds,
    check_inside,
    check_noise,
    for_a_repeat,
    for_the_noise_free,
    inside_of,
)
from napari_diffusion.analysis.intervals.factor import FACTORS
from napari_diffusion.analysis.intervals.local_square import is_independent
from napari_diffusion.analysis.intervals.result import PredictionInterval, Target
from napari_diffusion.analysis.study import Study
from napari_diffusion.analysis.trial import Trial
from napari_diffusion.core.image import Image
from napari_diffusion.core.whole_number import checked_whole
from napari_diffusion.loop.preview import shortened
from napari_diffusion.loop.recipe import Recipe

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from napari_diffusion.analysis.source_noise import GivenSigma
    from napari_diffusion.analysis.study import Progress
    from napari_diffusion.analysis.trial import Halves
    from napari_diffusion.core.grid import GridOptions
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.estimate import NoiseModel
    from napari_diffusion.filters import Filter


def prediction_interval(
    image: ArrayLike | Image,
    recipe: Recipe | Filter,
    *,
    of: Target = "repeat",
    second: ArrayLike | None = None,
    halves: Halves | None = None,
    reference: ArrayLike | None = None,
    coverage: float = 0.9,
    step: int | None = None,
    noise_sigma: GivenSigma | None = None,
    noise_model: NoiseModel | None = None,
    white: bool | None = None,
    region: tuple[slice, ...] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    stop: StopToken | None = None,
    **options: Unpack[GridOptions],
) -> PredictionInterval:
    """Return an interval around every pixel of a step, for a repeat or for the noise-free value.

    - ``of="repeat"``: for the pixels of a repeat acquisition y₂, noise included. ``u ± q · s`` with
      the step u of the first acquisition, the scale ``s² = V + m`` of the noise's variance V and
      the local squared error m, and the quantile q of ``|y₂ − u| / s`` over every other block of a
      checkerboard (split-conformal). The remaining blocks measure the coverage.
    - ``of="noise-free"``: for the noise-free value. ``u ± k · √m`` with the local squared error m,
      bias included, that Stein's estimate and runs on u plus fresh noise give without ground truth,
      and a factor k that a benchmark with ground truth has chosen. It is not conformal, and only a
      reference can show its coverage.

    Parameters
    ----------
    image, recipe, region, stop, **options
        As for `steps`.
    of : {"repeat", "noise-free"}
        What the interval is for.
    second : array_like, optional
        An independent acquisition of the same scene, for a repeat.
    halves : {"frames"}, optional
        Instead of it: frames 0, 2, 4, … of a resting scene are filtered, 1, 3, 5, … repeat them.
    reference : array_like, optional
        The ground truth, if known; shows the coverage of an interval for the noise-free value.
    coverage : float
        The share of the pixels that it is to hold on average, 0.5 to 0.99.
    step : int, optional
        Index of the step. Default: the last one.
    noise_sigma, noise_model : optional
        The noise of the image, if known; measured by default.
    white : bool, optional
        Whether the noise is independent from pixel to pixel; measured by default.
    seed : int
        Selects the fresh noise.
    progress : callable, optional
        Takes how many runs of the recipe are done, and how many there are.

    Returns
    -------
    PredictionInterval
        Its ends, widths, the width of a constant interval, and the coverage where it was measured.

    Raises
    ------
    ValueError
        Without a repeat where one is needed, for correlated noise or none where the noise-free
        value is asked for, and for parameters out of range.

    Notes
    -----
    On average such an interval is seldom narrower than one that is equally wide everywhere, whose
    width is returned beside it. It is wider where structure was removed, and narrower elsewhere.

    Examples
    --------
    >>> import numpy as np, napari_diffusion as nd
    >>> one, two = np.random.default_rng(0).normal(size=(2, 96, 96)).astype("float32")
    >>> found = nd.analysis.prediction_interval(one, nd.filters.Heat(time=1.0), second=two)
    >>> bool(0.85 < found.coverage_measured < 0.95)
    True

    References
    ----------
    Lei, G'Sell, Rinaldo, Tibshirani and Wasserman (2018), Distribution-free predictive inference
    for regression. Stein (1981), Estimation of the mean of a multivariate normal distribution.
    """
    _check(of, coverage, {"step": step, "seed": seed})
    _check_others(of, {"second": second, "halves": halves}, reference)
    source = Image.of(image, **options)
    if not isinstance(recipe, Recipe):
        recipe = Recipe(num_steps=1, noise=None, diffusion_filter=recipe)
    trial = Trial.of(
        source,
        shortened(recipe, step),
        options,
        reference=reference,
        second=second,
        halves=halves,
        noise_sigma=noise_sigma,
        noise_model=noise_model,
        region=region or (slice(None),) * len(source.grid.axes),
        stop=stop,
    )
    check_inside(trial.whole)
    is_white = is_independent(trial.noise) if white is None else white
    if of == "repeat":
        found = for_a_repeat(trial, coverage, seed, is_white, progress)
    else:
        check_noise(trial.noise, is_white)
        found = for_the_noise_free(trial, coverage, seed, progress)
    return _result(trial, of, coverage, found)


def _check(of: str, coverage: float, wholes: dict[str, int | None]) -> None:
    if of not in ("repeat", "noise-free"):
        raise ValueError(f"of must be 'repeat' or 'noise-free' (got {of!r}).")
    low, high = FACTORS[0].coverage, FACTORS[-1].coverage
    if not low <= coverage <= high:
        raise ValueError(f"coverage must be {low:g} to {high:g} (got {coverage!r}).")
    for name, value in wholes.items():
        checked_whole(name, value, 0)


def _check_others(of: Target, repeats: dict[str, Any], reference: ArrayLike | None) -> None:
    given = [name for name, value in repeats.items() if value is not None]
    if of == "repeat" and not given:
        raise ValueError(
            "An interval for a repeat is calibrated on one, and none was given: give second=…, an "
            "independent acquisition of the same scene, or halves='frames'. Without a repeat "
            "of='noise-free' estimates an interval for the noise-free value."
        )
    if of == "noise-free" and given:
        raise ValueError(
            f"{given[0]}=… cannot show the coverage of the noise-free value, because its own noise "
            "is in it: leave it out, or use of='repeat'."
        )
    if of == "repeat" and reference is not None:
        raise ValueError("reference=… shows the coverage of of='noise-free' alone: leave it out.")


def _result(trial: Trial, of: Target, coverage: float, found: Bounds) -> PredictionInterval:
    """Return the result in the axes of the source."""
    run = trial.whole
    study = Study(run, trial.noise)
    inside = inside_of(run)
    half = np.where(inside, found.half, 0.0).astype(found.result.dtype)
    shown = half.mean(axis=1, keepdims=True) if study.grid.rgb else half
    constant = np.broadcast_to(found.constant, half.shape)
    return PredictionInterval(
        recipe=study.recipe,
        step=study.step,
        of=of,
        coverage=coverage,
        low=study.in_axes(found.result - half),
        high=study.in_axes(found.result + half),
        half_width=study.in_axes(shown),
        mean_width=2 * float(half[inside].mean(dtype=np.float64)),
        constant_width=2 * float(constant[inside].mean()),
        factor=found.factor,
        coverage_measured=found.coverage,
        coverage_interval=found.coverage_interval,
        constant_coverage=found.constant_coverage,
        blocks=found.blocks,
        noise_sigma=trial.noise.sigma,
    )
