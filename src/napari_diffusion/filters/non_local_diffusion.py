"""Diffusion between samples whose surroundings are alike, however far apart."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from napari_diffusion.filters._pilot import Guided, per_channel, plane_axes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.drive import Drive
    from napari_diffusion.grid import Grid


@dataclass(frozen=True)
class NonLocalDiffusion(Guided):
    """Average each sample with those nearby whose surroundings are alike in a pilot's result.

    ``out(x) = Σ w(x, y) u(y) / Σ w(x, y)`` over the samples y within `radius`,
    ``w = exp(−d² / (strength · noise_sigma²))``, d² being the mean squared difference of the
    guide over the patches around x and y; a sample counts in its own mean as much as the likest
    other. It is one implicit step of diffusion on the graph of alike patches.

    Parameters
    ----------
    noise_sigma : float, tuple of float or "auto"
        In intensity units, 0 or more; one per channel if many. Larger values smooth more; 0
        changes nothing. "auto" measures it, each channel by itself.
    pilot : Filter or None
        Whose result on the same picture is the guide; None takes the noisy picture itself.
    radius : int
        1 to 20 samples: how far alike samples are looked for. Larger is smoother and slower.
    patch : int
        0 to 5 samples: surroundings of 2 · patch + 1; larger ones are harder to mistake.
    strength : float
        Greater than 0. How unlike, in squares of the noise, two patches may be; small with a good
        pilot (0.15), about 1 without one.

    Notes
    -----
    Use it after a pilot, against white noise in pictures that repeat themselves: lattices,
    filaments, cells in rows. Not for a picture in which every place is unlike every other, where
    it leaves the noise. In volumes the surroundings lie in the planes of the last two axes; joint
    channels are compared together.

    References
    ----------
    Buades, Coll and Morel (2005), A non-local algorithm for image denoising. Gilboa and Osher
    (2007), Nonlocal linear image regularization and supervised segmentation.
    """

    radius: Annotated[
        int, {"min": 1, "max": 20, "tooltip": "How far alike samples are looked for."}
    ] = 7
    patch: Annotated[
        int, {"min": 0, "max": 5, "tooltip": "Half the size of the patches that are compared."}
    ] = 1
    strength: Annotated[
        float, {"above": 0.0, "tooltip": "How unlike two patches may be; small with a pilot."}
    ] = 0.15

    @property
    def reach(self) -> int:
        """How far neighbours and the patches around them reach."""
        return self.radius + self.patch

    def apply(
        self, block: NDArray[Any], grid: Grid, mask: NDArray[np.bool_] | None, drive: Drive
    ) -> NDArray[Any]:
        """Return the block of means; see `Filter.apply`."""
        guide = self.guide(block, grid, mask, drive)
        axes, margin = plane_axes(grid), self.reach
        pads = [(margin, margin) if axis > 2 else (0, 0) for axis in range(5)]
        u, p = (
            np.pad(np.moveaxis(each, axes, (3, 4)), pads, "reflect").swapaxes(1, 2).copy()
            for each in (block, guide)
        )
        out = np.moveaxis(block, axes, (3, 4)).swapaxes(1, 2).copy()
        channels = out.shape[2]
        joint = [slice(0, channels)] if grid.joint_channels else [
            slice(c, c + 1) for c in range(channels)
        ]  # fmt: skip
        scales = self._scales(grid, block.dtype)
        rows = drive.bands(out.shape[3], 32 * out.shape[4])
        tiles = [(t, z, c, band) for t, z in np.ndindex(*out.shape[:2]) for c in joint
                 if scales[c].all() for band in rows]  # fmt: skip

        def work(t: int, z: int, c: slice, band: tuple[int, int]) -> None:
            from napari_diffusion.filters._neighbours import average_alike

            args = (self.radius, self.patch, scales[c], band, out[t, z, c])
            average_alike(u[t, z, c], p[t, z, c], *args)

        drive.each(work, tiles)
        return np.ascontiguousarray(np.moveaxis(out.swapaxes(1, 2), (3, 4), axes))

    def _scales(self, grid: Grid, dtype: Any) -> NDArray[Any]:
        """Return per channel what differences are multiplied by; 0 where there is no noise."""
        channels = grid.shape[1] if grid.joint_channels else 1
        samples = channels * (2 * self.patch + 1) ** 2
        return np.array(
            [
                min(1 / (s * math.sqrt(self.strength * samples)), 1e37) if s > 0 else 0.0
                for s in per_channel(self.noise_sigma, grid)
            ],
            dtype,
        )
