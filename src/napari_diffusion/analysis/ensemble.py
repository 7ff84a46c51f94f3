"""A recipe run with several random seeds: the mean and the spread of the results."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, SupportsIndex, Unpack

import numpy as np

from napari_diffusion.core.image import Image, is_dask
from napari_diffusion.loop.loop import steps

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.core.grid import GridOptions
    from napari_diffusion.core.noise_scale import NoiseScale
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.loop.step import Step


@dataclass(frozen=True, eq=False)
class EnsembleStep:
    """One step over all seeds.

    Attributes
    ----------
    index : int
        Of the step.
    noise_scale : float or tuple of float
        Standard deviation of the noise used in this step.
    is_final : bool
        Whether this is the result of the final filter.
    mean : ndarray
        Mean over the seeds.
    sensitivity : ndarray or None
        Standard deviation over the seeds, ``√(Σ(u − mean)² / (n − 1))``: how much the result
        depends on the noise that was added. It is no error estimate, because it does not show
        what all seeds have in common. None after one seed.
    """

    index: int
    noise_scale: NoiseScale
    is_final: bool
    mean: NDArray[Any]
    sensitivity: NDArray[Any] | None


@dataclass(frozen=True, eq=False)
class Ensemble:
    """The results of a recipe over several random seeds.

    Attributes
    ----------
    recipe : Recipe
        Resolved, with the first of the seeds.
    seeds : tuple of int
        The seeds that were run.
    steps : tuple of EnsembleStep
        The last step, or all of them.
    """

    recipe: Recipe
    seeds: tuple[int, ...]
    steps: tuple[EnsembleStep, ...]

    @property
    def mean(self) -> NDArray[Any]:
        """The mean of the last step."""
        return self.steps[-1].mean

    @property
    def sensitivity(self) -> NDArray[Any] | None:
        """The standard deviation of the last step over the seeds, None after one seed."""
        return self.steps[-1].sensitivity


def ensemble(
    image: ArrayLike | Image,
    recipe: Recipe,
    *,
    seeds: int | Sequence[int] = 8,
    every_step: bool = False,
    region: tuple[slice, ...] | None = None,
    stop: StopToken | None = None,
    **options: Unpack[GridOptions],
) -> Ensemble:
    """Run a recipe with several random seeds; return the mean and the spread of the results.

    Parameters
    ----------
    image, recipe, region, stop, **options
        As for `steps`. Each "auto" is resolved once, so that only the seed differs.
    seeds : int or sequence of int
        Number of seeds, counted up from that of the recipe, or the seeds themselves; 2 or more.
    every_step : bool
        Whether to keep every step instead of the last one. Memory grows with the number of steps,
        not with that of seeds.

    Returns
    -------
    Ensemble
        With `mean` and `sensitivity`.

    Examples
    --------
    >>> import numpy as np, napari_diffusion as nd
    >>> recipe = nd.Recipe(num_steps=2, starting_noise_scale=0.1)
    >>> nd.analysis.ensemble(np.eye(8), recipe, seeds=3).sensitivity.shape
    (8, 8)

    References
    ----------
    Welford (1962), Note on a method for calculating corrected sums of squares and products.
    """
    gathering = Gathering(image, recipe, seeds, every_step, region, stop, **options)
    for _ in gathering.run():
        pass
    return gathering.ensemble()


class Gathering:
    """An ensemble that grows seed by seed; see `ensemble` for the parameters."""

    def __init__(
        self,
        image: ArrayLike | Image,
        recipe: Recipe,
        seeds: int | Sequence[int] = 8,
        every_step: bool = False,
        region: tuple[slice, ...] | None = None,
        stop: StopToken | None = None,
        **options: Unpack[GridOptions],
    ) -> None:
        self._seeds = seeds_of(recipe, seeds)
        self._image = Image.of(image, **options)
        if is_dask(self._image.data):
            raise ValueError(
                "An ensemble needs the image in memory: give image.compute(), or a part of it."
            )
        self.recipe = recipe.resolved_on(self._image)
        check_random(self.recipe)
        self._every_step, self._region, self._stop = every_step, region, stop
        self._sums: list[_Sum] = []
        self._done: tuple[int, ...] = ()

    def run(self) -> Iterator[int]:
        """Run the seeds one by one and yield how many are done.

        If it is stopped, the finished seeds are kept.
        """
        for seed in self._seeds:
            recipe = self.recipe.replaced(seed=seed)
            run = steps(self._image, recipe, region=self._region, stop=self._stop)
            made = list(_wanted(run, recipe, self._every_step))
            self._sums = self._sums or [_Sum(step) for step in made]
            for total, step in zip(self._sums, made, strict=True):
                total.add(step.image)
            self._done += (seed,)
            yield len(self._done)

    def ensemble(self) -> Ensemble:
        """Return the ensemble of the finished seeds, at least one."""
        return Ensemble(
            self.recipe.replaced(seed=self._done[0]),
            self._done,
            tuple(total.step() for total in self._sums),
        )


def seeds_of(recipe: Recipe, seeds: int | Sequence[int]) -> tuple[int, ...]:
    """Return the seeds that were given, or as many, counted up from that of the recipe."""
    if isinstance(seeds, bool) or not (isinstance(seeds, SupportsIndex | Sized)):
        raise TypeError(f"seeds must be a whole number or a list of them (got {seeds!r}).")
    if isinstance(seeds, SupportsIndex):
        seeds = [(recipe.seed + i) % 2**64 for i in range(seeds.__index__())]
    found = tuple(recipe.replaced(seed=seed).seed for seed in seeds)
    if len(found) < 2 or len(set(found)) < len(found):
        raise ValueError(
            f"seeds must be 2 or more, all different, to have a spread (got {seeds!r})."
        )
    return found


def check_random(recipe: Recipe) -> None:
    """Refuse a recipe whose results do not depend on the seed."""
    if recipe.noise is None or "random" not in recipe.noise.claims:
        raise ValueError(
            "An ensemble needs a recipe with random noise: without it, every seed gives the same "
            "result."
        )
    scale = recipe.starting_noise_scale
    if scale is not None and not np.any(scale):
        raise ValueError(
            f"An ensemble needs noise: at a starting_noise_scale of 0 every seed gives the same "
            f"result (got {scale!r})."
        )


def _wanted(made: Iterator[Step], recipe: Recipe, every_step: bool) -> Iterator[Step]:
    """Yield the last step, or all; without a final filter the final one equals another."""
    last = recipe.last_step
    for step in made:
        if step.index == last or (every_step and step.index < last):
            yield step


class _Sum:
    """The mean of images and their squared distances from it, one image after the other."""

    def __init__(self, step: Step) -> None:
        self._about = (step.index, step.noise_scale, step.is_final)
        self._type = step.image.dtype
        self._count = 0
        self._mean = np.zeros(step.image.shape)
        self._squares = np.zeros(step.image.shape)

    def add(self, image: NDArray[Any]) -> None:
        self._count += 1
        # Holes keep their values, infinite ones among them.
        with np.errstate(invalid="ignore"):
            away = image - self._mean
            self._mean += away / self._count
            away *= image - self._mean
            self._squares += away

    def step(self) -> EnsembleStep:
        spread = None
        if self._count > 1:
            spread = np.sqrt(self._squares / (self._count - 1)).astype(self._type)
        return EnsembleStep(*self._about, self._mean.astype(self._type), spread)
