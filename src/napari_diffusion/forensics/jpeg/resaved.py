"""How much the blocks of an image change when it is saved as JPEG again."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.forensics.jpeg.blocks import block_means, whole_blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from napari_diffusion.forensics.jpeg.blocks import Origin

# Added to mean squares before the logarithm, in grey levels squared.
_FLOOR = 0.05

# The least spread of dips over an image, in powers of e.
_LEAST_SPREAD = 0.02


def changes(
    plane: NDArray[Any], qualities: Sequence[int], origin: Origin, poll: Callable[[], None]
) -> NDArray[np.float64]:
    """Return the mean squared change of each whole block at each quality, in memory.

    Parameters
    ----------
    plane : (Y, X) array
        In grey levels.
    qualities : sequence of int
    origin : tuple of int
        Where the blocks begin.
    poll : callable
        Called now and then; may raise.

    Returns
    -------
    (qualities, rows, columns) array
    """
    values = np.clip(np.rint(whole_blocks(plane, origin)), 0, 255).astype(np.uint8)
    found = []
    for quality in qualities:
        poll()
        change = values.astype(np.float32) - _again(values, int(quality))
        found.append(block_means(change * change))
    return np.asarray(found, np.float64)


def dips(
    changed: NDArray[np.float64], side: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return how deep dips over the qualities are, without the first and the last quality.

    Parameters
    ----------
    changed : (qualities, rows, columns) array
        As of `changes`.
    side : int
        Side of the square of blocks that are averaged.

    Returns
    -------
    depth : (qualities − 2, rows, columns) array
        Depth minus the usual of the image, in its spread.
    usual, spread : (qualities − 2) arrays
        Of the depth itself, in powers of e.
    """
    from scipy import ndimage

    means = np.stack([ndimage.uniform_filter(each, side) for each in changed])
    logs = np.log(np.maximum(means, 0) + _FLOOR)
    depth = 0.5 * (logs[:-2] + logs[2:]) - logs[1:-1]
    usual = np.median(depth, axis=(1, 2))
    rest = depth - usual[:, None, None]
    spread = 1.4826 * np.median(np.abs(rest), axis=(1, 2)) + _LEAST_SPREAD
    return rest / spread[:, None, None], usual, spread


def _again(values: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(values).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream))
