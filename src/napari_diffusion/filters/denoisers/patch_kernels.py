"""Means over neighbours, weighted by how alike the patches around them are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.engine.exponential import exp_of_minus
from napari_diffusion.engine.jit import inline_kernel, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The least that a pixel counts in its own mean: one that resembles no other stays.
OWN = 1e-3


# Rows that are worked on together, so that neighbours share what their patches share.
BAND = 16


@inline_kernel
def _unlikeness(guide, at, offset, patch, scale, across, line):
    """Write, for a row, Σ over planes, columns and channels of the squared scaled differences."""
    z, y, x0 = at
    dz, dy, dx = offset
    for x in range(across.size):
        across[x] = 0
    for c in range(guide.shape[0]):
        for plane in range(z - patch[0], z + patch[0] + 1):
            a, b = guide[c, plane, y, x0:], guide[c, plane + dz, y + dy, x0 + dx :]
            # One of both is compiled.
            if scale.ndim == 1:
                factor = scale[c]
                for x in range(across.size):
                    s = (a[x] - b[x]) * factor
                    across[x] += s * s
            else:
                factors = scale[c, plane, y, x0:]
                for x in range(across.size):
                    s = (a[x] - b[x]) * factors[x]
                    across[x] += s * s
    for x in range(line.size):
        line[x] = across[x]
    for i in range(1, 2 * patch[1] + 1):
        part = across[i:]
        for x in range(line.size):
            line[x] += part[x]


@inline_kernel
def _alike(lines, first, rows, weight, largest, total):
    """Write exp(−Σ over the rows of a patch), and add it up."""
    line = lines[first]
    for x in range(weight.size):
        weight[x] = line[x]
    for i in range(1, rows):
        line = lines[first + i]
        for x in range(weight.size):
            weight[x] += line[x]
    for x in range(weight.size):
        w = exp_of_minus(weight[x])
        weight[x] = w
        largest[x] = max(largest[x], w)
        total[x] += w


def average_alike(
    u: NDArray[Any],
    guide: NDArray[Any],
    radius: tuple[int, int],
    patch: tuple[int, int],
    scale: NDArray[Any],
    plane: int,
    rows: tuple[int, int],
    out: NDArray[Any],
) -> None:
    """Write Σ w u / Σ w over the neighbours within a box, w = exp(−Σ (scale · Δguide)²).

    Parameters
    ----------
    u, guide : (C, D + 2n, H + 2m, W + 2m), (E, …) float32 or float64
        With margins of radius + patch mirrored pixels: n along the third axis, m in the planes.
        All channels of the guide say how alike two patches are; E is C or 1.
    radius, patch : (int, int)
        Neighbours at up to `radius` planes, and rows and columns; patches of 2 · patch + 1.
    scale : (E,) or (E, D + 2n, H + 2m, W + 2m)
        Squares of differences times it, added up over a patch, make the exponent: one number for
        each channel, or for each pixel of the patch around the one that is averaged.
    plane, rows : int, (int, int)
        Rows of one plane of the result.
    out : (C, D, H, W)
        The means.
    """
    channels, width, dtype = out.shape[0], out.shape[3], u.dtype
    lines = np.empty((BAND + 2 * patch[1], width), dtype)
    across, weight = np.empty(width + 2 * patch[1], dtype), np.empty(width, dtype)
    sums = np.empty((BAND, 2 + channels, width), dtype)
    _average_alike(
        u, guide, radius, patch, scale, plane, rows, out, lines, across, weight, sums
    )  # fmt: skip


@kernel
def _average_alike(
    u, guide, radius, patch, scale, plane, rows, out, lines, across, weight, sums
):  # fmt: skip
    channels, width = out.shape[0], out.shape[3]
    z, margin = plane + radius[0] + patch[0], radius[1] + patch[1]
    for first in range(rows[0], rows[1], BAND):
        count = min(BAND, rows[1] - first)
        y = first + margin
        for n in range(count):
            for i in range(2 + channels):
                for x in range(width):
                    sums[n, i, x] = OWN if i == 0 else 0
        for dz in range(-radius[0], radius[0] + 1):
            for dy in range(-radius[1], radius[1] + 1):
                for dx in range(-radius[1], radius[1] + 1):
                    if dz == 0 and dy == 0 and dx == 0:
                        continue
                    for n in range(count + 2 * patch[1]):
                        at, offset = (z, y + n - patch[1], radius[1]), (dz, dy, dx)
                        _unlikeness(guide, at, offset, patch, scale, across, lines[n])
                    for n in range(count):
                        own = sums[n]
                        _alike(lines, n, 2 * patch[1] + 1, weight, own[0], own[1])
                        for c in range(channels):
                            value, near = own[2 + c], u[c, z + dz, y + n + dy, margin + dx :]
                            for x in range(width):
                                value[x] += weight[x] * near[x]
        for n in range(count):
            largest, total = sums[n, 0], sums[n, 1]
            for c in range(channels):
                own, value = u[c, z, y + n, margin:], sums[n, 2 + c]
                mean = out[c, plane, first + n]
                for x in range(width):
                    mean[x] = (value[x] + largest[x] * own[x]) / (total[x] + largest[x])
