"""Denoising without parameters, and what was found about the noise."""

from __future__ import annotations

from napari_diffusion.denoising.denoise import denoise, denoiser, strength_of, strengthened
from napari_diffusion.denoising.noise_report import (
    NoiseReport,
    NoiseWarning,
    noise_of,
    noise_report,
)
from napari_diffusion.denoising.stages import Stage, stages

__all__ = [
    "NoiseReport",
    "NoiseWarning",
    "Stage",
    "denoise",
    "denoiser",
    "noise_of",
    "noise_report",
    "stages",
    "strength_of",
    "strengthened",
]
