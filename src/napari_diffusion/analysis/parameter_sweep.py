"""A recipe run with several values of some parameters of its diffusion filter, side by side."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

from napari_diffusion.analysis.trial import Trial
from napari_diffusion.core.image import Image
from napari_diffusion.metrics import Metric, Pure, Sure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.analysis.source_noise import GivenSigma
    from napari_diffusion.core.component import Component
    from napari_diffusion.core.grid import GridOptions
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.filters import Filter
    from napari_diffusion.loop.recipe import Recipe

#: Factors for the values of the recipe where no values are given.
FACTORS = (0.25, 0.5, 1.0, 2.0)

#: The parameters that are tried where none are named.
NAMES = ("contrast", "time")

# Values made by FACTORS are shown and stored with so many digits.
_DIGITS = 3


@dataclass(frozen=True, eq=False)
class SweepRun:
    """The run with one combination of values.

    Attributes
    ----------
    parameters : dict
        The value of each parameter of the diffusion filter that was tried.
    recipe : Recipe
        Resolved, with these values.
    image : ndarray
        The last step, in the source's axes.
    metric : Metric
        What was measured on it.
    value : float
        The value of the metric; NaN where it has none.
    why : str
        Why this run is excluded from the recommendation; empty where it is not.
    """

    parameters: dict[str, float]
    recipe: Recipe
    image: NDArray[Any]
    metric: Metric
    value: float
    why: str = ""

    def in_words(self) -> str:
        """Return the parameters and the value of the metric, such as "time 0.5: 3.21"."""
        words = ", ".join(f"{name} {value:.3g}" for name, value in self.parameters.items())
        return f"{words}: {self.value:.3g}" if math.isfinite(self.value) else words


@dataclass(frozen=True, eq=False)
class ParameterSweep:
    """The runs with all combinations of some values.

    Attributes
    ----------
    values : dict
        The values tried of each parameter; of two parameters, the first changes from row to row.
    sweep_runs : tuple of SweepRun
        Row by row.
    """

    values: dict[str, tuple[float, ...]]
    sweep_runs: tuple[SweepRun, ...]

    @property
    def best(self) -> SweepRun | None:
        """The run that the metric recommends, or None."""
        return best_of(self.sweep_runs)


def best_of(sweep_runs: Sequence[SweepRun]) -> SweepRun | None:
    """Return the run that the metric recommends, or None."""
    signs = {"lower": 1.0, "higher": -1.0}
    known = [r for r in sweep_runs if not r.why and math.isfinite(r.value) and r.metric.better]
    return min(known, key=lambda r: signs[r.metric.better] * r.value) if known else None


def parameter_sweep(
    image: ArrayLike | Image,
    recipe: Recipe,
    values: Mapping[str, Sequence[float]] | None = None,
    *,
    metric: Metric | None = None,
    region: tuple[slice, ...] | None = None,
    noise_sigma: GivenSigma | None = None,
    stop: StopToken | None = None,
    **options: Unpack[GridOptions],
) -> ParameterSweep:
    """Run a recipe with every combination of some values of its filter's parameters.

    Parameters
    ----------
    image : array_like
        2D arrays are read as ``yx``, 3D ones as ``zyx``; name other axes. Never written.
    recipe : Recipe
        What is run; every "auto" is resolved once, on the whole image.
    values : mapping, optional
        The values to try of each parameter, such as ``{"contrast": [5, 10], "time": [1, 2]}``.
        Default: ¼, ½, 1 and 2 times the contrast and the time of the recipe.
    metric : Metric, optional
        Measured on each last step. Default: `Sure` where the noise is credibly white and equally
        strong everywhere, `Pure` where it grows with the intensity.
    region : tuple of slice, optional
        The part to try them on, one slice per axis. Default: the image, or the middle of one of
        more than 2¹⁹ pixels.
    noise_sigma : float, tuple of float or array, optional
        Standard deviation of the noise, also one per pixel; measured by default.
    stop : StopToken, optional
        As for `steps`.
    **options
        ``axes, spacing, along, joint_channels, rgb, mask, missing``.

    Returns
    -------
    ParameterSweep
        Its runs, row by row, and the `best` of them.

    Raises
    ------
    ValueError
        For a parameter that the diffusion filter does not have, and for values that it refuses.

    Examples
    --------
    >>> import numpy as np, napari_diffusion as nd
    >>> noisy = np.random.default_rng(0).normal(size=(64, 64))
    >>> heat = nd.Recipe(num_steps=1, noise=None, diffusion_filter=nd.filters.Heat(time=1.0))
    >>> sweep = nd.analysis.parameter_sweep(noisy, heat, {"time": [0.5, 1]}, noise_sigma=1.0)
    >>> [run.parameters for run in sweep.sweep_runs]
    [{'time': 0.5}, {'time': 1}]
    """
    tried, made = sweep_runs(
        image, recipe, values, metric=metric, region=region, noise_sigma=noise_sigma, stop=stop,
        **options,
    )  # fmt: skip
    return ParameterSweep(tried, tuple(made))


def sweep_runs(
    image: ArrayLike | Image,
    recipe: Recipe,
    values: Mapping[str, Sequence[float]] | None = None,
    *,
    metric: Metric | None = None,
    region: tuple[slice, ...] | None = None,
    noise_sigma: GivenSigma | None = None,
    stop: StopToken | None = None,
    **options: Unpack[GridOptions],
) -> tuple[dict[str, tuple[float, ...]], Iterator[SweepRun]]:
    """Return the values that are tried, and an iterator of the runs; see `parameter_sweep`."""
    source = Image.of(image, **options)
    resolved = recipe.resolved_on(source)
    tried = _tried(resolved, values)
    combined = [dict(zip(tried, each, strict=True)) for each in itertools.product(*tried.values())]
    # What a filter refuses is refused before anything runs.
    recipes = [with_values(resolved, each) for each in combined]
    trial = Trial.of(source, resolved, {}, noise_sigma=noise_sigma, region=region, stop=stop)
    metrics = (Sure(), Pure()) if metric is None else (metric,)
    made = (_sweep_run(trial, p, r, metrics) for p, r in zip(combined, recipes, strict=True))
    return tried, made


def with_values(recipe: Recipe, values: Mapping[str, float]) -> Recipe:
    """Return a recipe with other values in each diffusion filter that has these parameters."""

    def changed(each: Filter) -> Filter:
        known = _numeric(each)
        return each.replaced(**{name: v for name, v in values.items() if name in known})

    filters = tuple(map(changed, recipe.filters))
    single = not isinstance(recipe.diffusion_filter, tuple)
    return recipe.replaced(diffusion_filter=filters[0] if single else filters)


def parameter_names(recipe: Recipe) -> list[str]:
    """Return the names of the numeric parameters of a recipe's first diffusion filter."""
    return _numeric(recipe.filters[0])


