"""Fast semi-iterative cycles: explicit sub-steps, each taken further along the last change.

A cycle of n sub-steps of length τ covers the time τ (n² + n) / 3 where n plain ones cover n τ. The
coefficients are frozen in a cycle, in which single sub-steps may leave the range of the image.

References
----------
Hafner, Ochs, Weickert, Reißel and Grewenig (2016), FSI schemes: fast semi-iterative solvers for
PDEs and optimisation methods.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.filters.flows import face_conductances, wavefront
from napari_diffusion.filters.flows.equation import SAFETY, lag_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.engine.block import Block
    from napari_diffusion.filters.flows.equation import C, Equation
    from napari_diffusion.filters.flows.face_conductances import Faces
    from napari_diffusion.filters.flows.wavefront import Step

# An image changes while its coefficients are frozen: at least so many cycles a step, …
FEWEST_CYCLES = 5

# … and so many for the root of the number of explicit sub-steps, whose errors are then alike.
CYCLES_PER_ROOT = 0.5


def cycles_of(explicit: float) -> tuple[int, int]:
    """Return how many cycles, and sub-steps in each, take the time of so many explicit sub-steps.

    Parameters
    ----------
    explicit : float
        The time to cover over the largest stable sub-step.
    """
    explicit = min(explicit, 1e30) * (1 - 1e-12)
    cycles = max(FEWEST_CYCLES, math.ceil(CYCLES_PER_ROOT * math.sqrt(explicit)))
    length = math.ceil(math.sqrt(0.25 + 3 * explicit / cycles) - 0.5)
    return cycles, length


def integrated(equation: Equation[C], block: Block, start: int, stop: int) -> NDArray[Any]:
    """Return a block after some of the cycles; see `Filter.apply_parts`."""
    cycles, length = cycles_of(equation.time / (SAFETY * equation.bound(block.grid)))
    tau = 3 * equation.time / (cycles * (length**2 + length))
    weights = equation.weights(tau, block.grid, block.dtype)
    states = block.values.copy(), np.empty_like(block.values)
    rooms = face_conductances.empty(block.values, block.grid.along_axes, block.grid.joint_channels)
    in_waves = functools.partial(
        wavefront.in_waves,
        shape=block.shape,
        sample_bytes=(2 + len(rooms)) * block.values.itemsize,
        lag=lag_of(block.shape, block.grid),
        threads=block.threads,
    )
    steps: list[Step] = []
    for cycle in range(stop - start):
        u, other = states[cycle * length % 2], states[(cycle * length + 1) % 2]
        if equation.own_guide and block.mask is None:
            # The conductances run ahead of the sub-steps in one wave.
            coefficients = equation.prepare(block.with_values(u))
            steps.append(functools.partial(_write, equation, coefficients, rooms))
            steps += _sub_steps(u, other, rooms, weights, length)
        else:
            faces = face_conductances.written(equation, block.with_values(u), rooms)
            in_waves(_sub_steps(u, other, faces, weights, length))
    if steps:
        in_waves(steps)
    return states[(stop - start) * length % 2]


def _write(equation: Equation[C], coefficients: C, faces: Faces, start: int, stop: int) -> None:
    equation.write_faces(coefficients, faces, (start, stop))


def _sub_steps(
    u: NDArray[Any], other: NDArray[Any], faces: Faces, weights: NDArray[Any], length: int
) -> list[Step]:
    """Return the sub-steps of a cycle, from u to the other array and back again."""
    from napari_diffusion.filters.flows import cached_conductance

    # An axis along which nothing flows has no faces, or some array in their place.
    some = np.zeros_like(u) if not {3, 4} <= faces.keys() else next(iter(faces.values()))
    arrays = [faces.get(axis, some) for axis in (4, 3, 2, 0)]

    def step(k: int) -> Step:
        alpha = u.dtype.type((4 * k + 2) / (2 * k + 3))
        pair = (u, other) if k % 2 == 0 else (other, u)
        return lambda a, b: cached_conductance.advance_stored(
            *pair, *arrays, weights, alpha, k == 0, a, b
        )

    return [step(k) for k in range(length)]
