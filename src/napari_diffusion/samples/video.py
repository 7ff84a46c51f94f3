"""A short movie of things that move and blink."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_diffusion.samples.base import Sample, exploring

if TYPE_CHECKING:
    from collections.abc import Iterator

FRAMES = 24
SIZE = 128
NOISE = 0.15
# The width in pixels over which every edge falls off.
EDGE = 2.0

Mesh = NDArray[Any]


def noisy_video() -> Sample:
    """Return a noisy movie with its ground truth: 24 x 128 x 128, float32, axes t, y, x.

    Discs that circle, a bar that turns and spots that blink, of intensity 0.6 to 1 before stripes
    of 0.15 to 0.25 that stand still. The noise is Gaussian with a standard deviation of 0.15,
    new in every frame.
    """
    truth = scene()
    noise = np.random.default_rng(1895).standard_normal(truth.shape, dtype=np.float32)
    return Sample(
        name="noisy video",
        image=truth + np.float32(NOISE) * noise,
        axes="tyx",
        spacing=(1.0, 1.0),
        unit="pixel",
        truth=truth,
        about=(
            "Computed movie of moving and blinking objects, intensity 0.15 to 1, "
            f"with Gaussian noise of standard deviation {NOISE} added on purpose."
        ),
        recipe=exploring(),
    )


def scene() -> NDArray[np.float32]:
    """Return the movie without noise: of two objects in one place the brighter is drawn."""
    t, y, x = np.ix_(*(np.arange(count, dtype=float) for count in (FRAMES, SIZE, SIZE)))
    film = np.zeros((FRAMES, SIZE, SIZE), dtype=np.float32)
    film += 0.2 + 0.05 * np.sin((x + 2 * y) / 9)
    turn = 2 * np.pi * t / FRAMES
    for thing in (*_discs(turn, y, x), _bar(turn, y, x), *_spots(t, y, x)):
        np.maximum(film, thing, out=film, casting="same_kind")
    return film


def _discs(turn: Mesh, y: Mesh, x: Mesh) -> Iterator[Mesh]:
    """Yield discs that circle once around the middle; the large dim one goes backwards."""
    for start, way, orbit, radius, value in (
        (0.0, 1, 44, 5, 0.9),
        (2.1, -1, 44, 8, 0.6),
        (4.2, 1, 24, 4, 1.0),
    ):
        angle = start + way * turn
        away = np.hypot(y - 64 - orbit * np.sin(angle), x - 64 - orbit * np.cos(angle))
        yield value * _inside(radius - away)


def _bar(turn: Mesh, y: Mesh, x: Mesh) -> Mesh:
    """Return a bar of 28 x 4 pixels that makes half a turn about the middle."""
    cos, sin = np.cos(turn / 2), np.sin(turn / 2)
    along = (x - 64) * cos + (y - 64) * sin
    beside = (y - 64) * cos - (x - 64) * sin
    return 0.75 * _inside(np.minimum(14 - np.abs(along), 2 - np.abs(beside)))


def _spots(t: Mesh, y: Mesh, x: Mesh) -> Iterator[Mesh]:
    """Yield a row of spots, each lit for about a third of a period of its own."""
    for number, period in enumerate((4, 5, 6, 7, 8, 9)):
        lit = (t + 5 * number) % period < period / 3
        yield lit * _inside(3 - np.hypot(y - 14, x - 14 - 20 * number))


def _inside(depth: Mesh) -> Mesh:
    """Return 1 deeper than half an edge, 0 as far outside, and a smooth fall in between."""
    part: Mesh = np.clip(depth / EDGE + 0.5, 0, 1)
    fall: Mesh = part * part * (3 - 2 * part)
    return fall
