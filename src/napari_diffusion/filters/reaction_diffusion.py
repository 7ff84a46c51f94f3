"""Reaction and diffusion in sliding cosine windows, guided by a pilot."""

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
class ReactionDiffusion(Guided):
    """Keep, in every small window, the cosine waves that a pilot's result shows.

    For each window of the picture y and of the guide p, with the orthonormal cosine transforms C
    and P: ``C ← C · P² / (P² + noise_sigma²)``, the mean of the window apart, which stays; back,
    weighted by one over the sum of the squared factors, and averaged over all windows that hold a
    sample. It is a step of diffusion with a reaction towards the guide.

    Parameters
    ----------
    noise_sigma : float, tuple of float or "auto"
        In intensity units, 0 or more; one per channel if many. Larger values smooth more; 0
        changes nothing. "auto" measures it, each channel by itself.
    pilot : Filter or None
        Whose result on the same picture is the guide. None takes the noisy picture itself: then
        waves of about the noise are halved and no more.
    window : int
        8 to 32 samples, a multiple of 8: larger ones smooth flat parts and long waves better,
        smaller ones lose less around edges.
    stride : int
        1 to half a window: the distance between windows. Smaller is smoother and slower.

    Notes
    -----
    Use it after a fast pilot such as `HaarDiffusion` against white noise: it brings texture back
    that the pilot lost. Not without a pilot, nor for noise that is correlated between neighbours.
    In volumes the windows lie in the planes of the last two axes.

    References
    ----------
    Yaroslavsky (1996), Local adaptive image restoration with sliding cosine windows. Chen and Pock
    (2017), Trainable nonlinear reaction diffusion. Dabov, Foi, Katkovnik and Egiazarian (2007), on
    a pilot for an empirical Wiener filter.
    """

    window: Annotated[
        int, {"min": 8, "max": 32, "tooltip": "Samples along a window, a multiple of 8."}
    ] = 8
    stride: Annotated[
        int,
        {"min": 1, "max": 16, "tooltip": "Distance of windows; smaller is smoother and slower."},
    ] = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.window % 8:
            raise ValueError(
                f"ReactionDiffusion: window must be a multiple of 8 (got {self.window})."
            )
        if 2 * self.stride > self.window:
            raise ValueError(
                f"ReactionDiffusion: stride must be at most half of window={self.window}, so that "
                f"windows overlap (got {self.stride})."
            )

    @property
    def reach(self) -> int:
        """How far the windows of a sample reach."""
        return self.window - 1

    def apply(
        self, block: NDArray[Any], grid: Grid, mask: NDArray[np.bool_] | None, drive: Drive
    ) -> NDArray[Any]:
        """Return the block with its windows filtered; see `Filter.apply`."""
        guide = self.guide(block, grid, mask, drive)
        axes, sigmas = plane_axes(grid), per_channel(self.noise_sigma, grid)
        y, p = (np.ascontiguousarray(np.moveaxis(each, axes, (3, 4))) for each in (block, guide))
        out = y.copy()
        origin = (grid.origin[axes[0]], grid.origin[axes[1]])
        rows = y.shape[3]
        # Thick enough that the windows that two bands share are few.
        band = max(8 * self.window, math.ceil(rows / drive.threads / 4))
        tiles = [
            (*plane, start, min(start + band, rows))
            for plane in np.ndindex(*y.shape[:3])
            if sigmas[plane[1]] > 0
            for start in range(0, rows, band)
        ]

        def work(t: int, c: int, z: int, start: int, stop: int) -> None:
            self._filter(y[t, c, z], p[t, c, z], sigmas[c], origin, (start, stop), out[t, c, z])

        drive.each(work, tiles)
        return np.ascontiguousarray(np.moveaxis(out, (3, 4), axes))

    def _filter(
        self,
        y: NDArray[Any],
        guide: NDArray[Any],
        sigma: float,
        origin: tuple[int, int],
        rows: tuple[int, int],
        out: NDArray[Any],
    ) -> None:
        """Write some rows of the result of one plane."""
        from napari_diffusion.filters._cosine import guided

        first = max(rows[0] - self.reach, 0)
        last = min(rows[1] + self.reach, y.shape[0])
        place = (origin[0] + first, origin[1])
        found = guided(y[first:last], guide[first:last], place, sigma, self.window, self.stride)
        out[rows[0] : rows[1]] = found[rows[0] - first : rows[1] - first]
