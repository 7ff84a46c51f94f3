"""How much the frames of a sequence differ from all earlier ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_diffusion.core.image import Image

# A frame is compared with all earlier ones by averages of so many parts along z, y and x, without
# what is coarser than these: compression and noise change averages little, and flicker not at all.
# Smaller parts follow smaller motion, but in dark, quiet sequences noise is most of what they have.
_PARTS = (4, 24, 24)
_COARSE = 4.0

# Rows of the matrix of distances that are in memory at once.
_ROWS = 256


def pixels_inside(image: Image) -> NDArray[np.bool_] | None:
    """Return the pixels (c, z, y, x) inside the mask in every frame; None for all of them."""
    return None if image.mask is None else np.asarray(image.mask.all(axis=0))


def around(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Return `window` values around each; NaN beyond the ends."""
    padded = np.pad(values, window // 2, constant_values=np.nan)
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * (window // 2) + 1)


def running_median(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Return the median of `window` values around each, those that are not NaN."""
    near = np.sort(around(values, window), -1)
    count = np.count_nonzero(np.isfinite(near), -1)
    rows = np.arange(len(values))
    low, high = (near[rows, np.maximum(count + odd, 1) // 2 - odd] for odd in (0, 1))
    return np.where(count > 0, (low + high) / 2, np.nan)


def features_of(image: Image) -> NDArray[np.float64]:
    """Return a short description of each frame: averages of its parts, without the coarse ones."""
    from scipy import ndimage

    inside, frames = pixels_inside(image), image.data
    weight = np.ones(frames.shape[1:]) if inside is None else inside.astype(np.float64)
    share = _averaged(weight)
    found = []
    for frame in frames:
        parts = _averaged(frame * weight)
        coarse = ndimage.gaussian_filter(parts, (0, 0, _COARSE, _COARSE))
        spread = ndimage.gaussian_filter(share, (0, 0, _COARSE, _COARSE))
        known = share > 0
        own = np.divide(parts, share, out=np.zeros_like(parts), where=known)
        around = np.divide(coarse, spread, out=np.zeros_like(parts), where=known)
        found.append((own - around)[known])
    return np.stack(found)


def distances(
    features: NDArray[np.float64], length: int
) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Yield (first frame, distances of some frames from all); each overlaps the next by `length`.

    A distance is the root of the mean square difference of the features.
    """
    size = features.shape[1]
    power = np.einsum("ij,ij->i", features, features) / size
    for start in range(0, max(len(features) - length, 1), _ROWS):
        rows = slice(start, start + _ROWS + length)
        product = features[rows] @ features.T / size
        squared = power[rows, None] + power[None] - 2 * product
        # Cancellation leaves so much of the power.
        floor = 1e-14 * (power[rows, None] + power[None])
        yield start, np.sqrt(np.where(squared > floor, squared, 0.0))


def neighbour_distance(features: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Return the usual distance around each frame of one frame from the next."""
    near = np.sqrt(np.mean(np.diff(features, axis=0) ** 2, axis=1))
    near = np.append(near, near[-1])
    return running_median(np.where(near == 0, np.nan, near), window)


def _averaged(frame: NDArray[Any]) -> NDArray[np.float64]:
    """Return the averages of (c, z, y, x) over at most so many parts along z, y and x."""
    out = np.asarray(frame, np.float64)
    for axis, most in enumerate(_PARTS, start=1):
        size = out.shape[axis]
        edges = np.arange(min(size, most)) * size // min(size, most)
        widths = np.diff(np.append(edges, size)).reshape([-1 if a == axis else 1 for a in range(4)])
        out = np.add.reduceat(out, edges, axis=axis) / widths
    return out
