"""Runs a kernel of random numbers over a block, band by band."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from napari_diffusion.core.address import Address
    from napari_diffusion.engine.block import Block


def made_by(
    kernel: Callable[..., None],
    block: Block,
    per_channel: Sequence[tuple[Any, ...]],
    address: Address,
) -> NDArray[Any]:
    """Return what a kernel makes of a block, as a new array.

    Parameters
    ----------
    kernel : callable
        ``kernel(image, out, *arguments, keys, z, y0, x0, plane, start, stop)`` writes the rows from
        `start` to `stop` of one plane of `out`; see `normal.add_normal`.
    per_channel : sequence of tuple
        The arguments of the kernel, for each channel.
    """
    from napari_diffusion.noise.sampling import random_numbers

    out = np.empty_like(block.values)
    _, channels, depth, height, width = block.shape
    keys, z = random_numbers.addresses(
        block.shape, block.grid.origin, address.seed, address.step, address.stream
    )
    image3, out3 = (each.reshape(-1, height, width) for each in (block.values, out))
    y0, x0 = int(block.grid.origin[3]), int(block.grid.origin[4])

    def work(plane: int, start: int, stop: int) -> None:
        arguments = per_channel[plane // depth % channels]
        kernel(image3, out3, *arguments, keys, z, y0, x0, plane, start, stop)

    bands = block.threads.bands(height, width)
    block.threads.each(work, [(plane, *band) for plane in range(len(image3)) for band in bands])
    return out
