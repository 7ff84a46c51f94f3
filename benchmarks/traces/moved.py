"""Parts that stand twice: copies within a picture, and panels that overlap."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import gaussian_filter

from benchmarks.traces.changes import sampled, turn
from benchmarks.traces.pictures import rng_of, rounded, whole_picture
from benchmarks.traces.regions import blended, blob

if TYPE_CHECKING:
    from collections.abc import Callable

# Share of the area of a part that is copied, and how far a copy is feathered.
SHARE, FEATHER = 0.03, 0.7

# Places tried for a copy; the farthest is taken.
_TRIED = 400


@dataclass(frozen=True)
class Copy:
    """How a part is copied elsewhere in the same picture; the mask is both places.

    Attributes
    ----------
    degrees : float
    mirrored : bool
    contrast, scale : float
    """

    degrees: float = 0.0
    mirrored: bool = False
    contrast: float = 1.0
    scale: float = 1.0

    @property
    def exact(self) -> bool:
        """Whether the values are copied to the bit, but for the feathered edge."""
        return self.degrees % 90 == 0 and self.contrast == self.scale == 1

    def __call__(self, picture: Any, rng: np.random.Generator) -> tuple[Any, Any]:
        """Return the changed picture, and the mask of both places."""
        mask = blob(picture.shape, rng, SHARE)
        source = np.rint(np.argwhere(mask).mean(0))
        target = _farthest(picture.shape, source, rng)
        matrix = turn(self.degrees) / self.scale
        if self.mirrored:
            matrix = np.diag([1.0, -1.0]) @ matrix
        order = 0 if self.exact else 1
        there = sampled(mask.astype(float), matrix, source, target, order=0, mode="constant") > 0.5
        patch = sampled(picture, matrix, source, target, order=order)
        mean = patch[there].mean()
        patch = (patch - mean) * self.contrast + mean
        return blended(picture, patch, there, FEATHER), mask | there


def structure_of_part(picture: Any, rng: np.random.Generator) -> float:
    """Return the spread of the details of the part that a `Copy` takes with this generator."""
    return float(np.std(_details(picture)[blob(picture.shape, rng, SHARE)]))


def _details(values: Any) -> Any:
    """Return what is 1 to 4 pixels wide."""
    return gaussian_filter(values, 1.0) - gaussian_filter(values, 4.0)


def _farthest(shape: tuple[int, ...], source: Any, rng: np.random.Generator) -> Any:
    places = rng.uniform(0.18, 0.82, (_TRIED, 2)) * shape
    return np.rint(places[np.argmax(np.linalg.norm(places - source, axis=1))])


COPIES: dict[str, Copy] = {
    "moved": Copy(),
    "mirrored": Copy(mirrored=True),
    "turned 90°": Copy(90),
    "turned 15°": Copy(15),
    "turned 40°, mirrored, × 1.15": Copy(40, mirrored=True, scale=1.15),
    "contrast × .7": Copy(contrast=0.7),
    "mirrored, contrast × .7": Copy(mirrored=True, contrast=0.7),
}

# ---------------------------------------------------------------- panels

# Side of panels, and the share of their area that two of them have in common.
PANEL, OVERLAP = 256, 0.2

# Spread of the details of an overlap, or of a part that is copied, in levels of 8 bits, from which
# on it shows something; and places drawn for an overlap, at most.
LEAST_STRUCTURE, _MOST_PLACES = 1.0, 100


def _contrast(panel: Any) -> Any:
    return (panel - panel.mean()) * 0.7 + panel.mean()


def _gamma(panel: Any) -> Any:
    return 255 * (panel / 255) ** 0.7


# What is done to the second panel: a matrix about its middle, and a change of its values.
PANEL_CHANGES: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "moved": (np.eye(2), lambda panel: panel),
    "turned 90°": (turn(90), lambda panel: panel),
    "mirrored": (np.diag([1.0, -1.0]), lambda panel: panel),
    "contrast × .7": (np.eye(2), _contrast),
    "gamma .7": (np.eye(2), _gamma),
    "× .75": (np.eye(2) / 0.75, lambda panel: panel),
}


def panels(name: str, change: str) -> tuple[Any, Any]:
    """Return two panels of a photograph that share a fifth of their area, the second changed.

    The side is that of a panel, or as much as the photograph has room for.
    """
    whole = whole_picture(name)
    side, shift = _layout(whole.shape)
    matrix, valued = PANEL_CHANGES[change]
    start = _starts(name)[-1]
    first = whole[tuple(slice(s, s + side) for s in start)]
    out = round(side / abs(np.linalg.det(matrix)) ** 0.5)
    source = start + shift + (side - 1) / 2
    target = np.full(2, (out - 1) / 2)
    second = sampled(whole, matrix, source, target, shape=(out, out))
    return rounded(first), rounded(valued(second))


def is_placed_again(name: str) -> bool:
    """Whether the overlap of the first place drawn shows nothing, so that another is taken."""
    return len(_starts(name)) > 1


@functools.cache
def _starts(name: str) -> list[Any]:
    """Return the places drawn for the first panel; the last is the first that shows something.

    Nobody finds an overlap of empty sky after JPEG: details 1 to 4 pixels wide must have a spread
    of one grey level in the untouched photograph.
    """
    whole = whole_picture(name)
    side, shift = _layout(whole.shape)
    room = np.array(whole.shape) - side - shift
    found = [np.array([rng_of(name, "panels").integers(0, n + 1) for n in room])]
    random = rng_of(name, "panels", "again")
    while _structure(whole, found[-1] + shift, found[-1] + side) < LEAST_STRUCTURE:
        if len(found) > _MOST_PLACES:
            raise ValueError(f"{name} shows nothing anywhere.")
        found.append(np.array([random.integers(0, n + 1) for n in room]))
    return found


def _structure(whole: Any, low: Any, high: Any) -> float:
    part = whole[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    return float(np.std(_details(part)))


def _layout(shape: tuple[int, ...]) -> tuple[int, Any]:
    """Return the side of two panels, and the shift from the first to the second."""
    long = int(np.argmax(shape))
    along = int(min(PANEL, min(shape), max(shape) / (2 - OVERLAP)))
    both = 1 - OVERLAP**0.5
    across = int(min(PANEL, min(shape) / (1 + both)))
    if along >= across:
        return along, np.where(np.arange(2) == long, int((1 - OVERLAP) * along), 0)
    return across, np.full(2, int(both * across))
