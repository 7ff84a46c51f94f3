"""Trained reaction diffusion at several scales, from the coarsest to the finest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.filters.learned.filter_size import MORE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.engine.threads import Threads
    from napari_diffusion.filters.learned.scale import Scale

# Mirrored pixels around an image: at its own border fewer filters act than inside.
BORDER = 8


@dataclass(frozen=True, eq=False)
class Network:
    """All that was learned.

    At each scale the steps begin with the pilot, to which what the next coarser scale has changed
    is added. Coarser planes are twice the means of 2 × 2 pixels, whose noise is as strong.

    Attributes
    ----------
    scales : tuple of Scale
        The finest first.
    pilot : tuple of (float, float)
        What differences of pixels are multiplied by before the first step, as the weights of
        `HaarDiffusion`: a and b along one axis and along both, level by level from the finest. The
        pixels of a difference are twice as far apart from level to level.
    """

    scales: tuple[Scale, ...]
    pilot: tuple[tuple[float, float], ...]

    @property
    def pilot_reach(self) -> int:
        """How many pixels away the pilot depends on: differences are of pixels 1, 2, 4, … apart."""
        return int(2 ** (len(self.pilot) // 2)) - 1

    @property
    def period(self) -> int:
        """Pixels along an axis after which the coarsest scale repeats its place."""
        return 2 ** (len(self.scales) - 1)

    @property
    def reach(self) -> int:
        """How many pixels away a result depends on."""
        reach = 0
        for scale in reversed(self.scales):
            # The mean of 2 × 2 pixels and what is put between its results reach two further.
            reach = (2 * reach + 3 if reach else 0) + MORE * len(scale)
        return reach + self.period + self.pilot_reach

    def diffused(
        self,
        y: NDArray[Any],
        origin: tuple[int, int],
        threads: Threads,
        noise: NDArray[Any] | None = None,
    ) -> NDArray[Any]:
        """Return a plane after all steps, in units of the noise.

        Parameters
        ----------
        y : ndarray, shape (H, W)
            The noisy plane, over the noise.
        origin : tuple of int
            Where the plane begins in the image: means of 2 × 2 pixels always begin at even places.
        threads : Threads
            Share the tiles of each step.
        noise : ndarray, shape (H, W), optional
            Where the noise differs between pixels, the plane is over one number, and this is how
            many times as strong it is at each pixel, more than 0.
        """
        around = [
            (BORDER + (first - BORDER) % self.period, BORDER + (-BORDER - first - n) % self.period)
            for first, n in zip(origin, y.shape, strict=True)
        ]
        noisy, pilot = (
            np.pad(each, around, "symmetric") for each in (y, self.piloted(y, threads, noise))
        )
        own = None if noise is None else np.pad(noise, around, "symmetric")
        made = self._from(0, noisy, pilot, threads, own)
        (top, _), (left, _) = around
        return made[top : top + y.shape[0], left : left + y.shape[1]]

    def piloted(
        self, y: NDArray[Any], threads: Threads, noise: NDArray[Any] | None = None
    ) -> NDArray[Any]:
        """Return a noisy plane with its differences shrunk: what the steps begin with."""
        from napari_diffusion.filters.learned.pilot import shrunk

        def work(tile: NDArray[Any], *variance: NDArray[np.float64]) -> NDArray[Any]:
            planes = [each[0, 0, 0] for each in (tile, *variance)]
            return shrunk(planes[0], self.pilot, *planes[1:])[None, None, None]

        whole, halo = (1, 1, 1, *y.shape), (0, 0, 0, self.pilot_reach, self.pilot_reach)
        beside = [] if noise is None else [np.square(noise, dtype=np.float64).reshape(whole)]
        return threads.tiled(work, y.reshape(whole), halo, beside=beside).reshape(y.shape)

    def _from(
        self,
        level: int,
        y: NDArray[Any],
        pilot: NDArray[Any],
        threads: Threads,
        noise: NDArray[Any] | None,
    ) -> NDArray[Any]:
        """Return a plane of a scale after its steps and those of all coarser scales."""
        u = pilot
        if level + 1 < len(self.scales):
            coarse = halved(pilot)
            # Variances add up: the noise of twice a mean is the root of their mean.
            own = None if noise is None else np.sqrt(halved(np.square(noise)) / 2)
            made = self._from(level + 1, halved(y), coarse, threads, own)
            u = pilot + doubled(made - coarse)
        return self.scales[level].diffused(u, y, threads, noise)


def halved(plane: NDArray[Any]) -> NDArray[Any]:
    """Return twice the means of 2 × 2 pixels: white noise stays as strong."""
    half = plane.dtype.type(0.5)
    rows = plane[0::2] + plane[1::2]
    return np.ascontiguousarray(half * (rows[:, 0::2] + rows[:, 1::2]))


def doubled(plane: NDArray[Any]) -> NDArray[Any]:
    """Return half of a plane at twice as many pixels along both axes, linear between its own."""
    return np.ascontiguousarray(plane.dtype.type(0.5) * _between(_between(plane).T).T)


def _between(plane: NDArray[Any]) -> NDArray[Any]:
    near, far = plane.dtype.type(0.75), plane.dtype.type(0.25)
    out = np.empty((2 * len(plane), plane.shape[1]), plane.dtype)
    out[0::2] = near * plane + far * np.concatenate([plane[:1], plane[:-1]])
    out[1::2] = near * plane + far * np.concatenate([plane[1:], plane[-1:]])
    return out
