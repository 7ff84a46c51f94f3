"""Parts of an image that numbers are fitted on, spread over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.engine.block import Block
from napari_diffusion.engine.tiles import with_halo

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_diffusion.core.image import Image


def tiles(
    image: Image, halo: Sequence[int], samples: int, count: int
) -> Iterator[tuple[Block, tuple[slice, ...]]]:
    """Yield up to `count` boxes with about so many pixels together: all of a small image.

    Each is a block of all channels with what lies around the box, and where the box lies in it.
    """
    shape, grid = image.data.shape, image.grid
    for core in _cores(shape, grid.along_axes, samples, count):
        outer, inner = with_halo(core, halo, shape)
        origin = [part.start + o for part, o in zip(outer, grid.origin, strict=True)]
        yield Block(np.ascontiguousarray(image.data[outer]), grid.at(origin)), inner


def _cores(
    shape: tuple[int, ...], axes: tuple[int, ...], samples: int, count: int
) -> Iterator[tuple[slice, ...]]:
    batch = [axis for axis in (0, 2, 3, 4) if axis not in axes]
    images = int(np.prod([shape[axis] for axis in batch]))
    taken = min(images, count)
    whole = int(np.prod([shape[axis] for axis in axes])) <= samples // taken
    parts = 1 if whole else max(count // taken, 1)
    size = {axis: shape[axis] for axis in axes}
    if not whole:
        left = samples // taken // parts
        for rank, axis in enumerate(sorted(axes, key=lambda a: shape[a])):
            # What a short axis does not use is left to the longer ones.
            size[axis] = min(shape[axis], max(round(left ** (1 / (len(axes) - rank))), 1))
            left = max(left // size[axis], 1)
    for index in range(taken):
        at = np.unravel_index((2 * index + 1) * images // (2 * taken), [shape[a] for a in batch])
        for part in range(parts):
            core = [slice(0, n) for n in shape]
            for axis, i in zip(batch, at, strict=True):
                core[axis] = slice(int(i), int(i) + 1)
            for turn, axis in enumerate(reversed(axes)):
                # Places at a quarter and at three quarters of each axis in turn.
                share = (2 * (part >> turn & 1) + 1) / 4 if parts > 1 else 0.5
                start = round(share * (shape[axis] - size[axis]))
                core[axis] = slice(start, start + size[axis])
            yield tuple(core)
