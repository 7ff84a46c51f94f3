"""Cosine transforms of windows, gathered over the planes of an image."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.image import Image, is_dask
from napari_diffusion.engine.plane_reading import planes
from napari_diffusion.engine.slab_reading import slab_pixels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from napari_diffusion.engine.plane_reading import Plane

SIZE = 8

# Windows begin at every fourth pixel.
STRIDE = 4

# Windows looked at in an image; in a larger one, some rows of windows are left out evenly.
MOST_WINDOWS = 1 << 15

# Pixels looked at for values that were cut off; in a larger image, some rows are left out.
MOST_SAMPLES = 1 << 20

# Rows of windows transformed at a time.
_AT_ONCE = 32

_K, _Q = np.indices((SIZE, SIZE))

#: Coefficients that texture reaches last, and those that say how lively a window is.
FINE = _K + _Q >= SIZE
LIVELY = (_K + _Q > 0) & ~FINE

#: Frequency of each coefficient in cycles per pixel.
FREQUENCY = np.hypot(_K, _Q) / (2 * SIZE)


def cosines() -> NDArray[np.float64]:
    """Return the orthonormal cosine transform of SIZE pixels, a row for each frequency."""
    k, n = np.indices((SIZE, SIZE))
    matrix = math.sqrt(2 / SIZE) * np.cos(np.pi * (2 * n + 1) * k / (2 * SIZE))
    matrix[0] /= math.sqrt(2)
    return matrix


@dataclass(frozen=True)
class Windows:
    """Windows of an image, and what is asked of each.

    Attributes
    ----------
    image : Image
        In memory or a dask array; loaded a few planes at a time.
    axes : tuple of 2 int
        Canonical axes of the planes.
    crowded : tuple of float
        Values at which the image is clipped: windows that touch one more than once are left out.
    """

    image: Image
    axes: tuple[int, ...]
    crowded: tuple[float, ...] = ()
    _kept: list[Plane] = field(default_factory=list, repr=False, compare=False)

    def planes(self, most: int | None = None) -> Iterator[Plane]:
        """Yield every plane, with its mask; or about so many, evenly over all of them."""
        yield from planes(*self._stacks, most=most)

    def rows(self) -> Iterator[tuple[NDArray[Any], NDArray[Any] | None]]:
        """Yield of every plane the rows looked at for values that were cut off."""
        at = np.searchsorted(self._looked_at, self._sampled)
        for values, inside in self._looked_at_planes():
            yield values[at], None if inside is None else inside[at]

    def colours(self) -> NDArray[Any]:
        """Return one frame: its three colours, or its first channel; maybe not in memory yet."""
        stack, _ = self._stacks
        channels = 3 if self.image.grid.rgb and stack.shape[1] == 3 else 1
        return stack[0, :channels, stack.shape[2] // 2]

    def coefficients(self) -> Iterator[NDArray[np.float64]]:
        """Yield the transforms of the windows, (windows, 8, 8), many at a time."""
        matrix = cosines()
        starts = np.searchsorted(self._looked_at, self._starts)
        for plane, inside in self._looked_at_planes():
            for first in range(0, len(starts), _AT_ONCE):
                found = self._windows(plane, inside, starts[first : first + _AT_ONCE])
                if len(found):
                    yield matrix @ found @ matrix.T

    @functools.cached_property
    def _stacks(self) -> tuple[Any, Any]:
        """The image and its mask, with the axes of the planes last."""
        mask, data = self.image.mask, _planes_last(self.image.data, self.axes)
        return data, None if mask is None else _planes_last(mask, self.axes)

    @functools.cached_property
    def _starts(self) -> NDArray[np.int64]:
        """The rows of a plane at which windows begin."""
        height, width = (self.image.grid.shape[axis] for axis in self.axes)
        starts = np.arange(0, height - SIZE + 1, STRIDE)
        across = len(range(0, width - SIZE + 1, STRIDE))
        planes = math.prod(self.image.grid.shape) // (height * width)
        return starts[:: max(1, round(len(starts) * across * planes / MOST_WINDOWS))]

    @functools.cached_property
    def _sampled(self) -> NDArray[np.int64]:
        """The rows of a plane that are looked at for values that were cut off."""
        step = max(1, round(math.prod(self.image.grid.shape) / MOST_SAMPLES))
        return np.arange(0, self.image.grid.shape[self.axes[0]], step)

    @functools.cached_property
    def _looked_at(self) -> NDArray[np.int64]:
        """All rows of a plane that are looked at."""
        windows = self._starts[:, None] + np.arange(SIZE)
        return np.unique(np.concatenate([windows.ravel(), self._sampled]))

    def _looked_at_planes(self) -> Iterator[Plane]:
        """Yield these rows of every plane; they are read once if there is room for all of them."""
        if self._kept:
            yield from self._kept
            return
        shape = self.image.grid.shape
        pixels = math.prod(shape) // shape[self.axes[0]] * len(self._looked_at)
        if not is_dask(self.image.data) or pixels > slab_pixels():
            yield from planes(*self._stacks, self._looked_at)
            return
        self._kept.extend(planes(*self._stacks, self._looked_at))
        yield from self._kept

    def _windows(
        self, plane: NDArray[Any], inside: NDArray[Any] | None, rows: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the windows that begin at some rows and lie inside the mask."""
        part = slice(int(rows[0]), int(rows[-1]) + SIZE)
        values = np.asarray(plane[part], np.float64)
        windows = _cut(values)[rows - rows[0]]
        kept = np.ones(windows.shape[:2], bool)
        if inside is not None:
            kept &= _cut(inside[part])[rows - rows[0]].all(axis=(2, 3))
        for value in self.crowded:
            kept &= (windows == value).sum(axis=(2, 3)) <= 1
        return windows[kept]


