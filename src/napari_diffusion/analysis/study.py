"""What studies run: one recipe, resolved once on an image, on the image and on changed ones."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_diffusion.analysis.trial import Trial
from napari_diffusion.core.image import Image, is_dask
from napari_diffusion.core.whole_number import checked_whole
from napari_diffusion.loop.preview import shortened
from napari_diffusion.loop.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.analysis.measured_run import MeasuredRun
    from napari_diffusion.analysis.source_noise import GivenSigma, SourceNoise
    from napari_diffusion.core.grid import Grid, GridOptions
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.estimate import NoiseModel
    from napari_diffusion.filters import Filter

#: Takes how many runs of the recipe are done, and how many there are.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Study:
    """An image, a recipe resolved on it, and the noise of the image.

    Attributes
    ----------
    run : MeasuredRun
        The source, the resolved recipe, and the part that is studied (`run.core`, canonical).
    noise : SourceNoise
        The noise of the source, given or measured.
    """

    run: MeasuredRun
    noise: SourceNoise

    @classmethod
    def of(
        cls,
        image: ArrayLike | Image,
        recipe: Recipe | Filter,
        options: GridOptions,
        *,
        step: int | None = None,
        noise_sigma: GivenSigma | None = None,
        noise_model: NoiseModel | None = None,
        region: tuple[slice, ...] | None = None,
        stop: StopToken | None = None,
    ) -> Study:
        """Read an image in and resolve the recipe on the whole of it.

        Parameters
        ----------
        image : array_like
            In memory; never written.
        recipe : Recipe or Filter
            A filter alone is a recipe of one step without noise.
        options : GridOptions
            ``axes, spacing, along, joint_channels, rgb, mask, missing``.
        step : int, optional
            Index of the last step to study. Default: the last one.
        noise_sigma, noise_model : optional
            The noise of the image, if known; measured by default.
        region : tuple of slice, optional
            The part to study, one slice per axis. Default: all of the image.
        stop : StopToken, optional
            As for `steps`.
        """
        source = Image.of(image, **options)
        if is_dask(source.data):
            raise ValueError(
                "A study needs the image in memory: give image.compute(), or a part of it."
            )
        if not isinstance(recipe, Recipe):
            recipe = Recipe(num_steps=1, noise=None, diffusion_filter=recipe)
        trial = Trial.of(
            source,
            shortened(recipe, checked_whole("step", step, 0)),
            {},
            noise_sigma=noise_sigma,
            noise_model=noise_model,
            region=region or (slice(None),) * len(source.grid.axes),
            stop=stop,
        )
        return cls(trial.whole, trial.noise)

    @property
    def image(self) -> Image:
        """The source, whole."""
        return self.run.image

    @property
    def recipe(self) -> Recipe:
        """The resolved recipe."""
        return self.run.recipe

    @property
    def step(self) -> int:
        """Index of the last step that is studied."""
        return self.recipe.last_step

    @property
    def grid(self) -> Grid:
        """Axes and pixel size of the source."""
        return self.run.image.grid

    def reseeded(self, by: int) -> Study:
        """Return this study with the random seed of its recipe increased; without noise, itself."""
        recipe = self.recipe
        if recipe.noise is None:
            return self
        run = self.run.with_recipe(recipe.replaced(seed=(recipe.seed + by) % 2**64))
        return dataclasses.replace(self, run=run)

    def results(self, values: NDArray[Any]) -> Iterator[NDArray[Any]]:
        """Yield each step for an image of the source's canonical shape; the studied part alone."""
        return self.run.images(values)

    def result(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the last step for an image of the source's canonical shape, as `results`."""
        return collections.deque(self.results(values), maxlen=1).pop()

    def in_axes(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return canonical values in the axes of the source.

        Without c where there is one value for all colours of an RGB image.
        """
        grid = self.grid
        if grid.rgb and values.shape[1] == 1:
            grid = dataclasses.replace(grid, axes=grid.axes.replace("c", ""))
        return grid.restored(values).copy()
