"""The fast kernel for channels that share a conductance, and for a guide of its own.

A row is worked through in chunks. The squared gradients of all channels are summed face by face
and turned into conductances; then each channel is advanced in one loop, in which what leaves a
pixel to the right enters the next one, and what leaves it through its upper face waits for the
next row. What a chunk needs stays in the nearest cache.
"""

from __future__ import annotations

import numpy as np

from napari_diffusion.engine.jit import allocating_kernel, inline_kernel
from napari_diffusion.filters.flows.conductance_kernels import CELLS, UNIT, conductance_row, fill
from napari_diffusion.filters.flows.perona_malik_single_channel import product

CHUNK = 512


@inline_kernel
def _faces(law, guide, a, b, k, first, count, stride, axis, g):
    """Write the conductance of the faces between the flat positions from a and from b on."""
    n, half = g.size, g.dtype.type(0.5)
    if law[0] == CELLS:
        low, high = guide[a : a + n], guide[b : b + n]
        for x in range(n):
            g[x] = half * (low[x] + high[x])
        return
    fill(g, 0)
    if law[0] != UNIT:
        for c in range(count):
            low, high = guide[a + c * stride : a + c * stride + n], guide[b + c * stride :]
            kc = k[first + c, axis]
            for x in range(n):
                s = (high[x] - low[x]) * kc
                g[x] += s * s
    conductance_row(law, g)


@inline_kernel
def _flat_chunk(row, right_row, above, gx, gy, lower, out, left, w):
    wx, wy, tau = w[4], w[3], w[5]
    for x in range(row.size):
        v = row[x]
        right = product(gx[x], right_row[x] - v)
        upper = product(gy[x], above[x] - v)
        total = product(wx, right - left)
        total = total + wy * (upper - lower[x])
        out[x] = v + tau * total
        lower[x] = upper
        left = right
    return left


@inline_kernel
def _deep_chunk(row, right_row, above, back, front, g, lower, out, left, w, deep):
    wx, wy, wz, tau = w[4], w[3], w[deep], w[5]
    gx, gy, gf, gb = g[0], g[1], g[3], g[4]
    for x in range(row.size):
        v = row[x]
        right = product(gx[x], right_row[x] - v)
        upper = product(gy[x], above[x] - v)
        far = product(gf[x], front[x] - v)
        near = product(gb[x], v - back[x])
        total = product(wx, right - left)
        total = total + wy * (upper - lower[x])
        total = total + wz * (far - near)
        out[x] = v + tau * total
        lower[x] = upper
        left = right
    return left


@inline_kernel
def _last(v, above, back, front, g, m, low, left, w, deep):
    """Return a row's last pixel, whose right face lets nothing through, and its upper flux."""
    upper = product(g[1, m], above - v)
    total = product(w[4], type(v)(0) - left)
    total = total + w[3] * (upper - low)
    if deep is not None:
        total = total + w[deep] * (product(g[3, m], front - v) - product(g[4, m], v - back))
    return v + w[5] * total, upper


@allocating_kernel
def advance_joint(law, u, guide, out, k, w, deep, count, start, stop):
    """Write one explicit sub-step of site rows start…stop−1.

    `count` says how many channels share a conductance, and `deep` is the one of the axes t and z
    that diffuses, or None, for which less is compiled; the others are those of
    `conductance_kernels.advance_faces`.
    """
    nt, nc, nz, ny, nx = u.shape
    flat, flat_guide, flat_out = u.reshape(-1), guide.reshape(-1), out.reshape(-1)
    size, stride = min(nx, CHUNK), nz * ny * nx
    # Of a chunk's faces: right, above, below (of a range's first row alone), in front and behind.
    g = np.empty((5, size), u.dtype)
    lower, lefts = np.zeros((count, nx), u.dtype), np.empty(count, u.dtype)
    # For CELLS the guide has one channel for each group.
    groups = guide.shape[1]
    for first in range(0, nc, count):
        group = first * groups // nc
        for site in range(start, stop):
            y, z, t = site % ny, site // ny % nz, site // (ny * nz)
            base = (((t * nc + first) * nz + z) * ny + y) * nx
            guide_base = (((t * groups + group) * nz + z) * ny + y) * nx
            up = 0 if y == ny - 1 else nx
            front, back, guide_front, guide_back = 0, 0, 0, 0
            if deep is not None:
                at, end, step = (z, nz - 1, ny * nx) if deep == 2 else (t, nt - 1, stride)
                own, its = (1, 1) if deep == 2 else (nc, groups)
                front, guide_front = (0, 0) if at == end else (step * own, step * its)
                back, guide_back = (0, 0) if at == 0 else (step * own, step * its)
            begins = y > 0 and site == start
            for c in range(count):
                lefts[c] = 0
            for x0 in range(0, nx, CHUNK):
                n = min(CHUNK, nx - x0)
                m = min(n, nx - 1 - x0)
                p = guide_base + x0
                for face in range(5 if deep is not None else 3):
                    if face == 2 and not begins:
                        continue
                    a, b, axis = p, p, 3
                    if face == 0:
                        b, axis = p + 1, 4
                    elif face == 1:
                        b = p + up
                    elif face == 2:
                        a = p - nx
                    elif deep is not None:
                        axis = deep
                        a = p if face == 3 else p - guide_back
                        b = p + guide_front if face == 3 else p
                    chunk = g[face, : (m if face == 0 else n)]
                    _faces(law, flat_guide, a, b, k, first, count, stride, axis, chunk)
                for c in range(count):
                    o = base + x0 + c * stride
                    low, after = lower[c, x0 : x0 + n], flat_out[o : o + n]
                    row, right_row = flat[o : o + m], flat[o + 1 : o + 1 + m]
                    if y == 0:
                        for x in range(n):
                            low[x] = 0
                    elif begins:
                        below = flat[o - nx : o - nx + n]
                        for x in range(n):
                            low[x] = product(g[2, x], flat[o + x] - below[x])
                    above = flat[o + up : o + up + n]
                    ahead, behind = flat[o + front : o + front + n], flat[o - back : o - back + n]
                    if deep is not None:
                        left = _deep_chunk(
                            row, right_row, above, behind, ahead, g, low, after, lefts[c], w, deep
                        )
                    else:
                        left = _flat_chunk(
                            row, right_row, above, g[0], g[1], low, after, lefts[c], w
                        )
                    lefts[c] = left
                    if m < n:
                        after[m], low[m] = _last(
                            flat[o + m], above[m], behind[m], ahead[m], g, m, low[m], left, w, deep
                        )
