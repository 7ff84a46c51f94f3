"""Sub-steps with conductances that are kept: no root and no quotient but once for many of them."""

from __future__ import annotations

import numpy as np

from napari_diffusion.engine.jit import allocating_kernel, inline_kernel
from napari_diffusion.filters.flows.conductance_kernels import fill
from napari_diffusion.filters.flows.perona_malik_single_channel import product


@inline_kernel
def _in_plane(row, right_row, above, gx, gy, lower, w, total):
    """Write the sum of what flows in along x and y."""
    wx, wy = w[4], w[3]
    left = total.dtype.type(0)
    for x in range(row.size):
        right = product(gx[x], right_row[x] - row[x])
        upper = product(gy[x], above[x] - row[x])
        sum_ = product(wx, right - left)
        total[x] = sum_ + wy * (upper - lower[x])
        lower[x] = upper
        left = right


@inline_kernel
def _add_across(row, front, back, gf, gb, weight, total):
    for x in range(row.size):
        far = product(gf[x], front[x] - row[x])
        near = product(gb[x], row[x] - back[x])
        total[x] = total[x] + weight * (far - near)


@inline_kernel
def _extrapolated(row, total, tau, alpha, out):
    for x in range(row.size):
        past = out[x]
        out[x] = past + alpha * ((row[x] - past) + tau * total[x])


@allocating_kernel
def advance_stored(u, out, gx, gy, gz, gt, w, alpha, first, start, stop):
    """Replace out by out + alpha · (u + w[5] · Σ w · (flux − flux) − out) in site rows.

    The first time u stands in for what is in `out`.

    Parameters
    ----------
    u, out : (T, C, Z, Y, X) float32 or float64
        The last state and the one before it.
    gx, gy, gz, gt : like u, perhaps of fewer channels
        Conductance of the face below each pixel along an axis, 0 at the border; those of z and t
        are read where something diffuses along them.
    w : (6,)
        See `conductance_kernels.advance_faces`.
    alpha : float
        How far to go along the change.
    first : bool
        Whether there is no state before the last one.
    start, stop : int
        Site rows.
    """
    nt, nc, nz, ny, nx = u.shape
    flat, flat_out, groups, last = u.reshape(-1), out.reshape(-1), gx.shape[1], nx - 1
    flat_x, flat_y, flat_z, flat_t = gx.reshape(-1), gy.reshape(-1), gz.reshape(-1), gt.reshape(-1)
    total, lower, stride = np.empty(nx, u.dtype), np.empty(nx, u.dtype), ny * nx
    for c in range(nc):
        for site in range(start, stop):
            y, z, t = site % ny, site // ny % nz, site // (ny * nz)
            base = (((t * nc + c) * nz + z) * ny + y) * nx
            at = (((t * groups + c * groups // nc) * nz + z) * ny + y) * nx
            # A neighbour beyond the border is the pixel itself: nothing flows there.
            up = nx if y < ny - 1 else 0
            row, above = flat[base : base + nx], flat[base + up : base + up + nx]
            if y == 0:
                fill(lower, 0)
            elif site == start:
                for x in range(nx):
                    lower[x] = product(flat_y[at + x], row[x] - flat[base - nx + x])
            low = lower[last]
            # Shifted by one, a row ends with the next row's first pixel, and with the conductance
            # below that, which is 0. So the loop is over whole vectors where the row is.
            n = min(nx, flat.size - base - 1, flat_x.size - at - 1)
            right_row, gx_row = flat[base + 1 : base + 1 + n], flat_x[at + 1 : at + 1 + n]
            gy_row = flat_y[at + up : at + up + nx]
            _in_plane(row[:n], right_row, above, gx_row, gy_row, lower, w, total)
            if n < nx:
                left = product(flat_x[at + last], row[last] - flat[base + max(last, 1) - 1])
                lower[last] = product(gy_row[last], above[last] - row[last])
                total[last] = product(w[4], -left) + w[3] * (lower[last] - low)
            if w[2] != 0:
                far, near = stride if z < nz - 1 else 0, stride if z > 0 else 0
                front, back = flat[base + far :], flat[base - near :]
                _add_across(row, front, back, flat_z[at + far :], flat_z[at:], w[2], total)
            if w[0] != 0:
                far, near = nz * stride if t < nt - 1 else 0, nz * stride if t > 0 else 0
                front, back = flat[base + far * nc :], flat[base - near * nc :]
                _add_across(row, front, back, flat_t[at + far * groups :], flat_t[at:], w[0], total)
            after = flat_out[base : base + nx]
            if first:
                for x in range(nx):
                    after[x] = row[x]
            _extrapolated(row, total, w[5], alpha, after)
