"""The fastest kernel: one channel, whose own differences set the conductance.

Each face's flux is computed once, in one loop over a row: the right face's flux is the next
pixel's left one, a recurrence that the compiler vectorises, and the upper face's waits in a buffer
of one row until the next row takes it for its lower one. A second loop over the row would cost more
in memory's latency than it saves.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba.extending import overload

from napari_diffusion.engine.exponential import LOG2_E, two_to_minus
from napari_diffusion.engine.jit import (
    allocating_kernel,
    exact_inline_kernel,
    inline_kernel,
)
from napari_diffusion.filters.flows.conductance_kernels import EXPONENTIAL, RATIONAL


class Rational(NamedTuple):
    """Slopes along x, y and z or t; the conductance is 1 / (1 + (d·slope)²)."""

    x: float
    y: float
    z: float


class Exponential(NamedTuple):
    """Slopes times √log₂e along x, y and z or t; the conductance is 2^−(d·slope)²."""

    x: float
    y: float
    z: float


# The type of a law chooses the code when the kernel is compiled: no branch stays in the loop.
LAWS = {RATIONAL: Rational(0.0, 0.0, 0.0), EXPONENTIAL: Exponential(0.0, 0.0, 0.0)}

_ROOT = math.sqrt(LOG2_E)


@inline_kernel
def _rational_flux(d, slope):
    s = d * slope
    return d / (type(s)(1) + s * s)


@exact_inline_kernel
def product(a, b):
    """Return a·b, rounded before anything is added to it.

    Of two products in one sum the compiler may fuse either one, and need not choose alike in two
    places.
    """
    return a * b


@inline_kernel
def _exponential_flux(d, slope):
    s = d * slope
    return product(d, two_to_minus(s * s))


def flux(law, d, slope):
    """Return the flux through a face with the difference d."""


@overload(flux, inline="always")
def _flux(law, d, slope):
    if law.instance_class is Rational:
        return lambda law, d, slope: _rational_flux(d, slope)
    return lambda law, d, slope: _exponential_flux(d, slope)


def with_slopes(law, x, y, z):
    """Return a law of the same type with the slopes 1 / (spacing · K)."""


@overload(with_slopes, inline="always")
def _with_slopes(law, x, y, z):
    if law.instance_class is Rational:
        return lambda law, x, y, z: Rational(x, y, z)
    return lambda law, x, y, z: Exponential(
        x * type(x)(_ROOT), y * type(y)(_ROOT), z * type(z)(_ROOT)
    )


@inline_kernel
def _row_2d(law, row, right_row, above, lower, out, w):
    wx, wy, tau = w[4], w[3], w[5]
    left = out.dtype.type(0)
    for x in range(row.size):
        v = row[x]
        right = flux(law, right_row[x] - v, law.x)
        upper = flux(law, above[x] - v, law.y)
        total = product(wx, right - left)
        total = total + wy * (upper - lower[x])
        out[x] = v + tau * total
        lower[x] = upper
        left = right


@inline_kernel
def _row_3d(law, row, right_row, above, back, front, lower, out, w, deep):
    wx, wy, wz, tau = w[4], w[3], w[deep], w[5]
    left = out.dtype.type(0)
    for x in range(row.size):
        v = row[x]
        right = flux(law, right_row[x] - v, law.x)
        upper = flux(law, above[x] - v, law.y)
        far = flux(law, front[x] - v, law.z)
        near = flux(law, v - back[x], law.z)
        total = product(wx, right - left)
        total = total + wy * (upper - lower[x])
        total = total + wz * (far - near)
        out[x] = v + tau * total
        lower[x] = upper
        left = right


@inline_kernel
def _last(law, flat, base, up, far, near, last, low, after, w, deep):
    """Write a row's last pixel, whose right face lets nothing through; return its upper flux."""
    v = flat[base + last]
    zero = after.dtype.type(0)
    left = flux(law, v - flat[base + last - 1], law.x) if last > 0 else zero
    upper = flux(law, flat[up + last] - v, law.y)
    total = product(w[4], zero - left)
    total = total + w[3] * (upper - low)
    if deep is not None:
        ahead = flux(law, flat[far + last] - v, law.z)
        behind = flux(law, v - flat[near + last], law.z)
        total = total + w[deep] * (ahead - behind)
    after[last] = v + w[5] * total
    return upper


@inline_kernel
def _channel(law, flat, flat_out, lower, c, shape, w, deep, start, stop):
    nt, nc, nz, ny, nx = shape
    last = nx - 1
    # Counted on, because a division takes as long as several pixels.
    y, z, t = start % ny - 1, start // ny % nz, start // (ny * nz)
    for site in range(start, stop):
        y += 1
        if y == ny:
            y, z = 0, z + 1
            if z == nz:
                z, t = 0, t + 1
        base = (((t * nc + c) * nz + z) * ny + y) * nx
        # A neighbour beyond the border is the pixel itself: nothing flows there.
        up = base if y == ny - 1 else base + nx
        near, far = base, base
        if deep is not None:
            at, size, stride = (z, nz, nx * ny) if deep == 2 else (t, nt, nc * nz * ny * nx)
            near = base if at == 0 else base - stride
            far = base if at == size - 1 else base + stride
        # Shifted by one, a row ends with the next row's first pixel; `_last` mends what comes of
        # that. So the loop is over whole vectors where the row is.
        n = min(nx, flat.size - base - 1)
        row, right_row = flat[base : base + n], flat[base + 1 : base + 1 + n]
        above, after = flat[up : up + nx], flat_out[base : base + nx]
        if y == 0:
            for x in range(nx):
                lower[x] = 0
        elif site == start:
            for x in range(nx):
                lower[x] = flux(law, flat[base + x] - flat[base - nx + x], law.y)
        low = lower[last]
        if deep is not None:
            back, front = flat[near : near + nx], flat[far : far + nx]
            _row_3d(law, row, right_row, above, back, front, lower, after, w, deep)
        else:
            _row_2d(law, row, right_row, above, lower, after, w)
        lower[last] = _last(law, flat, base, up, far, near, last, low, after, w, deep)


@allocating_kernel
def advance_single(law, u, out, k, w, deep, start, stop):
    """Write one explicit sub-step of site rows start…stop−1, every channel for itself.

    `law` is one of LAWS; the other parameters are those of `conductance_kernels.advance_faces`.
    `deep` is the one of the axes t and z that diffuses, or None, for which less is compiled.
    """
    flat, flat_out, lower = u.reshape(-1), out.reshape(-1), np.empty(u.shape[4], u.dtype)
    for c in range(u.shape[1]):
        slope = k[c, 3] if deep is None else k[c, deep]
        own = with_slopes(law, k[c, 4], k[c, 3], slope)
        _channel(own, flat, flat_out, lower, c, u.shape, w, deep, start, stop)
