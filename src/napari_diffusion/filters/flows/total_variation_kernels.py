"""Fluxes down the total variation of the pixels.

At each pixel ∇u is taken from the differences on one side along each axis, for every choice of
sides, 2^d of them; the total variation is the mean of √(1 + |∇u|²) over the choices, summed over
the pixels, and this is its steepest descent. A step between two pixels counts with its height,
so that it stays as sharp as it is; no axis, side or pattern is preferred.

Arrays and rows are those of `_kernels`. Nothing is fused: which of two sides came first would show
in the mirror image.
"""

from __future__ import annotations

import numpy as np

from napari_diffusion.engine.jit import (
    exact_allocating_kernel,
    exact_inline_kernel,
    exact_inner_kernel,
)
from napari_diffusion.filters.flows.conductance_kernels import fill


@exact_inline_kernel
def _one(q):
    one = type(q)(1)
    return one / np.sqrt(one + q)


@exact_inner_kernel
def _add_two(own, low, high, g):
    """Add the coefficients for both sides along one other axis."""
    for x in range(g.size):
        g[x] += _one(own[x] + low[x]) + _one(own[x] + high[x])


@exact_inner_kernel
def _add_four(own, first, low, high, lower, higher, g):
    """Add those for both sides along two other axes, and one side of a third."""
    for x in range(g.size):
        a, b = (own[x] + first[x]) + low[x], (own[x] + first[x]) + high[x]
        near = _one(a + lower[x]) + _one(a + higher[x])
        g[x] += near + (_one(b + lower[x]) + _one(b + higher[x]))


@exact_inline_kernel
def _moved(at, axis, to):
    """Return (t, z, y) with the coordinate along one canonical axis replaced."""
    t, z, y = at
    return (to if axis == 0 else t), (to if axis == 2 else z), (to if axis == 3 else y)


@exact_inner_kernel
def _add_squares(u, inside, masked, k, axis, a, b, first, count, out):
    """Add the squared slopes between two rows, or along one; of all channels, 0 at a border."""
    (ta, za, ya), (tb, zb, yb), shift = a, b, axis // 4
    for c in range(first, first + count):
        low, high = u[ta, c, za, ya], u[tb, c, zb, yb, shift:]
        if not masked:
            for x in range(out.size):
                s = (high[x] - low[x]) * k
                out[x] += s * s
            continue
        for x in range(out.size):
            if inside[ta, c, za, ya, x] and inside[tb, c, zb, yb, x + shift]:
                s = (high[x] - low[x]) * k
                out[x] += s * s


@exact_inner_kernel
def _squares_beside(u, inside, masked, k, axis, at, first, count, below, above):
    """Write the squared slopes below and above a row of pixels along an axis."""
    nx = u.shape[4]
    fill(below, 0)
    fill(above, 0)
    if axis == 4:
        _add_squares(u, inside, masked, k, axis, at, at, first, count, above[: nx - 1])
        for x in range(1, nx):
            below[x] = above[x - 1]
        return
    t, z, y = at
    here, last = (t, 0, z, y)[axis], u.shape[axis] - 1
    under, over = _moved(at, axis, max(here - 1, 0)), _moved(at, axis, min(here + 1, last))
    _add_squares(u, inside, masked, k, axis, under, at, first, count, below)
    _add_squares(u, inside, masked, k, axis, at, over, first, count, above)


