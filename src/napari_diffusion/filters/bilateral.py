"""The bilateral filter."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np

from napari_diffusion.core.citation import FROM_NOISE, Cite
from napari_diffusion.core.grid import per_axis
from napari_diffusion.core.method_words import in_terms, measured
from napari_diffusion.filters.base import Filter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid, Shape
    from napari_diffusion.core.image import Image
    from napari_diffusion.engine.block import Block
    from napari_diffusion.engine.threads import Threads

    Pair = tuple[NDArray[Any], NDArray[Any]]

# Where the Gaussian of the distance is cut off, in sigmas.
TRUNCATE = 3.0

# Pixels in the box around one pixel.
MOST = 10_000

# Of the multiples of the noise's standard deviation tried on photographs and cells, the best.
PER_NOISE = 2.5


@dataclass(frozen=True)
class Bilateral(Filter):
    """Average each pixel with nearby pixels of similar intensity: smooths without blurring edges.

    ``out(p) = Σ_q w(p, q) u(q) / Σ_q w(p, q)``, ``w = exp(−|q − p|² / (2 sigma²) − |u(q) − u(p)|² /
    (2 sigma_intensity²))``, over all pixels q of the image, and of its mask, within 3 sigma. With
    joint channels |u(q) − u(p)| is the distance between colours. Computed directly, in any number
    of dimensions and for any pixel size.

    Parameters
    ----------
    sigma : float
        Standard deviation of the spatial Gaussian in world units, 0 or more. Larger values average
        over a wider neighbourhood; computing time grows with sigma to the power of the dimension.
    sigma_intensity : float or "auto"
        Standard deviation of the intensity Gaussian in intensity units, greater than 0. Steps much
        higher than this stay sharp, lower ones are blurred as by a Gaussian. "auto" is 2.5 times
        the noise of the source.

    Notes
    -----
    Use it for a single, gentle, edge-preserving smoothing. Not for strong noise: an outlier finds
    no similar neighbours and stays, and soft edges become steps. `PeronaMalik` smooths as far as
    you like at less cost.

    Raises
    ------
    ValueError
        If more than 10 000 pixels lie within 3 sigma.

    References
    ----------
    Tomasi and Manduchi (1998), Bilateral filtering for gray and color images.
    """

    method_name = "a bilateral filter"
    terms = in_terms(sigma="spatial σ = {}", sigma_intensity="intensity σ = {}")
    estimates = measured(sigma_intensity=FROM_NOISE)
    cites = (Cite("tomasi1998"),)

    maximum_principle: ClassVar[bool] = True

    sigma: Annotated[
        float,
        {
            "min": 0.0,
            "unit": "world",
            "tooltip": "Size of the neighbourhood; larger values smooth more and take longer.",
        },
    ] = 1.5
    sigma_intensity: Annotated[
        float | Literal["auto"],
        {
            "above": 0.0,
            "unit": "intensity",
            "tooltip": "Intensity steps much higher than this stay sharp.",
        },
    ] = "auto"

    def resolved(self, image: Image) -> Self:
        """Return this filter with the noise measured on `image`; see `Filter.resolved`."""
        if self.sigma_intensity != "auto":
            return self
        from napari_diffusion.estimate import noise_sigma_of

        # An image without noise is left as it is by any small number.
        smallest = np.finfo(image.data.dtype).smallest_normal
        found = max(PER_NOISE * noise_sigma_of(image), float(smallest))
        return self.replaced(sigma_intensity=found)

    def halo(self, grid: Grid) -> Shape | None:
        """Return 3 sigma in pixels."""
        reach = [TRUNCATE * self.sigma / length for length in grid.lengths]
        count = math.prod(2 * r + 1 for r in reach)
        if count > MOST:
            raise ValueError(
                f"Bilateral: sigma={self.sigma:g} covers {count:.3g} pixels, more than {MOST}: use "
                "a smaller sigma, or PeronaMalik."
            )
        return per_axis(int(r + 1e-9) for r in reach)

    def apply(self, block: Block) -> NDArray[Any]:
        """Return the averaged block; see `Filter.apply`."""
        reach = self.halo(block.grid)
        assert reach is not None
        neighbours = Neighbours(block.values, block.mask, reach, block.grid.joint_channels)
        near = list(self._near(reach, block.grid))
        with np.errstate(over="ignore", under="ignore"):
            slope = block.dtype.type(1.0 / (math.sqrt(2.0) * self.number("sigma_intensity")))
        slope = min(slope, np.finfo(block.dtype).max)
        out = np.empty(block.shape, block.dtype)

        def work(core: tuple[slice, ...]) -> None:
            out[core] = neighbours.average(core, near, slope)

        block.threads.each(work, [(core,) for core in neighbours.cores(block.threads, len(near))])
        return out

    def _near(self, reach: Sequence[int], grid: Grid) -> Iterator[tuple[tuple[int, ...], float]]:
        """Yield the offsets towards higher indices within the ellipsoid, and |q − p|² / (2 σ²)."""
        for offset in itertools.product(*(range(r + 1) for r in reach)):
            # Along an axis that does not diffuse a length is infinite, and the offset 0.
            steps = [o * h / self.sigma for o, h in zip(offset, grid.lengths, strict=True) if o]
            squared = sum(step**2 for step in steps)
            if steps and squared <= TRUNCATE**2 * (1 + 1e-9):
                yield offset, squared / 2


class Neighbours:
    """The pixels of a block and what lies at an offset from each of them.

    Parameters
    ----------
    block : ndarray
        Canonical (t, c, z, y, x).
    mask : ndarray of bool or None
        Which pixels count.
    reach : sequence of 5 int
        The largest offsets.
    joint : bool
        Whether channels share their weights.
    """

    def __init__(
        self,
        block: NDArray[Any],
        mask: NDArray[np.bool_] | None,
        reach: Sequence[int],
        joint: bool,
    ) -> None:
        around = [(r, r) for r in reach]
        self.shape, self.reach, self.joint = block.shape, reach, joint
        inside = np.ones(block.shape, bool) if mask is None else mask
        self.inside = np.pad(inside, around)
        self.values = np.pad(np.where(inside, block, block.dtype.type(0)), around)

    def cores(self, threads: Threads, work: int) -> Iterator[tuple[slice, ...]]:
        """Cut the block into parts for the threads: frames, channels, bands of y or z."""
        frames = 1 if not self.reach[0] else self.shape[0]
        channels = self.shape[1] if self.joint else 1
        axis = 2 if self.shape[2] > 1 else 3
        beyond = math.prod(self.shape[axis + 1 :]) * frames * channels
        for t in range(0, self.shape[0], frames):
            for c in range(0, self.shape[1], channels):
                for first, last in threads.bands(self.shape[axis], beyond * (8 + work // 64)):
                    core = [slice(0, size) for size in self.shape]
                    core[0], core[1] = slice(t, t + frames), slice(c, c + channels)
                    core[axis] = slice(first, last)
                    yield tuple(core)

    def average(
        self, core: tuple[slice, ...], near: list[tuple[tuple[int, ...], float]], slope: float
    ) -> NDArray[Any]:
        """Return the weighted means of a part; a pixel's own weight is 1."""
        here, counts = self._at(core, (0,) * 5)
        total, weight = np.zeros_like(here), np.ones_like(here)

        def term(offset: tuple[int, ...], distance: float) -> Pair:
            there, inside = self._at(core, offset)
            both = inside & counts
            difference = (there - here) * both
            squared = (difference * slope) ** 2
            if self.joint:
                squared = squared.sum(axis=1, keepdims=True)
            likeness = np.exp(-(squared + distance))
            return likeness * difference, likeness * both

        with np.errstate(over="ignore", under="ignore"):
            for offset, distance in near:
                terms = _mirrored_sum(term, offset, here.dtype.type(distance), 0)
                total += terms[0]
                weight += terms[1]
            return np.asarray(np.clip(here + total / weight, *self._range(core)))

    def _at(self, core: tuple[slice, ...], offset: Sequence[int]) -> Pair:
        place = tuple(
            slice(part.start + r + o, part.stop + r + o)
            for part, r, o in zip(core, self.reach, offset, strict=True)
        )
        return self.values[place], self.inside[place]

    def _range(self, core: tuple[slice, ...]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the lowest and the highest value around each pixel, which no mean may leave."""
        from scipy import ndimage

        wide = tuple(slice(s.start, s.stop + 2 * r) for s, r in zip(core, self.reach, strict=True))
        inner = tuple(slice(r, r + s.stop - s.start) for s, r in zip(core, self.reach, strict=True))
        values, inside = self.values[wide], self.inside[wide]
        infinity = values.dtype.type(np.inf)
        size = tuple(2 * r + 1 for r in self.reach)
        lowest = ndimage.minimum_filter(np.where(inside, values, infinity), size)
        highest = ndimage.maximum_filter(np.where(inside, values, -infinity), size)
        return lowest[inner], highest[inner]


def _mirrored_sum(
    term: Callable[[tuple[int, ...], float], Pair],
    offset: tuple[int, ...],
    distance: float,
    axis: int,
) -> Pair:
    """Return the sum of the terms at an offset and its mirror images along all axes.

    In pairs, so that the mirror image of an image gives the same sum to the bit.
    """
    if axis == len(offset):
        return term(offset, distance)
    there = _mirrored_sum(term, offset, distance, axis + 1)
    if not offset[axis]:
        return there
    mirrored = (*offset[:axis], -offset[axis], *offset[axis + 1 :])
    back = _mirrored_sum(term, mirrored, distance, axis + 1)
    return there[0] + back[0], there[1] + back[1]
