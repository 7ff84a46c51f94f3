"""The base class of filters that were learned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from napari_diffusion.core.citation import NOISE
from napari_diffusion.core.method_words import in_terms, measured
from napari_diffusion.filters.base import Filter
from napari_diffusion.filters.denoisers.guided_filter import noise_sigmas, with_noise
from napari_diffusion.filters.learned.weight_shelf import WeightShelf

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_diffusion.core.image import Image
    from napari_diffusion.core.method_words import Term


class LearnedFilter(Filter):
    """A filter of planes with a noise_sigma, and weights that a recipe names.

    Attributes
    ----------
    shelf : WeightShelf
        Where its weights are found by their names.
    """

    shelf: ClassVar[WeightShelf[Any]]
    terms = in_terms(noise_sigma="noise standard deviation {}")
    estimates = measured(noise_sigma=NOISE)
    takes_mask: ClassVar[bool] = False
    flips: ClassVar[bool] = False
    turns: ClassVar[bool] = False

    # Not fields: each filter has them with its own words.
    noise_sigma: Any
    weights: str

    def __post_init__(self) -> None:
        if isinstance(self.weights, str | Path):
            object.__setattr__(self, "weights", self.shelf.name_of(self.weights))
        super().__post_init__()

    def method_terms(self) -> Mapping[str, Term]:
        """Return the words of the parameters; see `Component.method_terms`."""
        return {**self.terms, "weights": f"weights {self.shelf.spoken(self.weights)}"}

    def resolved(self, image: Image) -> Self:
        """Return this filter with the noise of each channel, and its weights by their hash."""
        self.check(image.grid)
        chosen = with_noise(self, noise_sigmas(self.noise_sigma, image))
        return chosen.replaced(weights=self.shelf.hashed(self.weights))
