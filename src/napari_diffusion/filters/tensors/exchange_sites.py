"""Compiled exchange of single pixels with their neighbours; see `_exchange`."""

from __future__ import annotations

import numpy as np

from napari_diffusion.engine.jit import exact_inner_kernel, exact_kernel
from napari_diffusion.filters.tensors.stencil import BASE

# Loads are whole numbers of this small part of 1, so that the order of a sum cannot matter. With
# every neighbour within reach pointing at it a pixel would have some hundreds, of 2048 that fit.
LOAD_UNIT = 2.0**-20

# A little less than 1, so that round-off does no harm.
FULL_LOAD = int(0.999 / LOAD_UNIT)


@exact_inner_kernel
def _is_clear(inside, i, way, strides):
    """Say whether the way from pixel i to its neighbour lies inside the mask.

    All pixels beside the way count, at each half step along its longest axis: what is closed to
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
def _turn(way, at, geometry):
    """Turn a way round; return whether it ends in the image, and pixels and rows to its end."""
    there, away, rows = True, 0, 0
    for axis in range(4):
        way[axis] = -way[axis]
        there &= 0 <= at[axis] + way[axis] < geometry[0, axis]
        away += way[axis] * geometry[1, axis]
        rows += way[axis] * geometry[2, axis]
    return there, away, rows


@exact_inner_kernel
def exchange_one(
    u, changes, loads, inside, wanted, geometry, at, i, out, x, terms, way, row, mine, targets,
    weigh, limited,
):  # fmt: skip
    """Exchange of one pixel near a border, a mask or a limit; `way` is scratch."""
    value, masked = np.float64(u[i]), inside.size > 1
    if masked and not inside[i]:
        return
    gain, load = 0.0, np.int32(0)
    for k in range(terms):
        weight = out[k, x]
        if weight == 0 or not _unpack(out[terms + k, x], k == 6, geometry[3], way):
            continue
        part, both = np.int32(np.ceil(weight / LOAD_UNIT)), 0.0
        for _ in range(2):
            there, away, rows = _turn(way, at, geometry)
            if not there:
                continue
            written = targets[0] <= row + rows < targets[1] and wanted[row + rows]
            if not (written or mine) or (masked and not _is_clear(inside, i, way, geometry[1])):
                continue
            to, factor = i + away, 1.0
            if limited:
                factor = FULL_LOAD / max(loads[i], loads[to], FULL_LOAD)
            flux = factor * weight * (np.float64(u[to]) - value)
            both += flux
            load += part
            if written:
                changes[to] -= flux
                if weigh:
                    loads[to] += part
        gain += both
    if mine:
        changes[i] += gain
        if weigh:
            loads[i] += load


@exact_inner_kernel
def _unpack(packed, timed, reach, way):
    """Write an offset, or that to the next moment; return whether it is within reach."""
    plane = np.floor(packed / BASE / BASE + 0.5)
    packed -= BASE * BASE * plane
    line = np.floor(packed / BASE + 0.5)
    way[0], way[1], way[2] = plane, line, packed - BASE * line
    way[3] = 1 if timed else 0
    near = True
    for axis in range(4):
        near &= abs(way[axis]) <= reach[axis]
    return near


@exact_inner_kernel
def exchange_free(u, changes, loads, start, out, terms, first, last, weigh):
    """Exchange of some pixels of a chunk of which all neighbours are there and to be written."""
    for x in range(first, last):
        i = np.uintp(start + x)
        value, gain, load = np.float64(u[i]), 0.0, np.int32(0)
        # A weight of 0 changes nothing, and asking would take longer.
        for k in range(terms):
            weight, away = out[k, x], int(out[2 * terms + k, x])
            below, above = np.uintp(start + x - away), np.uintp(start + x + away)
            low = weight * (np.float64(u[below]) - value)
            changes[below] -= low
            high = weight * (np.float64(u[above]) - value)
            changes[above] -= high
            gain += low + high
            if weigh:
                part = np.int32(np.ceil(weight / LOAD_UNIT))
                load += part + part
                loads[below] += part
                loads[above] += part
        changes[i] += gain
        if weigh:
            loads[i] += load
