"""Compiled tile kernels of scalar diffusion: fluxes through the faces between pixels.

Arrays are canonical (t, c, z, y, x) and C-contiguous. A *site row* is the row of pixels along x
at one (t, z, y), counted in that order; a kernel works on a half-open range of site rows, so that
threads share them and the stop token gets in between. A face's flux is the same operations in the
same order from both of its sides and for every cut into ranges, so results are equal to the bit.
"""

from __future__ import annotations

import numpy as np

from napari_diffusion.engine.exponential import exp_of_minus
from napari_diffusion.engine.jit import allocating_kernel, inline_kernel, inner_kernel, kernel

# How the conductance of a face comes about: a function of q = (gradient / K)², 1 for linear
# diffusion, or the mean of two coefficients that stand at the pixels. A *law* is one of these
# codes with the power m and the constant C of Weickert's function, which the others do not use.
RATIONAL, EXPONENTIAL, SIMPLE, CHARBONNIER, HUBER, TUKEY, WEICKERT, UNIT, CELLS = range(9)

# The faces of a row in the order of their sum: along x, then below and above along y, z and t.
_AXES = (4, 3, 3, 2, 2, 0, 0)


@inline_kernel
def rational(q):
    """Return 1 / (1 + q)."""
    one = type(q)(1)
    return one / (one + q)


@kernel
def fill(row, value):
    """Set every entry of a row; slower to read than an assignment, faster to compile."""
    for x in range(row.size):
        row[x] = value


@inner_kernel
def conductance_row(law, q):
    """Replace q = (gradient / K)² by the conductance, in place."""
    code, one = law[0], q.dtype.type(1)
    if code == RATIONAL:
        for x in range(q.size):
            q[x] = rational(q[x])
    elif code == EXPONENTIAL:
        for x in range(q.size):
            q[x] = exp_of_minus(q[x])
    elif code == SIMPLE:
        for x in range(q.size):
            q[x] = exp_of_minus(np.sqrt(q[x]))
    elif code == CHARBONNIER:
        for x in range(q.size):
            q[x] = one / np.sqrt(one + q[x])
    elif code == HUBER:
        for x in range(q.size):
            q[x] = one / np.sqrt(max(q[x], one))
    elif code == TUKEY:
        for x in range(q.size):
            rest = one - min(q[x], one)
            q[x] = rest * rest
    elif code == WEICKERT:
        constant = q.dtype.type(law[2])
        for x in range(q.size):
            power = one
            for _ in range(law[1]):
                power *= q[x]
            q[x] = one - exp_of_minus(constant / power)
    else:
        fill(q, 1)


@inner_kernel
def _face_conductance(guide, law, k, axis, a, b, first, count, g):
    """Write the conductance of the faces between the pixels at a and at b into g."""
    (ta, za, ya, xa), (tb, zb, yb, xb), size = a, b, g.size
    if law[0] == CELLS:
        group = first // count
        ga = guide[ta, group, za, ya, xa : xa + size]
        gb = guide[tb, group, zb, yb, xb : xb + size]
        half = g.dtype.type(0.5)
        for x in range(size):
            g[x] = half * (ga[x] + gb[x])
        return
    fill(g, 0)
    if law[0] != UNIT:
        for c in range(first, first + count):
            sa = guide[ta, c, za, ya, xa : xa + size]
            sb = guide[tb, c, zb, yb, xb : xb + size]
            kc = k[c, axis]
            for x in range(size):
                s = (sb[x] - sa[x]) * kc
                g[x] += s * s
    conductance_row(law, g)


