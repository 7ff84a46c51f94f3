"""Images one after the other in a file."""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from PIL.Image import Image as Frame

#: What can be written, by the ending of its name.
ENDINGS = {"gif": "GIF", "mp4": "MP4"}


def missing(ending: str) -> str:
    """Return what must be installed to write a movie with that ending; mostly nothing."""
    if ending == "mp4" and importlib.util.find_spec("imageio_ffmpeg") is None:
        return "MP4 needs the package imageio-ffmpeg: install it, or write a GIF."
    return ""


def write_movie(path: Path, frames: Sequence[Frame], per_second: float) -> None:
    """Write images of Pillow's, all of one size; the name is given to what is whole.

    Parameters
    ----------
    path : path
        Ends in .gif or .mp4.
    frames : sequence of PIL.Image.Image
        Shown in this order.
    per_second : float
        How many of them are shown in a second.

    Raises
    ------
    ValueError
        If the ending is another, or what it needs is missing.
    """
    ending = path.suffix.lower().lstrip(".")
    if ending not in ENDINGS:
        raise ValueError(f"Unsupported movie format {path.name!r}: use .gif or .mp4.")
    if missing(ending):
        raise ValueError(missing(ending))
    draft = path.with_name(f".{path.stem}.{os.getpid()}.{ending}")
    try:
        (_write_gif if ending == "gif" else _write_mp4)(draft, frames, per_second)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _write_gif(path: Path, frames: Sequence[Frame], per_second: float) -> None:
    # Times are in hundredths of a second; shorter ones than two are shown as ten by browsers.
    duration = 10 * max(round(100 / per_second), 2)
    frames[0].save(
        path, save_all=True, append_images=frames[1:], duration=duration, loop=0, optimize=False
    )


def _write_mp4(path: Path, frames: Sequence[Frame], per_second: float) -> None:
    import imageio_ffmpeg

    # The codec takes even widths and heights alone.
    width, height = (side + side % 2 for side in frames[0].size)
    movie = imageio_ffmpeg.write_frames(
        str(path), (width, height), fps=per_second, quality=8, macro_block_size=2
    )
    movie.send(None)
    for frame in frames:
        whole = np.zeros((height, width, 3), np.uint8)
        values = np.asarray(frame.convert("RGB"))
        whole[: values.shape[0], : values.shape[1]] = values
        movie.send(np.ascontiguousarray(whole))
    movie.close()
