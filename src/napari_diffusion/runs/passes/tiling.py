"""Tiles of an image: each is read with its halo, and written as one file."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_diffusion.core.grid import per_axis
from napari_diffusion.engine.tiles import tile_counts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_diffusion.core.grid import Shape

# What is read of a file at once: small, so that a halo costs little, and wide enough for a disk.
_CHUNK_PIXELS = 1 << 19

# Thinner chunks are too many.
_THINNEST = 16


@dataclass(frozen=True)
class Tiling:
    """A regular grid of tiles over an image.

    Attributes
    ----------
    shape : tuple of 5 int
        Of the image, in canonical order.
    tile : tuple of 5 int
        Of a tile; those at the end of an axis are smaller.
    chunk : tuple of 5 int
        Of what is read and decoded at once; a whole number of them make a tile.
    """

    shape: Shape
    tile: Shape
    chunk: Shape

    @classmethod
    def of(cls, shape: Shape, halo: Sequence[int], most: int) -> Tiling:
        """Return tiles of at most so many pixels with their halo, the least of it done twice.

        They are larger where a tile would be thinner than its halo.
        """
        counts = tile_counts(shape, halo, most)
        tile = [math.ceil(n / count) for n, count in zip(shape, counts, strict=True)]
        pieces = [1] * 5
        while math.prod(map(_part, tile, pieces)) > _CHUNK_PIXELS:
            thick = [a for a in (0, 2, 3, 4) if _part(tile[a], pieces[a]) > _THINNEST]
            # What is cut into tiles is cut into chunks first: only there halos are read.
            cut = [a for a in thick if counts[a] > 1] or thick
            if not cut:
                break
            pieces[max(cut, key=lambda a: _part(tile[a], pieces[a]))] *= 2
        chunk = per_axis(map(_part, tile, pieces))
        return cls(shape, per_axis(c * n for c, n in zip(chunk, pieces, strict=True)), chunk)

    @property
    def counts(self) -> tuple[int, ...]:
        """How many tiles there are along each axis."""
        return tuple(math.ceil(n / size) for n, size in zip(self.shape, self.tile, strict=True))

    @property
    def count(self) -> int:
        """How many tiles there are."""
        return math.prod(self.counts)

    def cores(self) -> Iterator[tuple[slice, ...]]:
        """Yield where each tile lies, without its halo."""
        for place in itertools.product(*map(range, self.counts)):
            yield tuple(
                slice(i * size, min((i + 1) * size, n))
                for i, size, n in zip(place, self.tile, self.shape, strict=True)
            )

    def padded(self, halo: Sequence[int]) -> int:
        """Return how many pixels the largest tile has with its halo."""
        return math.prod(
            min(size + min(count - 1, 2) * reach, n)
            for size, count, reach, n in zip(self.tile, self.counts, halo, self.shape, strict=True)
        )

    def redundancy(self, halo: Sequence[int]) -> float:
        """Return how many pixels are read for each that is written."""
        read = 1.0
        for size, reach, n in zip(self.tile, halo, self.shape, strict=True):
            starts = range(0, n, size)
            read *= sum(min(a + size + reach, n) - max(a - reach, 0) for a in starts) / n
        return read


def _part(size: int, pieces: int) -> int:
    return math.ceil(size / pieces)
