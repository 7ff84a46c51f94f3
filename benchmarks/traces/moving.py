"""Sequences in which frames stand still or come again, and how they are coded."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import images
from benchmarks.traces.changes import sampled
from benchmarks.traces.pictures import rng_of, rounded, whole_picture

COUNT, SIDE, SIGMA = 72, 128, 2.0

# How far a camera is led at most, in pixels.
_WAY = 60

# A camera is not led over empty background: so many places are looked at.
_PLACES = 8

# Frames that stand still, and a run that comes again: first frame, length, where it comes from.
FROZEN, REPEATED, SOURCE = (30, 8), (52, 12), 12

# Rate factors of H.264, larger ones of smaller files; None: without loss.
CODED = (None, 18, 23, 28)


def has_room(name: str) -> bool:
    """Say whether a camera can be led over a photograph."""
    return min(whole_picture(name).shape) >= SIDE + _WAY


def panned(name: str, seed: int = 0) -> Any:
    """Return frames of a camera led by hand over a photograph, with noise of their own."""
    from scipy import ndimage

    rng, whole = rng_of(name, "panned", seed), whole_picture(name)
    walk = ndimage.gaussian_filter1d(rng.normal(0, 1, (COUNT + 40, 2)), 3, axis=0).cumsum(0)[20:-20]
    walk = _WAY * (walk - walk.min(0)) / np.ptp(walk, axis=0)
    starts = walk + _place(whole, rng)
    frames = [sampled(whole, np.eye(2), start, (0, 0), shape=(SIDE, SIDE)) for start in starts]
    return rounded(np.stack(frames) + rng.normal(0, SIGMA, (COUNT, SIDE, SIDE)))


def _place(whole: Any, rng: np.random.Generator) -> Any:
    """Return where a camera is led: of some places at random, where intensities differ most."""
    room, side = np.array(whole.shape) - SIDE - _WAY, SIDE + _WAY
    places = rng.uniform(0, room, (_PLACES, 2))
    return max(places, key=lambda p: whole[int(p[0]) :, int(p[1]) :][:side, :side].std())


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


def coded(frames: Any, rate_factor: int | None) -> Any:
    """Return frames after coding as a video of H.264, each predicted from others."""
    if rate_factor is None:
        return frames
    import imageio_ffmpeg

    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "coded.mp4")
        encoder = imageio_ffmpeg.write_frames(
            file, frames.shape[:0:-1], pix_fmt_in="gray", codec="libx264", quality=None,
            output_params=["-crf", str(rate_factor)], ffmpeg_log_level="error",
        )  # fmt: skip
        encoder.send(None)
        for each in frames:
            encoder.send(np.ascontiguousarray(each, np.uint8))
        encoder.close()
        decoder = imageio_ffmpeg.read_frames(file, pix_fmt="gray", bpp=1)
        next(decoder)
        again = [np.frombuffer(each, np.uint8).reshape(frames.shape[1:]) for each in decoder]
    return np.stack(again).astype(np.float64)
