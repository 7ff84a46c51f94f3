"""Sequences in which frames stand still or come again, and how they are coded."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from benchmarks import images
from benchmarks.traces.changes import sampled
from benchmarks.traces.pictures import rng_of, rounded, whole_picture

COUNT, SIDE, SIGMA = 72, 128, 2.0

# How far a camera is led at most, in pixels.
_WAY = 60

# Frames that stand still, and a run that comes again: first frame, length, where it comes from.
FROZEN, REPEATED, SOURCE = (30, 8), (52, 12), 12

# Qualities of AV1, by the encoder of AVIF; None: without loss.
CODED = (None, 90, 75, 60)


def has_room(name: str) -> bool:
    """Say whether a camera can be led over a photograph."""
    return min(whole_picture(name).shape) >= SIDE + _WAY


def panned(name: str, seed: int = 0) -> Any:
    """Return frames of a camera led by hand over a photograph, with noise of their own."""
    from scipy import ndimage

    rng, whole = rng_of(name, "panned", seed), whole_picture(name)
    walk = ndimage.gaussian_filter1d(rng.normal(0, 1, (COUNT + 40, 2)), 3, axis=0).cumsum(0)[20:-20]
    walk = _WAY * (walk - walk.min(0)) / np.ptp(walk, axis=0)
    starts = walk + rng.uniform(0, np.array(whole.shape) - SIDE - _WAY)
    frames = [sampled(whole, np.eye(2), start, (0, 0), shape=(SIDE, SIDE)) for start in starts]
    return rounded(np.stack(frames) + rng.normal(0, SIGMA, (COUNT, SIDE, SIDE)))


def ultrasound() -> Any:
    """Return the 30 frames of a beating heart, grey."""
    values = images.load("heart_ultrasound")
    return rounded(values[..., :3] @ np.array([0.299, 0.587, 0.114]))


def frozen(frames: Any) -> Any:
    """Return the frames with one that stands still."""
    made, (first, length) = frames.copy(), FROZEN
    made[first + 1 : first + 1 + length] = made[first]
    return made


def repeated(frames: Any) -> Any:
    """Return the frames with a run that comes again."""
    made, (first, length) = frames.copy(), REPEATED
    made[first : first + length] = frames[SOURCE : SOURCE + length]
    return made


def coded(frames: Any, quality: int | None) -> Any:
    """Return frames after coding as a video, each predicted from others."""
    from PIL import Image, ImageSequence

    if quality is None:
        return frames
    stills = [Image.fromarray(each.astype(np.uint8)) for each in frames]
    stream = io.BytesIO()
    stills[0].save(stream, "AVIF", save_all=True, append_images=stills[1:], quality=quality)
    again = ImageSequence.Iterator(Image.open(io.BytesIO(stream.getvalue())))
    return np.stack([np.asarray(each.convert("L"), np.float64) for each in again])
