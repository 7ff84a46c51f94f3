"""Images without objects: simulated noise, as many as needed, and a background of the image."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.analysis.fresh_noise import background_levels, blank, fresh_variance
from napari_diffusion.analysis.null.background_fit import background_misfits
from napari_diffusion.analysis.null.background_noise import BackgroundNoise
from napari_diffusion.analysis.null.noise_error import noise_error
from napari_diffusion.analysis.null.noise_fit import misfits
from napari_diffusion.core.image import canonical_mask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.analysis.source_noise import SourceNoise
    from napari_diffusion.analysis.study import Study
    from napari_diffusion.core.image import Image

# Without a count as many blanks as this many pixels take, within these limits.
_PIXELS, _FEWEST, _MOST = 10**6, 3, 256

# Seeds are so many turns of fresh noise apart.
_TURNS = 1 << 20


@dataclass(frozen=True, eq=False)
class Blanks:
    """Images without objects for one study.

    Attributes
    ----------
    study : Study
        What runs on them.
    image : Image
        The source; its mask is the background where there is one.
    noise : SourceNoise
        The noise that is drawn.
    background : ndarray of bool or None
        The background region, canonical.
    count : int
        How many are drawn.
    seed : int
        Selects their random numbers.
    errors : tuple of two float
        Standard errors of the noise's strength and of the background's intensity, by σ: the blanks
        differ by them, so that their counts tell what they do to the rate.
    """

    study: Study
    image: Image
    noise: SourceNoise
    background: NDArray[np.bool_] | None
    count: int
    seed: int
    errors: tuple[float, float]

    @classmethod
    def of(
        cls,
        study: Study,
        background: NDArray[np.bool_] | None,
        count: int | None,
        seed: int,
        relative: bool,
    ) -> Blanks:
        """Measure the noise on the background, if there is one and the noise was not given.

        What is `relative` to the noise does not depend on how well that was measured.
        """
        image, noise = study.image, study.noise
        if background is not None:
            image = dataclasses.replace(image, mask=background, known={})
            if noise.given is None and noise.model is None:
                noise = BackgroundNoise(image)
        if count is None:
            size = math.prod(part.stop - part.start for part in study.run.core)
            count = min(max(math.ceil(_PIXELS / size), _FEWEST), _MOST)
        errors = (0.0, 0.0) if relative else noise_error(image, noise)
        return cls(study, image, noise, background, count, seed, errors)

    @property
    def levels(self) -> tuple[float, ...]:
        """The intensity of the blanks, of each channel."""
        return background_levels(self.image)

    def misfits(self) -> tuple[str, ...]:
        """Return what speaks against the image having this noise, in words."""
        if self.background is None:
            return misfits(self.image, self.noise)
        return background_misfits(self.image, self.noise, self.background)

    def shifts(self, k: int) -> tuple[float, float]:
        """Return by how many standard errors blank `k` differs from what was measured.

        In the strength of its noise, and in its intensity.
        """
        if k == self.count or self.count < _FEWEST:
            return 0.0, 0.0
        strength, level = (float(each[k]) for each in _spread(self.count))
        return strength * (self.errors[0] > 0), level * (self.errors[1] > 0)

    def steps(self, k: int) -> Iterator[tuple[NDArray[Any], NDArray[np.bool_] | None]]:
        """Yield blank number `k` and its steps, each with the mask; of the studied part.

        Number `count` is the image itself, inside the background.
        """
        run, core = self.study.run, self.study.run.core
        if k == self.count:
            values, mask = self.study.image.data, self.background
        else:
            values, mask = self._drawn(k), run.image.mask
            run = run.with_recipe(run.recipe.replaced(seed=(run.recipe.seed + k) % 2**64))
        inside = None if mask is None else mask[core]
        for each in itertools.chain((values[core],), run.images(values)):
            yield each, inside

    def _drawn(self, k: int) -> NDArray[Any]:
        drawn = blank(self.image, self.noise, self.seed * _TURNS + k)
        strength, level = np.multiply(self.shifts(k), self.errors)
        if strength == level == 0:
            return drawn
        levels = np.reshape(self.levels, (1, -1, 1, 1, 1))
        sigmas = [float(fresh_variance(self.noise, c, np.array(x))) ** 0.5
                  for c, x in enumerate(self.levels)]  # fmt: skip
        moved = levels + level * np.reshape(sigmas, levels.shape)
        return np.asarray(moved + (drawn - levels) * (1 + strength), drawn.dtype)


@functools.cache
def _spread(count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return two rows of numbers as normal ones lie, uncorrelated, of mean 0 and mean square 1."""
    from scipy import stats

    first = stats.norm.ppf((np.arange(count) + 0.5) / count)
    second = np.roll(first, count // 3)
    second -= first * (first @ second) / (first @ first)
    return tuple(each / np.sqrt(np.mean(each**2)) for each in (first, second))


def background_of(given: ArrayLike, study: Study) -> NDArray[np.bool_]:
    """Return a background region as given for an image, canonical and without masked pixels."""
    background: NDArray[np.bool_] = canonical_mask(given, study.grid)
    if study.image.mask is not None:
        background = background & study.image.mask
    if not background[study.run.core].any():
        raise ValueError(
            "background must hold pixels of the part that is studied (it holds none): give True "
            "where the image has no objects."
        )
    return background
