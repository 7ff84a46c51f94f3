"""Hands the independent images of a block, one by one, to a function of a library."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_diffusion.engine.block import Block

# A strength as many times above or below the largest value, as a power of two, does no more or
# no less than one at that limit, and squares of their ratio stay far from overflow.
FARTHEST = 40


def each_image(
    function: Callable[[NDArray[Any]], NDArray[Any]], block: Block, *, joint: bool
) -> NDArray[Any]:
    """Apply a function to every independent image of a block, shared among the threads.

    Parameters
    ----------
    function : callable
        Gets the axes that diffuse, in canonical order, and then the channels; axes of a single
        pixel are left out, for there is nothing to mix with. Returns an array of that shape.
    block : Block
        Its grid says which axes diffuse.
    joint : bool
        Whether the channels go together; else each is an image with one channel.
    """
    out, axes, threads = np.empty(block.shape, block.dtype), block.grid.along_axes, block.threads
    batch = [i for i in range(5) if i not in axes and not (joint and i == 1)]
    along = [block.shape[i] for i in axes if block.shape[i] > 1] or [1]

    def work(index: tuple[int, ...]) -> None:
        place = [slice(None)] * 5
        for axis, i in zip(batch, index, strict=True):
            place[axis] = slice(i, i + 1)
        part = np.moveaxis(block.values[tuple(place)], 1, -1)
        image = np.ascontiguousarray(part).reshape(*along, part.shape[-1])
        out[tuple(place)] = np.moveaxis(function(image).reshape(part.shape), -1, 1)

    threads.each(work, [(index,) for index in np.ndindex(*(block.shape[i] for i in batch))])
    return out


def exponent_of(strength: float, values: NDArray[Any]) -> tuple[int, float]:
    """Return k and strength / 2ᵏ, which is from 1 to 2, for values that are then divided by 2ᵏ.

    Divided by a power of two an image keeps every digit, so what a library makes of it is the
    same up to that factor; but thresholds that a library sets at absolute numbers then mean the
    same for every unit of intensity.
    """
    largest = float(max(values.max(), -values.min()))
    if not largest:
        return 0, 1.0
    # A product becomes infinite where a power would raise.
    strength = min(max(strength, largest * 2.0**-FARTHEST), largest * 2.0**FARTHEST)
    fraction, exponent = math.frexp(strength)
    return exponent - 1, 2 * fraction
