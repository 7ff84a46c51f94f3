"""One step of trained reaction diffusion: 5 × 5 filters, influence functions, the way back.

``out = u − reaction · (u − y) − Σ kᵢᵀ φᵢ(kᵢ u)``. Filters are only taken where all of their 25
pixels lie in the image, and each response goes back to these pixels.
"""

from __future__ import annotations

import numpy as np

from napari_diffusion.engine.jit import inline_kernel, inner_kernel, kernel
from napari_diffusion.filters.learned.filter_size import MORE, SIDE


@inline_kernel
def _row(k, first, a, x):
    return (
        k[first] * a[x] + k[first + 1] * a[x + 1] + k[first + 2] * a[x + 2]
        + k[first + 3] * a[x + 3] + k[first + 4] * a[x + 4]
    )  # fmt: skip


@inline_kernel
def correlated(k, a, b, c, d, e, x):
    """Return Σ k · pixels for a window that begins at x of five rows."""
    # Sums of rows do not wait for each other.
    upper = _row(k, 0, a, x) + _row(k, 5, b, x)
    lower = _row(k, 15, d, x) + _row(k, 20, e, x)
    return (upper + lower) + _row(k, 10, c, x)


@inner_kernel
def correlate(k, a, b, c, d, e, out):
    """Write the correlations of a filter with five rows."""
    for x in range(out.size):
        out[x] = correlated(k, a, b, c, d, e, x)


@inner_kernel
def subtract_correlated(k, a, b, c, d, e, out):
    """Subtract the correlations of a filter with five rows."""
    for x in range(out.size):
        out[x] -= correlated(k, a, b, c, d, e, x)


@inner_kernel
def influence(a, values, slopes, reach, per_node, out):
    """Write φ of responses: linear between nodes from −reach to reach, constant beyond."""
    for x in range(a.size):
        # What is no number counts as −reach: it never finds a node that is not there.
        response = a[x] if a[x] > -reach else -reach
        place = ((response if response < reach else reach) + reach) * per_node
        node = np.int32(place)
        out[x] = values[node] + slopes[node] * (place - a.dtype.type(node))


@inner_kernel
def divide(a, by):
    """Divide numbers by others, in place."""
    for x in range(a.size):
        a[x] /= by[x]


@inner_kernel
def multiply(a, by):
    """Multiply numbers by others, in place."""
    for x in range(a.size):
        a[x] *= by[x]


@kernel
def respond_and_return(
    u, y, noise, kernels, turned, nodes, reach, per_node, reaction, tile, ring, line, out
):  # fmt: skip
    """Write one step for a tile.

    Parameters
    ----------
    u, y : (H, W) float32 or float64
        The image so far, and the noisy one, both over the noise.
    noise : (H, W), or (0, 0) where it is 1 everywhere
        How strong it is at each pixel, in these units.
    kernels, turned : (C, 25)
        The filters, and the same turned by 180°.
    nodes : (C, 2, B)
        φ at its nodes, and how much it grows to the next; 0 at the last.
    reach, per_node, reaction : float
        Where φ ends, its nodes per unit, and how strongly the noisy image draws.
    tile : (top, left, height, width)
        Where the tile lies.
    ring : (5, C, width + 4)
        Written: the responses of five rows.
    line : (width + 4,)
        Written.
    out : (H, W)
        Written in the tile.
    """
    high, wide = u.shape[0] - MORE, u.shape[1] - MORE
    top, left, height, width = tile
    # Responses that a tile needs begin with the pixel MORE before it, as far as there are any.
    first, stop = max(left - MORE, 0), min(left + width, wide)
    begin = first - (left - MORE)
    count = stop - first
    for i in range(top - MORE, top + height):
        here = ring[i % SIDE]
        for c in range(kernels.shape[0]):
            for x in range(here.shape[1]):
                here[c, x] = 0
            if 0 <= i < high:
                a, b, d = u[i, first:], u[i + 1, first:], u[i + 2, first:]
                e, f = u[i + 3, first:], u[i + 4, first:]
                to, responses = here[c, begin : begin + count], line[:count]
                correlate(kernels[c], a, b, d, e, f, responses)
                # A response is in units of the noise in the middle of its filter.
                if noise.size:
                    divide(responses, noise[i + MORE // 2, first + MORE // 2 :])
                influence(responses, nodes[c, 0], nodes[c, 1], reach, per_node, to)
                if noise.size:
                    multiply(to, noise[i + MORE // 2, first + MORE // 2 :])
        if i < top:
            continue
        to = out[i, left : left + width]
        for x in range(width):
            now = u[i, left + x]
            to[x] = now - reaction * (now - y[i, left + x])
        for c in range(kernels.shape[0]):
            subtract_correlated(
                turned[c], ring[(i + 1) % SIDE, c], ring[(i + 2) % SIDE, c],
                ring[(i + 3) % SIDE, c], ring[(i + 4) % SIDE, c], here[c], to,
            )  # fmt: skip
