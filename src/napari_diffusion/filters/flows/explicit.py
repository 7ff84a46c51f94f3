"""Explicit sub-steps: no value leaves the range of its neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.filters.flows import wavefront
from napari_diffusion.filters.flows.equation import lag_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.engine.block import Block
    from napari_diffusion.filters.flows.equation import C, Equation


def in_waves(equation: Equation[Any], block: Block, start: int, stop: int) -> NDArray[Any]:
    """Return a block after some of the sub-steps, taken in waves: the state is its own guide."""
    count, (_, *others) = equation.sub_steps(block.grid), equation.prepare(block)
    weights = equation.weights(equation.time / count, block.grid, block.dtype)
    return wavefront.advanced(
        lambda u, out, a, b: equation.advance(u, out, (u, *others), weights, (a, b)),
        block.values,
        stop - start,
        lag_of(block.shape, block.grid),
        block.threads,
    )


def one_by_one(equation: Equation[C], block: Block, start: int, stop: int) -> NDArray[Any]:
    """Return a block after some of the sub-steps, each taken when the one before is whole."""
    count = equation.sub_steps(block.grid)
    weights = equation.weights(equation.time / count, block.grid, block.dtype)
    buffers = [np.empty_like(block.values) for _ in range(min(stop - start, 2))]
    u = block.values
    for sub_step in range(start, stop):
        out = buffers[(sub_step - start) % 2]
        coefficients = equation.at(sub_step, block.grid).prepare(block.with_values(u))
        equation.advanced(u, out, coefficients, weights, block.threads)
        u = out
    return u
