"""Compiled tile kernels of scalar diffusion: fluxes through the faces between samples.

Arrays are canonical (t, c, z, y, x) and C-contiguous. A *site row* is the row of samples along x
at one (t, z, y), counted in that order; a kernel works on a half-open range of site rows, so that
threads share them and the stop token gets in between. A face's flux is the same operations in the
same order from both of its sides and for every cut into ranges, so results are equal to the bit.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, types
from numba.extending import overload

# How the conductance of a face comes about: a function of q = (gradient / contrast)², 1 for linear
# diffusion, or the mean of two coefficients that stand at the samples.
RATIONAL, EXPONENTIAL, UNIT, CELLS = 0, 1, 2, 3

# `contract` is the only liberty the compiler has: more of it breaks equality to the bit.
_OPTIONS = {"nogil": True, "cache": True, "fastmath": {"contract"}, "error_model": "numpy"}


def exp_of_minus(q):
    """Return exp(−q) for q ≥ 0, infinity included."""
    return math.exp(-q)


def _exp_of_minus_float32(q):
    # Below exp(−87) float32 has no normal numbers. A polynomial keeps the loop vectorised, where
    # a call to the mathematical library would end it; its coefficients are Taylor's of 2^r,
    # |r| ≤ ½, adjusted for the least greatest error (2 ulp).
    y = min(q, np.float32(87.0)) * np.float32(-1.44269504)
    whole = np.floor(y + np.float32(0.5))
    r = y - whole
    p = np.float32(1.535336188319500e-4)
    p = p * r + np.float32(1.339887440266574e-3)
    p = p * r + np.float32(9.618437357674640e-3)
    p = p * r + np.float32(5.550332471162809e-2)
    p = p * r + np.float32(2.402264791363012e-1)
    p = p * r + np.float32(6.931472028550421e-1)
    p = p * r + np.float32(1.0)
    power = np.int32((np.int32(whole) + np.int32(127)) << np.int32(23))
    return p * power.view(np.float32)


@overload(exp_of_minus, jit_options={"fastmath": {"contract"}})
def _overload_exp_of_minus(q):
    if q == types.float32:
        return _exp_of_minus_float32
    return lambda q: math.exp(-q)


@njit(**_OPTIONS)
def conductance_row(code, q):
    """Replace q = (gradient / contrast)² by the conductance, in place."""
    one = q.dtype.type(1)
    if code == RATIONAL:
        for x in range(q.size):
            q[x] = one / (one + q[x])
    elif code == EXPONENTIAL:
        for x in range(q.size):
            q[x] = exp_of_minus(q[x])
    else:
        q[:] = one


@njit(**_OPTIONS)
def _face_flux(u, guide, inside, code, k, axis, a, b, size, channels, g, flux):
    """Write the flux from the samples at a to those at b, (t, z, y, x) each, per channel."""
    (ta, za, ya, xa), (tb, zb, yb, xb) = a, b
    first, count = channels
    g = g[:size]
    if code == CELLS:
        group = first // count
        ga = guide[ta, group, za, ya, xa : xa + size]
        gb = guide[tb, group, zb, yb, xb : xb + size]
        half = g.dtype.type(0.5)
        for x in range(size):
            g[x] = half * (ga[x] + gb[x])
    else:
        g[:] = 0
        if code != UNIT:
            for c in range(first, first + count):
                sa = guide[ta, c, za, ya, xa : xa + size]
                sb = guide[tb, c, zb, yb, xb : xb + size]
                kc = k[c, axis]
                for x in range(size):
                    s = (sb[x] - sa[x]) * kc
                    g[x] += s * s
        conductance_row(code, g)
    for i in range(count):
        ua = u[ta, first + i, za, ya, xa : xa + size]
        ub = u[tb, first + i, zb, yb, xb : xb + size]
        f = flux[i, :size]
        for x in range(size):
            f[x] = g[x] * (ub[x] - ua[x])
        if inside is not None:
            ma = inside[ta, first + i, za, ya, xa : xa + size]
            mb = inside[tb, first + i, zb, yb, xb : xb + size]
            for x in range(size):
                if not (ma[x] and mb[x]):
                    f[x] = 0


@njit(**_OPTIONS)
def _add_difference(total, upper, lower, weight):
    for i in range(total.shape[0]):
        t, a, b = total[i], upper[i], lower[i]
        for x in range(t.size):
            t[x] += weight * (a[x] - b[x])


@njit(**_OPTIONS)
def advance_faces(u, guide, out, inside, code, k, w, joint, start, stop):
    """Write one explicit sub-step of site rows start…stop−1: out = u + Σ w · (flux in − flux out).

    Parameters
    ----------
    u, out : (T, C, Z, Y, X) float32 or float64
        Before and after. `out` may not overlap `u`.
    guide : array like u
        Whose differences set the conductance (`u` itself, or a smoothed copy); for CELLS the
        coefficients, one channel per group.
    inside : (T, C, Z, Y, X) bool or None
        Nothing flows through a face with an outer side.
    code : int
        RATIONAL, EXPONENTIAL, UNIT or CELLS.
    k : (C, 5)
        1 / (spacing · contrast) per channel and axis.
    w : (5,)
        tau / spacing² per axis; 0 where nothing diffuses.
    joint : bool
        Whether all channels share one conductance.
    start, stop : int
        Site rows.
    """
    nt, nc, nz, ny, nx = u.shape
    count = nc if joint else 1
    g = np.empty(nx, u.dtype)
    total = np.empty((count, nx), u.dtype)
    lower = np.empty((count, nx), u.dtype)
    upper = np.empty((count, nx), u.dtype)
    other = np.empty((count, nx), u.dtype)
    along_x = np.zeros((count, nx + 1), u.dtype)
    for first in range(0, nc, count):
        channels = (first, count)
        for site in range(start, stop):
            y = site % ny
            z = site // ny % nz
            t = site // (ny * nz)
            here = (t, z, y, 0)
            total[:] = 0
            if w[4] > 0 and nx > 1:
                _face_flux(
                    u,
                    guide,
                    inside,
                    code,
                    k,
                    4,
                    here,
                    (t, z, y, 1),
                    nx - 1,
                    channels,
                    g,
                    along_x[:, 1:],
                )
                _add_difference(total, along_x[:, 1:], along_x[:, :-1], w[4])
                along_x[:, nx] = 0
            if w[3] > 0:
                if site == start or y == 0:
                    below = (t, z, max(y - 1, 0), 0)
                    _face_flux(u, guide, inside, code, k, 3, below, here, nx, channels, g, lower)
                above = (t, z, min(y + 1, ny - 1), 0)
                _face_flux(u, guide, inside, code, k, 3, here, above, nx, channels, g, upper)
                _add_difference(total, upper, lower, w[3])
                # What left this row through its upper face enters the next one.
                lower, upper = upper, lower
            if w[2] > 0:
                below = (t, max(z - 1, 0), y, 0)
                above = (t, min(z + 1, nz - 1), y, 0)
                _face_flux(u, guide, inside, code, k, 2, here, above, nx, channels, g, upper)
                _face_flux(u, guide, inside, code, k, 2, below, here, nx, channels, g, other)
                _add_difference(total, upper, other, w[2])
            if w[0] > 0:
                below = (max(t - 1, 0), z, y, 0)
                above = (min(t + 1, nt - 1), z, y, 0)
                _face_flux(u, guide, inside, code, k, 0, here, above, nx, channels, g, upper)
                _face_flux(u, guide, inside, code, k, 0, below, here, nx, channels, g, other)
                _add_difference(total, upper, other, w[0])
            for i in range(count):
                before, after, change = u[t, first + i, z, y], out[t, first + i, z, y], total[i]
                for x in range(nx):
                    after[x] = before[x] + change[x]
