"""Pictures read from files, and steps written to them as they are made."""

from __future__ import annotations

from napari_diffusion.store.cast import cast_record
from napari_diffusion.store.output import ENDINGS, Output, check_apart, check_ending
from napari_diffusion.store.reading import READABLE, read_image
from napari_diffusion.store.records import read_record, step_paths
from napari_diffusion.store.source import NotReadable, Source

__all__ = [
    "ENDINGS",
    "READABLE",
    "NotReadable",
    "Output",
    "Source",
    "cast_record",
    "check_apart",
    "check_ending",
    "read_image",
    "read_record",
    "step_paths",
]
