"""A filter on opponent colours."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np

from napari_diffusion.core.array_parameter import ArrayParameter
from napari_diffusion.core.citation import COLOUR, Cite
from napari_diffusion.core.noise_map import canonical_map
from napari_diffusion.filters.base import Filter
from napari_diffusion.filters.denoisers.guided_filter import (
    has_noise_map,
    with_known_noise,
    with_noise_maps,
)
from napari_diffusion.filters.heat import Heat

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid, Shape
    from napari_diffusion.core.image import Image
    from napari_diffusion.core.method_words import MethodWords
    from napari_diffusion.engine.block import Block

# Rows: brightness, red less blue, and both less green; orthonormal, so that white noise stays so.
_ROWS = (
    tuple(each / math.sqrt(3) for each in (1, 1, 1)),
    tuple(each / math.sqrt(2) for each in (1, 0, -1)),
    tuple(each / math.sqrt(6) for each in (1, -2, 1)),
)
_COLUMNS = tuple(zip(*_ROWS, strict=True))

_HEAT = Heat()


@dataclass(frozen=True)
class Opponent(Filter):
    """Run a filter on luminance and two colour differences instead of red, green and blue.

    ``out = Oᵀ f(O u)`` with the rows (1, 1, 1)/√3, (1, 0, −1)/√2 and (1, −2, 1)/√6 of O. Most of
    the structure of an image is in its luminance; the colour differences are mostly noise, and a
    filter that measures the noise of each channel smooths them more. Images that are not RGB are
    filtered directly.

    Parameters
    ----------
    component : Filter
        The filter to run on the opponent channels. Its automatic parameters are measured on them.

    Notes
    -----
    Use it around a denoising filter for photographs and stained sections, where red, green and blue
    have their edges at the same places. Not for channels with different contents, such as
    fluorescence: they are not colours.

    References
    ----------
    Ohta, Kanade and Sakai (1980), Color information for region segmentation. Dabov, Foi, Katkovnik
    and Egiazarian (2007), Color image denoising via sparse 3D collaborative filtering with grouping
    constraint in luminance-chrominance space.
    """

    display_name: ClassVar[str] = "Opponent colours"
    method_name = "a filter on opponent colours"
    cites = (Cite("ohta1980", COLOUR), Cite("dabov2007colour", COLOUR))
    building_block: ClassVar[bool] = True
    takes_mask: ClassVar[bool] = False
    keeps_constant: ClassVar[bool] = False
    shifts_with_grey: ClassVar[bool] = False
    flips: ClassVar[bool] = False
    turns: ClassVar[bool] = False

    component: Annotated[
        Filter, {"tooltip": "Filter to run on luminance and colour differences."}
    ] = _HEAT

    def method(self, words: MethodWords) -> str:
        """Return the inner filter, and that it acts on opponent colours where there are colours."""
        inner = self.component.method(words.within("component"))
        if COLOUR not in words.conditions:
            return inner
        return f"{inner}, computed on luminance and two colour differences"

    def resolved(self, image: Image) -> Self:
        """Return this filter with the inner one resolved on the opponent channels."""
        if not _is_colour(image.grid):
            return self.with_resolved_components(image)
        opponent = image.with_data(_mixed(image.data, _ROWS))
        if not has_noise_map(self.component):
            return self.with_resolved_components(opponent)
        # Weights follow from the noise of opponent channels; the maps stay those of the colours,
        # so that what is resolved twice is the same.
        known = with_known_noise(self.component)
        maps: dict[ArrayParameter, ArrayParameter] = {}

        def mixed(given: ArrayParameter) -> ArrayParameter:
            made = opponent_noise(given, image.grid)
            maps[made] = given
            return made

        found = with_noise_maps(known, mixed).resolved(opponent)
        return self.replaced(component=with_noise_maps(found, maps.__getitem__))

    def inner(self, grid: Grid) -> Filter:
        """Return the inner filter as it runs on opponent channels: with their noise.

        A map of the noise of the colours becomes that of the opponent channels. A number is the
        same for both, for O is orthonormal.
        """
        if not _is_colour(grid) or not has_noise_map(self.component):
            return self.component
        return with_noise_maps(self.component, lambda given: opponent_noise(given, grid))

    def check(self, grid: Grid) -> None:
        """Raise if the inner filter cannot process the image; see `Filter.check`."""
        super().check(grid)
        self.component.check(grid)

    def halo(self, grid: Grid) -> Shape | None:
        """Return the halo of the inner filter."""
        return self.component.halo(grid)

    def apply(self, block: Block) -> NDArray[Any]:
        """Return the filtered block; see `Filter.apply`."""
        if not _is_colour(block.grid):
            return block.filtered(self.component)
        opponent = block.with_values(self.to_opponent(block.values, block.grid))
        return self.to_colours(opponent.filtered(self.inner(block.grid)), block.grid)

    @staticmethod
    def to_opponent(block: NDArray[Any], grid: Grid) -> NDArray[Any]:
        """Return luminance and colour differences of a colour block; others do not change."""
        return np.asarray(_mixed(block, _ROWS)) if _is_colour(grid) else block

    @staticmethod
    def to_colours(block: NDArray[Any], grid: Grid) -> NDArray[Any]:
        """Return the colours of opponent channels; other blocks do not change."""
        return np.asarray(_mixed(block, _COLUMNS)) if _is_colour(grid) else block


def opponent_noise(given: ArrayParameter, grid: Grid) -> ArrayParameter:
    """Return the map of the noise of opponent channels, from that of the colours.

    Independent noise of standard deviations σ becomes ``√(Σ Oᵢⱼ² σⱼ²)`` in channel i.
    """
    return _opponent_noise(given, grid.at((0,) * 5))


@functools.lru_cache(maxsize=8)
def _opponent_noise(given: ArrayParameter, grid: Grid) -> ArrayParameter:
    whole = canonical_map(given, grid, "Opponent")
    if whole.shape[1] == 1:
        return given
    variance = np.square(whole, dtype=np.float64)
    squares = tuple(tuple(weight * weight for weight in row) for row in _ROWS)
    mixed = np.sqrt(_mixed(variance, squares))
    return ArrayParameter(grid.restored(mixed))


def _is_colour(grid: Grid) -> bool:
    return grid.rgb and grid.shape[1] == 3


def _mixed(values: Any, rows: tuple[tuple[float, ...], ...]) -> Any:
    """Return sums of the channels of an array, numpy or dask, with the weights of each row."""
    kind = values.dtype.type
    channels = [
        sum(kind(weight) * values[:, c : c + 1] for c, weight in enumerate(row)) for row in rows
    ]
    return np.concatenate(channels, axis=1)
