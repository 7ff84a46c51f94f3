"""Changes of whole pictures, and parts of the same source to compare them with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import napari_diffusion as nd
from benchmarks.traces.changes import SMOOTHERS, filtered, sampled, total_variation
from benchmarks.traces.pictures import whole_picture
from benchmarks.traces.vetted import BLOCK, SIDE

if TYPE_CHECKING:
    from benchmarks.traces.changes import Alone

# Diffusion times of heat whose estimates are held to something.
TIMES = (0.5, 1.0, 2.0)

# Kernel of an upsampling by 2 whose phases differ a little, as learned ones do.
_LEARNED = np.outer(*[np.array([0.25, 0.75, 0.77, 0.23])] * 2)

# What smooths a whole picture, and of which kind it is.
WHOLE: dict[str, tuple[str, Alone]] = {
    **{
        f"heat {time:g}": ("linear", filtered(nd.filters.Heat(time=time)))
        for time in (0.25, *TIMES, 4.0)
    },
    "Perona–Malik 1": ("edge-preserving", SMOOTHERS["Perona–Malik 1"]),
    "Perona–Malik 3": (
        "edge-preserving",
        filtered(nd.filters.PeronaMalik(time=3.0, smoothing=0.7)),
    ),
    "total variation": ("edge-preserving", total_variation),
    "bilateral": ("edge-preserving", SMOOTHERS["bilateral"]),
    "median 3 × 3": ("edge-preserving", SMOOTHERS["median 3 × 3"]),
    "edge-enhancing 2": ("edge-preserving", filtered(nd.filters.EdgeEnhancing(time=2.0))),
    "coherence-enhancing 5": ("coherence", filtered(nd.filters.CoherenceEnhancing(time=5.0))),
}


def halves(name: str) -> tuple[Any, Any]:
    """Return two parts of a photograph that do not overlap, whole blocks, at most 288² each."""
    whole = whole_picture(name)
    if whole.shape[1] < whole.shape[0]:
        whole = whole.T
    h, w = (n // BLOCK * BLOCK for n in (min(SIDE, whole.shape[0]), min(SIDE, whole.shape[1] // 2)))
    # From the middle outwards: the borders of scans and of medical images are empty.
    y, x = (whole.shape[0] - h) // 2 // BLOCK * BLOCK, whole.shape[1] // 2 // BLOCK * BLOCK
    return whole[y : y + h, x - w : x].copy(), whole[y : y + h, x : x + w].copy()


def enlarged(picture: Any, factor: int, order: int) -> Any:
    """Return a picture that was made smaller by averaging and enlarged by interpolation."""
    small = averaged(picture, factor)
    shape = tuple(factor * n for n in small.shape)
    start = np.full(2, (1 / factor - 1) / 2)
    return sampled(small, np.eye(2) / factor, start, (0, 0), shape=shape, order=order)


def averaged(picture: Any, factor: int) -> Any:
    """Return the means of squares."""
    h, w = (n // factor for n in picture.shape)
    cut = picture[: h * factor, : w * factor]
    return cut.reshape(h, factor, w, factor).mean((1, 3))


def upsampled(picture: Any) -> Any:
    """Return a picture enlarged by zeros between and a learned kernel: a checkerboard is left."""
    from scipy import ndimage

    small = averaged(picture, 2)
    large = np.zeros(tuple(2 * n for n in small.shape))
    large[::2, ::2] = small
    return ndimage.convolve(large, _LEARNED)


def stretched(picture: Any, gain: float = 1.3) -> Any:
    """Return a picture with more contrast, in whole numbers as before."""
    return (picture - picture.mean()) * gain + picture.mean()
