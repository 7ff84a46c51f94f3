"""Several numbers of a filter tried on one part of an image, and what each of them makes of it."""

from __future__ import annotations

import dataclasses
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

    from napari_diffusion.core.grid import GridOptions
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.loop.recipe import Recipe

#: What the numbers that the recipe has are multiplied by where none are named.
FACTORS = (0.25, 0.5, 1.0, 2.0)

#: Which numbers are tried where none are named.
NAMES = ("contrast", "time")

# A typed name or number is shown and stored with so many digits.
_DIGITS = 3


@dataclass(frozen=True, eq=False)
class SweepRun:
    """One choice of numbers, and what it makes of the image.

    Attributes
    ----------
    numbers : dict
        The parameters of the diffusion filter that were tried, by name.
    recipe : Recipe
        Resolved, with these numbers.
    image : ndarray
        The last step, in the source's axes.
    metric : Metric
        What gave the value.
    value : float
        What the metric says of it; NaN where it says nothing.
    why : str
        Why that number has no vote; empty where it has.
    """

    numbers: dict[str, float]
    recipe: Recipe
    image: NDArray[Any]
    metric: Metric
    value: float
    why: str = ""

    def in_words(self) -> str:
        """Return the numbers and the value in a few words."""
        words = ", ".join(f"{name} {number:.3g}" for name, number in self.numbers.items())
        return f"{words}: {self.value:.3g}" if math.isfinite(self.value) else words


@dataclass(frozen=True, eq=False)
class ParameterSweep:
    """All choices of a grid of numbers.

    Attributes
    ----------
    numbers : dict
        The numbers tried for each parameter: of two, the first goes down the rows.
    sweep_runs : tuple of SweepRun
        Row by row.
    """

    numbers: dict[str, tuple[float, ...]]
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
    numbers: Mapping[str, Sequence[float]] | None = None,
    *,
    metric: Metric | None = None,
    region: tuple[slice, ...] | None = None,
    noise_sigma: float | tuple[float, ...] | None = None,
    stop: StopToken | None = None,
    **options: Unpack[GridOptions],
) -> ParameterSweep:
    """Run a recipe with every combination of some numbers of its diffusion filter.

    Parameters
    ----------
    image : array_like
        2D arrays are read as ``yx``, 3D ones as ``zyx``; name other axes. Never written.
    recipe : Recipe
        What is run; every "auto" is found once, on the whole image.
    numbers : mapping, optional
        The numbers to try for each parameter, such as ``{"contrast": [5, 10], "time": [1, 2]}``.
        Without it ¼, ½, 1 and 2 times the contrast and the time that the recipe has.
    metric : Metric, optional
        What is said of each last step; if it is not given, `Sure` where the noise is credibly
        white and alike everywhere, `Pure` where it grows with the intensity.
    region : tuple of slice, optional
        The part to try on, one slice per axis. Of more than 2¹⁹ pixels the middle is taken.
    noise_sigma : float or tuple of float, optional
        Standard deviation of the noise, measured if it is not given.
    stop : StopToken, optional
        As for `steps`.
    **options
        ``axes, spacing, along, joint_channels, rgb, mask, missing``.

    Returns
    -------
    Parameter sweep
        Its runs, row by row, and the `best` of them.

    Raises
    ------
    ValueError
        For a parameter that the diffusion filter does not have, and for numbers that it refuses.
    """
    tried, made = sweep_runs(
        image, recipe, numbers, metric=metric, region=region, noise_sigma=noise_sigma, stop=stop,
        **options,
    )  # fmt: skip
    return ParameterSweep(tried, tuple(made))


def sweep_runs(
    image: ArrayLike | Image,
    recipe: Recipe,
    numbers: Mapping[str, Sequence[float]] | None = None,
    *,
    metric: Metric | None = None,
    region: tuple[slice, ...] | None = None,
    noise_sigma: float | tuple[float, ...] | None = None,
    stop: StopToken | None = None,
    **options: Unpack[GridOptions],
) -> tuple[dict[str, tuple[float, ...]], Iterator[SweepRun]]:
    """Return the values that are tried, and an iterator of the runs; see `parameter_sweep`."""
    source = Image.of(image, **options)
    resolved = recipe.resolved_on(source)
    tried = _tried(resolved, numbers)
    combined = [dict(zip(tried, each, strict=True)) for each in itertools.product(*tried.values())]
    # What a filter refuses is refused before anything runs.
    recipes = [with_numbers(resolved, each) for each in combined]
    trial = Trial.of(
        source,
        resolved,
        {},
        reference=None,
        second=None,
        halves=None,
        noise_sigma=noise_sigma,
        region=region,
        stop=stop,
    )
    votes = (Sure(), Pure()) if metric is None else (metric,)
    made = (_sweep_run(trial, n, r, votes) for n, r in zip(combined, recipes, strict=True))
    return tried, made


def with_numbers(recipe: Recipe, numbers: Mapping[str, float]) -> Recipe:
    """Return a recipe whose diffusion filters have other numbers, those that have them at all."""
    changed = tuple(
        each.replaced(**{n: v for n, v in numbers.items() if n in _names(each)})
        for each in recipe.filters
    )
    single = not isinstance(recipe.diffusion_filter, tuple)
    return recipe.replaced(diffusion_filter=changed[0] if single else changed)


def numbers_of(recipe: Recipe) -> list[str]:
    """Return the parameters of a recipe's first diffusion filter that are numbers."""
    return list(_names(recipe.filters[0]))


def _names(component: Any) -> dict[str, Any]:
    return {p.name: p for p in component.parameters() if p.kind in ("float", "int")}


def _tried(
    recipe: Recipe, numbers: Mapping[str, Sequence[float]] | None
) -> dict[str, tuple[float, ...]]:
    """Return the numbers to try, checked as far as they are names and lists."""
    first = recipe.filters[0]
    known = _names(first)
    name = type(first).__name__
    if numbers is None:
        found = {n: getattr(first, n) for n in NAMES if n in known}
        numbers = {
            n: [float(f"{v * f:.{_DIGITS}g}") for f in FACTORS]
            for n, v in found.items()
            if isinstance(v, float)
        }
    if not numbers:
        raise ValueError(
            f"{name} has no contrast and no time to try: name its numbers, such as "
            f"{{{next(iter(known), 'name')!r}: [1, 2]}}."
        )
    for each, values in numbers.items():
        if each not in known:
            raise ValueError(
                f"{name} has no number {each!r} to try; it has {', '.join(known) or 'none'}."
            )
        if not len(values):
            raise ValueError(f"Name one number or more to try for {each}.")
    return {each: tuple(values) for each, values in numbers.items()}


def _sweep_run(
    trial: Trial, numbers: dict[str, float], recipe: Recipe, votes: Sequence[Metric]
) -> SweepRun:
    other = dataclasses.replace(trial, whole=dataclasses.replace(trial.whole, recipe=recipe))
    _ = trial.sigma, trial.models  # measured once, for all runs
    vars(other).update({name: vars(trial)[name] for name in ("sigma", "models")})
    last: Any = None
    for views in other.views(votes):
        last = views
    scores = [(each, each.score(last[each.probe])) for each in votes]
    metric, score = next(((m, s) for m, s in scores if s.valid), scores[0])
    image = trial.whole.image.grid.restored(last[""].image)
    return SweepRun(numbers, recipe, image, metric, score.value, "" if score.valid else score.why)
