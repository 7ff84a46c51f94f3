"""Windows to learn from and windows held out: of clean images, of frames, of noisy images alone."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.engine.threads import Threads
from napari_diffusion.learning.errors import MARGIN, PROBE, Window
from napari_diffusion.learning.planes import HELD_SIDE, Planes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.filters.learned.network import Network

# Side of the part of a window whose errors count, and of what the pilot sees around it all.
SIDE, AROUND = 96, 16

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
    def window(
        self, random: np.random.Generator, place: tuple[int, slice, slice], network: Network
    ) -> Window:
        """Return the window at a place, with `MARGIN` + `AROUND` pixels around what counts."""

    def drawn(self, random: np.random.Generator, network: Network) -> Window | None:
        """Return a window to learn from, turned and mirrored at random; None if none is free."""
        place = self.planes.window(random, SIDE + 2 * (MARGIN + AROUND))
        return None if place is None else self.window(random, place, network)

    def held_out(self, network: Network, seed: int) -> list[Window]:
        """Return the windows that are never learned from, always with the same noise."""
        found = []
        for n, (stack, rows, columns) in enumerate(self.planes.squares()):
            random = np.random.Generator(np.random.Philox(key=np.array([seed, n], np.uint64)))
            around = (stack, _wider(rows), _wider(columns))
            found.append(self.window(random, around, network))
        return found

    def cut(self, place: tuple[int, slice, slice], frame: int) -> NDArray[np.float32]:
        """Return a part of a plane, mirrored where it goes beyond."""
        stack, rows, columns = place
        plane = self.planes.stacks[stack][frame]
        index = [
            _mirrored(part, size) for part, size in zip((rows, columns), plane.shape, strict=True)
        ]
        return plane[np.ix_(*index)]


@dataclass(frozen=True, eq=False)
class CleanWindows(Windows):
    """Clean images, to which noise of all levels is added.

    Attributes
    ----------
    levels : tuple of float
        Least and largest standard deviation of the noise, in intensities.
    """

    levels: tuple[float, float] = (0.01, 1.2)

    def window(
        self, random: np.random.Generator, place: tuple[int, slice, slice], network: Network
    ) -> Window:
        """Return a window with fresh noise; see `Windows.window`."""
        clean = turned(self.cut(place, 0), random) * random.uniform(*_CONTRAST)
        low, high = self.levels
        if random.random() < _USUAL:
            low, high = max(low, _USUAL_LEVELS[0]), min(high, _USUAL_LEVELS[1])
        sigma = float(np.exp(random.uniform(np.log(low), np.log(max(high, low)))))
        target = clean / np.float32(sigma)
        noisy = target + random.standard_normal(target.shape, np.float32)
        return _window(noisy, target, network, weight=sigma)


@dataclass(frozen=True, eq=False)
class FrameWindows(Windows):
    """Frames of the same scene, of which one is the noisy image, another the target."""

    def window(
        self, random: np.random.Generator, place: tuple[int, slice, slice], network: Network
    ) -> Window:
        """Return a window of one frame with another as its target; see `Windows.window`."""
        frames = len(self.planes.stacks[place[0]])
        one, other = random.permutation(frames)[:2]
        both = turned(np.stack([self.cut(place, one), self.cut(place, other)]), random)
        return _window(both[0], both[1], network)


@dataclass(frozen=True, eq=False)
class NoisyWindows(Windows):
    """Noisy images alone: the error is Stein's estimate."""

    def window(
        self, random: np.random.Generator, place: tuple[int, slice, slice], network: Network
    ) -> Window:
        """Return a window with random signs; see `Windows.window`."""
        frame = int(random.integers(len(self.planes.stacks[place[0]])))
        noisy = turned(self.cut(place, frame), random)
        signs = random.integers(0, 2, noisy.shape).astype(np.float32) * 2 - 1
        moved = network.piloted(noisy + np.float32(PROBE) * signs, _ALONE)
        made = _window(noisy, None, network)
        return Window(made.noisy, made.pilot, None, 1.0, _inner(signs), _inner(moved))


def turned(planes: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Return planes turned by a multiple of 90° and mirrored, at random."""
    made = np.rot90(planes, int(random.integers(4)), (-2, -1))
    return np.ascontiguousarray(made[..., ::-1] if random.integers(2) else made)


def _window(
    noisy: NDArray[Any], target: NDArray[Any] | None, network: Network, weight: float = 1.0
) -> Window:
    pilot = network.piloted(np.ascontiguousarray(noisy), _ALONE)
    aim = None if target is None else _inner(target)
    return Window(_inner(noisy), _inner(pilot), aim, weight)


def _inner(values: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(values[AROUND:-AROUND, AROUND:-AROUND])


def _wider(part: slice) -> slice:
    """Return a square that is held out with what stands around it."""
    return slice(part.start - MARGIN - AROUND, part.start + HELD_SIDE + MARGIN + AROUND)


def _mirrored(part: slice, size: int) -> NDArray[np.intp]:
    """Return the pixels of a part of an axis that may begin before it or end behind it."""
    at = np.abs(np.arange(part.start, part.stop))
    return (size - 1) - np.abs((size - 1) - at) if size > 1 else np.zeros_like(at)
