"""A 3D scene in micrometres: membranes, filaments and blobs."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_diffusion.samples.base import Sample, exploring

SPACING = (2.0, 0.5, 0.5)
EXTENT = (96.0, 80.0, 80.0)
BACKGROUND = 0.1
NOISE = 0.15
# The width over which every edge falls off, and the longest step that still follows it.
EDGE = 1.0
FINEST = 0.5

Volume = NDArray[np.float32]
Place = tuple[float, float, float]
# Amplitude, length and phase; all but the phase in micrometres.
Wave = tuple[float, float, float]


def phantom() -> Sample:
    """Return a noisy 3D scene with its ground truth: 48 x 160 x 160, float32, voxels 2 x 0.5 x 0.5.

    Two curved membranes and a vesicle, filaments (a helix, a bundle of three and two more) and
    blobs of several sizes, of intensity 0.4 to 1 on a background of 0.1, in a box of 96 x 80 x 80
    micrometres. The noise is Gaussian with a standard deviation of 0.15.
    """
    truth = scene(SPACING)
    noise = np.random.default_rng(1873).standard_normal(truth.shape, dtype=np.float32)
    return Sample(
        name="phantom",
        image=truth + np.float32(NOISE) * noise,
        axes="zyx",
        spacing=SPACING,
        unit="micrometer",
        truth=truth,
        about=(
            "Computed scene of membranes, filaments and blobs, intensity 0.1 to 1, "
            f"with Gaussian noise of standard deviation {NOISE} added on purpose."
        ),
        recipe=exploring(unit="micrometer", pixel_size=min(SPACING)),
    )


def scene(spacing: Place) -> Volume:
    """Return the scene without noise, sampled by voxels of any size.

    The scene is a function of the place in micrometres; a voxel holds its mean over the voxel.
    Finer voxels averaged therefore equal coarser ones.

    Parameters
    ----------
    spacing : tuple of float
        Size of a voxel along z, y and x, in micrometres, > 0. The box of 96 x 80 x 80 micrometres
        must be a whole number of voxels along each axis.

    Raises
    ------
    ValueError
        If the box is not a whole number of voxels.
    """
    counts = _counts(spacing)
    parts = [int(np.ceil(size / FINEST)) for size in spacing]
    z, y, x = (
        ((np.arange(count * part) + 0.5) * (size / part)).astype(np.float32)
        for count, part, size in zip(counts, parts, spacing, strict=True)
    )
    fine = _brightness(z, y, x)
    blocks = [number for pair in zip(counts, parts, strict=True) for number in pair]
    voxels: Volume = fine.reshape(blocks).mean(axis=(1, 3, 5), dtype=np.float32)
    return voxels


def _counts(spacing: Place) -> list[int]:
    counts = [
        round(length / size) if size > 0 else 0
        for length, size in zip(EXTENT, spacing, strict=True)
    ]
    for axis, count, length, size in zip("zyx", counts, EXTENT, spacing, strict=True):
        if count < 1 or abs(count * size - length) > 1e-6 * length:
            raise ValueError(
                f"spacing along {axis} is {size}, but the box of {length:g} micrometres must be a "
                f"whole number of voxels; use {length:g} divided by a whole number"
            )
    return counts


def _brightness(z: Volume, y: Volume, x: Volume) -> Volume:
    canvas = _Canvas(z, y, x)
    canvas.sheet(0, 20, wave=(6, 70, 0.4), ripple=(4, 46, 1.0), thickness=2.5, value=0.7)
    canvas.sheet(1, 44, wave=(4, 110, 2.0), ripple=(4, 42, 0.5), thickness=1.6, value=0.5)
    canvas.vesicle((50, 20, 54), radius=13, thickness=2.0, value=0.6)
    for curve, radius, value in _filaments():
        canvas.tube(curve, radius, value)
    for centre, radius, value in _blobs():
        canvas.ball(centre, radius, value)
    return canvas.volume


def _filaments() -> list[tuple[NDArray[Any], float, float]]:
    """Return (points along the curve, radius, brightness) of every filament."""
    s = np.linspace(0.0, 1.0, 61)
    turn = 2 * np.pi * s
    helix = np.stack([34 + 48 * s, 64 + 7 * np.cos(4 * turn), 18 + 7 * np.sin(4 * turn)], 1)
    bundle = [
        np.stack([48 + k + 2 * np.sin(turn + k), 4 + 34 * s, 8 + 4 * k + 3 * np.sin(turn)], 1)
        for k in range(3)
    ]
    across = np.stack([49 + 2 * np.sin(turn), 60 + 6 * np.sin(turn + 1), 34 + 42 * s], 1)
    upright = np.stack([4 + 88 * s, 64 + 4 * np.cos(turn), 62 + 4 * np.sin(turn)], 1)
    return [
        (helix, 1.0, 1.0),
        *((curve, 0.8, 0.8) for curve in bundle),
        (across, 1.4, 0.6),
        (upright, 1.2, 0.9),
    ]


def _blobs() -> list[tuple[Place, float, float]]:
    """Return (centre, radius, brightness) of every blob: small and bright to large and dim."""
    random = np.random.default_rng(5)
    blobs: list[tuple[Place, float, float]] = []
    for radius in np.geomspace(1.2, 5.0, 36):
        z, y, x = random.uniform(8, np.array(EXTENT) - 8)
        blobs.append(((z, y, x), float(radius), float(1.0 - 0.12 * radius)))
    return blobs


class _Canvas:
    """Voxels at the places z, y, x; of two objects in one place the brighter is drawn."""

    def __init__(self, z: Volume, y: Volume, x: Volume) -> None:
        self.places = (z, y, x)
        self.volume = np.full((z.size, y.size, x.size), BACKGROUND, dtype=np.float32)

    def sheet(
        self,
        across: int,
        height: float,
        wave: Wave,
        ripple: Wave,
        thickness: float,
        value: float,
    ) -> None:
        """Draw the sheet at `height` along the axis `across`, bent along the two other axes."""
        mesh = np.ix_(*self.places)
        first, second = (place for axis, place in enumerate(mesh) if axis != across)
        (a, length, phase), (b, width, shift) = wave, ripple
        u, v = 2 * np.pi * first / length + phase, 2 * np.pi * second / width + shift
        surface = (height + a * np.sin(u) + b * np.sin(v)).astype(np.float32)
        slope = np.hypot(2 * np.pi * a / length * np.cos(u), 2 * np.pi * b / width * np.cos(v))
        # The distance along the axis, shortened by the tilt, is the distance to first order.
        tilt = np.sqrt(1 + slope**2).astype(np.float32)
        reach = (thickness / 2 + EDGE) * float(tilt.max())
        low, high = np.zeros(3), np.array(EXTENT)
        low[across], high[across] = surface.min() - reach, surface.max() + reach
        box, near = self._near(low, high)
        self._paint(box, np.abs(near[across] - surface) / tilt, thickness / 2, value)

    def vesicle(self, centre: Place, radius: float, thickness: float, value: float) -> None:
        """Draw a hollow ball."""
        box, distance = self._around(np.array([centre]), radius + thickness)
        self._paint(box, np.abs(distance - radius), thickness / 2, value)

    def ball(self, centre: Place, radius: float, value: float) -> None:
        """Draw a full ball."""
        box, distance = self._around(np.array([centre]), radius)
        self._paint(box, distance, radius, value)

    def tube(self, curve: NDArray[Any], radius: float, value: float) -> None:
        """Draw a round tube along the straight pieces between the points of `curve`."""
        for piece in pairwise(curve):
            box, distance = self._around(np.array(piece), radius)
            self._paint(box, distance, radius, value)

    def _around(self, ends: NDArray[Any], reach: float) -> tuple[tuple[slice, ...], Volume]:
        """Return the part within `reach` of a straight piece, and the distance to it there."""
        margin = reach + EDGE
        box, places = self._near(ends.min(axis=0) - margin, ends.max(axis=0) + margin)
        away = [place - start for place, start in zip(places, ends[0], strict=True)]
        along = ends[-1] - ends[0]
        length = float(along @ along) or 1.0
        part = np.clip(sum(a * b for a, b in zip(away, along, strict=True)) / length, 0, 1)
        squares = sum((a - part * b) ** 2 for a, b in zip(away, along, strict=True))
        return box, np.sqrt(squares)

    def _near(
        self, low: NDArray[Any], high: NDArray[Any]
    ) -> tuple[tuple[slice, ...], tuple[Volume, ...]]:
        box = tuple(
            slice(int(np.searchsorted(place, a)), int(np.searchsorted(place, b)))
            for place, a, b in zip(self.places, low, high, strict=True)
        )
        return box, np.ix_(*(place[part] for place, part in zip(self.places, box, strict=True)))

    def _paint(self, box: tuple[slice, ...], distance: Volume, half: float, value: float) -> None:
        """Draw what lies within `half`, with an edge that falls off smoothly over EDGE."""
        inside = np.clip((half - distance) / EDGE + 0.5, 0, 1)
        drawn = BACKGROUND + (value - BACKGROUND) * inside * inside * (3 - 2 * inside)
        np.maximum(self.volume[box], drawn, out=self.volume[box], casting="same_kind")
