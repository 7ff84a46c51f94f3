"""The base class of filters with a noise_sigma and a pilot that guides them."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, TypeVar

import numpy as np

from napari_diffusion.core.array_parameter import ArrayParameter
from napari_diffusion.core.grid import per_axis
from napari_diffusion.core.noise_map import NoiseField
from napari_diffusion.core.noise_scale import (
    NoiseScale,
    factor_on,
    factor_on_auto,
    times,
)
from napari_diffusion.engine.gathering import together
from napari_diffusion.filters.base import Filter

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_diffusion.core.component import Component
    from napari_diffusion.core.grid import Grid, Shape
    from napari_diffusion.core.image import Image
    from napari_diffusion.engine.block import Block

NoiseSigma = Annotated[
    float | Literal["auto", "step"] | tuple[float, ...] | ArrayParameter,
    {
        "min": 0.0,
        "unit": "intensity",
        "factor": True,
        "tooltip": "Standard deviation of the white noise, or its map; larger values smooth more; "
        "step: that of each step.",
    },
]

Pilot = Annotated[
    Filter | None,
    {"tooltip": "Filter whose result guides this one; none uses the image itself."},
]

#: A noise sigma as it is given to filters: one number, one per channel, or one per pixel.
GivenSigma = float | tuple[float, ...] | ArrayParameter

F = TypeVar("F", bound="Component")

# Fewer planes are no volume, nor are planes so many times as far apart as the pixels in them.
FEWEST = 4
FARTHEST = 8.0


def noise_sigmas(given: GivenSigma | str, image: Image) -> GivenSigma | str:
    """Return the noise sigma given, or each channel's own, without a factor, where it is "auto"."""
    from napari_diffusion.estimate.noise_sigma import noise_sigma_of

    if factor_on_auto(given) is None:
        return given
    if image.grid.shape[1] == 1:
        return noise_sigma_of(image)
    channels = list(image.channels())
    return tuple(together(image, [partial(noise_sigma_of, each) for each in channels]))


def with_noise(component: F, sigmas: GivenSigma | str, word: str = "auto") -> F:
    """Return a filter that has this noise wherever it, or one within it, says "auto".

    Where that stands with a factor, as in "1.5 × auto", the noise is multiplied by it.
    """
    component = component.with_components(lambda each: with_noise(each, sigmas, word))
    factor = factor_on(word, getattr(component, "noise_sigma", None))
    if factor is None:
        return component
    return component.replaced(noise_sigma=_times(sigmas, factor))


def at_noise_scale(component: F, noise_scale: NoiseScale) -> F:
    """Return a filter that is told the noise scale of a step wherever it says "step"."""
    return with_noise(component, noise_scale, "step") if component.set_by_step() else component


def with_strength(component: F, strength: float) -> F:
    """Return a filter whose noise, and that of those within it, is multiplied by a factor.

    A noise that is measured becomes "1.5 × auto"; numbers and maps are multiplied.
    """
    component = component.with_components(lambda each: with_strength(each, strength))
    sigma = getattr(component, "noise_sigma", None)
    if strength == 1 or sigma is None:
        return component
    return component.replaced(noise_sigma=_times(sigma, strength))


def check_noise_for_weights(component: Filter) -> None:
    """Raise if weights are to be measured for a noise that differs from step to step."""
    if "noise_sigma" in component.set_by_step():
        raise ValueError(
            f'{type(component).__name__}: weights="auto" are measured for one noise, and that of '
            'noise_sigma="step" differs from step to step: give the weights as numbers, or use '
            "LearnedDiffusion."
        )


def has_noise_sigma(component: Component) -> bool:
    """Return whether a component, or one within it, has a noise sigma."""
    return hasattr(component, "noise_sigma") or any(map(has_noise_sigma, component.components_in()))


def has_noise_map(component: Component) -> bool:
    """Return whether a component, or one within it, has a map for a noise sigma."""
    own = isinstance(getattr(component, "noise_sigma", None), ArrayParameter)
    return own or any(map(has_noise_map, component.components_in()))


