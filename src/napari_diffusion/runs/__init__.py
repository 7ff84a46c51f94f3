"""Runs on files: in memory or pass by pass over a store, resumed, in batches, verified."""

from __future__ import annotations

from napari_diffusion.io.output_claim import OutputInUse, PlanDiffers
from napari_diffusion.runs.file_run import FileRun
from napari_diffusion.runs.passes.pass_plan import TooLittleMemory
from napari_diffusion.runs.run_file import run_file
from napari_diffusion.runs.run_input import Reading, RunInput, read_input

__all__ = [
    "FileRun",
    "OutputInUse",
    "PlanDiffers",
    "Reading",
    "RunInput",
    "TooLittleMemory",
    "read_input",
    "run_file",
]