def _numeric(component: Component) -> list[str]:
    return [p.name for p in component.parameters() if p.kind in ("float", "int")]


def _tried(
    recipe: Recipe, values: Mapping[str, Sequence[float]] | None
) -> dict[str, tuple[float, ...]]:
    """Return the values to try, checked as far as they are names and lists."""
    first = recipe.filters[0]
    known, name = _numeric(first), type(first).__name__
    if values is None:
        values = _around(first)
    if not values:
        raise ValueError(
            f"{name} has neither contrast nor time to try: name the parameters, such as "
            f"{{{next(iter(known), 'name')!r}: [1, 2]}}."
        )
    for each, listed in values.items():
        if each not in known:
            raise ValueError(
                f"{name} has no numeric parameter {each!r}; it has {', '.join(known) or 'none'}."
            )
        if not len(listed):
            raise ValueError(f"There is no value to try for {each}: give one or more.")
    return {each: tuple(listed) for each, listed in values.items()}


def _around(chosen: Filter) -> dict[str, list[float]]:
    """Return multiples of the contrast and the time of a filter, as far as it has them."""
    found = {name: getattr(chosen, name) for name in NAMES if name in _numeric(chosen)}
    return {
        name: [float(f"{value * factor:.{_DIGITS}g}") for factor in FACTORS]
        for name, value in found.items()
        if isinstance(value, float)
    }


def _sweep_run(
    trial: Trial, parameters: dict[str, float], recipe: Recipe, metrics: Sequence[Metric]
) -> SweepRun:
    last = trial.with_recipe(recipe).last_views(metrics)
    scores = [(each, each.score(last[each.probe])) for each in metrics]
    metric, score = next(((m, s) for m, s in scores if s.valid), scores[0])
    image = trial.whole.image.grid.restored(last[""].image)
    why = "" if score.valid else score.why
    return SweepRun(parameters, recipe, image, metric, score.value, why)