def with_known_noise(component: F) -> F:
    """Return a filter in which a noise that is given has replaced "auto" in filters within."""
    given = getattr(component, "noise_sigma", None)
    if given is not None and factor_on_auto(given) is None:
        component = with_noise(component, given)
    return component.with_components(with_known_noise)


def with_noise_maps(component: F, change: Callable[[ArrayParameter], ArrayParameter]) -> F:
    """Return a filter with other maps of the noise, its own and those of filters within."""
    component = component.with_components(lambda each: with_noise_maps(each, change))
    given = getattr(component, "noise_sigma", None)
    if not isinstance(given, ArrayParameter):
        return component
    return component.replaced(noise_sigma=change(given))


def kept_without_noise(block: Block, noise: NoiseField, out: NDArray[Any]) -> NDArray[Any]:
    """Return a result in which the pixels where a map says that there is no noise are as before."""
    sigma = noise.at(block.grid.origin, block.shape)
    if sigma is not None:
        np.copyto(out, block.values, where=sigma == 0)
    return out


def _times(sigmas: GivenSigma | str, factor: float) -> GivenSigma | str:
    if factor == 1:
        return sigmas
    for word in ("auto", "step"):
        if (before := factor_on(word, sigmas)) is not None:
            return times(word, before * factor)
    assert not isinstance(sigmas, str)
    if isinstance(sigmas, ArrayParameter):
        return sigmas.times(factor)
    if isinstance(sigmas, tuple):
        return tuple(factor * sigma for sigma in sigmas)
    return factor * sigmas


def third_ratio(grid: Grid) -> float:
    """Return how many times as far apart pixels are along the third axis as in the planes."""
    third, row, column = (grid.length(axis) for axis in grid.along_axes[-3:])
    return third / min(row, column)


def is_solid(grid: Grid) -> bool:
    """Return whether planes of the last two axes are filtered together with their neighbours."""
    axes = grid.along_axes
    return len(axes) > 2 and grid.shape[axes[-3]] >= FEWEST and third_ratio(grid) <= FARTHEST


def plane_axes(grid: Grid) -> tuple[int, int]:
    """Return the two axes of the windows: the last two that diffuse, or the last and its own."""
    axes = grid.along_axes
    return (axes[-2], axes[-1]) if len(axes) > 1 else (3 if axes[0] == 4 else axes[0], 4)


@dataclass(frozen=True)
class Guided(Filter):
    """A filter with a noise_sigma, guided by the result of a pilot for the same image.

    It works in the planes of the last two axes in `along`, or across several of them, and a
    result depends on a pattern of pixels around it that has a first one: it is not the mirror
    image of itself.
    """

    takes_mask: ClassVar[bool] = False
    keeps_constant: ClassVar[bool] = False
    flips: ClassVar[bool] = False
    turns: ClassVar[bool] = False

    noise_sigma: NoiseSigma = "auto"
    pilot: Pilot = None

    @abc.abstractmethod
    def reach(self, grid: Grid) -> tuple[int, int]:
        """Return how far a result depends on pixels: in the planes, and along the third axis."""

    def resolved(self, image: Image) -> Self:
        """Return this filter with the noise of each channel, the pilot's too."""
        chosen = with_noise(self, noise_sigmas(self.noise_sigma, image))
        return chosen.with_resolved_components(image)

    def check(self, grid: Grid) -> None:
        """Raise if lists of parameters do not fit the image; see `Filter.check`."""
        super().check(grid)
        if not isinstance(self.noise_sigma, str):
            NoiseField.of(self, grid)
        if self.pilot is not None:
            self.pilot.check(grid)

    def halo(self, grid: Grid) -> Shape | None:
        """Return the reach along the axes of the plane, and what the pilot needs around it."""
        wide, deep = self.reach(grid)
        own = [wide if axis in grid.along_axes[-2:] else 0 for axis in range(5)]
        for axis in grid.along_axes[-3:-2]:
            own[axis] = deep
        behind = (0,) * 5 if self.pilot is None else self.pilot.halo(grid)
        if behind is None:
            return None
        return per_axis(a + b for a, b in zip(own, behind, strict=True))

    def guide(self, block: Block) -> NDArray[Any]:
        """Return what the pilot makes of a block, or the block itself without one."""
        return block.values if self.pilot is None else block.filtered(self.pilot)
