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
def _cell_2d(v, left, right, below, above, k, w):
    along_x = _flux(right - v, k[0]) + _flux(left - v, k[0])
    along_y = _flux(above - v, k[1]) + _flux(below - v, k[1])
    return v + w[3] * (w[0] * along_x + w[1] * along_y)


@inline_kernel
def _cell_3d(v, left, right, below, above, back, front, k, w):
    along_x = _flux(right - v, k[0]) + _flux(left - v, k[0])
    along_y = _flux(above - v, k[1]) + _flux(below - v, k[1])
    along_z = _flux(front - v, k[2]) + _flux(back - v, k[2])
    return v + w[3] * (w[0] * along_x + w[1] * along_y + w[2] * along_z)


@kernel
def _row_2d(row, below, above, out, k, w):
    n = row.size
    left, mid, right = row[: n - 2], row[1 : n - 1], row[2:]
    low, high, inner = below[1 : n - 1], above[1 : n - 1], out[1 : n - 1]
    for x in range(n - 2):
        inner[x] = _cell_2d(mid[x], left[x], right[x], low[x], high[x], k, w)
    # A neighbour beyond the border is the sample itself: nothing flows there.
    for x in (0, n - 1):
        before, after = row[max(x - 1, 0)], row[min(x + 1, n - 1)]
        out[x] = _cell_2d(row[x], before, after, below[x], above[x], k, w)


@kernel
def _row_3d(row, below, above, back, front, out, k, w):
    n = row.size
    left, mid, right = row[: n - 2], row[1 : n - 1], row[2:]
    low, high, inner = below[1 : n - 1], above[1 : n - 1], out[1 : n - 1]
    behind, ahead = back[1 : n - 1], front[1 : n - 1]
    for x in range(n - 2):
        inner[x] = _cell_3d(mid[x], left[x], right[x], low[x], high[x], behind[x], ahead[x], k, w)
    for x in (0, n - 1):
        before, after = row[max(x - 1, 0)], row[min(x + 1, n - 1)]
        out[x] = _cell_3d(row[x], before, after, below[x], above[x], back[x], front[x], k, w)


@kernel
def advance_rational(u, out, k, w, start, stop):
    """Write one explicit sub-step of site rows start…stop−1, every channel for itself.

    Parameters are those of `_kernels.advance_faces`. At most one of the axes t and z diffuses.
    """
    nt, nc, nz, ny, _ = u.shape
    deep = 2 if w[2] > 0 else 0
    weights = (w[4], w[3], w[deep], w[5])
    for c in range(nc):
        slopes = (k[c, 4], k[c, 3], k[c, deep])
        for site in range(start, stop):
            y = site % ny
            z = site // ny % nz
            t = site // (ny * nz)
            row, after = u[t, c, z, y], out[t, c, z, y]
            below, above = u[t, c, z, max(y - 1, 0)], u[t, c, z, min(y + 1, ny - 1)]
            if w[deep] == 0:
                _row_2d(row, below, above, after, slopes, weights)
                continue
            tb, tf = (max(t - 1, 0), min(t + 1, nt - 1)) if deep == 0 else (t, t)
            zb, zf = (max(z - 1, 0), min(z + 1, nz - 1)) if deep == 2 else (z, z)
            back, front = u[tb, c, zb, y], u[tf, c, zf, y]
            _row_3d(row, below, above, back, front, after, slopes, weights)
