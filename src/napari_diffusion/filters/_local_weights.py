"""Weights of `Blend` that differ from place to place, drawn to those of the whole picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.filters._blend_weights import divergences, least_error
from napari_diffusion.filters._pilot import per_channel, plane_axes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.drive import Drive
    from napari_diffusion.filters.blend import Blend
    from napari_diffusion.grid import Grid

# Sums are taken over cells of so many samples, and then with a Gaussian over cells.
CELL = 8
WIDTH = 2.0
TRUNCATE = 3.0

# How far a weight looks: the Gaussian, its own cell, and the next for interpolation.
REACH = CELL * (math.ceil(WIDTH * TRUNCATE) + 2)

# Variance of a local weight around that of the whole picture.
PRIOR = 0.05


def around(
    chosen: Blend,
    block: NDArray[Any],
    stages: list[NDArray[Any]],
    weights: NDArray[Any],
    grid: Grid,
    drive: Drive,
) -> list[NDArray[Any]]:
    """Return the weights of each filter but the first at every sample.

    Parameters
    ----------
    weights : (filter, channel)
        Those of the whole picture.
    """
    slopes = divergences(chosen, block, stages, grid, drive)
    axes = plane_axes(grid)
    found = [np.empty(block.shape, block.dtype) for _ in stages[1:]]
    views = [np.moveaxis(each, axes, (3, 4)) for each in found]
    pictures = [np.moveaxis(each, axes, (3, 4)) for each in (block, *stages)]
    answers = [np.moveaxis(each, axes, (3, 4)) for each in slopes]
    origin = (grid.origin[axes[0]], grid.origin[axes[1]])
    sigmas = per_channel(chosen.noise_sigma, grid)

    def work(t: int, c: int, z: int) -> None:
        y, *f = (each[t, c, z].astype(np.float64) / sigmas[c] for each in pictures)
        d = [each[t, c, z] for each in answers]
        maps = _plane(y, f, d, weights[:, c], origin)
        for view, values in zip(views, maps, strict=True):
            view[t, c, z] = values

    def whole(t: int, c: int, z: int) -> None:
        for view, each in zip(views, weights[:, c], strict=True):
            view[t, c, z] = each

    tiles = list(np.ndindex(*pictures[0].shape[:3]))
    drive.each(work, [at for at in tiles if sigmas[at[1]] > 0])
    drive.each(whole, [at for at in tiles if sigmas[at[1]] == 0])
    return found


def _plane(
    y: NDArray[Any],
    stages: list[NDArray[Any]],
    slopes: list[NDArray[Any]],
    weights: NDArray[Any],
    origin: tuple[int, int],
) -> NDArray[Any]:
    """Return (filter, Y, X) weights of one plane, in units of the noise."""
    G = [stage - stages[0] for stage in stages[1:]]
    z = [slope - slopes[0] for slope in slopes[1:]]
    rest = y - stages[0]
    M, V, c = _matrices(G, z, rest, origin)
    left = c - (M @ weights[:, None])[..., 0]
    local = weights + least_error(M, V, left, PRIOR)
    return np.stack([_interpolated(local[..., i], origin, y.shape) for i in range(local.shape[-1])])


def _matrices(
    G: list[NDArray[Any]], z: list[NDArray[Any]], rest: NDArray[Any], origin: tuple[int, int]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return M, V and c of every cell; see `Sums`, but V is not centred."""
    count = len(G)
    share = _smooth(_cells(np.ones_like(rest), origin))
    # A Gaussian mean over cells stands for a sum over 4 π width² of them.
    scale = 4 * math.pi * (WIDTH * CELL) ** 2 / share

    def mean(values: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(_smooth(_cells(values, origin)) * scale)

    M, zz = (np.empty((*share.shape, count, count)) for _ in range(2))
    c = np.empty((*share.shape, count))
    for i in range(count):
        c[..., i] = mean(G[i] * rest - z[i])
        for j in range(i, count):
            M[..., i, j] = M[..., j, i] = mean(G[i] * G[j])
            zz[..., i, j] = zz[..., j, i] = mean(z[i] * z[j])
    return M, 2 * zz + M, c


def _cells(values: NDArray[Any], origin: tuple[int, int]) -> NDArray[Any]:
    """Return the sums over cells, which stand at multiples of CELL in the whole picture."""
    edges = [_edges(o, n) for o, n in zip(origin, values.shape, strict=True)]
    rows = np.add.reduceat(values, edges[0], axis=0)
    return np.asarray(np.add.reduceat(rows, edges[1], axis=1))


def _edges(origin: int, size: int) -> NDArray[np.int64]:
    inside = np.arange(-origin % CELL, size, CELL)
    return inside if inside.size and inside[0] == 0 else np.append(0, inside)


def _smooth(cells: NDArray[Any]) -> NDArray[Any]:
    from scipy import ndimage

    # Nothing lies beyond the border; the share of what does not is divided out.
    return np.asarray(ndimage.gaussian_filter(cells, WIDTH, mode="constant", truncate=TRUNCATE))


def _interpolated(
    cells: NDArray[Any], origin: tuple[int, int], shape: tuple[int, ...]
) -> NDArray[Any]:
    """Return linear interpolation between the middles of cells."""
    lines = []
    for o, n, count in zip(origin, shape, cells.shape, strict=True):
        place = (np.arange(n) + o % CELL + 0.5) / CELL - 0.5
        low = np.clip(np.floor(place).astype(int), 0, max(count - 2, 0))
        lines.append((low, np.minimum(low + 1, count - 1), np.clip(place - low, 0.0, 1.0)))
    (y0, y1, fy), (x0, x1, fx) = lines
    across = cells[:, x0] * (1 - fx) + cells[:, x1] * fx
    return np.asarray(across[y0] * (1 - fy)[:, None] + across[y1] * fy[:, None])
