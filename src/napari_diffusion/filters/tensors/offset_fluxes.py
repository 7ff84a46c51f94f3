"""Compiled: what flows along the stencil of every pixel, as `exchange` would exchange it."""

from __future__ import annotations

import numpy as np

from napari_diffusion.engine.jit import exact_kernel
from napari_diffusion.filters.tensors.exchange_sites import FULL_LOAD, _is_clear, _turn, _unpack
from napari_diffusion.filters.tensors.stencil import TOGETHER, planar_chunk, solid_chunk


@exact_kernel
def write_fluxes(
    u, loads, inside, shape, geometry, channels, tensors, group, scale, start, stop, scratch, out,
    way, weights, offsets, fluxes,
):  # fmt: skip
    """Write weights, offsets and fluxes of site rows start…stop−1.

    Parameters
    ----------
    u, loads, inside, shape, geometry, channels, tensors, group, scale, scratch, out, way
        See `exchange.exchange_planar`; the loads are whole.
    start, stop : int
        Site rows.
    weights : (components, T·G·Z·Y·X) float32 or float64
        Of the terms of each stencil, times the sub-step; left as they are where there is none.
    offsets : (components, 4, T·G·Z·Y·X) int16
        In pixels along z, y, x and t.
    fluxes : (2, components, T·C·Z·Y·X) like weights
        From the pixel behind, and from the one ahead, to the pixel, times the sub-step.
    """
    _, nc, nz, ny, nx = shape
    terms, groups, masked = tensors.shape[0], tensors.shape[1], inside.size > 1
    for row in range(start, stop):
        y, z, t = row % ny, row // ny % nz, row // (ny * nz)
        for x in range(nx):
            x0 = x % TOGETHER
            if x0 == 0:
                size = min(TOGETHER, nx - x)
                if terms == 3:
                    planar_chunk(tensors, group, row, x, size, scale, geometry[1], 3, scratch, out)
                else:
                    solid_chunk(
                        tensors, group, row, x, size, scale, geometry[1], terms, scratch, out
                    )
                if terms == 7:
                    for i in range(size):
                        out[6, i] = tensors[6, group, row, x + i] * scale[6]
                        out[13, i] = 0.0
            at, own = (z, y, x, t), (((t * groups + group) * nz + z) * ny + y) * nx + x
            for k in range(terms):
                weight = out[k, x0]
                if weight == 0 or not _unpack(out[terms + k, x0], k == 6, geometry[3], way):
                    continue
                weights[k, own] = weight
                for axis in range(4):
                    offsets[k, axis, own] = way[axis]
                for side in range(2):
                    there, away, _ = _turn(way, at, geometry)
                    if not there:
                        continue
                    for c in range(channels[0], channels[1]):
                        i = (((t * nc + c) * nz + z) * ny + y) * nx + x
                        if masked and not (inside[i] and _is_clear(inside, i, way, geometry[1])):
                            continue
                        factor = FULL_LOAD / max(loads[i], loads[i + away], FULL_LOAD)
                        flux = factor * weight * (np.float64(u[i + away]) - np.float64(u[i]))
                        fluxes[side, k, i] = flux
