"""Traces of processing in an image. To add one, write its file and put its class in TRACES."""

from __future__ import annotations

from napari_diffusion.forensics.base import Evidence, Trace, evidence_of
from napari_diffusion.forensics.block_grid import BlockGrid
from napari_diffusion.forensics.catalog import chosen_traces
from napari_diffusion.forensics.copies import Copies
from napari_diffusion.forensics.copying.panels import compare_panels
from napari_diffusion.forensics.difference import Difference
from napari_diffusion.forensics.diffused import Diffused
from napari_diffusion.forensics.double_quantisation import DoubleQuantisation
from napari_diffusion.forensics.enlarged import Enlarged
from napari_diffusion.forensics.exact_copies import ExactCopies
from napari_diffusion.forensics.file_record import FileRecord
from napari_diffusion.forensics.frames import Frames
from napari_diffusion.forensics.ghost import Ghost
from napari_diffusion.forensics.inspection import Inspection, inspect
from napari_diffusion.forensics.levels import Levels
from napari_diffusion.forensics.limits import limit_sentences
from napari_diffusion.forensics.local_noise import LocalNoise
from napari_diffusion.forensics.reading import Curve, Number, Place, Reading, TraceMap
from napari_diffusion.forensics.residual import Residual
from napari_diffusion.forensics.upsampling_peaks import UpsamplingPeaks
from napari_diffusion.loop import registry

TRACES: tuple[type[Trace], ...] = (
    BlockGrid,
    Copies,
    Difference,
    Diffused,
    DoubleQuantisation,
    Enlarged,
    ExactCopies,
    FileRecord,
    Frames,
    Ghost,
    Levels,
    LocalNoise,
    Residual,
    UpsamplingPeaks,
)

__all__ = [
    "TRACES",
    "BlockGrid",
    "Copies",
    "Curve",
    "Difference",
    "Diffused",
    "DoubleQuantisation",
    "Enlarged",
    "Evidence",
    "ExactCopies",
    "FileRecord",
    "Frames",
    "Ghost",
    "Inspection",
    "Levels",
    "LocalNoise",
    "Number",
    "Place",
    "Reading",
    "Residual",
    "Trace",
    "TraceMap",
    "UpsamplingPeaks",
    "chosen_traces",
    "compare_panels",
    "evidence_of",
    "inspect",
    "limit_sentences",
]

registry.register(Trace.slot, Trace, TRACES)
