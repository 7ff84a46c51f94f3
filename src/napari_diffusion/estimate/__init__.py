"""Noise, contrast and diffusion time, measured on an image."""

from __future__ import annotations

from napari_diffusion.estimate.contrast import contrast, contrast_of
from napari_diffusion.estimate.diffusion_time import diffusion_time
from napari_diffusion.estimate.evidence import Evidence, evidence
from napari_diffusion.estimate.finding import Finding
from napari_diffusion.estimate.findings_text import finding_text, warning_text
from napari_diffusion.estimate.maps.noise_map import noise_map
from napari_diffusion.estimate.measured_noise import NoiseModel
from napari_diffusion.estimate.noise_by_region import noise_by_region
from napari_diffusion.estimate.noise_model import noise_kernel, noise_model
from napari_diffusion.estimate.noise_sigma import noise_sigma, noise_sigma_of

__all__ = [
    "Evidence",
    "Finding",
    "NoiseModel",
    "contrast",
    "contrast_of",
    "diffusion_time",
    "evidence",
    "finding_text",
    "noise_by_region",
    "noise_kernel",
    "noise_map",
    "noise_model",
    "noise_sigma",
    "noise_sigma_of",
    "warning_text",
]
