"""Compiled tile kernels of curvature flows: level lines and surfaces that move by their curvature.

Arrays and rows are those of `_kernels`. The speed is ``F = Δu − nᵀ H n``, H being the second
differences and n the direction of the central ones: the second derivative along the level lines,
summed over all directions tangential to them. Nothing is fused, so that mirrored images give
mirrored bits.
"""

from __future__ import annotations

import numpy as np

from napari_diffusion.engine.jit import (
    exact_allocating_kernel,
    exact_inline_kernel,
    exact_inner_kernel,
    exact_kernel,
)

# What moves: every level line by its curvature; the same by a coefficient and towards its edges;
# only what is curved the same way at a larger scale.
MEAN, MODIFIED, MIN_MAX = range(3)


@exact_inline_kernel
def _moved(at, axis, by):
    """Return (t, z, y) moved along a canonical axis."""
    t, z, y = at
    return (
        t + (by if axis == 0 else 0),
        z + (by if axis == 2 else 0),
        y + (by if axis == 3 else 0),
    )


@exact_kernel
def _neighbours(u, inside, masked, c, here, at, shift, out, there):
    """Read the row at `at`, `shift` columns further, and say which of its pixels exist.

    What lies beyond the border or outside the mask counts as the pixel in the middle.
    """
    (t, z, y), (tn, zn, yn), (nt, _, nz, ny, nx) = here, at, u.shape
    exists = 0 <= tn < nt and 0 <= zn < nz and 0 <= yn < ny
    middle = u[t, c, z, y]
    if not exists:
        tn, zn, yn = t, z, y
    other = u[tn, c, zn, yn]
    for x in range(nx):
        i = min(max(x + shift, 0), nx - 1)
        there[x] = exists and i == x + shift and (not masked or inside[tn, c, zn, yn, i])
        out[x] = other[i] if there[x] else middle[x]


@exact_inner_kernel
def _fill_corners(a, has_a, b, has_b, out, there):
    """Fill in the diagonal neighbours that are missing by what both sides, or one of them, say."""
    half = out.dtype.type(0.5)
    for x in range(out.size):
        if not there[x]:
            if has_a[x] and has_b[x]:
                out[x] = half * a[x] + half * b[x]
            elif has_a[x]:
                out[x] = a[x]
            elif has_b[x]:
                out[x] = b[x]


@exact_inner_kernel
def _directions(near, middle, k, n, second, nn, total):
    """Write the unit-free direction, the second differences, |n|² and the Laplacian."""
    half, zero = middle.dtype.type(0.5), middle.dtype.type(0)
    for x in range(middle.size):
        here, largest, total[x], nn[x] = middle[x], zero, zero, zero
        for axis in range(5):
            if k[axis] > 0:
                low, high = near[2 * axis, x], near[2 * axis + 1, x]
                n[axis, x] = (high - low) * (half * k[axis])
                second[axis, x] = ((high - here) + (low - here)) * (k[axis] * k[axis])
                total[x] += second[axis, x]
                largest = max(largest, abs(n[axis, x]))
        if largest > 0:
            for axis in range(5):
                if k[axis] > 0:
                    n[axis, x] /= largest
                    nn[x] += n[axis, x] * n[axis, x]


@exact_inner_kernel
def _speed(u, inside, masked, c, here, k, room, there, low, high, speed, total):
    """Write the speed and the Laplacian of a row, and the range of all neighbours.

    `room` holds rows: 2 · 5 neighbours, 4 corners, 5 directions, 5 second differences, |n|².
    """
    t, z, y = here
    middle = u[t, c, z, y]
    near, corner, n, second, nn = room[:10], room[10:14], room[14:19], room[19:24], room[24]
    axes = 0
    for x in range(middle.size):
        low[x], high[x], speed[x] = middle[x], middle[x], 0
    for axis in range(5):
        if k[axis] > 0:
            axes += 1
            for side in range(2):
                by, row = 2 * side - 1, near[2 * axis + side]
                at, shift = (here, by) if axis == 4 else (_moved(here, axis, by), 0)
                _neighbours(u, inside, masked, c, here, at, shift, row, there[2 * axis + side])
                _widen(row, low, high)
    _directions(near, middle, k, n, second, nn, total)
    for a in range(5):
        for b in range(a + 1, 5):
            if k[a] > 0 and k[b] > 0:
                for which in range(4):
                    i, j = which // 2, which % 2
                    at, shift = _moved(here, a, 2 * i - 1), 2 * j - 1
                    if b < 4:
                        at, shift = _moved(at, b, 2 * j - 1), 0
                    p, q, row = 2 * a + i, 2 * b + j, corner[which]
                    _neighbours(u, inside, masked, c, here, at, shift, row, there[10])
                    _fill_corners(near[p], there[p], near[q], there[q], row, there[10])
                    _widen(row, low, high)
                part = u.dtype.type(0.5) * k[a] * k[b]
                for x in range(middle.size):
                    mixed = (corner[3, x] - corner[1, x]) - (corner[2, x] - corner[0, x])
                    speed[x] += second[a, x] * (n[b, x] * n[b, x])
                    speed[x] += second[b, x] * (n[a, x] * n[a, x])
                    speed[x] -= part * mixed * (n[a, x] * n[b, x])
    rest = u.dtype.type((axes - 1) / axes)
    for x in range(middle.size):
        # Where there is no direction the mean over all of them stands in.
        speed[x] = speed[x] / nn[x] if nn[x] > 0 else rest * total[x]


