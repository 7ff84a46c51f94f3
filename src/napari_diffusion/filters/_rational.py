"""The fastest kernel: the rational conductance of one channel, in the plane or in space.

With one division a face the plain loop over neighbours beats keeping fluxes in buffers.
"""

from __future__ import annotations

from napari_diffusion.compiled import inline_kernel, kernel


@inline_kernel
def _flux(d, k):
    s = d * k
    one = type(s)(1)
    return d / (one + s * s)


@inline_kernel
def _cell_2d(v, left, right, below, above, kx, ky, wx, wy):
    along_x = _flux(right - v, kx) + _flux(left - v, kx)
    along_y = _flux(above - v, ky) + _flux(below - v, ky)
    return v + (wx * along_x + wy * along_y)


@inline_kernel
def _cell_3d(v, left, right, below, above, back, front, kx, ky, kz, wx, wy, wz):
    along_x = _flux(right - v, kx) + _flux(left - v, kx)
    along_y = _flux(above - v, ky) + _flux(below - v, ky)
    along_z = _flux(front - v, kz) + _flux(back - v, kz)
    return v + (wx * along_x + wy * along_y + wz * along_z)


@kernel
def _row_2d(row, below, above, out, kx, ky, wx, wy):
    n = row.size
    last = n - 1
    left, mid, right = row[: n - 2], row[1 : n - 1], row[2:]
    low, high, inner = below[1 : n - 1], above[1 : n - 1], out[1 : n - 1]
    for x in range(n - 2):
        inner[x] = _cell_2d(mid[x], left[x], right[x], low[x], high[x], kx, ky, wx, wy)
    # A neighbour beyond the border is the sample itself: nothing flows there.
    out[0] = _cell_2d(row[0], row[0], row[min(1, last)], below[0], above[0], kx, ky, wx, wy)
    out[last] = _cell_2d(
        row[last], row[max(last - 1, 0)], row[last], below[last], above[last], kx, ky, wx, wy
    )


@kernel
def _row_3d(row, below, above, back, front, out, kx, ky, kz, wx, wy, wz):
    n = row.size
    last = n - 1
    left, mid, right = row[: n - 2], row[1 : n - 1], row[2:]
    low, high, inner = below[1 : n - 1], above[1 : n - 1], out[1 : n - 1]
    behind, ahead = back[1 : n - 1], front[1 : n - 1]
    for x in range(n - 2):
        inner[x] = _cell_3d(
            mid[x],
            left[x],
            right[x],
            low[x],
            high[x],
            behind[x],
            ahead[x],
            kx,
            ky,
            kz,
            wx,
            wy,
            wz,
        )
    for x in (0, last):
        out[x] = _cell_3d(
            row[x],
            row[max(x - 1, 0)],
            row[min(x + 1, last)],
            below[x],
            above[x],
            back[x],
            front[x],
            kx,
            ky,
            kz,
            wx,
            wy,
            wz,
        )


@kernel
def advance_rational(u, out, k, w, start, stop):
    """Write one explicit sub-step of site rows start…stop−1, every channel for itself.

    Parameters are those of `_kernels.advance_faces`. At most one of the axes t and z diffuses.
    """
    nt, nc, nz, ny, _ = u.shape
    deep = 2 if w[2] > 0 else 0
    for c in range(nc):
        kx, ky, kd = k[c, 4], k[c, 3], k[c, deep]
        for site in range(start, stop):
            y = site % ny
            z = site // ny % nz
            t = site // (ny * nz)
            row, after = u[t, c, z, y], out[t, c, z, y]
            below, above = u[t, c, z, max(y - 1, 0)], u[t, c, z, min(y + 1, ny - 1)]
            if w[deep] == 0:
                _row_2d(row, below, above, after, kx, ky, w[4], w[3])
            elif deep == 2:
                back, front = u[t, c, max(z - 1, 0), y], u[t, c, min(z + 1, nz - 1), y]
                _row_3d(row, below, above, back, front, after, kx, ky, kd, w[4], w[3], w[deep])
            else:
                back, front = u[max(t - 1, 0), c, z, y], u[min(t + 1, nt - 1), c, z, y]
                _row_3d(row, below, above, back, front, after, kx, ky, kd, w[4], w[3], w[deep])
