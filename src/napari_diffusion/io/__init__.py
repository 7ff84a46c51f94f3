"""Reading images from files, and writing steps as they are made."""

from __future__ import annotations

from napari_diffusion.io.cast import cast_record
from napari_diffusion.io.contact_sheet import contact_sheet, panel, shown_range, step_label
from napari_diffusion.io.file_image import NotReadable, Source
from napari_diffusion.io.output_format import split_extension
from napari_diffusion.io.output_path import check_apart
from napari_diffusion.io.reader import READABLE, read_image
from napari_diffusion.io.record_reader import read_record, step_paths
from napari_diffusion.io.run_writer import Output
from napari_diffusion.io.step_writer import ENDINGS

__all__ = [
    "ENDINGS",
    "READABLE",
    "NotReadable",
    "Output",
    "Source",
    "cast_record",
    "check_apart",
    "contact_sheet",
    "panel",
    "read_image",
    "read_record",
    "shown_range",
    "split_extension",
    "step_label",
    "step_paths",
]
