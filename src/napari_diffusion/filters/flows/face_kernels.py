"""Compiled: conductances of the faces between pixels, row by row."""

from __future__ import annotations

from napari_diffusion.engine.jit import kernel
from napari_diffusion.filters.flows.conductance_kernels import _face_conductance, fill, moved


@kernel
def face_rows(guide, law, k, axis, count, out, start, stop):
    """Write the conductance of the face below each pixel along an axis; 0 at the border."""
    nz, ny = guide.shape[2:4]
    for group in range(out.shape[1]):
        for site in range(start, stop):
            y, z, t = site % ny, site // ny % nz, site // (ny * nz)
            row, at = out[t, group, z, y], (t, 0, z, y, 0)[axis]
            if axis == 4:
                row[0] = 0
                a, b, g = (t, z, y, 0), (t, z, y, 1), row[1:]
            else:
                a, b, g = moved(t, z, y, axis, max(at - 1, 0)), (t, z, y, 0), row
            if axis < 4 and at == 0:
                fill(row, 0)
            else:
                _face_conductance(guide, law, k, axis, a, b, group * count, count, g)
