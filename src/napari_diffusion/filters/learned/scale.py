"""The weights of trained reaction diffusion at one scale, and its steps there."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.filters.learned.filter_size import MORE, SIDE

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    from napari_diffusion.engine.threads import Threads

# Pixels of a tile along each axis: five rows of its responses fit the cache.
TILE = (128, 640)


@dataclass(frozen=True, eq=False)
class Scale:
    """What was learned for images of one pixel size.

    Attributes
    ----------
    kernels : ndarray, shape (T, C, 25)
        The C filters of each of T steps, row by row; each adds up to 0 and has the norm 1.
    influences : ndarray of float32, shape (T, C, B)
        φ of each filter at B nodes from −reach to reach.
    reactions : ndarray of float32, shape (T,)
        How strongly the noisy image draws in each step.
    reach : float
        Responses beyond it, in units of the noise, count like those at it.
    """

    kernels: NDArray[np.floating[Any]]
    influences: NDArray[np.float32]
    reactions: NDArray[np.float32]
    reach: float

    def __len__(self) -> int:
        """Return the number of steps."""
        return len(self.reactions)

    @functools.cache  # noqa: B019 - the weights of a program are few
    def tables(self, dtype: DTypeLike) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Return filters, filters turned by 180°, and nodes with their differences."""
        kernels = self.kernels.astype(dtype)
        values = self.influences.astype(dtype)
        slopes = np.diff(values, axis=2, append=values[:, :, -1:])
        nodes = np.ascontiguousarray(np.stack([values, slopes], axis=2))
        return kernels, np.ascontiguousarray(kernels[:, :, ::-1]), nodes

    def diffused(
        self, u: NDArray[Any], y: NDArray[Any], threads: Threads, noise: NDArray[Any] | None = None
    ) -> NDArray[Any]:
        """Return u after all steps; y is the noisy image, both are planes over the noise.

        Where the noise differs between pixels, they are over one number, and `noise` is how many
        times as strong it is at each pixel.
        """
        for step in range(len(self)):
            u = self.stepped(u, y, step, threads, noise)
        return u

    def numbers(self, step: int, dtype: np.dtype[Any]) -> tuple[Any, Any, Any]:
        """Return where φ ends, its nodes per unit, and how strongly the noisy image draws."""
        per_node = (self.influences.shape[2] - 1) / (2 * self.reach)
        reach, per_node, reaction = (
            dtype.type(each) for each in (self.reach, per_node, self.reactions[step])
        )
        return reach, per_node, reaction

    def stepped(
        self,
        u: NDArray[Any],
        y: NDArray[Any],
        step: int,
        threads: Threads,
        noise: NDArray[Any] | None = None,
    ) -> NDArray[Any]:
        """Return u after one step; see `diffused`."""
        from napari_diffusion.filters.learned.step_kernels import respond_and_return

        kernels, turned, nodes = (each[step] for each in self.tables(u.dtype))
        numbers = self.numbers(step, u.dtype)
        out = np.empty_like(u)
        own = np.empty((0, 0), u.dtype) if noise is None else noise

        def work(top: int, left: int) -> None:
            height, width = (
                min(n - f, t) for n, f, t in zip(u.shape, (top, left), TILE, strict=True)
            )
            line = np.empty(width + MORE, u.dtype)
            ring = np.empty((SIDE, len(kernels), width + MORE), u.dtype)
            tile = (top, left, height, width)
            respond_and_return(u, y, own, kernels, turned, nodes, *numbers, tile, ring, line, out)

        rows, columns = (range(0, n, size) for n, size in zip(u.shape, TILE, strict=True))
        threads.each(work, [(top, left) for top in rows for left in columns])
        return out
