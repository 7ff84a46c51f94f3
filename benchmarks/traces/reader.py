"""Reads traces from pictures as they would be found in their files."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.traces.pictures import PNG, jpeg_bytes, quality_of, rounded, saved

if TYPE_CHECKING:
    import napari_diffusion as nd


@dataclass(frozen=True, eq=False)
class Read:
    """What was read.

    Attributes
    ----------
    reading : Reading or None
        None where the trace refused the image.
    why : str
        Why it refused.
    seconds, megapixels : float
        What the reading took on the clock, and the size of the image.
    """

    reading: nd.forensics.Reading | None
    why: str
    seconds: float
    megapixels: float


def read(trace: nd.forensics.Trace, picture: Any, kept: str = PNG, reference: Any = None) -> Read:
    """Save a picture, and its reference in the same way, and read a trace from the file."""
    values = saved(picture, kept).astype(np.uint8)
    other = None if reference is None else saved(reference, kept).astype(np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        file = written(picture, kept, Path(folder))
        began = time.perf_counter()
        try:
            found, why = trace(values, reference=other, file=file), ""
        except ValueError as error:
            found, why = None, str(error)
        return Read(found, why, time.perf_counter() - began, values.size / 1e6)


def written(picture: Any, kept: str, folder: Path) -> Path:
    """Write a picture, and return its file."""
    from PIL import Image

    quality = quality_of(kept)
    if quality is None:
        file = folder / "picture.png"
        Image.fromarray(rounded(picture).astype(np.uint8)).save(file)
    else:
        file = folder / "picture.jpg"
        file.write_bytes(jpeg_bytes(picture, quality))
    return file
