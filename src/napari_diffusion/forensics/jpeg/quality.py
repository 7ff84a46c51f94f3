"""The quantisation tables of brightness that most programs write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.estimate.window_spectrum import SIZE

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: The qualities that have different tables.
QUALITIES = range(1, 101)

# Annex K of the standard: the table of quality 50.
_TABLE = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)


def steps_at(quality: int) -> NDArray[np.int64]:
    """Return the table of brightness that the library of the Independent JPEG Group writes."""
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.clip((_TABLE * percent + 50) // 100, 1, 255)


def quality_of(steps: NDArray[np.int64]) -> int | None:
    """Return the quality that has this table; None for a table of another program."""
    if steps.shape != (SIZE, SIZE):
        return None
    return next((q for q in QUALITIES if np.array_equal(steps_at(q), steps)), None)
