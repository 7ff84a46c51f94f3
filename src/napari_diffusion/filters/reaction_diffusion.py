"""Reaction and diffusion in sliding cosine windows, guided by a pilot."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from napari_diffusion.core.citation import CHOSEN, NOISE, Cite
from napari_diffusion.core.method_words import in_terms, measured
from napari_diffusion.core.noise_map import NoiseField
from napari_diffusion.engine.tiles import with_halo
from napari_diffusion.filters.denoisers.guided_filter import Guided, is_solid, kept_without_noise
from napari_diffusion.filters.tensors.axis_frame import Frame

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid
    from napari_diffusion.core.image import Image
    from napari_diffusion.core.method_words import Term
    from napari_diffusion.engine.block import Block

# Planes of a window in a volume.
DEPTH = 4


@dataclass(frozen=True)
class ReactionDiffusion(Guided):
    """Keep, in each small window, the cosine components that the result of a pilot filter contains.

    ``C ← C · P² / (P² + noise_sigma²)`` for each window, with the orthonormal cosine transforms C
    of the image and P of the guide; the mean of the window is kept. The windows are transformed
    back, weighted by one over the sum of the squared factors, and averaged wherever they overlap.
    This is a diffusion step with a reaction towards the guide.

    Parameters
    ----------
    noise_sigma : float, tuple of float, "auto", "step" or ArrayParameter
        Standard deviation of the noise in intensity units, 0 or more; one per channel if many.
        Larger values smooth more; 0 changes nothing. "auto" measures it for each channel;
        "1.5 × auto" takes 1.5 times that. "step" is the noise scale of each step of the loop. An
        array has one for each pixel: of the image's shape, without c or t, or of one plane for all;
        0 keeps a pixel. That of a window is then the root mean square over its pixels.
    pilot : Filter or None
        The filter whose result on the same image is the guide. None uses the noisy image itself:
        then components at the noise level are only halved.
    window : int
        Window size, 8 to 32 pixels, a multiple of 8. Larger windows smooth flat areas and long
        waves better; smaller ones lose less near edges.
    stride : int
        Distance between windows, 1 to half a window; along the third axis in proportion to their
        depth. Smaller values are smoother and slower.
    depth : int or "auto"
        Window size along the third axis of a volume, or time, 1 to 16 pixels; 1 filters each plane
        of the last two axes separately. "auto" is 4, but 1 for fewer than 4 planes or planes more
        than 8 times as far apart as the pixels in them.

    Notes
    -----
    Use it after a fast pilot such as `HaarDiffusion`, against white noise: it restores texture that
    the pilot removed. Not without a pilot, nor for correlated noise.

    References
    ----------
    Yaroslavsky (1996), Local adaptive image restoration and enhancement with the use of DFT and DCT
    in a running window. Chen and Pock (2017), Trainable nonlinear reaction diffusion. Dabov, Foi,
    Katkovnik and Egiazarian (2007), Image denoising by sparse 3-D transform-domain collaborative
    filtering, on a pilot for an empirical Wiener filter.
    """

    display_name: ClassVar[str] = "Reaction–diffusion"
    method_name = "sliding-window cosine-transform shrinkage"
    terms = in_terms(
        noise_sigma="noise standard deviation {}",
        pilot="guided by {}",
        window="windows of {} pixels",
        stride="placed every {} pixels",
        depth="{} planes deep",
    )
    estimates = measured(noise_sigma=NOISE, depth=CHOSEN)
    cites = (Cite("yaroslavsky1996"), Cite("chen2017"), Cite("dabov2007", "pilot"))
    building_block: ClassVar[bool] = True

    window: Annotated[
        int, {"min": 8, "max": 32, "tooltip": "Window size in pixels, a multiple of 8."}
    ] = 8
    stride: Annotated[
        int,
        {
            "min": 1,
            "max": 16,
            "tooltip": "Distance between windows; smaller values are smoother and slower.",
        },
    ] = 2
    depth: Annotated[
        int | Literal["auto"],
        {
            "min": 1,
            "max": 16,
            "tooltip": "Window size along the third axis; 1 filters planes separately.",
        },
    ] = "auto"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.window % 8:
            raise ValueError(
                f"ReactionDiffusion: window must be a multiple of 8 (got {self.window})."
            )
        if 2 * self.stride > self.window:
            raise ValueError(
                f"ReactionDiffusion: stride must be at most half of window={self.window}, so that "
                f"windows overlap (got {self.stride})."
            )

    def method_terms(self) -> Mapping[str, Term]:
        """Return the words of the parameters; windows of one plane have no depth."""
        return {**self.terms, "depth": ""} if self.depth == 1 else self.terms

    def resolved(self, image: Image) -> Self:
        """Return this filter with the noise, the pilot resolved, and the depth of the windows."""
        chosen = super().resolved(image)
        return chosen.replaced(depth=self.depth_on(image.grid)) if self.depth == "auto" else chosen

    def depth_on(self, grid: Grid) -> int:
        """Return how deep windows are, in pixels; 1 in a plane."""
        if self.depth == "auto":
            return DEPTH if is_solid(grid) else 1
        return self.depth if len(grid.along_axes) > 2 else 1

    def reach(self, grid: Grid) -> tuple[int, int]:
        """Return how far the windows of a pixel reach; see `Guided.reach`."""
        return self.window - 1, self.depth_on(grid) - 1

    def apply(self, block: Block) -> NDArray[Any]:
        """Return the block with its windows filtered; see `Filter.apply`."""
        from napari_diffusion.filters.denoisers.dct_windows import guided

        guide = self.guide(block)
        frame = Frame.of(block.shape, block.grid)
        noise = NoiseField.of(self, block.grid)
        sigmas, at_pixels = noise.sigmas, noise.at(block.grid.origin, block.shape)
        maps = None if at_pixels is None else frame.arranged(at_pixels)
        y, p = (frame.arranged(each) for each in (block.values, guide))
        out, depth = y.copy(), self.depth_on(block.grid)
        origin, (wide, deep) = frame.of_axes(block.grid.origin)[:3], self.reach(block.grid)
        windows = (depth, self.window)
        strides = (max(round(self.stride * depth / self.window), 1), self.stride)

        def work(t: int, c: int, core: tuple[slice, ...]) -> None:
            outer, inner = with_halo(core, (deep, wide, wide), y.shape[2:])
            place = [o + part.start for o, part in zip(origin, outer, strict=True)]
            sigma = sigmas[c] if maps is None else maps[t, c][outer]
            args = (place, sigma, windows, strides, block.threads.poll)
            out[t, c][core] = guided(y[t, c][outer], p[t, c][outer], *args)[inner]

        noisy = [c for c, sigma in enumerate(sigmas) if sigma > 0]
        parts = self._parts(y.shape[2:], depth, block.threads.count)
        block.threads.each(work, list(itertools.product(range(len(y)), noisy, parts)))
        return kept_without_noise(block, noise, frame.restored(out))

    def _parts(self, shape: tuple[int, ...], depth: int, threads: int) -> list[tuple[slice, ...]]:
        """Cut a volume into slabs, or planes into bands of rows: few, for they share windows."""
        rows, columns = slice(0, shape[1]), slice(0, shape[2])
        if depth > 1:
            return [
                (planes, rows, columns)
                for planes in _slices(shape[0], max(8 * depth, math.ceil(shape[0] / threads)))
            ]
        bands = _slices(shape[1], max(8 * self.window, math.ceil(shape[1] / threads / 4)))
        return [(slice(z, z + 1), band, columns) for z in range(shape[0]) for band in bands]


def _slices(size: int, thickness: int) -> list[slice]:
    return [slice(n, min(n + thickness, size)) for n in range(0, size, thickness)]
