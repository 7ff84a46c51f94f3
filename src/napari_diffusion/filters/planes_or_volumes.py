"""One filter for 2D images and another for volumes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from napari_diffusion.filters.base import Filter
from napari_diffusion.filters.denoisers.guided_filter import is_solid
from napari_diffusion.filters.heat import Heat

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid, Shape
    from napari_diffusion.core.image import Image
    from napari_diffusion.core.method_words import MethodWords
    from napari_diffusion.engine.block import Block

_HEAT = Heat()


@dataclass(frozen=True)
class PlanesOrVolumes(Filter):
    """Apply one filter to 2D images and another to volumes.

    ``out = volumes(u)`` where the filter acts along at least three axes and there are at least 4
    planes at most 8 times as far apart as the pixels in them; ``out = planes(u)`` everywhere else.

    Parameters
    ----------
    planes : Filter
        The filter for 2D images, and for stacks that are not volumes.
    volumes : Filter
        The filter for volumes, and for frames through time.

    Notes
    -----
    Use it in a recipe that must suit both kinds of image. Not where you know the kind: take that
    filter directly.
    """

    method_name = "one filter for planes and another for volumes"

    building_block: ClassVar[bool] = True
    takes_mask: ClassVar[bool] = False
    keeps_constant: ClassVar[bool] = False
    shifts_with_grey: ClassVar[bool] = False
    flips: ClassVar[bool] = False
    turns: ClassVar[bool] = False

    planes: Annotated[Filter, {"tooltip": "Filter for 2D images."}] = _HEAT
    volumes: Annotated[Filter, {"tooltip": "Filter for volumes."}] = _HEAT

    def method(self, words: MethodWords) -> str:
        """Return both filters; a resolved recipe has the one that was used in their place."""
        planes, volumes = (
            getattr(self, name).method(words.within(name)) for name in ("planes", "volumes")
        )
        return f"{planes} for planes or {volumes} for volumes"

    def of(self, grid: Grid) -> Filter:
        """Return the filter for an image."""
        return self.volumes if is_solid(grid) else self.planes

    def resolved(self, image: Image) -> Filter:  # type: ignore[override]
        """Return the filter for this image, resolved."""
        chosen = self.of(image.grid)
        chosen.check(image.grid)
        return chosen.resolved(image)

    def check(self, grid: Grid) -> None:
        """Raise if the inner filter cannot process the image; see `Filter.check`."""
        super().check(grid)
        self.of(grid).check(grid)

    def halo(self, grid: Grid) -> Shape | None:
        """Return the halo of the filter for this image."""
        return self.of(grid).halo(grid)

    def apply(self, block: Block) -> NDArray[Any]:
        """Return the block as the filter for this image makes it; see `Filter.apply`."""
        return block.filtered(self.of(block.grid))
