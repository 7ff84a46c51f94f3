"""Compiled exchange between samples, along the stencils of their tensors.

A sample x with weights w and offsets e gives to each of x ± e the part w of their difference and
takes it from itself: the gradient flow of the energy ½ Σ_x Σ_e w (u(x ± e) − u(x))². So the mean is
kept and every coefficient is positive. Nothing goes to neighbours beyond the border or outside the
mask.

What the coefficients of a sample add up to is its *load*: those of its own stencil and those that
its neighbours' stencils bring. Its own are bounded by the trace of its tensor, but any number of
neighbours may point at one sample, as at the centre of a star. Where the load is above FULL_LOAD,
the coefficients of both ends are made smaller in proportion, by the same factor from both sides, so
that no value can leave the range, whatever the picture.

Pictures stand here as (T, C, Z, Y, X), the axes of the tensors being the last two or three, and T
one that diffuses by itself, or else a batch. What is added up for a sample stands side by side, the
change and the load, in double precision: one line of the cache for both. Contributions are added in
the order of their sources, whatever the cut into bands: results are equal to the bit.
"""

from __future__ import annotations

import numpy as np

from napari_diffusion.compiled import exact_inline_kernel, exact_kernel
from napari_diffusion.filters._stencil import (
    BASE,
    SCRATCH,
    TOGETHER,
    planar_chunk,
    solid_chunk,
)

# Loads are whole numbers of this small part of 1, so that the order of a sum cannot matter.
LOAD_UNIT = 2.0**-24

# A little less than 1, so that round-off does no harm.
FULL_LOAD = float(int(0.999 / LOAD_UNIT))


@exact_kernel
def _is_clear(inside, i, way, strides):
    """Say whether the way from sample i to its neighbour lies inside the mask.

    All samples beside the way count, at each half step along its longest axis: what is closed to
    steps from face to face is closed to offsets too.
    """
    longest = 0
    for axis in range(4):
        longest = max(longest, abs(way[axis]))
    for half in range(1, 2 * longest + 1):
        for corner in range(16):
            to = i
            for axis in range(4):
                done = way[axis] * half
                low, high = done // (2 * longest), -(-done // (2 * longest))
                to += (high if (corner >> axis) & 1 else low) * strides[axis]
            if not inside[to]:
                return False
    return True


@exact_kernel
def _exchange_one(u, sums, inside, wanted, geometry, at, i, out, x, way, more):
    """Exchange of one sample near a border, a mask or a limit; return its gain and its own load.

    `way` is scratch, `more` = (terms, row, mine, weigh, limited, first target, stop).
    """
    terms, row, mine, weigh, limited, first, stop = more
    z, y, column, t = at
    nz, ny, nx, nt = geometry[0]
    far0, far1, far2, far3 = geometry[3]
    value, masked = np.float64(u[i]), inside.size > 1
    gain, load = 0.0, 0.0
    if masked and not inside[i]:
        return gain, load
    for k in range(terms):
        weight = out[k, x]
        if weight == 0:
            continue
        rest, part = out[terms + k, x], np.ceil(weight / LOAD_UNIT)
        f0 = np.floor(rest / BASE / BASE + 0.5)
        rest -= BASE * BASE * f0
        f1 = np.floor(rest / BASE + 0.5)
        e0, e1, e2, e3 = int(f0), int(f1), int(rest - BASE * f1), 1 if k == 6 else 0
        if (abs(e0) > far0) | (abs(e1) > far1) | (abs(e2) > far2) | (e3 > far3):
            continue
        away = int(out[2 * terms + k, x])
        rows_away = e0 * geometry[2, 0] + e1 + e3 * geometry[2, 3]
        both = 0.0
        for _ in range(2):
            e0, e1, e2, e3, away, rows_away = -e0, -e1, -e2, -e3, -away, -rows_away
            reached = (z + e0 >= 0) & (z + e0 < nz) & (y + e1 >= 0) & (y + e1 < ny)
            reached &= (column + e2 >= 0) & (column + e2 < nx) & (t + e3 >= 0) & (t + e3 < nt)
            if not reached:
                continue
            written = (first <= row + rows_away) & (row + rows_away < stop)
            written = written and wanted[row + rows_away]
            if not (written or mine):
                continue
            to = i + away
            if masked:
                way[0], way[1], way[2], way[3] = e0, e1, e2, e3
                if not _is_clear(inside, i, way, geometry[1]):
                    continue
            factor = 1.0
            if limited:
                most = max(sums[2 * i + 1], sums[2 * to + 1])
                factor = FULL_LOAD / max(most, FULL_LOAD)
            flux = factor * weight * (np.float64(u[to]) - value)
            both += flux
            load += part
            if written:
                sums[2 * to] -= flux
                if weigh:
                    sums[2 * to + 1] += part
        gain += both
    return gain, load


