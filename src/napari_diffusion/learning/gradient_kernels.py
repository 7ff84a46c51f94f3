"""The way back through one step of trained reaction diffusion."""

from __future__ import annotations

import numpy as np

from napari_diffusion.engine.jit import inner_kernel, kernel
from napari_diffusion.filters.learned.filter_size import MORE, SIDE
from napari_diffusion.filters.learned.step_kernels import correlate, subtract_correlated


@inner_kernel
def _influences(a, b, values, slopes, reach, per_node, v, w, by_node):
    """Write φ(a) and φ′(a) b, and subtract b from what it gives to the nodes of φ."""
    last = np.int32(values.size - 2)
    for x in range(a.size):
        place = (min(max(a[x], -reach), reach) + reach) * per_node
        node = min(np.int32(place), last)
        part = place - a.dtype.type(node)
        v[x] = values[node] + slopes[node] * part
        inside = a.dtype.type(abs(a[x]) < reach)
        w[x] = inside * slopes[node] * per_node * b[x]
        by_node[node] -= b[x] * (1 - part)
        by_node[node + 1] -= b[x] * part


@kernel
def back_through(u, g, kernels, turned, nodes, reach, per_node, reaction, line, v, w, by_node, to):
    """Write what the error changes by with u, and with all weights of a step.

    Parameters
    ----------
    u, g : (H, W)
        The image before the step, and by how much the error grows with the image after it.
    kernels, turned, nodes, reach, per_node, reaction : arrays and floats
        As in `respond_and_return`.
    line : (2, W − 4)
        Written.
    v, w : (C, H + 4, W + 4)
        Written: φ of the responses, and φ′ of them times the responses to g, with a border of 4
        pixels in which they stay as they were: 0.
    by_node : (C, B)
        Added to: by how much the error grows with φ at its nodes.
    to : (H, W)
        Written: by how much the error grows with u.
    """
    high, wide = u.shape[0] - MORE, u.shape[1] - MORE
    for c in range(kernels.shape[0]):
        for i in range(high):
            correlate(kernels[c], u[i], u[i + 1], u[i + 2], u[i + 3], u[i + 4], line[0])
            correlate(kernels[c], g[i], g[i + 1], g[i + 2], g[i + 3], g[i + 4], line[1])
            _influences(
                line[0], line[1], nodes[c, 0], nodes[c, 1], reach, per_node,
                v[c, i + MORE, MORE : MORE + wide], w[c, i + MORE, MORE : MORE + wide], by_node[c],
            )  # fmt: skip
    for i in range(u.shape[0]):
        for x in range(u.shape[1]):
            to[i, x] = g[i, x] - reaction * g[i, x]
        for c in range(kernels.shape[0]):
            rows = w[c]
            subtract_correlated(
                turned[c], rows[i], rows[i + 1], rows[i + 2], rows[i + 3], rows[i + SIDE - 1], to[i]
            )
