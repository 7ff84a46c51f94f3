"""Metrics of a step. To add one, write its file and put its class in METRICS."""

from __future__ import annotations

from napari_diffusion.metrics.base import Metric, Score, View
from napari_diffusion.metrics.custom_metric import CustomMetric
from napari_diffusion.metrics.decorrelation import Decorrelation
from napari_diffusion.metrics.edge_strength import EdgeStrength
from napari_diffusion.metrics.entropy import Entropy
from napari_diffusion.metrics.frc import Frc
from napari_diffusion.metrics.half_error import HalfError
from napari_diffusion.metrics.half_frc import HalfFrc
from napari_diffusion.metrics.j_invariance import JInvariance
from napari_diffusion.metrics.mean import Mean
from napari_diffusion.metrics.mean_error import MeanError
from napari_diffusion.metrics.noise_left import NoiseLeft
from napari_diffusion.metrics.objects import Objects
from napari_diffusion.metrics.psnr import Psnr
from napari_diffusion.metrics.pure import Pure
from napari_diffusion.metrics.range import Range
from napari_diffusion.metrics.region_statistic import RegionStatistic
from napari_diffusion.metrics.residual import Residual
from napari_diffusion.metrics.spectrum_ratio import SpectrumRatio
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
    SpectrumRatio,
    Variation,
    Entropy,
    Mean,
    Range,
    Psnr,
    Ssim,
    MeanError,
    Frc,
    HalfFrc,
    RegionStatistic,
    Objects,
    CustomMetric,
)

__all__ = [
    "METRICS",
    "CustomMetric",
    "Decorrelation",
    "EdgeStrength",
    "Entropy",
    "Frc",
    "HalfError",
    "HalfFrc",
    "JInvariance",
    "Mean",
    "MeanError",
    "Metric",
    "NoiseLeft",
    "Objects",
    "Psnr",
    "Pure",
    "Range",
    "RegionStatistic",
    "Residual",
    "Score",
    "SpectrumRatio",
    "Ssim",
    "Sure",
    "Variation",
    "View",
    "Whiteness",
]