@exact_inline_kernel
def _exchange_chunk(
    u, sums, inside, wanted, shape, geometry, channels, row, x0, size, terms, out, way, targets,
    weigh, limited,
):  # fmt: skip
    """Exchange for a chunk of a site row whose stencils are known."""
    _, nc, nz, ny, nx = shape
    y, z, t = row % ny, row // ny % nz, row // (ny * nz)
    reach = geometry[3]
    rows_z, rows_t = geometry[2, 0], geometry[2, 3]
    one, two = np.uintp(1), np.uintp(2)
    mine = targets[0] <= row < targets[1] and wanted[row]
    far0, far1, far2, far3 = 0.0, 0.0, 0.0, 1 if terms == 7 else 0
    for x in range(size):
        far0 = max(far0, out[3 * terms, x])
    for x in range(size):
        far1 = max(far1, out[3 * terms + 1, x])
    for x in range(size):
        far2 = max(far2, out[3 * terms + 2, x])
    span = int(far0) * rows_z + int(far1) + far3 * rows_t
    if not mine and (row + span < targets[0] or row - span >= targets[1]):
        return
    # Where all neighbours are there and are to be written nothing has to be asked.
    simple = not limited and inside.size == 1 and mine and far0 <= reach[0] and far1 <= reach[1]
    simple = simple and far2 <= reach[2] and far3 <= t < geometry[0, 3] - far3
    below = min(row - targets[0], targets[1] - 1 - row)
    free = simple and span <= below and far0 <= z < nz - far0 and far1 <= y < ny - far1
    free = free and far2 <= x0 and x0 + size - 1 + far2 < nx
    for c in range(channels[0], channels[1]):
        start = (((t * nc + c) * nz + z) * ny + y) * nx + x0
        for x in range(size):
            i = np.uintp(start + x)
            gain, load, alone = 0.0, 0.0, free
            if not free and simple:
                d0, d1, d2 = out[3 * terms, x], out[3 * terms + 1, x], out[3 * terms + 2, x]
                alone = (d0 <= z) & (d0 < nz - z) & (d1 <= y) & (d1 < ny - y)
                alone &= (d2 <= x0 + x) & (d2 < nx - x0 - x)
                alone &= d0 * rows_z + d1 + far3 * rows_t <= below
            if alone:
                value = np.float64(u[i])
                # A weight of 0 changes nothing, and asking would take longer.
                for k in range(terms):
                    weight, away = out[k, x], int(out[2 * terms + k, x])
                    j = np.uintp(start + x - away)
                    low = weight * (np.float64(u[j]) - value)
                    sums[two * j] -= low
                    if weigh:
                        part = np.ceil(weight / LOAD_UNIT)
                        load += part + part
                        sums[two * j + one] += part
                    j = np.uintp(start + x + away)
                    high = weight * (np.float64(u[j]) - value)
                    sums[two * j] -= high
                    if weigh:
                        sums[two * j + one] += part
                    gain += low + high
            else:
                at = (z, y, x0 + x, t)
                more = (terms, row, mine, weigh, limited, targets[0], targets[1])
                gain, load = _exchange_one(
                    u, sums, inside, wanted, geometry, at, start + x, out, x, way, more
                )
            if mine:
                sums[two * i] += gain
                if weigh:
                    sums[two * i + one] += load


