"""The shift-invariant Haar transform of a block: sums and differences at growing distances.

At level j two pixels a distance apart along an axis become their half sum and half difference;
the distance doubles from level to level. Going back takes the mean of all the ways there are.
Every step shortens an axis by the distance, so that no pixel is ever made up.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.engine.exponential import exp_of_minus
from napari_diffusion.engine.jit import kernel

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    # Which axes a band is a difference along, and its values.
    Bands = dict[tuple[int, ...], NDArray[Any]]


@kernel
def _split(a, distance, low, high):
    """Write half sums and half differences of the pixels at n and n + distance of axis 1."""
    half = a.dtype.type(0.5)
    for outer in range(a.shape[0]):
        for n in range(low.shape[1]):
            p, q = a[outer, n], a[outer, n + distance]
            lo, hi = low[outer, n], high[outer, n]
            for i in range(a.shape[2]):
                lo[i] = half * (p[i] + q[i])
                hi[i] = half * (p[i] - q[i])


@kernel
def _join(low, high, distance, out):
    """Write the mean of both ways back; the first pixel is that at n = distance."""
    half = low.dtype.type(0.5)
    for outer in range(out.shape[0]):
        for n in range(out.shape[1]):
            l0, l1 = low[outer, n], low[outer, n + distance]
            h0, h1 = high[outer, n], high[outer, n + distance]
            a = out[outer, n]
            for i in range(out.shape[2]):
                a[i] = half * ((l0[i] + l1[i]) + (h1[i] - h0[i]))


@kernel
def _join_one(band, distance, sign, out):
    """Write what one of both makes where the other is nothing: 1 for sums, −1 for differences."""
    half = band.dtype.type(0.5)
    for outer in range(out.shape[0]):
        for n in range(out.shape[1]):
            b0, b1, a = band[outer, n], band[outer, n + distance], out[outer, n]
            for i in range(out.shape[2]):
                a[i] = half * (b1[i] + sign * b0[i])


@kernel
def shrink(c, scale, linear, gated):
    """Multiply flat c by linear + gated · exp(−(c · scale)⁸)."""
    for i in range(c.size):
        r = c[i] * scale
        q = r * r
        q = q * q
        c[i] = c[i] * (linear + gated * exp_of_minus(q * q))


@kernel
def shrink_each(c, scales, linear, gated):
    """Do what `shrink` does, where each difference has its own scale."""
    for i in range(c.size):
        r = c[i] * scales[i]
        q = r * r
        q = q * q
        c[i] = c[i] * (linear + gated * exp_of_minus(q * q))


def _along(array: NDArray[Any], axis: int) -> NDArray[Any]:
    """View a contiguous block as (before, axis, behind)."""
    before = int(np.prod(array.shape[:axis]))
    return array.reshape(before, array.shape[axis], -1)


def _shorter(array: NDArray[Any], axis: int, by: int) -> NDArray[Any]:
    shape = list(array.shape)
    shape[axis] -= by
    return np.empty(shape, array.dtype)


def split(array: NDArray[Any], distances: dict[int, int]) -> Bands:
    """Return all bands of one level; that of the sums along all axes is called ()."""
    bands: Bands = {(): array}
    for axis, distance in distances.items():
        halves: Bands = {}
        for name, band in bands.items():
            low, high = (_shorter(band, axis, distance) for _ in range(2))
            _split(_along(band, axis), distance, _along(low, axis), _along(high, axis))
            halves[name], halves[(*name, axis)] = low, high
        bands = halves
    return bands


def join(bands: Bands, distances: dict[int, int]) -> NDArray[Any]:
    """Return what one level was made of, shorter by the distance at both ends of each axis.

    Bands that are left out hold nothing.
    """
    for axis in reversed(list(distances)):
        halves: Bands = {}
        for name in {tuple(a for a in name if a != axis) for name in bands}:
            pair = bands.get(name), bands.get((*name, axis))
            halves[name] = _joined(*pair, axis, distances[axis])
        bands = halves
    return bands[()]


def _joined(
    low: NDArray[Any] | None, high: NDArray[Any] | None, axis: int, distance: int
) -> NDArray[Any]:
    one = low if high is None else high
    assert one is not None
    out = _shorter(one, axis, distance)
    if low is None or high is None:
        sign = one.dtype.type(1 if high is None else -1)
        _join_one(_along(one, axis), distance, sign, _along(out, axis))
    else:
        _join(_along(low, axis), _along(high, axis), distance, _along(out, axis))
    return out


def levels_of(spacing: dict[int, float], shape: Sequence[int], count: int) -> list[dict[int, int]]:
    """Return the distances in pixels per axis at each level.

    They double from level to level. An axis whose pixels are further apart joins in later, so
    that the distances are alike in world units, and one leaves that is no longer than a distance.
    """
    shortest = min(spacing.values())
    late = {axis: round(np.log2(length / shortest)) for axis, length in spacing.items()}
    return [
        {
            axis: 2 ** (level - wait)
            for axis, wait in late.items()
            if level >= wait and 2 ** (level - wait) < shape[axis]
        }
        for level in range(count)
    ]


def reach_of(levels: Sequence[dict[int, int]]) -> dict[int, int]:
    """Return how far a result reaches, per axis."""
    reach: dict[int, int] = {}
    for distances in levels:
        for axis, distance in distances.items():
            reach[axis] = reach.get(axis, 0) + distance
    return reach


def padded(block: NDArray[Any], levels: Sequence[dict[int, int]]) -> NDArray[Any]:
    """Return a block with mirrored pixels around it, as many as the transform reaches."""
    reach = reach_of(levels)
    return np.pad(block, [(reach.get(axis, 0),) * 2 for axis in range(block.ndim)], "reflect")


def synthesised(
    top: NDArray[Any] | None, details: Sequence[Bands], levels: Sequence[dict[int, int]]
) -> NDArray[Any]:
    """Go back from the sums of the last level and the details of all; see `join`.

    Nothing stands for sums, or for bands, that are left out.
    """
    low, done = top, dict.fromkeys(reach_of(levels), 0)
    for distances, bands in zip(reversed(levels), reversed(details), strict=True):
        parts: Bands = {} if low is None else {(): low}
        for name, band in bands.items():
            first = tuple(done.get(axis, 0) for axis in range(band.ndim))
            sizes = band.shape if low is None else low.shape
            part = band[tuple(slice(f, f + n) for f, n in zip(first, sizes, strict=True))]
            parts[name] = np.ascontiguousarray(part)
        low = join(parts, distances)
        for axis, distance in distances.items():
            done[axis] += distance
    assert low is not None
    return low


def named_groups(bands: Bands) -> Iterator[tuple[int, list[tuple[int, ...]]]]:
    """Yield the number of axes differenced, and the bands of that group."""
    names = sorted((name for name in bands if name), key=len)
    for size, group in itertools.groupby(names, key=len):
        yield size, list(group)