@exact_inner_kernel
def face_row(u, inside, masked, k, axis, a, b, first, count, room, g):
    """Write the conductance of the faces between the rows at a and at b, or along one, into g.

    `room` holds rows: 2 ends × 3 other axes × 2 sides, and three more.
    """
    size, others = g.size, 0
    own, nothing, sums = room[12, :size], room[13, :size], room[14, :size]
    fill(own, 0)
    _add_squares(u, inside, masked, k[axis], axis, a, b, first, count, own)
    for other in (0, 2, 3, 4):
        if other == axis or k[other] == 0:
            continue
        for end in range(2 - axis // 4):
            low, high = room[6 * end + 2 * others], room[6 * end + 2 * others + 1]
            at = b if end == 1 else a
            _squares_beside(u, inside, masked, k[other], other, at, first, count, low, high)
        others += 1
    fill(g, 0)
    fill(sums, 0)
    fill(nothing, 0)
    if others == 0:
        _add_two(own, nothing, nothing, sums)
    for end in range(2):
        # The ends of a face along x are neighbours in the same rows.
        row, x = (0, end) if axis == 4 else (6 * end, 0)
        out = sums if end == 1 else g
        low, high = room[row, x : x + size], room[row + 1, x : x + size]
        if others == 1:
            _add_two(own, low, high, out)
        for side in range(2 if others == 3 else others // 2):
            third = room[row + 4 + side, x : x + size] if others == 3 else nothing
            lower, higher = room[row + 2, x : x + size], room[row + 3, x : x + size]
            _add_four(own, third, low, high, lower, higher, out)
    part = g.dtype.type(1) / g.dtype.type(2 << others)
    for x in range(size):
        g[x] = part * (g[x] + sums[x])


@exact_inner_kernel
def _flux_row(u, guide, inside, masked, k, axis, a, b, first, room, g, flux):
    """Write the flux from the row at a to that at b, or along one, per channel."""
    (ta, za, ya), (tb, zb, yb), shift = a, b, axis // 4
    count, size = flux.shape[0], g.size - shift
    face_row(guide, inside, masked, k, axis, a, b, first, count, room, g[:size])
    for i in range(count):
        low, high = u[ta, first + i, za, ya], u[tb, first + i, zb, yb, shift:]
        out = flux[i, shift:]
        for x in range(size):
            out[x] = (high[x] - low[x]) * g[x]
        if masked:
            ma, mb = inside[ta, first + i, za, ya], inside[tb, first + i, zb, yb, shift:]
            for x in range(size):
                if not (ma[x] and mb[x]):
                    out[x] = 0


@exact_allocating_kernel
def advance_rows(u, guide, out, inside, masked, k, w, count, start, stop):
    """Write one explicit sub-step of some site rows; see `conductance_kernels.advance_faces`.

    `k` is what a difference is multiplied by per axis, 0 where nothing diffuses; `count` how many
    channels are joint; `inside` is read where `masked` says so.
    """
    nz, ny, nx = u.shape[2:]
    g, total = np.empty(nx, u.dtype), np.empty((count, nx), u.dtype)
    room = np.empty((15, nx), u.dtype)
    # Through the faces along x, and those below and above along y and along z or t.
    flux = np.zeros((5, count, nx + 1), u.dtype)
    for first in range(0, u.shape[1], count):
        y_below, y_above = 1, 2
        for site in range(start, stop):
            y, z, t = site % ny, site // ny % nz, site // (ny * nz)
            here = (t, z, y)
            fill(total.ravel(), 0)
            for axis in (4, 3, 2, 0):
                if k[axis] == 0 or (axis == 4 and nx == 1):
                    continue
                below, above = (y_below, y_above) if axis == 3 else (3, 4)
                below, above = (0, 0) if axis == 4 else (below, above)
                at = (t, 0, z, y, 0)[axis]
                for side in range(2):
                    # What left the row before through its upper face enters this one.
                    if side == 0 and (axis == 4 or (axis == 3 and site != start and y != 0)):
                        continue
                    to = max(at - 1, 0) if side == 0 else min(at + 1, u.shape[axis] - 1)
                    other = here if axis == 4 else _moved(here, axis, to)
                    a, b = (other, here) if side == 0 else (here, other)
                    slot = flux[above if side == 1 else below]
                    _flux_row(u, guide, inside, masked, k, axis, a, b, first, room, g, slot)
                shift = axis // 4
                for i in range(count):
                    sums, low, high = total[i], flux[below, i], flux[above, i]
                    for x in range(nx):
                        sums[x] += w[axis] * (high[x + shift] - low[x])
            y_below, y_above = y_above, y_below
            for i in range(count):
                before, after, sums = u[t, first + i, z, y], out[t, first + i, z, y], total[i]
                for x in range(nx):
                    after[x] = before[x] + w[5] * sums[x]


@exact_allocating_kernel
def face_rows(guide, inside, masked, k, axis, count, out, start, stop):
    """Write the conductance of the face below each pixel along an axis; 0 at the border."""
    nz, ny, nx = guide.shape[2:]
    room = np.empty((15, nx), guide.dtype)
    for group in range(out.shape[1]):
        for site in range(start, stop):
            y, z, t = site % ny, site // ny % nz, site // (ny * nz)
            here, at = (t, z, y), (t, 0, z, y, 0)[axis]
            row = out[t, group, z, y]
            row[0] = 0
            under = here if axis == 4 else _moved(here, axis, max(at - 1, 0))
            if axis == 4 or at > 0:
                g, first = row[axis // 4 :], group * count
                face_row(guide, inside, masked, k, axis, under, here, first, count, room, g)
            else:
                fill(row, 0)
