"""The structure tensor: which way an image changes, and how steeply.

Gradients are those of Scharr: central differences, smoothed across by (3, 10, 3)/16, whose
directions are a tenth as wrong as those of plain differences. They are in world units and relative
to the contrast. All that is done at a pixel is symmetric: the mirrored image has the mirrored
tensors, to the bit.

References
----------
Di Zenzo (1986), A note on the gradient of a multi-image.
Scharr (2000), Optimale Operatoren in der Digitalen Bildverarbeitung.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.engine.jit import (
    exact_inline_kernel,
    exact_inner_kernel,
    exact_kernel,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Steeper than so many times the contrast nothing can be told apart, and squares stay in range.
STEEPEST = 1e6


@exact_inline_kernel
def _across(low, middle, high):
    """Return the mean across a derivative that turns its direction the least wrong."""
    return 0.625 * middle + 0.1875 * (low + high)


@exact_inner_kernel
def _add_products(p0, p1, p2, p3, steepness, inside, total):
    """Add the products of differences, made relative to the contrast, to the components.

    The four rows are differences per shortest spacing along z, y, x and t.
    """
    planar = total.shape[0] == 3
    for x in range(p2.size):
        a, b, c, d = p0[x], p1[x], p2[x], p3[x]
        most = max(max(abs(a), abs(b)), max(abs(c), abs(d)))
        # Made smaller before they are squared, nothing is too large to be.
        f = min(most * steepness, STEEPEST) / most if most > 0 else 0.0
        f = f if inside[x] else 0.0
        a, b, c, d = a * f, b * f, c * f, d * f
        if planar:
            total[0, x] += b * b
            total[1, x] += b * c
            total[2, x] += c * c
        else:
            total[0, x] += a * a
            total[1, x] += a * b
            total[2, x] += a * c
            total[3, x] += b * b
            total[4, x] += b * c
            total[5, x] += c * c
            if total.shape[0] == 7:
                total[6, x] += d * d


@exact_inner_kernel
def _differences(u, c, at, ratios, p, s):
    """Write the differences of one row of a channel along z, y, x and t; `s` is scratch."""
    nt, _, nz, ny, nx = u.shape
    t, z, y = at
    planar = ratios[0] == 0
    for turn in range(2 if planar else 0, 3):
        # The outer planes first, so that their sum does not depend on their order.
        to = z if turn == 2 else min(max(z + 2 * turn - 1, 0), nz - 1)
        low, mid, high = u[t, c, to, max(y - 1, 0)], u[t, c, to, y], u[t, c, to, min(y + 1, ny - 1)]
        for x in range(nx):
            a, b = np.float64(low[x]), np.float64(high[x])
            row, d = _across(a, np.float64(mid[x]), b), b - a
            if planar:
                s[0, x + 1], s[1, x + 1] = row, d
            elif turn == 0:
                s[3, x], s[4, x], s[2, x + 1] = row, d, row
            elif turn == 1:
                s[3, x], s[4, x] = s[3, x] + row, s[4, x] + d
                s[2, x + 1] = row - s[2, x + 1]
            else:
                s[0, x + 1] = 0.625 * row + 0.1875 * s[3, x]
                s[1, x + 1] = 0.625 * d + 0.1875 * s[4, x]
    for k in range(3):
        s[k, 0], s[k, nx + 1] = s[k, 1], s[k, nx]
    before, after = u[max(t - 1, 0), c, z, y], u[min(t + 1, nt - 1), c, z, y]
    h0, h1, h2, h3 = 0.5 * ratios[0], 0.5 * ratios[1], 0.5 * ratios[2], 0.5 * ratios[3]
    for x in range(nx):
        p[0, x] = h0 * _across(s[2, x], s[2, x + 1], s[2, x + 2])
        p[1, x] = h1 * _across(s[1, x], s[1, x + 1], s[1, x + 2])
        p[2, x] = h2 * (s[0, x + 2] - s[0, x])
        p[3, x] = h3 * (np.float64(after[x]) - np.float64(before[x]))


@exact_inner_kernel
def _differences_inside(u, inside, c, at, ratios, p, patch):
    """Write what `_differences` does, the pixel itself standing in for those outside a mask."""
    nt, _, nz, ny, nx = u.shape
    t, z, y = at
    deep = 0 if ratios[0] == 0 else 1
    for x in range(nx):
        here = np.float64(u[t, c, z, y, x])
        for i in range(-deep, deep + 1):
            zi = min(max(z + i, 0), nz - 1)
            for k in range(-1, 2):
                xk = min(max(x + k, 0), nx - 1)
                low, high = max(y - 1, 0), min(y + 1, ny - 1)
                a = np.float64(u[t, c, zi, low, xk]) if inside[t, c, zi, low, xk] else here
                m = np.float64(u[t, c, zi, y, xk]) if inside[t, c, zi, y, xk] else here
                b = np.float64(u[t, c, zi, high, xk]) if inside[t, c, zi, high, xk] else here
                patch[0, i, k], patch[1, i, k] = _across(a, m, b), b - a
        low, high = max(t - 1, 0), min(t + 1, nt - 1)
        a = np.float64(u[low, c, z, y, x]) if inside[low, c, z, y, x] else here
        b = np.float64(u[high, c, z, y, x]) if inside[high, c, z, y, x] else here
        p[3, x] = 0.5 * ratios[3] * (b - a)
        for k in range(-1, 2):
            row, d = patch[0, 0, k], patch[1, 0, k]
            if deep:
                patch[2, 0, k] = patch[0, 1, k] - patch[0, -1, k]
                row = _across(patch[0, -1, k], row, patch[0, 1, k])
                d = _across(patch[1, -1, k], d, patch[1, 1, k])
            patch[0, 0, k], patch[1, 0, k] = row, d
        p[0, x] = 0.0
        if deep:
            p[0, x] = 0.5 * ratios[0] * _across(patch[2, 0, -1], patch[2, 0, 0], patch[2, 0, 1])
        p[1, x] = 0.5 * ratios[1] * _across(patch[1, 0, -1], patch[1, 0, 0], patch[1, 0, 1])
        p[2, x] = 0.5 * ratios[2] * (patch[0, 0, 1] - patch[0, 0, -1])


def product_rows(
    u: NDArray[Any],
    ratios: NDArray[np.float64],
    steepness: NDArray[np.float64],
    joint: bool,
    out: NDArray[Any],
    start: int,
    stop: int,
) -> None:
    """Write Σ ∇u ∇uᵀ over joint channels for the site rows start … stop − 1.

    Beyond the border the pixel itself stands in.

    Parameters
    ----------
    u : (T, C, Z, Y, X)
    ratios : (4,) float64
        Shortest spacing / spacing along z, y, x and t; 0 where nothing diffuses.
    steepness : (C,) float64
        1 / (shortest spacing · contrast) of each channel.
    joint : bool
        Whether channels are added.
    out : (components, G, site rows, X)
        Written: 3 components in a plane, else 6, and then the square of time's.
    """
    nx = u.shape[4]
    rooms = np.zeros((4, nx)), np.zeros((5, nx + 2)), np.empty((out.shape[0], nx))
    everywhere = np.ones(nx, np.bool_)
    _product_rows(u, ratios, steepness, joint, out, start, stop, *rooms, everywhere)


@exact_kernel
def _product_rows(u, ratios, steepness, joint, out, start, stop, p, s, total, everywhere):
    _, nc, nz, ny, nx = u.shape
    count = nc if joint else 1
    for site in range(start, stop):
        at = (site // (ny * nz), site // ny % nz, site % ny)
        for group in range(nc // count):
            for k in range(out.shape[0]):
                for x in range(nx):
                    total[k, x] = 0.0
            for c in range(group * count, group * count + count):
                _differences(u, c, at, ratios, p, s)
                _add_products(p[0], p[1], p[2], p[3], steepness[c], everywhere, total)
            for k in range(out.shape[0]):
                row = out[k, group, site]
                for x in range(nx):
                    row[x] = total[k, x]


def product_rows_inside(
    u: NDArray[Any],
    inside: NDArray[np.bool_],
    ratios: NDArray[np.float64],
    steepness: NDArray[np.float64],
    joint: bool,
    out: NDArray[Any],
    start: int,
    stop: int,
) -> None:
    """Write what `product_rows` does with the pixel itself in place of those outside a mask."""
    nx = u.shape[4]
    rooms = np.zeros((4, nx)), np.zeros((3, 3, 3)), np.empty((out.shape[0], nx))
    _product_rows_inside(u, inside, ratios, steepness, joint, out, start, stop, *rooms)


@exact_kernel
def _product_rows_inside(u, inside, ratios, steepness, joint, out, start, stop, p, patch, total):
    _, nc, nz, ny, nx = u.shape
    count = nc if joint else 1
    for site in range(start, stop):
        at = (site // (ny * nz), site // ny % nz, site % ny)
        for group in range(nc // count):
            for k in range(out.shape[0]):
                for x in range(nx):
                    total[k, x] = 0.0
            for c in range(group * count, group * count + count):
                _differences_inside(u, inside, c, at, ratios, p, patch)
                within = inside[at[0], c, at[1], at[2]]
                _add_products(p[0], p[1], p[2], p[3], steepness[c], within, total)
            for k in range(out.shape[0]):
                row = out[k, group, site]
                for x in range(nx):
                    row[x] = total[k, x]
