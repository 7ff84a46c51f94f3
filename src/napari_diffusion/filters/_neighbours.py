"""Means over neighbours, weighted by how alike the patches around them are."""

from __future__ import annotations

import numpy as np

from napari_diffusion.compiled import kernel
from napari_diffusion.filters._exponential import exp_of_minus

# The least that a sample counts in its own mean: one that resembles no other stays.
OWN = 1e-3


@kernel
def _patch_columns(guide, y, x0, dy, dx, patch, scale, column):
    """Write Σ over rows and channels of the squared scaled differences at an offset."""
    for x in range(column.size):
        column[x] = 0
    for c in range(guide.shape[0]):
        factor = scale[c]
        for row in range(y - patch, y + patch + 1):
            a, b = guide[c, row, x0:], guide[c, row + dy, x0 + dx :]
            for x in range(column.size):
                s = (a[x] - b[x]) * factor
                column[x] += s * s


@kernel
def average_alike(u, guide, radius, patch, scale, rows, out):
    """Write Σ w u / Σ w over the neighbours within a square, w = exp(−Σ (scale · Δguide)²).

    Parameters
    ----------
    u, guide : (C, H + 2m, W + 2m), (D, H + 2m, W + 2m) float32 or float64
        With a margin m = radius + patch of mirrored samples. All channels of the guide say how
        alike two patches are; D is C or 1.
    radius, patch : int
        Neighbours at up to `radius` rows and columns; patches of 2 · patch + 1.
    scale : (D,)
        Squares of differences times it, added up over a patch, make the exponent.
    rows : (int, int)
        Rows of the result.
    out : (C, H, W)
        The means.
    """
    channels, width = out.shape[0], out.shape[2]
    margin, dtype = radius + patch, u.dtype
    column = np.empty(width + 2 * patch, dtype)
    weight, total = np.empty(width, dtype), np.empty(width, dtype)
    largest, values = np.empty(width, dtype), np.empty((channels, width), dtype)
    for row in range(rows[0], rows[1]):
        y = row + margin
        for x in range(width):
            largest[x] = OWN
            total[x] = 0
        for c in range(channels):
            for x in range(width):
                values[c, x] = 0
        for dy in range(-radius, radius + 1):
            for dx in range(-radius, radius + 1):
                if dy == 0 and dx == 0:
                    continue
                _patch_columns(guide, y, radius, dy, dx, patch, scale, column)
                for x in range(width):
                    weight[x] = column[x]
                for i in range(1, 2 * patch + 1):
                    part = column[i:]
                    for x in range(width):
                        weight[x] += part[x]
                for x in range(width):
                    w = exp_of_minus(weight[x])
                    weight[x] = w
                    largest[x] = max(largest[x], w)
                    total[x] += w
                for c in range(channels):
                    near, value = u[c, y + dy, margin + dx :], values[c]
                    for x in range(width):
                        value[x] += weight[x] * near[x]
        for c in range(channels):
            own, value, mean = u[c, y, margin:], values[c], out[c, row]
            for x in range(width):
                mean[x] = (value[x] + largest[x] * own[x]) / (total[x] + largest[x])
