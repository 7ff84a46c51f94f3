"""Reads NPY files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_diffusion.core.npy_file import npy_values
from napari_diffusion.io.file_image import Source

if TYPE_CHECKING:
    from pathlib import Path


def read_npy(path: Path, lazy: bool | None = None) -> Source:
    """Read a NPY file, which names neither axes nor pixel sizes."""
    del lazy
    return Source(name=path.name, image=npy_values(path))
