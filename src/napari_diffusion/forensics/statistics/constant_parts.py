"""Connected parts of a plane in which all values are equal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def constant_parts(channels: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the number of the part that each pixel belongs to, 0 for none, and the areas of all.

    A part consists of squares of 3 × 3 equal pixels that overlap.

    Parameters
    ----------
    channels : (C, Y, X) array
        Values must be equal in all channels.
    """
    from scipy import ndimage

    equal_y = (channels[:, 1:] == channels[:, :-1]).all(axis=0)
    equal_x = (channels[:, :, 1:] == channels[:, :, :-1]).all(axis=0)
    centres = np.zeros(channels.shape[1:], bool)
    if min(centres.shape) >= 3:
        rows = equal_x[:, 1:] & equal_x[:, :-1]
        columns = equal_y[1:, 1:-1] & equal_y[:-1, 1:-1]
        centres[1:-1, 1:-1] = rows[:-2] & rows[1:-1] & rows[2:] & columns
    # Centres beside one another have equal values: they share two thirds of their squares.
    labels, _ = ndimage.label(centres)
    around = ndimage.grey_dilation(labels, (3, 3))
    areas = np.bincount(around.ravel())
    areas[0] = 0
    return around, areas
