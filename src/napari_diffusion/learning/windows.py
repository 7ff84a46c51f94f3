"""Windows to learn from and windows held out: of clean images, of frames, of noisy images alone."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.engine.threads import Threads
from napari_diffusion.learning.errors import PROBE, Window
from napari_diffusion.learning.planes import Place, Planes, wider
from napari_diffusion.learning.window_size import AROUND, MARGIN, SIDES

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_diffusion.filters.learned.network import Network

# Pixels whose errors count in a step of training, in windows of the largest side.
_PIXELS = 6 * SIDES[0] ** 2

# Of the noise levels drawn, so many lie where denoising matters most.
_USUAL, _USUAL_LEVELS = 0.75, (0.02, 0.3)

# Contrast is changed by so much, so that a level of noise meets images of any contrast.
_CONTRAST = (0.7, 1.2)

_ALONE = Threads(count=1)


@dataclass(frozen=True, eq=False)
class Windows(abc.ABC):
    """What is learned from.

    Attributes
    ----------
    planes : Planes
        The images; those of noise are in units of it.
    """

    planes: Planes

    @abc.abstractmethod
    def window(self, random: np.random.Generator, place: Place, network: Network) -> Window:
        """Return the window at a place, with `MARGIN` + `AROUND` pixels around what counts."""

    @property
    def count(self) -> int:
        """How many windows a step of training sees."""
        return max(_PIXELS // self.planes.side**2, 1)

    def drawn(self, random: np.random.Generator, network: Network) -> Window:
        """Return a window to learn from, turned and mirrored at random."""
        return self.window(random, self.planes.window(random), network)

    def held_out(self, network: Network, seed: int) -> list[Window]:
        """Return the windows that are never learned from, always with the same noise."""
        found = []
        for n, place in enumerate(self.planes.squares()):
            random = np.random.Generator(np.random.Philox(key=np.array([seed, n], np.uint64)))
            found.append(self.window(random, place, network))
        return found

    def cut(self, place: Place, frame: int) -> NDArray[np.float32]:
        """Return a part of a plane with what is around it, mirrored where it goes beyond."""
        return self.planes.stacks[place.stack][frame][np.ix_(*self._pixels(place))]

    def mirrored(
        self, place: Place, made: Callable[[tuple[int, int]], NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        """Return random numbers for a place, the same for a pixel and its mirror image."""
        pixels = self._pixels(place)
        first = [int(each.min()) for each in pixels]
        rows, columns = (int(np.ptp(each)) + 1 for each in pixels)
        index = [each - start for each, start in zip(pixels, first, strict=True)]
        return made((rows, columns))[np.ix_(*index)]

    def _pixels(self, place: Place) -> list[NDArray[np.intp]]:
        size = self.planes.stacks[place.stack].shape[1:]
        return [_reflected(wider(part), n) for part, n in zip(place[1:], size, strict=True)]


@dataclass(frozen=True, eq=False)
class CleanWindows(Windows):
    """Clean images, to which noise of all levels is added.

    Attributes
    ----------
    levels : tuple of float
        Least and largest standard deviation of the noise, in intensities.
    """

    levels: tuple[float, float] = (0.01, 1.2)

    def window(self, random: np.random.Generator, place: Place, network: Network) -> Window:
        """Return a window with fresh noise; see `Windows.window`."""
        sigma = self._level(random)
        target = self.cut(place, 0) * np.float32(random.uniform(*_CONTRAST) / sigma)
        noise = self.mirrored(place, lambda size: random.standard_normal(size, np.float32))
        noisy, target = turned(np.stack([target + noise, target]), random)
        return _window(noisy, target, network, weight=sigma)

    def _level(self, random: np.random.Generator) -> float:
        low, high = self.levels
        usual = max(low, _USUAL_LEVELS[0]), min(high, _USUAL_LEVELS[1])
        if usual[0] < usual[1] and random.random() < _USUAL:
            low, high = usual
        return float(np.exp(random.uniform(np.log(low), np.log(high))))


@dataclass(frozen=True, eq=False)
class FrameWindows(Windows):
    """Frames of the same scene, of which one is the noisy image, another the target."""

    def window(self, random: np.random.Generator, place: Place, network: Network) -> Window:
        """Return a window of one frame with another as its target; see `Windows.window`."""
        frames = len(self.planes.stacks[place.stack])
        one, other = random.permutation(frames)[:2]
        noisy, target = turned(np.stack([self.cut(place, one), self.cut(place, other)]), random)
        # Half the difference of two frames is what the noise of one adds to the error.
        inside = (slice(MARGIN + AROUND, -MARGIN - AROUND),) * 2
        floor = float(np.square((noisy - target)[inside], dtype=np.float64).mean()) / 2
        return _window(noisy, target, network, floor=floor)


@dataclass(frozen=True, eq=False)
class NoisyWindows(Windows):
    """Noisy images alone: the error is Stein's estimate."""

    def window(self, random: np.random.Generator, place: Place, network: Network) -> Window:
        """Return a window with random signs; see `Windows.window`."""
        frame = int(random.integers(len(self.planes.stacks[place.stack])))
        signs = self.mirrored(
            place, lambda size: random.integers(0, 2, size).astype(np.float32) * 2 - 1
        )
        noisy, signs = turned(np.stack([self.cut(place, frame), signs]), random)
        moved = network.piloted(noisy + np.float32(PROBE) * signs, _ALONE)
        return _window(noisy, None, network, signs=_inner(signs), moved=_inner(moved))


def turned(planes: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Return planes turned by a multiple of 90° and mirrored, at random."""
    made = np.rot90(planes, int(random.integers(4)), (-2, -1))
    return np.ascontiguousarray(made[..., ::-1] if random.integers(2) else made)


def _window(
    noisy: NDArray[Any], target: NDArray[Any] | None, network: Network, **more: Any
) -> Window:
    pilot = network.piloted(np.ascontiguousarray(noisy), _ALONE)
    aim = None if target is None else _inner(target)
    return Window(_inner(noisy), _inner(pilot), aim, **more)


def _inner(values: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(values[AROUND:-AROUND, AROUND:-AROUND])


def _reflected(part: slice, size: int) -> NDArray[np.intp]:
    """Return the pixels of a part of an axis that may begin before it or end behind it."""
    at = np.arange(part.start, part.stop) % max(2 * size - 2, 1)
    return np.minimum(at, 2 * size - 2 - at) if size > 1 else np.zeros_like(at)
