"""Gaussian noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.citation import Cite
from napari_diffusion.noise.base import Noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.address import Address
    from napari_diffusion.core.noise_scale import Scales
    from napari_diffusion.engine.block import Block


@dataclass(frozen=True)
class Gaussian(Noise):
    """Add white Gaussian noise, equally strong everywhere.

    ``image + noise_scale · n``, with n standard normal, drawn by the Box–Muller transform from
    Philox4x32-10 counters that hold the coordinates of the pixel.

    Notes
    -----
    Use it where the noise does not depend on the signal: read noise, electronics, many photons, or
    simply as the plainest disturbance of an image. Not as a model of low light, where the noise
    grows with the signal. Values are not clipped: they may be negative or exceed the range of a
    detector.

    References
    ----------
    Salmon, Moraes, Dror and Shaw (2011), Parallel random numbers: as easy as 1, 2, 3.
    Box and Muller (1958), A note on the generation of random normal deviates.
    """

    method_name = "white Gaussian noise"
    cites = (Cite("salmon2011"), Cite("box1958"))

    def add(self, block: Block, scales: Scales, address: Address) -> NDArray[Any]:
        """Return block + scale · n; see `Noise.add`."""
        from napari_diffusion.noise.sampling import normal, random_numbers

        out = np.empty_like(block.values)
        _, channels, depth, height, width = block.shape
        keys, z = random_numbers.addresses(
            block.shape, block.grid.origin, address.seed, address.step, address.stream
        )
        image3, out3 = (each.reshape(-1, height, width) for each in (block.values, out))
        y0, x0 = int(block.grid.origin[3]), int(block.grid.origin[4])

        def work(plane: int, start: int, stop: int) -> None:
            plane_scale = scales[plane // depth % channels]
            normal.add_normal(
                image3, out3, plane_scale, keys, z, y0, x0, plane, plane + 1, start, stop
            )

        bands = block.threads.bands(height, width)
        block.threads.each(work, [(plane, *band) for plane in range(len(image3)) for band in bands])
        return out