def _cut(values: NDArray[Any]) -> NDArray[Any]:
    windows = np.lib.stride_tricks.sliding_window_view(values, (SIZE, SIZE))
    return windows[:, ::STRIDE]


def _planes_last(array: NDArray[Any], axes: tuple[int, ...]) -> NDArray[Any]:
    if not is_dask(array):
        return np.moveaxis(array, axes, (3, 4))
    import dask.array as da

    moved: NDArray[Any] = da.moveaxis(array, axes, (3, 4))
    return moved


def summary(windows: Windows) -> NDArray[np.float64]:
    """Return (level, activity, variance) of every window that varies.

    The level is the mean; the activity the energy of the coarse coefficients, the variance that of
    a fine one on average.
    """
    found = [
        np.stack(
            [
                c[:, 0, 0] / SIZE,
                (c[:, LIVELY] ** 2).sum(axis=1),
                (c[:, FINE] ** 2).mean(axis=1),
            ],
            axis=1,
        )
        for c in windows.coefficients()
    ]
    table = np.concatenate(found) if found else np.zeros((0, 3))
    return table[table[:, 1] > 0]


def power(
    windows: Windows,
    variance_at: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    livelier: float,
) -> tuple[NDArray[np.float64], int]:
    """Return the mean power of each coefficient by that of white noise, and of how many windows.

    Parameters
    ----------
    variance_at : callable
        Gives the variance of the noise at a level, greater than 0.
    livelier : float
        Windows whose activity is more than this many times what noise alone has are left out.
    """
    total, count = np.zeros((SIZE, SIZE)), 0
    for c in windows.coefficients():
        expected = variance_at(c[:, 0, 0] / SIZE)
        activity = (c[:, LIVELY] ** 2).sum(axis=1) / expected
        calm = (activity > 0) & (activity <= livelier * LIVELY.sum())
        total += ((c[calm] ** 2) / expected[calm, None, None]).sum(axis=0)
        count += int(calm.sum())
    return total / max(count, 1), count


@dataclass(frozen=True)
class Crowd:
    """An extreme value at which pixels pile up, and the share of all pixels that do."""

    value: float
    share: float


def crowds_of(windows: Windows) -> tuple[Crowd, ...]:
    """Return the extreme values at which so many pixels lie that they must have been cut off.

    More than one pixel in a thousand, and more than twice as many as at the value next to it.
    """
    low, high = _Pile(), _Pile()
    total = 0
    for rows, inside in windows.rows():
        values = np.asarray(rows, np.float64)
        values = values.ravel() if inside is None else values[inside]
        low.add(values)
        high.add(-values)
        total += values.size
    found = []
    for pile, sign in ((low, 1.0), (high, -1.0)):
        if pile.first_count > max(1e-3 * total, 8, 2 * pile.next_count):
            found.append(Crowd(sign * pile.first, pile.first_count / total))
    return tuple(found)


@dataclass
class _Pile:
    """How many pixels lie at the lowest value, and at the one above it."""

    first: float = math.inf
    first_count: int = 0
    above: float = math.inf
    next_count: int = 0

    def add(self, values: NDArray[np.float64]) -> None:
        """Count some more values."""
        counts = {self.first: self.first_count, self.above: self.next_count}
        rest = values
        for _ in range(2):
            if not rest.size:
                break
            lowest = float(rest.min())
            counts[lowest] = counts.get(lowest, 0) + int((rest == lowest).sum())
            rest = rest[rest > lowest]
        ordered = sorted((v, n) for v, n in counts.items() if v < math.inf)
        if ordered:
            self.first, self.first_count = ordered[0]
        if len(ordered) > 1:
            self.above, self.next_count = ordered[1]
