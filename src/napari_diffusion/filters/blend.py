"""A weighted sum of several filters, with the weights of least expected error."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, Unpack

import numpy as np

from napari_diffusion.core.citation import NOISE, Estimate
from napari_diffusion.core.grid import per_axis
from napari_diffusion.core.image import Image
from napari_diffusion.core.method_words import (
    DIGITS,
    MEASURED_DIGITS,
    MethodWords,
    in_brackets,
    listed,
    measured,
)
from napari_diffusion.core.noise_map import NoiseField
from napari_diffusion.engine.block import Block
from napari_diffusion.filters.base import Filter
from napari_diffusion.filters.denoisers.blend_weights import (
    Answers,
    fitting_boxes,
    is_small,
    of_least_error,
)
from napari_diffusion.filters.denoisers.coarse_values import (
    STRENGTH,
    is_coarse,
    with_noise_added,
)
from napari_diffusion.filters.denoisers.guided_filter import (
    NoiseSigma,
    check_noise_for_weights,
    noise_sigmas,
    with_noise,
    with_strength,
)
from napari_diffusion.filters.heat import Heat

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.core.grid import Grid, GridOptions, Shape


_LEAST_ERROR = Estimate(
    "that minimize Stein's unbiased risk estimate (SURE)", ("stein1981", "ramani2008", "blu2007")
)


@dataclass(frozen=True)
class Blend(Filter):
    """Combine the results of several filters with the weights of least expected error.

    ``out = f₀ + Σ wᵢ (fᵢ − f₀)``. The weights minimize Stein's unbiased estimate of the squared
    error, ``‖out − y‖² + 2 σ² div out``, with σ the noise_sigma. The divergence of each filter
    comes from a second run on y plus a very small random image. A Gaussian prior shrinks the
    weights towards 0 where that estimate is uncertain. Where values are so few that the noise is
    no Gaussian, as with few photons, the weights are those for y with as much Gaussian noise added.

    Parameters
    ----------
    components : tuple of Filter
        The filters. The first is the baseline that the others correct, so choose a good one. A
        pilot that several of them share is run once.
    weights : tuple of float or "auto"
        One weight per filter, adding up to 1, or such a list for each channel. "auto", also written
        "sure", estimates them on the source, each between 0 and 1.25, in volumes from −0.5.
    noise_sigma : float, tuple of float, "auto", "step" or ArrayParameter
        Standard deviation of the noise in intensity units, 0 or more; one per channel if many.
        Inner filters whose own value is "auto" use it too. "auto" measures it for each channel;
        "1.5 × auto" takes 1.5 times that. "step" is the noise scale of each step of the loop. An
        array has one for each pixel: of the image's shape, without c or t, or of one plane for all.
        The estimate then has the variance of each pixel.
    local : bool
        Let the weights vary over the image, at a scale of 16 pixels. Better for images with parts
        of different kinds; takes twice as long.

    Notes
    -----
    Use it to denoise without choosing one filter or its strength: combine filters that fail in
    different ways, such as windows of two sizes and non-local means, or one filter at several
    diffusion times. Not for noise that is not white: Stein's estimate does not hold for it.

    References
    ----------
    Stein (1981), Estimation of the mean of a multivariate normal distribution. Ramani, Blu and
    Unser (2008), Monte-Carlo SURE. Blu and Luisier (2007), The SURE-LET approach to image
    denoising.
    """

    method_name = "a weighted sum of filters"
    estimates = measured(noise_sigma=NOISE, weights=_LEAST_ERROR)

    building_block: ClassVar[bool] = True
    takes_mask: ClassVar[bool] = False
    keeps_constant: ClassVar[bool] = False
    shifts_with_grey: ClassVar[bool] = False
    flips: ClassVar[bool] = False
    turns: ClassVar[bool] = False

    components: Annotated[
        tuple[Filter, ...], {"tooltip": "Filters to combine; the first is the baseline."}
    ] = (Heat(time=0.5), Heat(time=2.0))
    weights: Annotated[
        tuple[float, ...] | Literal["auto"],
        {
            "min": -1e6,
            "max": 1e6,
            "tooltip": "One weight per filter; auto minimizes the expected error.",
        },
    ] = "auto"
    noise_sigma: NoiseSigma = "auto"
    local: Annotated[
        bool,
        {"tooltip": "Let the weights vary over the image; takes twice as long."},
    ] = False

    def __post_init__(self) -> None:
        given: Any = self.weights
        if isinstance(given, str) and given == "sure":
            object.__setattr__(self, "weights", "auto")
        super().__post_init__()

    def method(self, words: MethodWords) -> str:
        """Return the kinds of filters that are combined, and where the weights come from."""
        parts = list(self._parts())
        kinds = dict.fromkeys(each.method(replace(words, brief=True)) for each in parts)
        pilots = dict.fromkeys(
            each.method(replace(words, brief=True)) for each in map(_first_pilot, parts) if each
        )
        how = _LEAST_ERROR.how if words.asked("weights") else "given in the recipe"
        mean = "a locally weighted mean" if self.local else "a weighted mean"
        guide = f", guided by {listed([*pilots])}," if pilots else ""
        asked = words.asked("noise_sigma")
        digits = DIGITS if asked is None else MEASURED_DIGITS
        sigma = words.quantity(self.noise_sigma, "intensity", digits)
        noise = f"noise standard deviation {sigma}"
        if asked is not None:
            noise = words.noted(noise, NOISE, asked=asked)
        weighted = in_brackets(f"weights {how}", [noise])
        return f"{mean} of {len(parts)} estimates ({listed([*kinds])}){guide} with {weighted}"

    def _parts(self) -> Iterator[Filter]:
        """Yield the filters, those of blends within one by one."""
        for each in self.components:
            yield from each._parts() if isinstance(each, Blend) else (each,)

    def resolved(self, image: Image) -> Self:
        """Return this filter with the noise, the inner filters and their weights resolved."""
        self.check(image.grid)
        chosen = with_noise(self, noise_sigmas(self.noise_sigma, image))
        chosen = chosen.with_resolved_components(image)
        if self.weights != "auto":
            return chosen
        check_noise_for_weights(chosen)
        return chosen.replaced(weights=chosen._weights_on(image))

    def _weights_on(self, image: Image) -> tuple[float, ...]:
        """Return the weights of least expected error on an image."""
        told, noise = self, NoiseField.of(self, image.grid)
        halo = self.replaced(local=False).halo(image.grid)
        small = is_small(image.grid)
        boxes = fitting_boxes(image, halo, small) if any(noise.sigmas) else []
        if is_coarse((block for block, _ in boxes), noise):
            # Stein's estimate holds for Gaussian noise: it is made one, and the filters told more.
            whole = fitting_boxes(image, halo, small=False) if small else boxes
            boxes = [(with_noise_added(block, noise), inner) for block, inner in whole]
            told = with_strength(self, STRENGTH)
            noise = NoiseField.of(told, image.grid)
        return of_least_error(told.stages, len(self.components), noise, boxes)

    def check(self, grid: Grid) -> None:
        """Raise if lists of parameters do not fit the image; see `Filter.check`."""
        super().check(grid)
        if not isinstance(self.noise_sigma, str):
            NoiseField.of(self, grid)
        if self.weights != "auto":
            self.weights_of(grid)
        for component in self.components:
            component.check(grid)

    def weights_of(self, grid: Grid) -> NDArray[np.float64]:
        """Return the weights per channel and filter."""
        given, count, channels = np.array(self.weights, float), len(self.components), grid.shape[1]
        if given.size not in (count, count * channels):
            raise ValueError(
                f"Blend: weights must be {count} numbers, one per filter, or {count} for each of "
                f"{channels} channels (got {given.size})."
            )
        return np.broadcast_to(given.reshape(-1, count), (channels, count))

    @property
    def copies(self) -> int:
        """Results of all filters and of their pilots, and of those once more; see `Filter`."""
        once = 2 * len(self.components) + 6
        return 2 * once if self.local else once

    def halo(self, grid: Grid) -> Shape | None:
        """Return the widest halo of the filters, and the scale of local weights around it."""
        from napari_diffusion.filters.denoisers.guided_filter import plane_axes
        from napari_diffusion.filters.denoisers.local_weights import REACH

        widest = [0] * 5
        for component in self.components:
            halo = component.halo(grid)
            if halo is None:
                return None
            widest = [max(a, b) for a, b in zip(widest, halo, strict=True)]
        for axis in plane_axes(grid) if self.local else ():
            widest[axis] += REACH
        return per_axis(widest)

    def stages(self, block: Block) -> list[NDArray[Any]]:
        """Return the result of each filter for a block; shared pilots are run once."""
        together = block if block.memory is not None else dataclasses.replace(block, memory={})
        return [together.filtered(each) for each in self.components]

    def apply(self, block: Block) -> NDArray[Any]:
        """Return the blended block; see `Filter.apply`."""
        stages = self.stages(block)
        out = stages[0].copy()
        for change, weights in self._changes(block, stages):
            out += weights.astype(block.dtype) * change
        return out

    def _changes(
        self, block: Block, stages: list[NDArray[Any]]
    ) -> list[tuple[NDArray[Any], NDArray[Any]]]:
        """Return what each filter but the first changes, and its weights."""
        from napari_diffusion.filters.denoisers import local_weights

        changes = [stage - stages[0] for stage in stages[1:]]
        per_component = self.weights_of(block.grid)[:, 1:].T
        weights = [each.reshape(1, -1, 1, 1, 1) for each in per_component]
        noise = NoiseField.of(self, block.grid)
        if self.local and changes and any(noise.sigmas):
            answers = Answers(self.stages, noise, block)
            weights = local_weights.around(answers, stages, per_component)
        return list(zip(changes, weights, strict=True))

    def inspect(  # type: ignore[override]
        self, image: ArrayLike, **options: Unpack[GridOptions]
    ) -> dict[str, NDArray[Any]]:
        """Return the result of each filter for an image, and its weight at each pixel.

        Parameters
        ----------
        image : array_like
            2D arrays are read as ``yx``, 3D ones as ``zyx``; name other axes. Never written.
        **options
            ``axes, spacing, along, joint_channels, rgb, mask, missing``.

        Returns
        -------
        dict of str to ndarray
            For the k-th filter, "k Name" and "k Name weight", arrays of the image's shape.
        """
        source = Image.of(image, **options)
        self.check(source.grid)
        chosen = self.resolved(source)
        shown: dict[str, NDArray[Any]] = {}
        for name, stage, weight in chosen.weighted_stages(Block(source.data, source.grid)):
            shown[name] = source.restored(stage)
            shown[f"{name} weight"] = source.restored(weight)
        return shown

    def weighted_stages(self, block: Block) -> list[tuple[str, NDArray[Any], NDArray[Any]]]:
        """Return the number and name of each filter, its result for a block, and its weights."""
        stages = self.stages(block)
        weights = [each for _, each in self._changes(block, stages)]
        first = 1 - sum(weights, np.zeros((1, 1, 1, 1, 1)))
        return [
            (
                f"{index} {component.display_name}",
                stage,
                np.broadcast_to(weight, stage.shape).astype(stage.dtype),
            )
            for index, (component, stage, weight) in enumerate(
                zip(self.components, stages, (first, *weights), strict=True)
            )
        ]


def _first_pilot(chosen: Filter) -> Filter | None:
    """Return the pilot from which all guidance of a filter comes, the finest one within."""
    pilot = getattr(chosen, "pilot", None)
    if isinstance(pilot, Blend):
        pilot = pilot.components[0]
    return pilot and (_first_pilot(pilot) or pilot)
