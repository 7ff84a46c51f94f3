"""The recommended step, and what a result depends on."""

from __future__ import annotations

from napari_diffusion.analysis.ensemble import Ensemble, EnsembleStep, ensemble
from napari_diffusion.analysis.local_error import LocalError, local_error
from napari_diffusion.analysis.noise_free_run import noise_effect, noise_free_run
from napari_diffusion.analysis.parameter_sweep import ParameterSweep, SweepRun, parameter_sweep
from napari_diffusion.analysis.removed_structure import RemovedStructure, removed_structure
from napari_diffusion.analysis.step_selection import BestStep, Curve, best_step, curves

__all__ = [
    "BestStep",
    "Curve",
    "Ensemble",
    "EnsembleStep",
    "LocalError",
    "ParameterSweep",
    "RemovedStructure",
    "SweepRun",
    "best_step",
    "curves",
    "ensemble",
    "local_error",
    "noise_effect",
    "noise_free_run",
    "parameter_sweep",
    "removed_structure",
]
