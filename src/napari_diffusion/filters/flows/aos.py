"""Additive operator splitting: the mean of implicit steps along each axis alone.

``u⁺ = (1/d) Σ_l (I − d τ A_l(u))⁻¹ u``, A_l being the diffusion along axis l. Each line of pixels
is a tridiagonal system; no step is too long for it to be stable, to keep the mean, or to keep the
range, but long ones favour the axes.

References
----------
Weickert, ter Haar Romeny and Viergever (1998), Efficient and reliable schemes for nonlinear
diffusion filtering.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.engine.jit import allocating_kernel, kernel
from napari_diffusion.filters.flows import face_conductances
from napari_diffusion.filters.flows.conductance_kernels import fill

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.engine.block import Block
    from napari_diffusion.engine.threads import Threads
    from napari_diffusion.filters.flows.equation import C, Equation

# Longest step in shortest spacings squared, for a conductance of 1: the axes show beyond it.
LONGEST = 5.0

# Coefficients are frozen in a step: at least so many steps, and so many for the root of the number
# of explicit sub-steps, whose errors are then alike.
FEWEST = 10
STEPS_PER_ROOT = 2.0

# Lines that are solved side by side: rows along x, and columns of x along the other axes.
ROWS = 16
COLUMNS = 128


def steps_of(explicit: float, squares: float) -> float:
    """Return how many implicit steps take a time that is known in two units.

    Parameters
    ----------
    explicit : float
        The time over the largest stable explicit sub-step.
    squares : float
        The time over the shortest spacing squared, times the largest conductance.
    """
    if explicit == 0:
        return 0
    return max(FEWEST, STEPS_PER_ROOT * math.sqrt(explicit), squares / LONGEST)


@allocating_kernel
def _solve(b, v):
    """Replace v by the change that (I − B)⁻¹ makes to it, along axis 0, side by side.

    b[i] couples the pixels i − 1 and i. What is kept of a pivot is the part that does not couple
    it upwards: so nothing is subtracted but neighbours, and a constant does not change at all.
    """
    n, width = v.shape
    one = v.dtype.type(1)
    upward = np.empty((n, width), v.dtype)
    below, change, rest = np.empty((3, width), v.dtype)
    fill(below, 0)
    fill(change, 0)
    fill(rest, 1)
    for i in range(n):
        here, above, low, high, up = v[i], v[min(i + 1, n - 1)], b[i], b[i + 1], upward[i]
        for j in range(width):
            flow = high[j] * (above[j] - here[j])
            inverse = one / (rest[j] + high[j])
            change[j] = ((flow - below[j]) + low[j] * change[j]) * inverse
            up[j] = high[j] * inverse
            rest[j] = one + rest[j] * up[j]
            below[j] = flow
            here[j] = change[j]
    for i in range(n - 2, -1, -1):
        here, above, up = v[i], v[i + 1], upward[i]
        for j in range(width):
            here[j] += up[j] * above[j]


@kernel
def _place(shape, axis, line, at):
    """Return (t, z, y, x) of pixel `at` of a line; `line` counts the other coordinates."""
    _, _, nz, ny, nx = shape
    x = at if axis == 4 else line % nx
    line = line if axis == 4 else line // nx
    y = at if axis == 3 else line % ny
    line = line if axis == 3 else line // ny
    z = at if axis == 2 else line % nz
    line = line if axis == 2 else line // nz
    return (at if axis == 0 else line), z, y, x


@allocating_kernel
def _add_rows(u, faces, out, beta, share, start, stop):
    """Add `share` times the implicit change along x to the site rows start…stop−1."""
    nc, n = u.shape[1], u.shape[4]
    groups = faces.shape[1]
    b = np.empty((n + 1, ROWS), u.dtype)
    v = np.empty((n, ROWS), u.dtype)
    fill(b[n], 0)
    for first in range(start, stop, ROWS):
        for c in range(nc):
            for j in range(ROWS):
                # Where rows are fewer, the last one is solved again.
                t, z, y, _ = _place(u.shape, 4, min(first + j, stop - 1), 0)
                row, g = u[t, c, z, y], faces[t, c * groups // nc, z, y]
                for i in range(n):
                    v[i, j] = row[i]
                    b[i, j] = beta * g[i]
            _solve(b, v)
            for j in range(min(ROWS, stop - first)):
                t, z, y, _ = _place(u.shape, 4, first + j, 0)
                row = out[t, c, z, y]
                for i in range(n):
                    row[i] += share * v[i, j]


@allocating_kernel
def _add_columns(u, faces, out, beta, share, axis, start, stop):
    """Add `share` times the implicit change along another axis to the blocks start…stop−1."""
    nc, nx, n = u.shape[1], u.shape[4], u.shape[axis]
    groups = faces.shape[1]
    blocks = (nx + COLUMNS - 1) // COLUMNS
    width = min(COLUMNS, nx)
    b = np.empty((n + 1, width), u.dtype)
    v = np.empty((n, width), u.dtype)
    fill(b[n], 0)
    for block in range(start, stop):
        # The last block reaches back over the one before, of which it writes nothing.
        wanted = block % blocks * COLUMNS
        x = min(wanted, nx - width)
        for c in range(nc):
            for i in range(n):
                t, z, y, _ = _place(u.shape, axis, block // blocks * nx, i)
                row = u[t, c, z, y, x : x + width]
                g = faces[t, c * groups // nc, z, y, x : x + width]
                for j in range(width):
                    v[i, j] = row[j]
                    b[i, j] = beta * g[j]
            _solve(b, v)
            for i in range(n):
                t, z, y, _ = _place(u.shape, axis, block // blocks * nx, i)
                row = out[t, c, z, y, x : x + width]
                for j in range(wanted - x, width):
                    row[j] += share * v[i, j]


def integrated(equation: Equation[C], block: Block, start: int, stop: int) -> NDArray[Any]:
    """Return the block diffused for the equation's time in implicit steps; see `Filter.apply`.

    They are one part, for the result is limited to the range before them.
    """
    del start, stop
    axes = tuple(axis for axis in block.grid.along_axes if block.shape[axis] > 1)
    if not axes:
        return block.values.copy()
    count = equation.sub_steps(block.grid)
    rooms = face_conductances.empty(block.values, axes, block.grid.joint_channels)
    weights = equation.weights(equation.time / count, block.grid, block.dtype)
    buffers = [np.empty_like(block.values) for _ in range(min(count, 2))]
    u = block.values
    for step in range(count):
        out = buffers[step % 2]
        faces = face_conductances.written(equation, block.with_values(u), rooms)
        np.copyto(out, u)
        for axis in axes:
            beta = len(axes) * weights[5] * weights[axis]
            _add_changes(u, faces[axis], out, beta, 1 / len(axes), axis, block.threads)
        u = out
    _clip(u, block.values, block.mask, block.grid.along_axes)
    return u


def _add_changes(
    u: NDArray[Any],
    faces: NDArray[Any],
    out: NDArray[Any],
    beta: float,
    share: float,
    axis: int,
    threads: Threads,
) -> None:
    """Add `share` times the change of an implicit step along one axis."""
    t, c, z, y, x = u.shape
    fixed = (u, faces, out, u.dtype.type(beta), u.dtype.type(share))
    if axis == 4:
        threads.each(lambda a, b: _add_rows(*fixed, a, b), threads.bands(t * z * y, c * x))
        return
    blocks = u.size // (c * x * u.shape[axis]) * -(-x // COLUMNS)
    threads.each(
        lambda a, b: _add_columns(*fixed, axis, a, b),
        threads.bands(blocks, c * u.shape[axis] * min(x, COLUMNS)),
    )


def _clip(
    u: NDArray[Any], before: NDArray[Any], mask: NDArray[np.bool_] | None, axes: tuple[int, ...]
) -> None:
    """Clip to the range of each image and channel before: what leaves it is round-off."""
    limits = np.finfo(u.dtype)
    where: Any = True if mask is None else mask
    low = before.min(axis=axes, keepdims=True, initial=limits.max, where=where)
    high = before.max(axis=axes, keepdims=True, initial=limits.min, where=where)
    np.clip(u, low, np.maximum(low, high), out=u)
