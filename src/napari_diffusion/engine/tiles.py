"""Cuts a block into tiles: where they lie, and what they need around them."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_diffusion.core.image import Image


def with_halo(
    core: Sequence[slice], halo: Sequence[int], shape: Sequence[int]
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Return the slices of a core with its halo, and of the core inside that padded block."""
    padded = tuple(
        slice(max(part.start - reach, 0), min(part.stop + reach, size))
        for part, reach, size in zip(core, halo, shape, strict=True)
    )
    inner = tuple(
        slice(part.start - outer.start, part.stop - outer.start)
        for part, outer in zip(core, padded, strict=True)
    )
    return padded, inner


def window_of(
    image: Image, region: tuple[slice, ...] | None, reach: Sequence[int]
) -> tuple[Image, Image, tuple[slice, ...]]:
    """Return what to compute for a region, the region itself, and where that lies in the other.

    Without a region all of the image is asked for.
    """
    if region is None:
        return image, image, tuple(slice(0, size) for size in image.grid.shape)
    core = image.grid.canonical_slices(region)
    outer, inner = with_halo(core, reach, image.grid.shape)
    return image.cut(outer), image.cut(core), inner


def large_tiles(
    shape: Sequence[int], halo: Sequence[int], most: int
) -> Iterator[tuple[slice, ...]]:
    """Cut a canonical shape, but not its channels, into cores of `most` pixels with their halo.

    The axis that is cut is the one where the least is done twice; a core stays as thick as its
    halo.
    """
    counts = tile_counts(shape, halo, most)
    edges = [[n * i // count for i in range(count + 1)]
             for n, count in zip(shape, counts, strict=True)]  # fmt: skip
    yield from itertools.product(
        *([slice(a, b) for a, b in itertools.pairwise(each)] for each in edges)
    )


def tile_counts(shape: Sequence[int], halo: Sequence[int], most: int) -> list[int]:
    """Return into how many tiles each axis is cut for tiles of `most` pixels with their halo.

    They are larger where a tile would be thinner than its halo.
    """
    counts = [1] * len(shape)

    def padded(axis: int, count: int) -> int:
        return padded_length(shape[axis], count, halo[axis])

    def work(axis: int) -> float:
        more = (counts[axis] + 1) * padded(axis, counts[axis] + 1)
        return more / (counts[axis] * padded(axis, counts[axis]))

    while math.prod(padded(axis, count) for axis, count in enumerate(counts)) > most:
        cut = [
            axis
            for axis in (0, 2, 3, 4)
            if shape[axis] // (counts[axis] + 1) > halo[axis]
            and padded(axis, counts[axis] + 1) < padded(axis, counts[axis])
        ]
        if not cut:
            break
        counts[min(cut, key=work)] += 1
    return counts


def padded_length(size: int, count: int, halo: int) -> int:
    """Return how long the tiles of an axis that is cut into `count` are with their halo."""
    return min(math.ceil(size / count) + min(count - 1, 2) * halo, size)


def tiles(shape: Sequence[int], halo: Sequence[int], voxels: int) -> Iterator[tuple[slice, ...]]:
    """Cut a canonical shape into cores: whole rows, single batch images, bands of y or z."""
    t, c, z, y, x = shape
    # Bands at least as thick as twice the halo keep the work done twice below one half.
    band_y = min(y, max(4 * halo[3], voxels // max(x, 1), 1))
    band_z = min(z, max(4 * halo[2], voxels // max(band_y * x, 1), 1))
    thick_t = 1 if halo[0] == 0 else t
    for t0 in range(0, t, thick_t):
        for c0 in range(c):
            for z0 in range(0, z, band_z):
                for y0 in range(0, y, band_y):
                    yield (
                        slice(t0, min(t0 + thick_t, t)),
                        slice(c0, c0 + 1),
                        slice(z0, min(z0 + band_z, z)),
                        slice(y0, min(y0 + band_y, y)),
                        slice(0, x),
                    )
