"""The coefficients of total variation: 1 / √(1 + |∇u|²) at the samples.

|∇u|² takes the mean of the squared differences on both sides along each axis. The flow that these
coefficients make is then the steepest descent of Σ √(1 + |∇u|²), and every pattern of the grid has
a gradient, the checkerboard too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.compiled import exact_kernel
from napari_diffusion.filters._kernels import fill, moved

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.drive import Drive


@exact_kernel
def _square(u, inside, a, b, c, k, out):
    """Write the squared slope of each face between the samples at a and at b, 0 across a border."""
    (ta, za, ya, xa), (tb, zb, yb, xb), size = a, b, out.size
    low, high = u[ta, c, za, ya, xa : xa + size], u[tb, c, zb, yb, xb : xb + size]
    for x in range(size):
        s = (high[x] - low[x]) * k
        out[x] = s * s
    if inside is not None:
        ma, mb = inside[ta, c, za, ya, xa : xa + size], inside[tb, c, zb, yb, xb : xb + size]
        for x in range(size):
            if not (ma[x] and mb[x]):
                out[x] = 0


# Not fused: which of two squares came first would show in the mirror image.
@exact_kernel
def _rows(u, inside, k, count, out, start, stop):
    nt, nc, nz, ny, nx = u.shape
    one, half = u.dtype.type(1), u.dtype.type(0.5)
    # The squared slopes of the faces below and above each sample; along x one row has them all.
    faces = np.zeros((2, nx + 1), u.dtype)
    along = np.zeros(nx + 1, u.dtype)
    for first in range(0, nc, count):
        for site in range(start, stop):
            y, z, t = site % ny, site // ny % nz, site // (ny * nz)
            q = out[t, first // count, z, y]
            fill(q, 0)
            for c in range(first, first + count):
                for axis in (4, 3, 2, 0):
                    if k[axis] == 0:
                        continue
                    at, last = (t, 0, z, y, 0)[axis], (nt, 1, nz, ny, 1)[axis] - 1
                    low, high = faces[0, :nx], faces[1, :nx]
                    a, b, slopes = (t, z, y, 0), (t, z, y, 1), along[1:nx]
                    for side in range(2):
                        if axis < 4:
                            a = moved(t, z, y, axis, max(at - 1 + side, 0))
                            b = moved(t, z, y, axis, min(at + side, last))
                            slopes = faces[side, :nx]
                        if axis < 4 or side == 0:
                            _square(u, inside, a, b, c, k[axis], slopes)
                    if axis == 4:
                        low, high = along[:nx], along[1:]
                    for x in range(nx):
                        q[x] += half * (low[x] + high[x])
            for x in range(nx):
                q[x] = one / np.sqrt(one + q[x])


def coefficients(
    u: NDArray[Any],
    mask: NDArray[np.bool_] | None,
    slopes: NDArray[Any],
    joint: bool,
    drive: Drive,
) -> NDArray[Any]:
    """Return 1 / √(1 + Σ (slope · ∂u)²) at every sample, of joint channels together.

    Parameters
    ----------
    u : ndarray
        Canonical (t, c, z, y, x).
    mask : ndarray of bool or None
        There is no slope across its border.
    slopes : ndarray
        What a difference is multiplied by, per canonical axis; 0 where nothing diffuses.
    joint : bool
        Whether the channels are summed.
    """
    t, c, z, y, x = u.shape
    out = np.empty((t, 1 if joint else c, z, y, x), u.dtype)
    count = c if joint else 1
    drive.each(lambda a, b: _rows(u, mask, slopes, count, out, a, b), drive.bands(t * z * y, c * x))
    return out
