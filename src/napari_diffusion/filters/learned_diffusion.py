"""Diffusion whose filters and influence functions were learned from images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np

from napari_diffusion.core.citation import Cite
from napari_diffusion.core.grid import per_axis
from napari_diffusion.core.noise_map import NoiseField
from napari_diffusion.filters.denoisers.guided_filter import (
    NoiseSigma,
    kept_without_noise,
    plane_axes,
)
from napari_diffusion.filters.learned.learned_filter import LearnedFilter
from napari_diffusion.filters.learned.removed_noise import REACH, limited
from napari_diffusion.filters.learned.weights import PHOTOGRAPHS, weights_named

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid, Shape
    from napari_diffusion.engine.block import Block

# Of the strongest noise of a map: less counts as so much, lest its inverse overflow.
_LEAST_NOISE = 1e-4

# Of the largest number there is: sums of so many pixels do not overflow.
_ROOM = 1e-4

# Of the rounding of a pixel: all steps together change a constant image by less.
_ROUNDING = 8


@dataclass(frozen=True)
class LearnedDiffusion(LearnedFilter):
    """Diffuse with filters and influence functions that were learned from photographs.

    ``u ← u − r (u − y) − Σᵢ kᵢᵀ φᵢ(kᵢ u)`` for some steps, on the image y over its noise_sigma,
    with filters kᵢ of 5 × 5 pixels that add up to 0, influence functions φᵢ, and a reaction r
    towards the noisy image, all of them learned for each step. It begins with the result of a
    `HaarDiffusion`, corrected by the same diffusion at coarser scales. In windows of 13 × 13 pixels
    no more is taken away than noise can be: where u − y has a mean square m above 1.5, it is
    multiplied by 1.5 / m.

    Parameters
    ----------
    noise_sigma : float, tuple of float, "auto", "step" or ArrayParameter
        Standard deviation of the noise in intensity units, 0 or more; one per channel if many.
        Larger values smooth more; 0 changes nothing. "auto" measures it for each channel;
        "1.5 × auto" takes 1.5 times that. "step" is the noise scale of each step of the loop. An
        array has one for each pixel: of the image's shape, without c or t, or of one plane for all;
        0 keeps a pixel.
    weights : str
        What was learned: "photographs", which ships with the package, or a .npz file of weights.
        A recipe names such a file by its SHA-256, and a resolved one the shipped ones too; it is
        looked for in the folder NAPARI_DIFFUSION_WEIGHTS and beside the recipe's file.

    Notes
    -----
    Use it for white noise of known strength, where one fast filter should do. It filters each
    plane of the last two axes by itself. Not for correlated noise, nor for noise below 1 % of the
    range of the image, the weakest that the shipped weights have seen: there `HaarDiffusion` is
    better. What it keeps is what is common in the images that it learned from: fine repeated
    patterns that are not lose contrast.

    References
    ----------
    Chen and Pock (2017), Trainable nonlinear reaction diffusion.
    """

    display_name: ClassVar[str] = "Learned diffusion"
    method_name = "trained nonlinear reaction diffusion"
    shelf = PHOTOGRAPHS
    cites = (Cite("chen2017"),)

    noise_sigma: NoiseSigma = "auto"
    weights: Annotated[
        str, {"tooltip": 'What was learned: "photographs", or a .npz file of weights.'}
    ] = "photographs"

    def check(self, grid: Grid) -> None:
        """Raise if noise and image do not fit, or weights are not here; see `Filter.check`."""
        super().check(grid)
        weights_named(self.weights)
        if not isinstance(self.noise_sigma, str):
            NoiseField.of(self, grid)

    def halo(self, grid: Grid) -> Shape | None:
        """Return how far all steps reach in a plane; see `Filter.halo`."""
        reach, axes = weights_named(self.weights).network.reach + REACH, plane_axes(grid)
        return per_axis(reach * (axis in axes) for axis in range(5))

    def apply(self, block: Block) -> NDArray[Any]:
        """Return the block after all steps; see `Filter.apply`."""
        network, axes = weights_named(self.weights).network, plane_axes(block.grid)
        noise = NoiseField.of(self, block.grid)
        out = np.empty_like(block.values)
        strongest = np.broadcast_to(np.reshape(noise.sigmas, (1, -1, 1, 1, 1)), block.shape)
        planes, to, sigmas = (
            np.moveaxis(each, axes, (-2, -1)) for each in (block.values, out, strongest)
        )
        own = _shares(noise, block)
        shares = None if own is None else np.moveaxis(own, axes, (-2, -1))
        origin = block.grid.origin[axes[0]], block.grid.origin[axes[1]]
        for index in np.ndindex(planes.shape[:-2]):
            block.threads.poll()
            y, sigma = planes[index], block.dtype.type(sigmas[index][0, 0])
            here = None if shares is None else np.ascontiguousarray(shares[index])
            to[index] = y
            if sigma > 0:
                scaled = _in_units(y, sigma)
                change = network.diffused(scaled, origin, block.threads, here) - scaled
                change = limited(change, block.threads, here)
                # A constant image stays as it is to the bit.
                rounding = _ROUNDING * np.finfo(y.dtype).eps * np.abs(scaled)
                to[index] += np.where(np.abs(change) > rounding, change, 0) * sigma
        return kept_without_noise(block, noise, out)


def _shares(noise: NoiseField, block: Block) -> NDArray[Any] | None:
    """Return the noise of each pixel over the strongest; None where it is as strong everywhere."""
    variances = noise.variances(block.grid.origin, block.shape)
    if variances is None:
        return None
    return np.maximum(np.sqrt(variances), _LEAST_NOISE).astype(block.dtype)


def _in_units(y: NDArray[Any], sigma: Any) -> NDArray[Any]:
    """Return a plane in units of its noise, within what the steps can add up."""
    largest = y.dtype.type(np.finfo(y.dtype).max * _ROOM)
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(np.clip(y / sigma, -largest, largest))
