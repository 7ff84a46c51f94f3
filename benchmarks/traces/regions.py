"""Where a picture is changed: smooth shapes, blended in."""

from __future__ import annotations

from typing import Any

import numpy as np

# Width over which a changed part passes into the rest, in pixels.
FEATHER = 1.5


def blob(shape: tuple[int, ...], rng: np.random.Generator, share: float = 0.06) -> Any:
    """Return a smooth shape away from the border, about this share of the area."""
    h, w = shape
    radius = np.sqrt(share * h * w / np.pi)
    room = int(radius * 1.35) + 4
    cy, cx = (rng.uniform(min(room, n / 2), max(n - room, n / 2)) for n in (h, w))
    y, x = np.mgrid[:h, :w]
    angle = np.arctan2(y - cy, x - cx)
    edge = np.full(shape, radius)
    sizes, phases = rng.uniform(0, (0.2, 0.12, 0.06)), rng.uniform(0, 2 * np.pi, 3)
    for k, size, phase in zip((2, 3, 5), sizes, phases, strict=True):
        edge += radius * size * np.cos(k * angle + phase)
    return np.hypot(y - cy, x - cx) < edge


def feathered(mask: Any, width: float = FEATHER) -> Any:
    """Return the weight of the changed part, 0 … 1."""
    from scipy import ndimage

    return np.clip(2 * ndimage.gaussian_filter(mask.astype(float), width) - 0.5, 0, 1)


def blended(picture: Any, patch: Any, mask: Any, width: float = FEATHER) -> Any:
    """Return a picture with a patch where the mask is."""
    weight = feathered(mask, width)
    return picture * (1 - weight) + patch * weight
