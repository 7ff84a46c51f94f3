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
one that diffuses by itself, or else a batch. The state is a record of four numbers of the picture's
type for each sample: the change so far, in double precision (two float32 or the first float64), the
load, a whole number, and the value. So an exchange touches one line of the cache per sample.
Contributions are added in the order of their sources, whatever the cut into bands: results are
equal to the bit.
"""

from __future__ import annotations

import numpy as np

from napari_diffusion.compiled import exact_kernel
from napari_diffusion.filters._stencil import BASE, TOGETHER

# Loads are whole numbers of this small part of 1, so that the order of a sum cannot matter. A
# sample's load stays below some hundreds, however many point at it.
LOAD_UNIT = 2.0**-20

# A little less than 1, so that round-off does no harm.
FULL_LOAD = int(0.999 / LOAD_UNIT)


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
def _exchange_one(state, inside, sizes, strides, site_rows, reach, at, i, ways, coefficients, more):
    """Exchange of one sample near a border, a mask or a limit; return its gain and its own load.

    `ways` are its offsets along z, y, x and t, `more` = (wanted, mine, limited, first, stop).
    """
    values, changes, loads = state
    step = 2 if values.itemsize == 4 else 4
    wanted, mine, limited, first, stop = more
    masked = inside.size > 1
    value = np.float64(values[4 * i + 3])
    site = at[0] * site_rows[0] + at[1] * site_rows[1] + at[3] * site_rows[3]
    gain, load = 0.0, 0
    for k in range(coefficients.size):
        weight = coefficients[k]
        if weight == 0:
            continue
        way, part = ways[k], int(weight / LOAD_UNIT) + 1
        both = 0.0
        for _ in range(2):
            row, to, reached = site, i, True
            for axis in range(4):
                way[axis] = -way[axis]
                e = way[axis]
                reached &= 0 <= at[axis] + e < sizes[axis] and abs(e) <= reach[axis]
                row += e * site_rows[axis]
                to += e * strides[axis]
            if not reached:
                continue
            written = first <= row < stop and wanted[row]
            if not (written or mine):
                continue
            if masked and not (inside[i] and _is_clear(inside, i, way, strides)):
                continue
            factor = 1.0
            if limited:
                most = max(loads[4 * i + 2], loads[4 * to + 2])
                factor = FULL_LOAD / max(most, FULL_LOAD)
            flux = factor * weight * (np.float64(values[4 * to + 3]) - value)
            both += flux
            load += part
            if written:
                changes[step * to] -= flux
                if not limited:
                    loads[4 * to + 2] += part
        gain += both
    return gain, load


@exact_kernel
def exchange_rows(
    state, inside, wanted, shape, geometry, channels, rows, weights, packed, offset, far, targets,
    limited,
):  # fmt: skip
    """Exchange for the samples of some site rows with their neighbours.

    Parameters
    ----------
    state : (values, changes, loads)
        The records, flat, as numbers of the picture's type, as float64, and as whole numbers.
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
        The channels that these stencils are for.
    rows : (n,) int64
        Site rows of the sources, ascending.
    weights, packed, offset, far
        See `_stencil.Stencils`. A seventh term is that of t by itself.
    targets : (start, stop)
        The range of site rows that are written.
    limited : bool
        Whether to respect the loads instead of adding them up.
    """
    values, changes, loads = state
    _, nc, nz, ny, nx = shape
    terms = weights.shape[0]
    step = np.uintp(2 if values.itemsize == 4 else 4)
    four, three, two = np.uintp(4), np.uintp(3), np.uintp(2)
    sizes, strides, site_rows, reach = geometry[0], geometry[1], geometry[2], geometry[3]
    at, most = np.zeros(4, np.int64), np.zeros(4, np.int64)
    ways, coefficients = np.zeros((7, 4), np.int64), np.zeros(terms)
    for n in range(rows.size):
        site = rows[n]
        y, z, t = site % ny, site // ny % nz, site // (ny * nz)
        mine = targets[0] <= site < targets[1] and wanted[site]
        for chunk in range(far.shape[2]):
            x0 = chunk * TOGETHER
            size = min(TOGETHER, nx - x0)
            at[0], at[1], at[3] = z, y, t
            most[0], most[1], most[2] = far[0, n, chunk], far[1, n, chunk], far[2, n, chunk]
            most[3] = 1 if terms == 7 else 0
            span = most[0] * site_rows[0] + most[1] + most[3] * site_rows[3]
            if not mine and (site + span < targets[0] or site - span >= targets[1]):
                continue
            # Where all neighbours are there and are to be written nothing has to be asked.
            free = not limited and inside.size == 1 and mine
            free &= site - span >= targets[0] and site + span < targets[1]
            for axis in range(4):
                free &= most[axis] <= reach[axis]
                if axis != 2:
                    free &= most[axis] <= at[axis] < sizes[axis] - most[axis]
            first, last = size, size
            if free:
                first = min(max(most[2] - x0, 0), size)
                last = max(min(nx - most[2] - x0, size), first)
            for c in range(channels[0], channels[1]):
                start = (((t * nc + c) * nz + z) * ny + y) * nx + x0
                for x in range(size):
                    i = np.uintp(start + x)
                    gain, load = 0.0, 0
                    if first <= x < last:
                        value = np.float64(values[four * i + three])
                        for k in range(terms):
                            weight = weights[k, n, x0 + x]
                            if weight > 0:
                                to = int(offset[k, n, x0 + x])
                                part = int(weight / LOAD_UNIT) + 1
                                j = np.uintp(start + x - to)
                                low = weight * (np.float64(values[four * j + three]) - value)
                                changes[step * j] -= low
                                loads[four * j + two] += part
                                j = np.uintp(start + x + to)
                                high = weight * (np.float64(values[four * j + three]) - value)
                                changes[step * j] -= high
                                loads[four * j + two] += part
                                gain += low + high
                                load += part + part
                    else:
                        at[2] = x0 + x
                        for k in range(terms):
                            coefficients[k] = weights[k, n, x0 + x]
                            rest = packed[k, n, x0 + x]
                            for axis in range(3):
                                base = (BASE * BASE, BASE, 1.0)[axis]
                                e = np.floor(rest / base + 0.5)
                                rest -= base * e
                                ways[k, axis] = int(e)
                            ways[k, 3] = 1 if k == 6 else 0
                        gain, load = _exchange_one(
                            state, inside, sizes, strides, site_rows, reach, at, start + x, ways,
                            coefficients, (wanted, mine, limited, targets[0], targets[1]),
                        )  # fmt: skip
                    if mine:
                        changes[step * i] += gain
                        if not limited:
                            loads[four * i + two] += load


@exact_kernel
def clear_rows(state, wanted, shape, targets, limited):
    """Set the changes of the wanted site rows to 0, and their loads unless those are to stay."""
    values, changes, loads = state
    _, nc, nz, ny, nx = shape
    step = 2 if values.itemsize == 4 else 4
    for site in range(targets[0], targets[1]):
        if not wanted[site]:
            continue
        t, rest = site // (nz * ny), site % (nz * ny)
        for c in range(nc):
            start = ((t * nc + c) * nz * ny + rest) * nx
            for i in range(start, start + nx):
                changes[step * i] = 0.0
                if not limited:
                    loads[4 * i + 2] = 0


@exact_kernel
def overloaded_rows(state, shape, targets, overloaded):
    """Mark the site rows that have a sample with more than the full load."""
    _, _, loads = state
    _, nc, nz, ny, nx = shape
    for site in range(targets[0], targets[1]):
        t, rest = site // (nz * ny), site % (nz * ny)
        most = 0
        for c in range(nc):
            start = ((t * nc + c) * nz * ny + rest) * nx
            for i in range(start, start + nx):
                most = max(most, loads[4 * i + 2])
        overloaded[site] = most > FULL_LOAD


@exact_kernel
def settle_rows(state, u, shape, targets):
    """Add the changes to the values of some site rows, in the records and in the picture u.

    In flat parts sums lie halfway between two float32 again and again, where the last bit of a
    double, which depends on the order of the sum, would choose between them. It is rounded off.
    """
    values, changes, _ = state
    rounder = 2.0**13 + 1 if values.itemsize == 4 else 0.0
    _, nc, nz, ny, nx = shape
    step = 2 if values.itemsize == 4 else 4
    for site in range(targets[0], targets[1]):
        t, rest = site // (nz * ny), site % (nz * ny)
        for c in range(nc):
            start = ((t * nc + c) * nz * ny + rest) * nx
            for i in range(start, start + nx):
                after = np.float64(values[4 * i + 3]) + changes[step * i]
                large = rounder * after
                u[i] = large - (large - after) if rounder > 0 else after
                values[4 * i + 3] = u[i]
