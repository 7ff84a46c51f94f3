"""Weights of `Blend` that differ from place to place, drawn to those of the whole image."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.filters.denoisers.blend_weights import LEAST, MOST, least_error
from napari_diffusion.filters.denoisers.guided_filter import plane_axes

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_diffusion.filters.denoisers.blend_weights import Answers

    # Changes G and slopes z of each filter but the first, y − f₀, and the variance where it differs
    # from pixel to pixel, in units of the noise.
    Values = tuple[list[NDArray[Any]], list[NDArray[Any]], NDArray[Any], NDArray[Any] | None]

# Sums are taken over cells of so many pixels, and then with a Gaussian over cells.
CELL = 8
WIDTH = 2.0
TRUNCATE = 3.0

# Rows that are worked on at a time: so many cells.
STRIP = 32 * CELL

# How far a weight looks: the Gaussian, its own cell, and the next for interpolation.
REACH = CELL * (math.ceil(WIDTH * TRUNCATE) + 2)

# Variance of a local weight around that of the whole image.
PRIOR = 0.05


def around(
    answers: Answers, stages: list[NDArray[Any]], weights: NDArray[Any]
) -> list[NDArray[Any]]:
    """Return the weights of each filter but the first at every pixel.

    Parameters
    ----------
    answers : Answers
        Of the filters to a change of the block.
    stages : list of ndarray
        What each filter makes of the block without it.
    weights : (filter, channel)
        Those of the whole image.
    """
    block, sigmas = answers.block, answers.sigmas
    axes = plane_axes(block.grid)
    found = [np.empty(block.shape, block.dtype) for _ in stages[1:]]
    shape = tuple(block.shape[axis] for axis in axes)
    origin = (block.grid.origin[axes[0]], block.grid.origin[axes[1]])

    def part_of(at: tuple[int, ...], rows: slice) -> tuple[int | slice, ...]:
        part: list[int | slice] = list(at)
        part[axes[0]], part[axes[1]] = rows, slice(None)
        return tuple(part)

    def work(*at: int) -> None:
        sigma, own = sigmas[at[1]], weights[:, at[1]]

        def values(rows: slice) -> Values:
            part = part_of(at, rows)
            y, *f = (each[part].astype(np.float64) / sigma for each in (block.values, *stages))
            z = answers.slopes(stages, part)
            G, z = [each - f[0] for each in f[1:]], [each - z[0] for each in z[1:]]
            if answers.variances is None:
                return G, z, y - f[0], None
            own = answers.variances[part]
            return G, [each * own for each in z], y - f[0], own

        local = _plane(values, own, origin, shape)
        for view, cells in zip(found, np.moveaxis(local, -1, 0), strict=True):
            for start in range(0, shape[0], STRIP):
                rows = slice(start, min(start + STRIP, shape[0]))
                view[part_of(at, rows)] = _interpolated(cells, origin, shape, rows)

    tiles = list(np.ndindex(*(1 if a in axes else n for a, n in enumerate(block.shape))))
    block.threads.each(work, [at for at in tiles if sigmas[at[1]] > 0])
    for at in (at for at in tiles if sigmas[at[1]] == 0):
        for view, each in zip(found, weights[:, at[1]], strict=True):
            view[part_of(at, slice(None))] = each
    return found


def _plane(
    values: Callable[[slice], Values],
    weights: NDArray[Any],
    origin: tuple[int, int],
    shape: tuple[int, ...],
) -> NDArray[Any]:
    """Return the (rows, columns, filter) weights of the cells of one plane.

    Parameters
    ----------
    values : callable
        Gives, for some rows, G, z, y − f₀ and the variance in units of the noise; see `Sums`.
    """
    M, V, c = _matrices(values, len(weights), origin, shape)
    left = c - (M @ weights[:, None])[..., 0]
    return np.asarray(np.clip(weights + least_error(M, V, left, PRIOR), LEAST, MOST))


def _matrices(
    values: Callable[[slice], Values],
    count: int,
    origin: tuple[int, int],
    shape: tuple[int, ...],
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return M, V and c of every cell; see `Sums`, but V is not centred."""
    pairs = [(i, j) for i in range(count) for j in range(i, count)]
    strips = [_sums(values(rows), pairs, (origin[0] + rows.start, origin[1]))
              for rows in _strips(origin[0], shape[0])]  # fmt: skip
    share, *smooth = (_smooth(each) for each in np.concatenate(strips, axis=1))
    # A Gaussian mean over cells stands for a sum over 4 π width² of them.
    scale = 4 * math.pi * (WIDTH * CELL) ** 2 / share
    parts = np.split(np.array(smooth), [len(pairs), 2 * len(pairs), 2 * len(pairs) + count])
    M, zz, noisy = (np.empty((*share.shape, count, count)) for _ in range(3))
    for matrix, sums in ((M, parts[0]), (zz, parts[1]), (noisy, parts[3])):
        for (i, j), each in zip(pairs, sums, strict=False):
            matrix[..., i, j] = matrix[..., j, i] = each * scale
    c = np.stack([each * scale for each in parts[2]], axis=-1)
    return M, 2 * zz + (noisy if len(parts[3]) else M), c


def _sums(values: Values, pairs: list[tuple[int, int]], origin: tuple[int, int]) -> NDArray[Any]:
    """Return the sums over the cells of some rows: pixels, products of G, of z, c, and G again.

    The last ones are weighted with the variance, where it differs from pixel to pixel.
    """
    G, z, rest, variance = values
    products = [np.ones_like(rest), *(G[i] * G[j] for i, j in pairs)]
    products += [z[i] * z[j] for i, j in pairs]
    products += [g * rest - d for g, d in zip(G, z, strict=True)]
    if variance is not None:
        products += [G[i] * G[j] * variance for i, j in pairs]
    return np.stack([_cells(each, origin) for each in products])


def _strips(origin: int, size: int) -> list[slice]:
    """Cut rows into strips of whole cells, so that only few are worked on at a time."""
    edges = [0, *range(-origin % STRIP or STRIP, size, STRIP), size]
    return [slice(a, b) for a, b in itertools.pairwise(edges)]


def _cells(values: NDArray[Any], origin: tuple[int, int]) -> NDArray[Any]:
    """Return the sums over cells, which stand at multiples of CELL in the whole image."""
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
    cells: NDArray[Any], origin: tuple[int, int], shape: tuple[int, ...], rows: slice
) -> NDArray[Any]:
    """Return linear interpolation between the middles of cells, for some rows."""
    lines = []
    for o, n, count in zip(origin, shape, cells.shape, strict=True):
        place = (np.arange(n) + o % CELL + 0.5) / CELL - 0.5
        low = np.clip(np.floor(place).astype(int), 0, max(count - 2, 0))
        lines.append((low, np.minimum(low + 1, count - 1), np.clip(place - low, 0.0, 1.0)))
    (y0, y1, fy), (x0, x1, fx) = lines
    across = cells[:, x0] * (1 - fx) + cells[:, x1] * fx
    part = fy[rows][:, None]
    return np.asarray(across[y0[rows]] * (1 - part) + across[y1[rows]] * part)
