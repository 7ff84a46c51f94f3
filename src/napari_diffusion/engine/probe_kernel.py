"""Very small changes of an image, to see how a filter answers to them."""

from __future__ import annotations

import numpy as np

from napari_diffusion.engine.jit import kernel


@kernel
def add_probe(u, origin, apart, size, out):
    """Write u plus or minus `size`, as a hash of each pixel's place in the image says.

    Along the axes where `apart` is 0 images are independent, and all get the same.
    """
    nt, nc, nz, ny, nx = u.shape
    for t in range(nt):
        for c in range(nc):
            for z in range(nz):
                for y in range(ny):
                    line = np.uint64(apart[0] * (t + origin[0]))
                    at = (c + origin[1], z + origin[2], y + origin[3])
                    for i in range(3):
                        line = (line ^ np.uint64(apart[i + 1] * at[i])) * np.uint64(
                            0x9E3779B97F4A7C15
                        )
                        line ^= line >> np.uint64(29)
                    for x in range(nx):
                        word = (line ^ np.uint64(apart[4] * (x + origin[4]))) * np.uint64(
                            0xBF58476D1CE4E5B9
                        )
                        word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
                        step = size[c]
                        out[t, c, z, y, x] = u[t, c, z, y, x] + (
                            step if word >> np.uint64(63) else -step
                        )
