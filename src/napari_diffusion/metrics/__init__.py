"""Measures of a step. To add one, write its file and put its class in METRICS."""

from __future__ import annotations

from napari_diffusion.metrics._base import Metric, Score, View
from napari_diffusion.metrics.decorrelation import Decorrelation
from napari_diffusion.metrics.edge_strength import EdgeStrength
from napari_diffusion.metrics.entropy import Entropy
from napari_diffusion.metrics.half_error import HalfError
from napari_diffusion.metrics.j_invariance import JInvariance
from napari_diffusion.metrics.mean import Mean
from napari_diffusion.metrics.mean_error import MeanError
from napari_diffusion.metrics.noise_left import NoiseLeft
from napari_diffusion.metrics.psnr import Psnr
from napari_diffusion.metrics.pure import Pure
from napari_diffusion.metrics.range import Range
from napari_diffusion.metrics.residual import Residual
from napari_diffusion.metrics.ssim import Ssim
from napari_diffusion.metrics.sure import Sure
from napari_diffusion.metrics.variation import Variation
from napari_diffusion.metrics.whiteness import Whiteness

METRICS: tuple[type[Metric], ...] = (
    Sure,
    Pure,
    HalfError,
    JInvariance,
    Decorrelation,
    Residual,
    Whiteness,
    NoiseLeft,
    EdgeStrength,
    Variation,
    Entropy,
    Mean,
    Range,
    Psnr,
    Ssim,
    MeanError,
)

__all__ = [
    "METRICS",
    "Decorrelation",
    "EdgeStrength",
    "Entropy",
    "HalfError",
    "JInvariance",
    "Mean",
    "MeanError",
    "Metric",
    "NoiseLeft",
    "Psnr",
    "Pure",
    "Range",
    "Residual",
    "Score",
    "Ssim",
    "Sure",
    "Variation",
    "View",
    "Whiteness",
]