@exact_kernel
def exchange_planar(
    u,
    sums,
    inside,
    wanted,
    shape,
    geometry,
    channels,
    tensors,
    group,
    rows,
    scale,
    targets,
    weigh, limited,
):  # fmt: skip
    """Exchange for the samples of some site rows with their neighbours, in planes.

    Parameters
    ----------
    u : (T·C·Z·Y·X,) float32 or float64
        The state.
    sums : (2·T·C·Z·Y·X,) float64
        Changes and loads, side by side.
    inside : (T·C·Z·Y·X,) bool
        The mask, or a single True.
    wanted : (site rows,) bool
        Which of the targets are written where loads are respected; else all are.
    shape : (T, C, Z, Y, X)
        Shape of the picture.
    geometry : (4, 4) int64
        For the axes z, y, x and t: how many samples there are, how many samples and how many site
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
    """
    strides = geometry[1, :3].astype(np.float64)
    scratch, out = np.empty((SCRATCH, TOGETHER)), np.zeros((12, TOGETHER))
    way = np.zeros(4, np.int64)
    for n in range(rows.size):
        for x0 in range(0, shape[4], TOGETHER):
            size = min(TOGETHER, shape[4] - x0)
            planar_chunk(tensors, group, rows[n], x0, size, scale, strides, 3, scratch, out)
            _exchange_chunk(
                u, sums, inside, wanted, shape, geometry, channels, rows[n], x0, size, 3, out,
                way, targets, weigh, limited,
            )  # fmt: skip


@exact_kernel
def exchange_solid(
    u,
    sums,
    inside,
    wanted,
    shape,
    geometry,
    channels,
    tensors,
    group,
    rows,
    scale,
    targets,
    weigh, limited,
):  # fmt: skip
    """Exchange as `exchange_planar` does, in space; a seventh component is that of t by itself."""
    strides = geometry[1, :3].astype(np.float64)
    terms = tensors.shape[0]
    scratch, out = np.empty((SCRATCH, TOGETHER)), np.zeros((3 * terms + 3, TOGETHER))
    way = np.zeros(4, np.int64)
    for n in range(rows.size):
        for x0 in range(0, shape[4], TOGETHER):
            size = min(TOGETHER, shape[4] - x0)
            solid_chunk(tensors, group, rows[n], x0, size, scale, strides, terms, scratch, out)
            if terms == 7:
                for x in range(size):
                    out[6, x] = tensors[6, group, rows[n], x0 + x] * scale[6]
                    out[13, x], out[20, x] = 0.0, geometry[1, 3]
            _exchange_chunk(
                u, sums, inside, wanted, shape, geometry, channels, rows[n], x0, size, terms, out,
                way, targets, weigh, limited,
            )  # fmt: skip


@exact_kernel
def clear_rows(sums, wanted, shape, targets):
    """Set the changes of the wanted site rows to 0, and leave their loads."""
    _, nc, nz, ny, nx = shape
    for site in range(targets[0], targets[1]):
        if wanted[site]:
            t, rest = site // (nz * ny), site % (nz * ny)
            for c in range(nc):
                start = ((t * nc + c) * nz * ny + rest) * nx
                for i in range(start, start + nx):
                    sums[2 * i] = 0.0


@exact_kernel
def overloaded_rows(sums, shape, targets, overloaded):
    """Mark the site rows that have a sample with more than the full load."""
    _, nc, nz, ny, nx = shape
    for site in range(targets[0], targets[1]):
        t, rest = site // (nz * ny), site % (nz * ny)
        above = 0
        for c in range(nc):
            start = ((t * nc + c) * nz * ny + rest) * nx
            loads = sums[2 * start : 2 * (start + nx)]
            for i in range(nx):
                above += 1 if loads[2 * i + 1] > FULL_LOAD else 0
        overloaded[site] = above > 0


@exact_kernel
def settle_rows(u, sums, shape, targets):
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
            row, changes = u[start : start + nx], sums[2 * start : 2 * (start + nx)]
            for i in range(nx):
                after = np.float64(row[i]) + changes[2 * i]
                large = rounder * after
                row[i] = large - (large - after) if rounder > 0 else after
                changes[2 * i] = 0.0
