"""Grey pictures of whole numbers 0 … 255, and how they are saved."""

from __future__ import annotations

import functools
import hashlib
import io
from typing import Any

import numpy as np

from benchmarks import images
from benchmarks.traces.vetted import BLOCK, HISTORY, SIDE, Crop

# How a picture is kept: without loss, or as JPEG of a quality.
PNG = "PNG"


@functools.cache
def whole_picture(name: str) -> Any:
    """Return a photograph in grey, read-only; colours by the weights of JPEG's brightness."""
    values = images.load(name)[images.photograph(name).plane]
    if values.dtype != np.uint8:
        grey = 255 * np.clip(images.middle(name, max(values.shape)).astype(np.float64), 0, 1)
    elif values.ndim == 3:
        grey = values[..., :3] @ np.array([0.299, 0.587, 0.114])
    else:
        grey = values.astype(np.float64)
    grey = rounded(grey)
    grey.flags.writeable = False
    return grey


def picture(crop: Crop, side: int = SIDE) -> Any:
    """Return a crop of at most `side` pixels along each axis, cut at whole blocks."""
    y, x = crop.start
    found = whole_picture(crop.photograph)[y : y + side, x : x + side]
    h, w = (n // BLOCK * BLOCK for n in found.shape)
    return found[:h, :w].copy()


def picture_without_blocks(crop: Crop) -> Any:
    """Return a crop, made smaller by 3/4 where its photograph ships as JPEG.

    Otherwise a part that is called "never JPEG" was one, and where the file has quality 75 a change
    to a JPEG-75 changes nothing.
    """
    from PIL import Image

    found = picture(crop)
    if not HISTORY[crop.photograph].startswith("ships as JPEG"):
        return found
    h, w = (3 * n // 4 // BLOCK * BLOCK for n in found.shape)
    smaller = Image.fromarray(found.astype(np.uint8)).resize((w, h), Image.Resampling.LANCZOS)
    return np.asarray(smaller, np.float64)


def rng_of(*names: object) -> np.random.Generator:
    """Return a generator that is the same for the same names, everywhere."""
    digest = hashlib.sha256("/".join(map(str, names)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little"))


def rounded(picture: Any) -> Any:
    """Return whole numbers 0 … 255."""
    return np.clip(np.rint(picture), 0, 255)


def jpeg_bytes(picture: Any, quality: int) -> bytes:
    """Return a JPEG file."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(rounded(picture).astype(np.uint8)).save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def jpeg(picture: Any, quality: int) -> Any:
    """Return a picture after it was a JPEG."""
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(jpeg_bytes(picture, quality))), np.float64)


def quality_of(kept: str) -> int | None:
    """Return the quality of "JPEG-85"; None without loss."""
    return None if kept == PNG else int(kept.removeprefix("JPEG-"))


def saved(picture: Any, kept: str) -> Any:
    """Return a picture as it would be found in its file."""
    quality = quality_of(kept)
    return rounded(picture) if quality is None else jpeg(picture, quality)
