"""Fast semi-iterative cycles: explicit sub-steps, each taken further along the last change.

A cycle of n sub-steps of length τ covers the time τ (n² + n) / 3 where n plain ones cover n τ. The
coefficients are frozen in a cycle, in which single sub-steps may leave the range of the picture.

References
----------
Hafner, Ochs, Weickert, Reinhold and Grewenig (2016), FSI schemes: fast semi-iterative solvers for
PDEs and optimisation methods.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.drive import Drive
    from napari_diffusion.filters._flow import Flow
    from napari_diffusion.grid import Grid

# A picture changes while its coefficients are frozen: at least so many cycles a step, …
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


def integrated(
    flow: Flow, block: NDArray[Any], grid: Grid, mask: NDArray[np.bool_] | None, drive: Drive
) -> NDArray[Any]:
    """Return the block diffused for the flow's time in cycles; see `Filter.apply`."""
    from napari_diffusion.filters._flow import SAFETY

    cycles, length = cycles_of(flow.time / (SAFETY * flow.bound(grid)))
    tau = 3 * flow.time / (cycles * (length**2 + length))
    weights = flow.weights(tau, grid, block.dtype)
    buffers = [np.empty_like(block) for _ in range(min(cycles * length, 4))]
    start = block
    for _ in range(cycles):
        coefficients = flow.prepare(start, grid, mask, drive)
        before, u = start, start
        for k in range(length):
            # What is read: the start by the coefficients, the last two states by the sub-step.
            out = next(b for b in buffers if not any(b is used for used in (start, before, u)))
            flow.advanced(u, out, coefficients, weights, drive)
            _extrapolate(out, before, (4 * k + 2) / (2 * k + 3), drive)
            before, u = u, out
        start = u
    return start


def _extrapolate(u: NDArray[Any], before: NDArray[Any], alpha: float, drive: Drive) -> None:
    """Replace u by before + alpha · (u − before)."""
    rows, past = u.reshape(-1, u.shape[4]), before.reshape(-1, u.shape[4])
    factor = u.dtype.type(alpha)

    def work(a: int, b: int) -> None:
        # In differences a constant stays as it is.
        part = rows[a:b]
        part -= past[a:b]
        part *= factor
        part += past[a:b]

    drive.each(work, drive.bands(*rows.shape))
