"""A block: values, their place in the image, the mask, and the threads that share the work."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from napari_diffusion.core.grid import per_axis
from napari_diffusion.core.noise_scale import per_channel
from napari_diffusion.engine.threads import Threads
from napari_diffusion.engine.tiles import large_tiles, with_halo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_diffusion.core.address import Address
    from napari_diffusion.core.grid import Grid, Shape
    from napari_diffusion.core.noise_scale import NoiseScale, Scales

# How many times the size of the image a filter may hold at once, and what it may anyway.
MOST_COPIES = 9
SMALL = 8 << 20


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
            return self._kept_outside(self._by_parts(chosen))
        key = (chosen, id(self.values))
        if key not in self.memory:
            # With the values themselves, so that no others get their id.
            self.memory[key] = (self.values, self._kept_outside(chosen.apply(self)))
        return self.memory[key][1]

    def _by_parts(self, chosen: BlockFilter) -> NDArray[Any]:
        """Filter part by part where the whole would take too much memory."""
        halo = chosen.halo(self.grid)
        most = max(SMALL, MOST_COPIES * self.values.size) // chosen.copies
        if halo is None or self.values.size <= most:
            return chosen.apply(self)
        out = np.empty(self.shape, self.dtype)
        for core in large_tiles(self.shape, halo, most):
            self.threads.poll()
            part, inner = self.around(core, halo)
            out[core] = chosen.apply(part)[inner]
        return out

    def _kept_outside(self, after: NDArray[Any]) -> NDArray[Any]:
        if self.mask is not None:
            np.copyto(after, self.values, where=~self.mask)
        return after
