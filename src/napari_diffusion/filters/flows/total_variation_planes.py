"""The fast kernels of total variation flow in a plane: one channel, no mask.

Of each pixel one coefficient for every choice of sides is computed once, four in all, and added to
the faces it belongs to: half the roots of `_variation`, which goes face by face. What a row leaves
for the next one waits in buffers of one row.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types
from numba.extending import overload

from napari_diffusion.engine.jit import (
    exact_allocating_kernel,
    exact_inline_kernel,
    exact_inner_kernel,
    inline_kernel,
)
from napari_diffusion.filters.flows.conductance_kernels import fill

# Beyond these a slope lets through less than the image's type can tell from nothing.
STEEPEST, STEEPEST_FACTOR_32, STEEPEST_FACTOR_64 = 1e36, 3e38, 1e300

# In float32 a root is guessed from the bits, and two of Newton's steps follow. With their numbers
# scaled so that no factor remains in them they find 1 / (4 √(x / SCALE)) to 6e-7.
SCALE = 1.0393023490905762


def scale(like):
    """Return what quarter_of_root wants its argument multiplied by."""


@overload(scale, inline="always")
def _scale(like):
    number = SCALE if like.dtype == types.float32 else 1.0
    return lambda like: number


def steepest_factor(like):
    """Return the largest slope of a difference of 1."""


@overload(steepest_factor, inline="always")
def _steepest_factor(like):
    number = STEEPEST_FACTOR_32 if like.dtype == types.float32 else STEEPEST_FACTOR_64
    return lambda like: number


def quarter_of_root(x):
    """Return 1 / (4 √(x / scale)) for x from 1 to 1e37."""


@inline_kernel
def _quarter_of_root_32(x):
    whole = np.int32(np.float32(x).view(np.int32) >> np.int32(1))
    y = np.int32(np.int32(0x5EE01FEF) - whole).view(np.float32)
    y = y * (np.float32(1.1961792621735872) - x * y * y)
    return y * (np.float32(0.7596996919880495) - x * y * y)


@overload(quarter_of_root, inline="always")
def _quarter_of_root(x):
    if x == types.float32:
        return lambda x: _quarter_of_root_32(x)
    return lambda x: 0.25 / np.sqrt(x)


@inline_kernel
def _squares(low, high, k, half, out):
    """Write (1 + 2 s²) / 2 of the slopes s between two rows, times the scale."""
    for x in range(out.size):
        s = (high[x] - low[x]) * k
        out[x] = min(s * s, type(s)(STEEPEST)) + half


@exact_inline_kernel
def _coefficients(left, right, below, above, west, east, south, north):
    """Write the sums of coefficients that belong to the four faces of each pixel."""
    for x in range(below.size):
        a, b = quarter_of_root(left[x] + below[x]), quarter_of_root(left[x] + above[x])
        c, d = quarter_of_root(right[x] + below[x]), quarter_of_root(right[x] + above[x])
        west[x], east[x] = a + b, c + d
        south[x], north[x] = a + c, b + d


@exact_allocating_kernel
def _room(u, k):
    """Return the slopes in the scale of the roots, and the rows that a sweep needs."""
    nx, dtype = u.shape[4], u.dtype.type
    half, root = dtype(0.5 * scale(u)), dtype(math.sqrt(scale(u)))
    most = dtype(steepest_factor(u))
    slopes = min(k[4], most) * root, min(k[3], most) * root
    across = np.full(nx + 1, half, u.dtype)
    return slopes, half, across, np.empty((2, nx), u.dtype), np.zeros((4, nx + 1), u.dtype)


@exact_inner_kernel
def _coefficients_of(flat, base, y, ny, nx, turn, room):
    """Write west, east, south and north of row y; squares above it wait for the next one."""
    (kx, ky), half, across, squares, rows = room
    row = flat[base : base + nx]
    up, down = (base + nx if y < ny - 1 else base), (base - nx if y > 0 else base)
    if turn == 0:
        _squares(flat[down : down + nx], row, ky, half, squares[1])
    below, above = squares[(turn + 1) % 2], squares[turn % 2]
    _squares(row, flat[up : up + nx], ky, half, above)
    _squares(row[: nx - 1], row[1:], kx, half, across[1:nx])
    west, east, south, north = rows[0, :nx], rows[1, :nx], rows[2, :nx], rows[3, :nx]
    _coefficients(across[:nx], across[1:], below, above, west, east, south, north)


@exact_inline_kernel
def _along(row, right_row, east, next_west, out):
    """Write what flows in from the right less what flows out to the left; return the last."""
    left = out.dtype.type(0)
    for x in range(row.size):
        right = (east[x] + next_west[x]) * (right_row[x] - row[x])
        out[x] = right - left
        left = right
    return left


@exact_inline_kernel
def _finished(under, row, north, south, lower, along, w, out):
    """Write the row under this one, now that what flows between them is known."""
    wx, wy, tau = w[4], w[3], w[5]
    for x in range(row.size):
        v = under[x]
        upper = (north[x] + south[x]) * (row[x] - v)
        total = wx * along[x] + wy * (upper - lower[x])
        out[x] = v + tau * total
        lower[x] = upper


@exact_allocating_kernel
def advance_plane(u, out, k, w, start, stop):
    """Write one explicit sub-step of rows; see `total_variation_kernels.advance_rows`."""
    _, nc, nz, ny, nx = u.shape
    flat, flat_out, room = u.reshape(-1), out.reshape(-1), _room(u, k)
    rows, nothing, unused = room[4], np.zeros(nx, u.dtype), np.empty(nx, u.dtype)
    along, north, lower = np.empty((2, nx), u.dtype), np.empty(nx, u.dtype), np.empty(nx, u.dtype)
    for c in range(nc):
        first = start
        while first < stop:
            plane, y0 = first // ny, first % ny
            y1 = min(y0 + stop - first, ny)
            origin = ((plane // nz * nc + c) * nz + plane % nz) * ny
            begin, first = max(y0 - 1, 0), first + y1 - y0
            fill(lower, 0)
            # The row below the first and the one above the last have a say in the faces between.
            for y in range(begin, y1 + 1):
                base = (origin + min(y, ny - 1)) * nx
                row, under = flat[base : base + nx], flat[base - nx if y > begin else base :][:nx]
                south = nothing
                if y < ny:
                    _coefficients_of(flat, base, y, ny, nx, y - begin, room)
                    south = rows[2]
                else:
                    under = row
                if y > begin:
                    # Rows below the first of the range are not written, but what leaves them is.
                    to = (origin + y - 1) * nx
                    done = flat_out[to : to + nx] if y > y0 else unused
                    _finished(under, row, north, south, lower, along[(y + 1) % 2], w, done)
                if y < ny:
                    last = nx - 1
                    ends = along[y % 2]
                    ends[last] = -_along(row[:last], row[1:], rows[1], rows[0, 1:], ends[:last])
                    for x in range(nx):
                        north[x] = rows[3, x]


@exact_allocating_kernel
def plane_faces(u, k, across, along, start, stop):
    """Write the conductance of the faces below and to the left of each pixel; 0 at the border."""
    _, nc, nz, ny, nx = u.shape
    flat, room = u.reshape(-1), _room(u, k)
    rows, north = room[4], np.zeros(nx, u.dtype)
    for c in range(nc):
        first = start
        while first < stop:
            plane, y0 = first // ny, first % ny
            y1 = min(y0 + stop - first, ny)
            t, z = plane // nz, plane % nz
            begin, first = max(y0 - 1, 0), first + y1 - y0
            for y in range(begin, y1):
                base = (((t * nc + c) * nz + z) * ny + y) * nx
                _coefficients_of(flat, base, y, ny, nx, y - begin, room)
                if y >= y0:
                    below, left = across[t, c, z, y], along[t, c, z, y]
                    for x in range(nx):
                        below[x] = north[x] + rows[2, x] if y > 0 else 0
                    left[0] = 0
                    for x in range(1, nx):
                        left[x] = rows[1, x - 1] + rows[0, x]
                for x in range(nx):
                    north[x] = rows[3, x]
