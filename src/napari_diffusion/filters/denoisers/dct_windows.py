"""Sliding cosine windows: each is filtered by what a guide says of it, and all are averaged.

Windows of volumes are windows of planes, of which several were mixed along the third axis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.engine.jit import inner_kernel, kernel
from napari_diffusion.filters.denoisers.cosine import averaged, cosines, extent, mixed, transformed
from napari_diffusion.filters.denoisers.largest_factor import largest_factor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

# Coefficients larger than this over the noise are kept whole; their squares would overflow.
LARGEST = 1e15


@kernel
def _across(matrix, planes, out):
    """Add matrix @ planes: (K, J) and (J, H, W)."""
    for k in range(matrix.shape[0]):
        for y in range(out.shape[1]):
            to = out[k, y]
            for j in range(matrix.shape[1]):
                factor, row = matrix[k, j], planes[j, y]
                for x in range(to.size):
                    to[x] += factor * row[x]


@inner_kernel
def _gain(c, guide, inverse, norm):
    """Multiply c by g = guide² / (guide² + σ²), but the mean, and write 1 / Σ g² of each window.

    `inverse` is 1 / σ of each window.
    """
    one, largest = c.dtype.type(1), c.dtype.type(LARGEST)
    count = norm.size
    for n in range(count):
        norm[n] = one
    for i in range(c.shape[0]):
        value, other = c[i], guide[i]
        if i > 0:
            for n in range(count):
                r = min(abs(other[n]) * inverse[n], largest)
                r = r * r
                g = r / (r + one)
                value[n] *= g
                norm[n] += g * g
    for n in range(count):
        norm[n] = one / norm[n]


@kernel
def react(
    pair, even, odd, back, inverse, stride, out, weight, folded, down, pieces, c, norm, line, across
):  # fmt: skip
    """Add the filtered windows of one slab, whose planes are mixed along the third axis already.

    Parameters
    ----------
    pair : (2, K, H, W) float32 or float64
        The transform along the third axis of what is filtered, and of the guide that says how.
    even, odd : (P/2, P/2)
        Rows of even and odd k of the transform, for the first half of the pixels.
    back : (2, P/2, P/2)
        The same, transposed.
    inverse : (rows of windows, windows in a row)
        1 / σ of each.
    stride : int
        Distance of the windows along both axes; the last of a row ends with the row.
    out : (K, H, W)
        Added to: the sum of the windows, still transformed along the third axis.
    weight : (H, W)
        Added to: the sum of their weights, alike in all planes.
    folded, down, pieces, c, norm, line, across : arrays
        See `_rooms`.
    """
    half, width = even.shape[0], pair.shape[3]
    size, depth = 2 * half, pair.shape[1]
    count = norm.size
    flat = c.reshape((2, depth * 2 * size * half, count))
    for row in range((pair.shape[2] - size) // stride + 1):
        top = row * stride
        for i in range(2):
            for k in range(depth):
                transformed(
                    pair[i, k], top, even, odd, stride, down, folded, pieces, across, c[i, k]
                )
        _gain(flat[0], flat[1], inverse[row], norm)
        for x in range(width):
            line[x] = 0
        for j in range(size):
            for n in range(count):
                line[j + stride * n] += norm[n]
        for j in range(size):
            total = weight[top + j]
            for x in range(width):
                total[x] += line[x]
        for k in range(depth):
            averaged(c[0, k], norm, back[0], back[1], stride, across, pieces, down)
            mixed(back[0], down[0], folded[0])
            mixed(back[1], down[1], folded[1])
            for j in range(half):
                i = size - 1 - j
                sums, differences = folded[0, j], folded[1, j]
                upper, lower = out[k, top + j], out[k, top + i]
                for x in range(width):
                    upper[x] += sums[x] + differences[x]
                    lower[x] += sums[x] - differences[x]


def _rooms(
    shape: tuple[int, ...], size: int, stride: int, dtype: np.dtype[Any]
) -> list[NDArray[Any]]:
    """Return what `react` writes on the way, for a slab (K, H, W) and windows of that size."""
    depth, _, width = shape
    half, count = size // 2, (width - size) // stride + 1
    return [
        np.empty(each, dtype)
        for each in (
            (2, half, width),
            (2, half, width),
            # Of their own width: a loop over part of a wider array is not vectorised.
            (2, half, count),
            (2, depth, 2, size, half, count),
            count,
            width,
            (stride, width // stride + 1),
        )
    ]


def guided(
    y: NDArray[Any],
    guide: NDArray[Any],
    origin: Sequence[int],
    sigma: float | NDArray[Any],
    windows: Sequence[int],
    strides: Sequence[int],
    poll: Callable[[], None],
) -> NDArray[Any]:
    """Return a volume filtered by windows that a guide weighs; both begin at `origin`.

    The noise is one number, or has one for each pixel: then that of a window is their root mean
    square, for noise adds as much to every coefficient. Windows and strides are those of the third
    axis and of both axes of the planes.
    """
    sizes, steps = (windows[0], windows[1], windows[1]), (strides[0], strides[1], strides[1])
    around = [extent(o, n, w, s) for o, n, w, s in zip(origin, y.shape, sizes, steps, strict=True)]
    pair = np.stack([np.pad(each, around, "reflect") for each in (y, guide)])
    matrix = cosines(windows[1]).astype(y.dtype)[:, : windows[1] // 2]
    even, odd = np.ascontiguousarray(matrix[0::2]), np.ascontiguousarray(matrix[1::2])
    back = np.ascontiguousarray(np.stack([even.T, odd.T]))
    upright = cosines(windows[0]).astype(y.dtype)
    downright = np.ascontiguousarray(upright.T)
    out, weight = np.zeros_like(pair[0]), np.zeros_like(pair[0])
    inverse = _inverses(sigma, out.shape, around, sizes, steps, y.dtype)
    slab = np.empty((2, windows[0], *out.shape[1:]), y.dtype)
    rooms = _rooms(slab.shape[1:], windows[1], strides[1], y.dtype)
    for n, top in enumerate(range(0, out.shape[0] - windows[0] + 1, strides[0])):
        poll()
        slab.fill(0)
        for i in range(2):
            _across(upright, pair[i, top : top + windows[0]], slab[i])
        made, total = np.zeros_like(slab[0]), np.zeros_like(out[0])
        react(slab, even, odd, back, inverse[n], strides[1], made, total, *rooms)
        _across(downright, made, out[top : top + windows[0]])
        weight[top : top + windows[0]] += total
    core = tuple(slice(b, b + n) for (b, _), n in zip(around, y.shape, strict=True))
    return np.asarray(out[core] / weight[core])


def _inverses(
    sigma: float | NDArray[Any],
    shape: tuple[int, ...],
    around: Sequence[tuple[int, int]],
    sizes: Sequence[int],
    steps: Sequence[int],
    dtype: np.dtype[Any],
) -> NDArray[Any]:
    """Return 1 / σ of the window at each place along the three axes."""
    counts = [(n - size) // step + 1 for n, size, step in zip(shape, sizes, steps, strict=True)]
    if isinstance(sigma, np.ndarray):
        variance = np.pad(np.square(sigma, dtype=np.float64), around, "reflect")
        for axis, (size, step) in enumerate(zip(sizes, steps, strict=True)):
            sums = np.moveaxis(_sums_along(np.moveaxis(variance, axis, 0), size), 0, axis)
            variance = sums[(slice(None),) * axis + (slice(None, None, step),)] / size
        sigmas = np.sqrt(variance)
    else:
        sigmas = np.array(sigma, np.float64)
    with np.errstate(divide="ignore", over="ignore"):
        inverse = np.minimum(1 / sigmas, largest_factor(dtype))
    return np.ascontiguousarray(np.broadcast_to(inverse, counts), dtype)


def _sums_along(values: NDArray[Any], size: int) -> NDArray[Any]:
    """Return the sums of `size` rows from each one on.

    They are added up in pairs, always in the same order: the sum of equal numbers is exact for
    powers of two, and no sum depends on where the rows begin.
    """
    total, first = None, 0
    power, sums = 1, values
    while power <= size:
        if size & power:
            total = _both(total, sums, first) if total is not None else sums
            first += power
        if 2 * power <= size:
            sums = _both(sums, sums, power)
        power *= 2
    assert total is not None
    return total


def _both(a: NDArray[Any], b: NDArray[Any], apart: int) -> NDArray[Any]:
    """Return the sums of rows of `a` and those of `b` so many rows further."""
    count = min(len(a), len(b) - apart)
    return np.asarray(a[:count] + b[apart : apart + count])