@exact_inner_kernel
def _widen(row, low, high):
    for x in range(row.size):
        low[x] = min(low[x], row[x])
        high[x] = max(high[x], row[x])


@exact_inner_kernel
def _add_towards_edges(g, inside, masked, c, here, k, near, room, there, middle, speed):
    """Multiply the speed by g and add ∇g · ∇u, with the differences of the side it comes from."""
    t, z, y = here
    half, own = g.dtype.type(0.5), g[t, c, z, y]
    for x in range(own.size):
        speed[x] *= own[x]
    for axis in range(5):
        if k[axis] > 0:
            for side in range(2):
                by = 2 * side - 1
                at, shift = (here, by) if axis == 4 else (_moved(here, axis, by), 0)
                _neighbours(g, inside, masked, c, here, at, shift, room[side], there)
            for x in range(own.size):
                slope = half * (room[1, x] - room[0, x])
                high, low = near[2 * axis + 1, x] - middle[x], middle[x] - near[2 * axis, x]
                speed[x] += slope * (high if slope > 0 else low) * (k[axis] * k[axis])


@exact_allocating_kernel
def advance_rows(u, g, wide, out, inside, masked, k, tau, start, stop):
    """Write one explicit sub-step of site rows start…stop−1, kept in the range of the neighbours.

    Parameters
    ----------
    u, out : (T, C, Z, Y, X) float32 or float64
        Before and after.
    g : array like u, perhaps of one channel, or None
        The coefficient that multiplies the speed, and towards whose edges level lines move.
    wide : array like u or None
        The smoothed image; only what is curved the same way in it moves. For what is None less
        is compiled.
    inside : (T, C, Z, Y, X) bool
        Read where `masked` says so.
    k : (5,)
        Shortest spacing / spacing per axis, 0 where nothing moves.
    tau : float
        Sub-step over the shortest spacing squared.
    """
    nz, ny, nx = u.shape[2:]
    room, other = np.empty((25, nx), u.dtype), np.empty((2, nx), u.dtype)
    there = np.empty((11, nx), np.bool_)
    low, high, speed, total = np.empty((4, nx), u.dtype)
    axes = 0
    for axis in range(5):
        axes += int(k[axis] > 0)
    for c in range(u.shape[1]):
        for site in range(start, stop):
            here = (site // (ny * nz), site // ny % nz, site % ny)
            middle, after = u[here[0], c, here[1], here[2]], out[here[0], c, here[1], here[2]]
            if wide is not None:
                # One call in a loop, as every call is compiled in place.
                for turn in range(2):
                    source = wide if turn == 0 else u
                    _speed(source, inside, masked, c, here, k, room, there, low, high, speed, total)
                    if turn == 0:
                        for x in range(nx):
                            other[0, x], other[1, x] = speed[x], total[x] - speed[x]
                for x in range(nx):
                    up = (axes - 1) * other[1, x] < 3 * other[0, x]
                    speed[x] = max(speed[x], 0) if up else min(speed[x], 0)
            else:
                _speed(u, inside, masked, c, here, k, room, there, low, high, speed, total)
            if g is not None:
                group = c * g.shape[1] // u.shape[1]
                _add_towards_edges(
                    g, inside, masked, group, here, k, room, other, there[0], middle, speed
                )
            for x in range(nx):
                after[x] = min(max(middle[x] + tau * speed[x], low[x]), high[x])
