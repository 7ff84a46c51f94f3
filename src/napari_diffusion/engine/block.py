"""A block: values, their place in the image, the mask, and the threads that share the work."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from napari_diffusion.core.grid import per_axis
from napari_diffusion.core.noise_scale import per_channel
from napari_diffusion.engine.threads import Threads
from napari_diffusion.engine.tiles import large_tiles, with_halo

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from napari_diffusion.core.address import Address
    from napari_diffusion.core.grid import Grid, Shape
    from napari_diffusion.core.noise_scale import NoiseScale, Scales

    Core = tuple[slice, ...]

# How many times the size of the image a filter may hold at once, and what it may anyway.
MOST_COPIES = 9
SMALL = 8 << 20

# How much more work than there need be is done before a block is cut to what is still needed:
# cutting takes a copy, and flows lose their waves.
WASTE = 1.1


class BlockNoise(Protocol):
    """A noise, as far as those who run it need it; see `noise.Noise`."""

    def halo(self, grid: Grid) -> Shape | None:
        """Return how far around a pixel its noise depends on intensities; None: everywhere."""
        ...

    def check(self, block: Block, scales: Scales) -> None:
        """Raise if this noise cannot be added to the block."""
        ...

    def add(self, block: Block, scales: Scales, address: Address) -> NDArray[Any]:
        """Return the block's values + noise as a new array."""
        ...


class BlockFilter(Protocol):
    """A filter, as far as those who run it need it; see `filters.Filter`."""

    @property
    def copies(self) -> int:
        """Number of arrays of the size of a block that are held at once."""
        ...

    def halo(self, grid: Grid) -> Shape | None:
        """Return how far around a pixel a result depends on intensities; None: everywhere."""
        ...

    def apply(self, block: Block) -> NDArray[Any]:
        """Return the filtered values as a new array."""
        ...

    def part_halo(self, grid: Grid, start: int, stop: int) -> Shape | None:
        """Return how far the parts start…stop−1 of a step reach together; None: everywhere."""
        ...

    def apply_parts(
        self, block: Block, start: int, stop: int, core: Core | None = None
    ) -> NDArray[Any]:
        """Return the values after these parts of a step as a new array, right in the core."""
        ...


