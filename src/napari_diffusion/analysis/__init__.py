"""The recommended step, and what a result depends on."""

from __future__ import annotations

from napari_diffusion.analysis.answers.stability_result import ParameterEffect, Stability
from napari_diffusion.analysis.detectors import Blobs, Detector, Threshold
from napari_diffusion.analysis.ensemble import Ensemble, EnsembleStep, ensemble
from napari_diffusion.analysis.feature_survival import FeatureSurvival, feature_survival
from napari_diffusion.analysis.intervals.result import PredictionInterval
from napari_diffusion.analysis.local_error import LocalError, local_error
from napari_diffusion.analysis.noise_free_run import noise_effect, noise_free_run
from napari_diffusion.analysis.null.null_result import NullTest
from napari_diffusion.analysis.null.step_statistics import NullStep
from napari_diffusion.analysis.null_test import null_test
from napari_diffusion.analysis.parameter_sweep import ParameterSweep, SweepRun, parameter_sweep
from napari_diffusion.analysis.prediction_interval import prediction_interval
from napari_diffusion.analysis.removed_structure import removed_structure
from napari_diffusion.analysis.residual.result import RemovedStructure
from napari_diffusion.analysis.seed_spread import seed_spread
from napari_diffusion.analysis.spread.result import SeedSpread
from napari_diffusion.analysis.spread.spread_law import SpreadLaw
from napari_diffusion.analysis.stability import stability
from napari_diffusion.analysis.step_selection import BestStep, Curve, best_step, curves

__all__ = [
    "BestStep",
    "Blobs",
    "Curve",
    "Detector",
    "Ensemble",
    "EnsembleStep",
    "FeatureSurvival",
    "LocalError",
    "NullStep",
    "NullTest",
    "ParameterEffect",
    "ParameterSweep",
    "PredictionInterval",
    "RemovedStructure",
    "SeedSpread",
    "SpreadLaw",
    "Stability",
    "SweepRun",
    "Threshold",
    "best_step",
    "curves",
    "ensemble",
    "feature_survival",
    "local_error",
    "noise_effect",
    "noise_free_run",
    "null_test",
    "parameter_sweep",
    "prediction_interval",
    "removed_structure",
    "seed_spread",
    "stability",
]
