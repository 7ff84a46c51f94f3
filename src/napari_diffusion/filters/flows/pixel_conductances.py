"""Conductances that stand at the pixels, of the gradient by central differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.engine.jit import kernel
from napari_diffusion.filters.flows.conductance_kernels import conductance_row, fill, moved

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.engine.block import Block


@kernel
def _conductance_rows(u, inside, law, k, joint, out, start, stop):
    nt, nc, nz, ny, nx = u.shape
    count = nc if joint else 1
    half = u.dtype.type(0.5)
    shape = (nt, nc, nz, ny)
    for first in range(0, nc, count):
        for site in range(start, stop):
            y = site % ny
            z = site // ny % nz
            t = site // (ny * nz)
            q = out[t, first // count, z, y]
            fill(q, 0)
            for c in range(first, first + count):
                row = u[t, c, z, y]
                if k[c, 4] > 0 and nx > 1:
                    kc = k[c, 4] * half
                    for x in range(nx):
                        low, high = max(x - 1, 0), min(x + 1, nx - 1)
                        if inside is not None:
                            low = low if inside[t, c, z, y, low] else x
                            high = high if inside[t, c, z, y, high] else x
                        s = (row[high] - row[low]) * kc
                        q[x] += s * s
                for axis in (3, 2, 0):
                    if k[c, axis] == 0:
                        continue
                    kc = k[c, axis] * half
                    at = (t, c, z, y)[axis]
                    low, high = max(at - 1, 0), min(at + 1, shape[axis] - 1)
                    tl, zl, yl, _ = moved(t, z, y, axis, low)
                    th, zh, yh, _ = moved(t, z, y, axis, high)
                    a, b = u[tl, c, zl, yl], u[th, c, zh, yh]
                    if inside is None:
                        for x in range(nx):
                            s = (b[x] - a[x]) * kc
                            q[x] += s * s
                    else:
                        for x in range(nx):
                            va = a[x] if inside[tl, c, zl, yl, x] else row[x]
                            vb = b[x] if inside[th, c, zh, yh, x] else row[x]
                            s = (vb - va) * kc
                            q[x] += s * s
            conductance_row(law, q)


def pixel_conductances(
    block: Block, law: tuple[int, int, float], slopes: NDArray[Any]
) -> NDArray[Any]:
    """Return the conductance that `law` makes of Σ (slope · ∂u)², at every pixel.

    Parameters
    ----------
    block : Block
        A neighbour outside of its mask counts as the pixel itself, as beyond the border. Joint
        channels are summed.
    law : tuple
        A conductance of `conductance_kernels`.
    slopes : ndarray
        (c, 5): what a difference per pixel is multiplied by; 0 where nothing diffuses.

    Returns
    -------
    ndarray
        Shape of the block, with a single channel where they are joint.
    """
    t, c, z, y, x = block.shape
    joint = block.grid.joint_channels
    out = np.empty((t, 1 if joint else c, z, y, x), block.dtype)

    def work(start: int, stop: int) -> None:
        _conductance_rows(block.values, block.mask, law, slopes, joint, out, start, stop)

    block.threads.each(work, block.threads.bands(t * z * y, c * x))
    return out
