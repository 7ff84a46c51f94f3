"""The parts that a map joins: where an image is like itself, or another, at the mapped place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.forensics.copying.affine_map import AffineMap

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Side of the windows whose correlation is taken, and what a window that belongs to it has.
WINDOW, LEAST = 9, 0.75

# Pixels around the key points within which a part may grow at first.
_MARGIN = 48

# Rounds of growing and of refining the map on what has grown.
_ROUNDS = 3

# Pixels of a part below which it is none.
LEAST_AREA = 100


def grown(
    first: NDArray[Any], second: NDArray[Any], start: AffineMap, points: NDArray[Any], apart: float
) -> tuple[AffineMap, NDArray[np.bool_], NDArray[np.float64]]:
    """Return the map refined, the part of `first`, and the correlation with its partner.

    With `apart` both are the same plane, and pixels that the map leaves nearer do not count.
    """
    box = box_around(points, first.shape, _MARGIN)
    found, part = start, np.zeros(first.shape, bool)
    likeness = np.zeros(first.shape)
    for turn in range(_ROUNDS):
        places = np.moveaxis(np.mgrid[box], 0, -1).reshape(-1, 2).astype(np.float64)
        shape = first[box].shape
        near = _hull(points, box, shape) if turn == 0 else part[box]
        found = _refined(first[box], second, found, places, near)
        local = _correlation(first[box], taken(second, found(places)).reshape(shape))
        if apart:
            moved = np.hypot(*(found(places) - places).T).reshape(shape)
            local[moved < apart] = 0
        part[:], likeness[:] = False, 0
        part[box], likeness[box] = _seeded(local, points, box), local
        if not part.any():
            break
        box = box_around(np.argwhere(part), first.shape, _MARGIN)
    return found, part, likeness


def box_around(points: NDArray[Any], shape: tuple[int, ...], margin: int) -> tuple[slice, slice]:
    """Return the box that holds places, and a margin, within a plane."""
    low = np.maximum(np.floor(points.min(axis=0)).astype(int) - margin, 0)
    high = np.minimum(np.ceil(points.max(axis=0)).astype(int) + margin + 1, shape)
    return slice(int(low[0]), int(high[0])), slice(int(low[1]), int(high[1]))


def taken(plane: NDArray[Any], places: NDArray[np.float64], order: int = 1) -> NDArray[np.float64]:
    """Return intensities at places between pixels; NaN outside."""
    from scipy import ndimage

    return np.asarray(
        ndimage.map_coordinates(plane, places.T, order=order, mode="constant", cval=np.nan)
    )


def _correlation(first: NDArray[Any], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the correlation of two planes in windows; 0 where either is flat or has none."""
    from scipy import ndimage

    def mean(values: NDArray[Any]) -> NDArray[np.float64]:
        return np.asarray(ndimage.uniform_filter(values, WINDOW, mode="nearest"))

    outside = np.isnan(second)
    own = first - first.mean()
    other = np.where(outside, 0, second - first.mean())
    own_mean, other_mean = mean(own), mean(other)
    own_variance = np.maximum(mean(own * own) - own_mean**2, 0)
    other_variance = np.maximum(mean(other * other) - other_mean**2, 0)
    both = mean(own * other) - own_mean * other_mean
    flat = flatness(first)
    textured = (own_variance > flat) & (other_variance > flat) & ~outside
    return np.where(textured, both / np.sqrt(np.maximum(own_variance * other_variance, flat**2)), 0)


def flatness(plane: NDArray[Any]) -> float:
    """Return the variance below which a window is flat: a millionth of the squared range."""
    return 1e-6 * max(float(np.ptp(plane)), 1e-30) ** 2


def _refined(
    first: NDArray[Any],
    second: NDArray[Any],
    start: AffineMap,
    places: NDArray[np.float64],
    near: NDArray[np.bool_],
) -> AffineMap:
    """Return the map moved to where intensities differ least, but for brightness and contrast.

    One step of Gauss and Newton at a time (Lucas and Kanade): a map from key points misses by some
    tenths of a pixel, which fine texture does not forgive. Pixels that do not belong to the part
    would pull it away, so what differs much counts little.
    """
    found, shape = start, first.shape
    middle = places[near.ravel()].mean(axis=0) if near.any() else places.mean(axis=0)
    for _ in range(4):
        values = taken(second, found(places)).reshape(shape)
        slopes = np.gradient(values)
        inside = near & ~np.isnan(slopes[0]) & ~np.isnan(slopes[1]) & ~np.isnan(values)
        if inside.sum() < LEAST_AREA:
            return found
        y, x = (places - middle).reshape(*shape, 2)[inside].T
        dy, dx = (each[inside] for each in slopes)
        ones = np.ones_like(y)
        sides = np.column_stack([dy, dx, dy * y, dy * x, dx * y, dx * x, values[inside], ones])
        weights = _weights(sides[:, 6:], first[inside], flatness(first) ** 0.5)
        solved = np.linalg.lstsq(sides * weights[:, None], first[inside] * weights, rcond=None)[0]
        gain = solved[6]
        if not abs(gain) > 0.1:
            return found
        move = solved[:6] / gain
        if np.abs(move[:2]).max() > 2 or np.abs(move[2:]).max() > 0.1:
            return found
        linear = np.eye(2) + move[2:].reshape(2, 2)
        found = found.after(AffineMap(linear, move[:2] + middle - linear @ middle))
    return found


def _weights(
    sides: NDArray[np.float64], wanted: NDArray[np.float64], least: float
) -> NDArray[np.float64]:
    """Return how much each pixel counts, from how far it lies off the brightness and contrast."""
    weights = np.ones(len(wanted))
    for _ in range(4):
        rows = sides * weights[:, None]
        solved = np.linalg.lstsq(rows, wanted * weights, rcond=None)[0]
        missed = np.abs(wanted - sides @ solved)
        weights = 1 / (1 + (missed / (2 * float(np.median(missed)) + least)) ** 2)
    return weights


def _seeded(
    likeness: NDArray[np.float64], points: NDArray[Any], box: tuple[slice, slice]
) -> NDArray[np.bool_]:
    """Return the parts of high correlation that hold key points, without holes."""
    from scipy import ndimage

    good = ndimage.binary_closing(np.pad(likeness > LEAST, 4), iterations=3)[4:-4, 4:-4]
    good = ndimage.binary_opening(ndimage.binary_fill_holes(good), iterations=2)
    label, _ = ndimage.label(good)
    at = np.rint(points - [box[0].start, box[1].start]).astype(int)
    seeds = np.unique(label[tuple(np.clip(at, 0, np.array(good.shape) - 1).T)])
    kept = np.isin(label, seeds[seeds > 0])
    # A window half outside is still alike: it reaches less far in than out.
    return np.asarray(ndimage.binary_dilation(kept, iterations=2))


def _hull(
    points: NDArray[Any], box: tuple[slice, slice], shape: tuple[int, ...]
) -> NDArray[np.bool_]:
    from scipy import ndimage

    near = np.zeros(shape, bool)
    at = np.rint(points - [box[0].start, box[1].start]).astype(int)
    near[tuple(np.clip(at, 0, np.array(shape) - 1).T)] = True
    return np.asarray(ndimage.binary_dilation(near, np.ones((3, 3)), iterations=6))
