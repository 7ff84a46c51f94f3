"""Reads NPY files; those larger than the memory in parts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from napari_diffusion.core.npy_file import npy_header, npy_values
from napari_diffusion.io.file_image import Source
from napari_diffusion.io.memory import fits
from napari_diffusion.io.stored.file_parts import lazy_parts
from napari_diffusion.io.stored.file_state import FileState
from napari_diffusion.io.stored.mapped_values import MappedValues

if TYPE_CHECKING:
    from pathlib import Path


def read_npy(path: Path, lazy: bool | None = None) -> Source:
    """Read a NPY file, which names neither axes nor pixel sizes."""
    file, header = FileState.of(path), npy_header(path)
    if lazy is None:
        lazy = not fits(header.shape, header.dtype)
    if not lazy or not header.shape or not math.prod(header.shape):
        return Source(name=path.name, image=npy_values(path))
    shape, order = header.shape, range(len(header.shape))
    if header.fortran_order:
        shape, order = shape[::-1], order[::-1]
    stored = MappedValues(file, header.start, shape, header.dtype, order=order)
    return Source(name=path.name, image=lazy_parts(stored), stored=stored)
