"""Diffusion between pixels with similar patches."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np

from napari_diffusion.core.citation import CHOSEN, NOISE, Cite
from napari_diffusion.core.method_words import in_terms, measured
from napari_diffusion.core.noise_map import NoiseField
from napari_diffusion.filters.denoisers.guided_filter import (
    Guided,
    kept_without_noise,
)
from napari_diffusion.filters.denoisers.largest_factor import largest_factor
from napari_diffusion.filters.denoisers.search_extent import search_radii
from napari_diffusion.filters.tensors.axis_frame import Frame

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid
    from napari_diffusion.core.image import Image
    from napari_diffusion.core.method_words import Term
    from napari_diffusion.engine.block import Block

# How far to look where nobody says.
RADIUS = 7


@dataclass(frozen=True)
class NonLocalDiffusion(Guided):
    """Average each pixel with nearby pixels whose patches are similar in the result of a pilot.

    ``out(x) = Σ w(x, y) u(y) / Σ w(x, y)`` over the pixels y within `radius`,
    ``w = exp(−d² / (strength · noise_sigma²))``, with d² the mean squared difference of the guide
    between the patches around x and y. A pixel gets the same weight as its most similar neighbour.
    This is one implicit step of diffusion on the graph of similar patches.

    Parameters
    ----------
    noise_sigma : float, tuple of float, "auto", "step" or ArrayParameter
        Standard deviation of the noise in intensity units, 0 or more; one per channel if many.
        Larger values smooth more; 0 changes nothing. "auto" measures it for each channel;
        "1.5 × auto" takes 1.5 times that. "step" is the noise scale of each step of the loop. An
        array has one for each pixel: of the image's shape, without c or t, or of one plane for all;
        0 keeps a pixel. Then each difference of d² is divided by the noise of its pixel in the
        patch around x.
    pilot : Filter or None
        The filter whose result on the same image is the guide; None uses the noisy image itself.
    radius : int or "auto"
        Search radius in the planes of the last two axes, 1 to 20 pixels. Larger values smooth more
        and take longer. "auto" is 7; in volumes the largest value up to 7 that compares a voxel
        with at most 1200 others.
    patch : int
        Patch radius, 0 to 5 pixels: patches are 2 · patch + 1 pixels wide. Larger patches match
        more reliably.
    strength : float
        Filtering strength: the tolerated squared patch difference as a multiple of noise_sigma²,
        greater than 0. About 0.15 with a good pilot and 1 without one; larger values smooth more.
    depth : int or "auto"
        Search radius along the third axis of a volume, or time, 0 to 20 pixels; 0 searches within
        planes. "auto" matches `radius` in world units, but is 0 for fewer than 4 planes or planes
        more than 8 times as far apart as the pixels in them. Patches are as deep as they are wide,
        but not deeper than this.

    Notes
    -----
    Use it after a pilot, against white noise in images with repeated structures: lattices,
    filaments, cells in rows. Not for images without repetition, where it leaves the noise. Joint
    channels are compared together. Volumes are slow: the time grows with radius² · depth.

    References
    ----------
    Buades, Coll and Morel (2005), A non-local algorithm for image denoising. Gilboa and Osher
    (2007), Nonlocal linear image regularization and supervised segmentation.
    """

    display_name: ClassVar[str] = "Non-local diffusion"
    method_name = "non-local means"
    terms = in_terms(
        noise_sigma="noise standard deviation {}",
        pilot="guided by {}",
        radius="search radius {} pixels",
        patch="patch radius {} pixels",
        strength="filtering strength {}",
        depth="search radius {} planes along the third axis",
    )
    estimates = measured(noise_sigma=NOISE, radius=CHOSEN, depth=CHOSEN)
    cites = (Cite("buades2005"), Cite("gilboa2007"))
    building_block: ClassVar[bool] = True

    radius: Annotated[
        int | Literal["auto"],
        {"min": 1, "max": 20, "tooltip": "Search radius."},
    ] = "auto"
    patch: Annotated[int, {"min": 0, "max": 5, "tooltip": "Patch radius."}] = 1
    strength: Annotated[
        float, {"above": 0.0, "tooltip": "Filtering strength; small with a good pilot."}
    ] = 0.15
    depth: Annotated[
        int | Literal["auto"],
        {
            "min": 0,
            "max": 20,
            "tooltip": "Search radius along the third axis; 0 searches within planes.",
        },
    ] = "auto"

    def method_terms(self) -> Mapping[str, Term]:
        """Return the words of the parameters; within planes there is no depth."""
        return {**self.terms, "depth": ""} if self.depth == 0 else self.terms

    def resolved(self, image: Image) -> Self:
        """Return this filter with the noise, the pilot resolved, and the extent of the search."""
        radius, depth = self.radii(image.grid)
        return super().resolved(image).replaced(radius=radius, depth=depth)

    def radii(self, grid: Grid) -> tuple[int, int]:
        """Return how far neighbours reach in the planes and along the third axis, in pixels."""
        return search_radii(self.radius, self.depth, RADIUS, grid)

    def reach(self, grid: Grid) -> tuple[int, int]:
        """Return how far neighbours and the patches around them reach; see `Guided.reach`."""
        radius, depth = self.radii(grid)
        return radius + self.patch, depth + min(depth, self.patch)

    def apply(self, block: Block) -> NDArray[Any]:
        """Return the block of means; see `Filter.apply`."""
        guide = self.guide(block)
        frame, (radius, depth) = Frame.of(block.shape, block.grid), self.radii(block.grid)
        wide, deep = self.reach(block.grid)
        margins = [(0, 0), (0, 0), (deep, deep), (wide, wide), (wide, wide)]
        u, p = (np.pad(frame.arranged(each), margins, "reflect") for each in (block.values, guide))
        out = frame.arranged(block.values)
        channels = out.shape[1]
        joint = [slice(0, channels)] if block.grid.joint_channels else [
            slice(c, c + 1) for c in range(channels)
        ]  # fmt: skip
        noise = NoiseField.of(self, block.grid)
        scales = self._scales(noise, frame, block, margins)
        rows = block.threads.bands(out.shape[3], 32 * (2 * depth + 1) * out.shape[4])
        tiles = [(t, c, z, band) for t in range(len(out)) for c in joint if all(noise.sigmas[c])
                 for z in range(out.shape[2]) for band in rows]  # fmt: skip
        radii, patches = (depth, radius), (min(depth, self.patch), self.patch)

        def work(t: int, c: slice, z: int, band: tuple[int, int]) -> None:
            from napari_diffusion.filters.denoisers.patch_kernels import average_alike

            args = (radii, patches, scales[t % len(scales), c], z, band, out[t, c])
            average_alike(u[t, c], p[t, c], *args)

        block.threads.each(work, tiles)
        return kept_without_noise(block, noise, frame.restored(out))

    def _scales(
        self, noise: NoiseField, frame: Frame, block: Block, margins: list[tuple[int, int]]
    ) -> NDArray[Any]:
        """Return what differences are multiplied by: one number per channel, or per pixel."""
        grid, dtype = block.grid, block.dtype
        channels = grid.shape[1] if grid.joint_channels else 1
        deep = min(self.radii(grid)[1], self.patch)
        samples = channels * (2 * self.patch + 1) ** 2 * (2 * deep + 1)
        at_pixels = noise.at(grid.origin, block.shape)
        if at_pixels is None:
            sigmas = np.reshape(noise.sigmas, (1, -1))
        else:
            sigmas = np.pad(frame.arranged(at_pixels), margins, "reflect")
        with np.errstate(divide="ignore"):
            scales = 1 / (sigmas.astype(np.float64) * math.sqrt(self.strength * samples))
        return np.minimum(scales, largest_factor(dtype)).astype(dtype)