@inner_kernel
def _face_flux(u, guide, inside, law, k, axis, a, b, first, g, flux):
    """Write the flux from the pixels at a to those at b, (t, z, y, x) each, per channel.

    Column x of `flux` belongs to the face between pixels x − 1 and x along x, else to pixel x.
    """
    (ta, za, ya, xa), (tb, zb, yb, xb) = a, b
    count, size = flux.shape[0], u.shape[4] - xb
    _face_conductance(guide, law, k, axis, a, b, first, count, g[:size])
    for i in range(count):
        ua = u[ta, first + i, za, ya, xa : xa + size]
        ub = u[tb, first + i, zb, yb, xb : xb + size]
        f = flux[i, xb : xb + size]
        for x in range(size):
            f[x] = (ub[x] - ua[x]) * g[x]
        if inside is not None:
            ma = inside[ta, first + i, za, ya, xa : xa + size]
            mb = inside[tb, first + i, zb, yb, xb : xb + size]
            for x in range(size):
                if not (ma[x] and mb[x]):
                    f[x] = 0


@kernel
def moved(t, z, y, axis, to):
    """Return (t, z, y, 0) with the coordinate of one canonical axis replaced."""
    return (to if axis == 0 else t), (to if axis == 2 else z), (to if axis == 3 else y), 0


@inner_kernel
def _add_difference(total, upper, lower, shift, weight):
    """Add weight · (upper − lower) to the total, `upper` being read `shift` columns further."""
    n = total.shape[1]
    for i in range(total.shape[0]):
        t, a, b = total[i], upper[i, shift : shift + n], lower[i, :n]
        for x in range(n):
            t[x] += weight * (a[x] - b[x])


@allocating_kernel
def advance_faces(u, guide, out, inside, law, k, w, joint, start, stop):
    """Write one explicit sub-step of site rows start…stop−1: out = u + w[5] · Σ w · (flux − flux).

    Parameters
    ----------
    u, out : (T, C, Z, Y, X) float32 or float64
        Before and after. `out` may not overlap `u`.
    guide : array like u
        Whose differences set the conductance (`u` itself, or a smoothed copy); for CELLS the
        coefficients, one channel per group.
    inside : (T, C, Z, Y, X) bool or None
        Nothing flows through a face with an outer side.
    law : (int, int, float)
        What the conductance is: one of the codes, and the power and the constant it takes.
    k : (C, 5)
        1 / (spacing · K) per channel and axis.
    w : (6,)
        Relative weight per axis, 0 where nothing diffuses, and the factor of their sum.
    joint : bool
        Whether all channels share one conductance.
    start, stop : int
        Site rows.
    """
    nt, nc, nz, ny, nx = u.shape
    shape = (nt, nc, nz, ny)
    count = nc if joint else 1
    g = np.empty(nx, u.dtype)
    total = np.empty((count, nx), u.dtype)
    # Fluxes through the faces of a row: along x (nothing flows through the first and the last),
    # below and above along y, and below and above along z or t.
    flux = np.zeros((5, count, nx + 1), u.dtype)
    for first in range(0, nc, count):
        y_below, y_above = 1, 2
        for site in range(start, stop):
            y = site % ny
            z = site // ny % nz
            t = site // (ny * nz)
            here = (t, z, y, 0)
            for i in range(count):
                fill(total[i], 0)
            # One call in a loop, because every call is compiled into its place.
            for face in range(7):
                axis = _AXES[face]
                if w[axis] == 0 or (axis == 4 and nx == 1):
                    continue
                at = (t, 0, z, y, 0)[axis]
                below, above = (y_below, y_above) if axis == 3 else (3, 4)
                a, b, slot = here, here, above
                if axis == 4:
                    b, slot = (t, z, y, 1), 0
                elif face % 2 == 0:
                    b = moved(t, z, y, axis, min(at + 1, shape[axis] - 1))
                elif axis == 3 and site != start and y != 0:
                    # What left the row before through its upper face enters this one.
                    continue
                else:
                    a, slot = moved(t, z, y, axis, max(at - 1, 0)), below
                _face_flux(u, guide, inside, law, k, axis, a, b, first, g, flux[slot])
                if face % 2 == 0:
                    below = 0 if axis == 4 else below
                    _add_difference(total, flux[slot], flux[below], int(axis == 4), w[axis])
            y_below, y_above = y_above, y_below
            for i in range(count):
                before, after, change = u[t, first + i, z, y], out[t, first + i, z, y], total[i]
                for x in range(nx):
                    after[x] = before[x] + w[5] * change[x]
