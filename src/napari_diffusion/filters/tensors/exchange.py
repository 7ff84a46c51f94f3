"""Compiled exchange between pixels, along the stencils of their tensors.

A pixel x with weights w and offsets e gives to each of x ± e the part w of their difference and
takes it from itself: the gradient flow of the energy ½ Σ_x Σ_e w (u(x ± e) − u(x))². So the mean is
kept and every coefficient is positive. Nothing goes to neighbours beyond the border or outside the
mask.

What the coefficients of a pixel add up to is its *load*: those of its own stencil and those that
its neighbours' stencils bring. Its own are bounded by the trace of its tensor, but any number of
neighbours may point at one pixel, as at the centre of a star. Where the load is above FULL_LOAD,
the coefficients of both ends are made smaller in proportion, by the same factor from both sides, so
that no value can leave the range, whatever the image.

Images stand here as (T, C, Z, Y, X), the axes of the tensors being the last two or three, and T
one that diffuses by itself, or else a batch. Changes are added up in double precision, loads in
whole numbers. Contributions are added in the order of their sources, whatever the cut into bands:
results are equal to the bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.engine.jit import exact_inner_kernel, exact_kernel
from napari_diffusion.filters.tensors.exchange_sites import exchange_free, exchange_one
from napari_diffusion.filters.tensors.stencil import SCRATCH, TOGETHER, planar_chunk, solid_chunk

if TYPE_CHECKING:
    from numpy.typing import NDArray


@exact_inner_kernel
def _exchange_chunk(
    u, changes, loads, inside, wanted, shape, geometry, channels, row, x0, size, terms, out, way,
    alone, targets, weigh, limited,
):  # fmt: skip
    """Exchange for a chunk of a site row whose stencils are known."""
    _, nc, nz, ny, nx = shape
    y, z, t = row % ny, row // ny % nz, row // (ny * nz)
    mine = targets[0] <= row < targets[1] and wanted[row]
    d0, d1, d2 = out[3 * terms], out[3 * terms + 1], out[3 * terms + 2]
    far0, far1, far2, far3 = 0.0, 0.0, 0.0, 1 if terms == 7 else 0
    for x in range(size):
        far0, far1, far2 = max(far0, d0[x]), max(far1, d1[x]), max(far2, d2[x])
    rows_z, rows_t = geometry[2, 0], far3 * geometry[2, 3]
    span = int(far0) * rows_z + int(far1) + rows_t
    if not mine and (row + span < targets[0] or row - span >= targets[1]):
        return
    # Where all neighbours are there and are to be written nothing has to be asked.
    simple = not limited and inside.size == 1 and mine and far0 <= geometry[3, 0]
    simple = simple and far1 <= geometry[3, 1] and far2 <= geometry[3, 2]
    simple = simple and far3 <= t < geometry[0, 3] - far3
    # How far the neighbours of a pixel may be along each axis, and in rows.
    most0, most1 = min(z, nz - 1 - z), min(y, ny - 1 - y)
    rows = min(row - targets[0], targets[1] - 1 - row) - rows_t
    free = simple and span - rows_t <= rows and far0 <= most0 and far1 <= most1
    free = free and far2 <= min(x0, nx - x0 - size)
    for x in range(size):
        within = d2[x] <= min(x0 + x, nx - 1 - x0 - x)
        within &= (d0[x] <= most0) & (d1[x] <= most1) & (d0[x] * rows_z + d1[x] <= rows)
        alone[x] = free or (simple and within)
    for c in range(channels[0], channels[1]):
        start, x = (((t * nc + c) * nz + z) * ny + y) * nx + x0, size - size
        while x < size:
            first = x
            while x < size and alone[x]:
                x += 1
            if x > first:
                exchange_free(u, changes, loads, start, out, terms, first, x, weigh)
            if x < size:
                at = (z, y, x0 + x, t)
                exchange_one(
                    u, changes, loads, inside, wanted, geometry, at, start + x, out, x, terms, way,
                    row, mine, targets, weigh, limited,
                )  # fmt: skip
                x += 1


@exact_kernel
def exchange_planar(
    u, changes, loads, inside, wanted, shape, geometry, channels, tensors, group, rows, scale,
    targets, weigh, limited, scratch, out, way, alone,
):  # fmt: skip
    """Exchange for the pixels of some site rows with their neighbours, in planes.

    Parameters
    ----------
    u : (T·C·Z·Y·X,) float32 or float64
        The state.
    changes : (T·C·Z·Y·X,) float64
    loads : (T·C·Z·Y·X,) int32
    inside : (T·C·Z·Y·X,) bool
        The mask, or a single True.
    wanted : (site rows,) bool
        Which of the targets are written where loads are respected; else all are.
    shape : (T, C, Z, Y, X)
        Shape of the image.
    geometry : (4, 4) int64
        For the axes z, y, x and t: how many pixels there are, how many pixels and how many site
        rows away neighbours are, and how far offsets may reach.
    channels : (first, stop)
        The channels that these tensors are for.
    tensors : (components, G, site rows, X)
    group : int
    rows : (n,) int64
        Site rows of the sources, ascending.
    scale : (components,) float64
        What the components are multiplied by.
    targets : (start, stop)
        The range of site rows that are written.
    weigh, limited : bool
        Whether to add loads up, and whether to respect those that stand.
    scratch, out, way, alone : arrays
        See `rooms`.
    """
    for n in range(rows.size):
        for x0 in range(0, shape[4], TOGETHER):
            size = min(TOGETHER, shape[4] - x0)
            planar_chunk(tensors, group, rows[n], x0, size, scale, geometry[1], 3, scratch, out)
            _exchange_chunk(
                u, changes, loads, inside, wanted, shape, geometry, channels, rows[n], x0, size, 3,
                out, way, alone, targets, weigh, limited,
            )  # fmt: skip


@exact_kernel
def exchange_solid(
    u, changes, loads, inside, wanted, shape, geometry, channels, tensors, group, rows, scale,
    targets, weigh, limited, scratch, out, way, alone,
):  # fmt: skip
    """Exchange as `exchange_planar` does, in space; a seventh component is that of t by itself."""
    terms = tensors.shape[0]
    for n in range(rows.size):
        for x0 in range(0, shape[4], TOGETHER):
            size = min(TOGETHER, shape[4] - x0)
            solid_chunk(tensors, group, rows[n], x0, size, scale, geometry[1], terms, scratch, out)
            if terms == 7:
                for x in range(size):
                    out[6, x] = tensors[6, group, rows[n], x0 + x] * scale[6]
                    out[13, x], out[20, x] = 0.0, geometry[1, 3]
            _exchange_chunk(
                u, changes, loads, inside, wanted, shape, geometry, channels, rows[n], x0, size,
                terms, out, way, alone, targets, weigh, limited,
            )  # fmt: skip


def rooms(terms: int) -> tuple[NDArray[Any], ...]:
    """Return what an exchange along so many terms writes on the way, for one thread."""
    out = np.zeros((3 * terms + 3, TOGETHER))
    return np.empty((SCRATCH, TOGETHER)), out, np.zeros(4, np.int64), np.zeros(TOGETHER, np.bool_)


@exact_kernel
def clear_rows(changes, wanted, shape, targets):
    """Set the changes of the wanted site rows to 0, and leave their loads."""
    _, nc, nz, ny, nx = shape
    for site in range(targets[0], targets[1]):
        if wanted[site]:
            t, rest = site // (nz * ny), site % (nz * ny)
            for c in range(nc):
                start = ((t * nc + c) * nz * ny + rest) * nx
                for i in range(start, start + nx):
                    changes[i] = 0.0


@exact_kernel
def settle_rows(u, changes, shape, targets):
    """Add the changes to the values of some site rows, and set them to 0 for the next ones.

    In flat parts sums lie halfway between two float32 again and again, where the last bit of a
    double, which depends on the order of the sum, would choose between them. It is rounded off.
    """
    _, nc, nz, ny, nx = shape
    rounder = 2.0**13 + 1 if u.itemsize == 4 else 0.0
    for site in range(targets[0], targets[1]):
        t, rest = site // (nz * ny), site % (nz * ny)
        for c in range(nc):
            start = ((t * nc + c) * nz * ny + rest) * nx
            row, change = u[start : start + nx], changes[start : start + nx]
            for i in range(nx):
                after = np.float64(row[i]) + change[i]
                large = rounder * after
                row[i] = large - (large - after) if rounder > 0 else after
                change[i] = 0.0