@dataclass(frozen=True, eq=False)
class Block:
    """A part of an image, or all of it, with what a component needs to work on it.

    Attributes
    ----------
    values : ndarray
        Canonical (t, c, z, y, x), C-contiguous, float32 or float64, all finite; never written.
    grid : Grid
        Lengths and axes; `origin` says where the block begins in the whole image.
    mask : ndarray of bool or None
        Of the block's shape: where the image may change and what may flow.
    threads : Threads
        Share tiles of the work, and look at the stop token between them.
    memory : dict or None
        What filters made of which values, where several filters within one share their pilots.
    """

    values: NDArray[Any]
    grid: Grid
    mask: NDArray[np.bool_] | None = None
    threads: Threads = field(default_factory=Threads)
    memory: dict[tuple[BlockFilter, int], tuple[NDArray[Any], NDArray[Any]]] | None = None

    @property
    def shape(self) -> Shape:
        """Extent in canonical order (t, c, z, y, x)."""
        return per_axis(self.values.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values: float32 or float64."""
        return self.values.dtype

    def with_values(self, values: NDArray[Any]) -> Block:
        """Return the same place with other values."""
        return dataclasses.replace(self, values=values)

    def around(self, core: Sequence[slice], halo: Sequence[int]) -> tuple[Block, tuple[slice, ...]]:
        """Return the part under a core with its halo, and where the core lies in it."""
        outer, inner = with_halo(core, halo, self.shape)
        origin = [o + part.start for o, part in zip(self.grid.origin, outer, strict=True)]
        part = dataclasses.replace(
            self,
            values=np.ascontiguousarray(self.values[outer]),
            grid=self.grid.at(origin),
            mask=None if self.mask is None else np.ascontiguousarray(self.mask[outer]),
        )
        return part, inner

    def with_noise(
        self, noise: BlockNoise, noise_scale: NoiseScale, address: Address
    ) -> NDArray[Any]:
        """Return the values with one step's noise added; outside the mask they are unchanged."""
        self.threads.poll()
        first = self.grid.origin[1]
        scales = per_channel(noise_scale, self.grid)[first : first + self.shape[1]]
        noise.check(self, scales)
        return self._kept_outside(noise.add(self, scales, address))

    def filtered(self, chosen: BlockFilter) -> NDArray[Any]:
        """Return the filtered values; outside the mask they are unchanged."""
        self.threads.poll()
        if self.memory is None:
            halo = chosen.halo(self.grid)
            return self._kept_outside(
                self._by_tiles(lambda block, _: chosen.apply(block), halo, chosen.copies)
            )
        key = (chosen, id(self.values))
        if key not in self.memory:
            # With the values themselves, so that no others get their id.
            self.memory[key] = (self.values, self._kept_outside(chosen.apply(self)))
        return self.memory[key][1]

    def filtered_parts(
        self, chosen: BlockFilter, start: int, stop: int, core: Core | None = None
    ) -> NDArray[Any]:
        """Return the values after the parts start…stop−1 of a step; else as `filtered`.

        Outside of the core, a place in the block, they may be anything.
        """

        def apply(block: Block, core: Core | None) -> NDArray[Any]:
            return chosen.apply_parts(block, start, stop, core)

        self.threads.poll()
        halo = chosen.part_halo(self.grid, start, stop)
        return self._kept_outside(self._by_tiles(apply, halo, chosen.copies, core))

    def core_filtered(
        self, chosen: BlockFilter, core: Sequence[slice], start: int, stop: int
    ) -> NDArray[Any]:
        """Return a core after some parts of a step, by less and less of what is around it.

        Parameters
        ----------
        chosen : BlockFilter
            A filter that is resolved.
        core : sequence of 5 slice
            Where it lies in the whole image, with all channels. The block must hold it with the
            halo of the parts, as far as the image goes.
        start, stop : int
            The parts are start…stop−1; see `Filter.apply_parts`.

        Returns
        -------
        ndarray
            A new array, of the bits that the whole image has there after these parts.
        """
        block, _ = self.around(self._needed(chosen, core, start, stop), (0,) * 5)
        if start >= stop:
            return block.values.copy()
        while start < stop:
            upto = block._parts_together(chosen, core, start, stop)
            needed = block._needed(chosen, core, upto, stop)
            done = block.with_values(block.filtered_parts(chosen, start, upto, needed))
            (block, _), start = done.around(needed, (0,) * 5), upto
        return block.values

    def _parts_together(
        self, chosen: BlockFilter, core: Sequence[slice], start: int, stop: int
    ) -> int:
        """Return up to which part it takes less time not to cut the block in between."""
        wanted = 0
        for upto in range(start + 1, stop + 1):
            needed, _ = with_halo(core, self._reach(chosen, upto - 1, stop), self.grid.shape)
            wanted += math.prod(part.stop - part.start for part in needed)
            if (upto - start) * self.values.size > WASTE * wanted:
                return max(upto - 1, start + 1)
        return stop

    def _needed(self, chosen: BlockFilter, core: Sequence[slice], start: int, stop: int) -> Core:
        """Return what the parts start…stop−1 need for a core, as a place in the block."""
        reach = self._reach(chosen, start, stop)
        needed, _ = with_halo(core, reach, self.grid.shape)
        ends = [o + n for o, n in zip(self.grid.origin, self.shape, strict=True)]
        for part, first, end in zip(needed, self.grid.origin, ends, strict=True):
            if part.start < first or part.stop > end:
                raise ValueError(
                    f"A block must hold {part.start} to {part.stop} along each axis for this core "
                    f"and its halo (got {first} to {end}): cut it with `Filter.part_halo` around."
                )
        return tuple(
            slice(part.start - first, part.stop - first)
            for part, first in zip(needed, self.grid.origin, strict=True)
        )

    def _reach(self, chosen: BlockFilter, start: int, stop: int) -> Sequence[int]:
        """Return how far parts reach, a whole axis where they reach everywhere."""
        halo, along = chosen.part_halo(self.grid, start, stop), self.grid.along_axes
        if halo is not None:
            return halo
        return [n if axis in along else 0 for axis, n in enumerate(self.grid.shape)]

    def _by_tiles(
        self,
        apply: Callable[[Block, Core | None], NDArray[Any]],
        halo: Shape | None,
        copies: int,
        core: Core | None = None,
    ) -> NDArray[Any]:
        """Filter tile by tile where the whole would take too much memory."""
        most = max(SMALL, MOST_COPIES * self.values.size) // copies
        if halo is None or self.values.size <= most:
            return apply(self, core)
        out = np.empty(self.shape, self.dtype)
        for tile in large_tiles(self.shape, halo, most):
            self.threads.poll()
            part, inner = self.around(tile, halo)
            out[tile] = apply(part, inner)[inner]
        return out

    def _kept_outside(self, after: NDArray[Any]) -> NDArray[Any]:
        if self.mask is not None:
            np.copyto(after, self.values, where=~self.mask)
        return after
