"""Several noises at once."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from napari_diffusion.core.method_words import MethodWords, listed
from napari_diffusion.noise.base import CLAIMS, Noise
from napari_diffusion.noise.gaussian import Gaussian
from napari_diffusion.noise.uniform import Uniform

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.address import Address
    from napari_diffusion.core.grid import Grid, Shape
    from napari_diffusion.core.noise_scale import NoiseScale, Scales
    from napari_diffusion.engine.block import Block

# A noise that needs several streams takes them from its address's on, fewer than this many.
STREAMS = 16

# Claims that one component suffices for; the others hold when they hold for all components.
_ONE_SUFFICES = ("random", "signal_dependent")


@dataclass(frozen=True)
class Sum(Noise):
    """Add several independent noises to the same image.

    ``image + Σ_i (noise_i(image) − image)``: each noise is computed from the image itself, not from
    the result of the others. Variances add up, so component i gets the noise scale ``noise_scale ·
    w_i / √(Σ_j w_j²)``, and the standard deviation of the sum is the noise scale.

    Parameters
    ----------
    components : tuple of Noise
        The noise models. Each has its own random numbers, even if two are equal.
    weights : tuple of float or None
        Relative standard deviations w, 0 or more, one per component. Larger values make that noise
        stronger and the others weaker. None uses the strengths given by the parameters of the
        components, such as a fraction of outliers, where all of them have one, and equal weights
        otherwise.

    Notes
    -----
    Use it for what an instrument adds up: read noise and stripes, noise at all scales and outliers.
    Not for noise applied in sequence, such as rounding after noise: call the two one after the
    other.

    Raises
    ------
    ValueError
        If there is not one weight per component, or all weights are 0.
    """

    method_name = "the sum of several noises"

    components: Annotated[
        tuple[Noise, ...], {"tooltip": "Noise models to add, independent of each other."}
    ] = (Gaussian(), Uniform())
    weights: Annotated[
        tuple[float, ...] | None,
        {
            "min": 0.0,
            "tooltip": "Relative standard deviations; none: equal, or from the noise parameters.",
        },
    ] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.weights is None:
            return
        if len(self.weights) != len(self.components):
            raise ValueError(
                f"Sum: weights must list one value for each of the {len(self.components)} "
                f"components (got {len(self.weights)})."
            )
        if not any(self.weights):
            raise ValueError(f"Sum: weights must not all be 0 (got {self.weights}).")

    @property
    def claims(self) -> frozenset[str]:
        """The claims that the components give to their sum."""
        held = [each.claims for each in self.components]
        found = (
            claim
            for claim in CLAIMS
            if (any if claim in _ONE_SUFFICES else all)(claim in each for each in held)
        )
        return frozenset(found) - ({"natural"} if self.weights else set())

    def natural_scale(self) -> NoiseScale:
        """Return the standard deviation that the components' own parameters add up to."""
        found = self._naturals()
        return super().natural_scale() if found is None else math.hypot(*found)

    def method(self, words: MethodWords) -> str:
        """Return the noises that are added, and the share of each in the standard deviation."""
        inner = words.within("components", brief=True)
        names = [each.method(inner) for each in self.components]
        if words.brief:
            return f"the sum of {listed(names)}"
        parts = [f"{ratio:.3g} for {name}" for name, ratio in zip(names, self.ratios, strict=True)]
        return f"several noises (weight {listed(parts)})"

    def in_words(self, scale: float) -> str:
        """Return the noise scale of each component."""
        named = zip(self.components, self.ratios, strict=True)
        return " + ".join(f"{each.display_name} {scale * ratio:.3g}" for each, ratio in named)

    @property
    def ratios(self) -> tuple[float, ...]:
        """The standard deviation of each component when that of the sum is 1."""
        weights = self.weights or self._naturals() or (1.0,) * len(self.components)
        # Divided first, so that no square leaves the range.
        largest = max(weights) or 1.0
        parts = [weight / largest for weight in weights]
        total = math.hypot(*parts) or 1.0
        return tuple(part / total for part in parts)

    def _naturals(self) -> tuple[float, ...] | None:
        """Return the noise scales given by the components' own parameters, if all have one."""
        if "natural" not in self.claims:
            return None
        found = [each.natural_scale() for each in self.components]
        return tuple(max(each) if isinstance(each, tuple) else each for each in found)

    def halo(self, grid: Grid) -> Shape | None:
        """Return the longest reach of a component; None if one of them reaches everywhere."""
        reaches = [each.halo(grid) for each in self.components]
        found = [max(sizes) for sizes in zip(*(r for r in reaches if r is not None), strict=True)]
        return None if None in reaches else tuple(found)

    def check(self, block: Block, scales: Scales) -> None:
        """Raise if a component cannot be added to the block."""
        for component, ratio in zip(self.components, self.ratios, strict=True):
            component.check(block, _times(scales, ratio))

    def add(self, block: Block, scales: Scales, address: Address) -> NDArray[Any]:
        """Return block + the noise of all components; see `Noise.add`."""
        stream = address.stream
        total: NDArray[Any] | None = None
        for component, ratio in zip(self.components, self.ratios, strict=True):
            own = dataclasses.replace(address, stream=stream)
            noisy = component.add(block, _times(scales, ratio), own)
            total = noisy if total is None else _with(total, noisy, block)
            stream += STREAMS * _count(component)
        assert total is not None
        return total


def _times(scales: Scales, ratio: float) -> Scales:
    return tuple(each * ratio for each in scales)


def _count(component: Noise) -> int:
    """Return how many noises there are in a noise that are no sums."""
    return sum(map(_count, component.components)) if isinstance(component, Sum) else 1


def _with(total: NDArray[Any], noisy: NDArray[Any], block: Block) -> NDArray[Any]:
    """Add to the total, in place, what another noise has changed."""
    width = block.shape[4]
    totals, noisies, rows = (each.reshape(-1, width) for each in (total, noisy, block.values))

    def work(start: int, stop: int) -> None:
        change = np.subtract(noisies[start:stop], rows[start:stop], out=noisies[start:stop])
        np.add(totals[start:stop], change, out=totals[start:stop])

    block.threads.each(work, block.threads.bands(len(rows), width))
    return total
