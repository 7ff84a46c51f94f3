"""The noise-and-diffusion loop on images, every step of it to be seen."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from napari_diffusion import (
    analysis,
    domains,
    estimate,
    filters,
    forensics,
    learning,
    measurements,
    metrics,
    noise,
    samples,
    schedules,
)
from napari_diffusion.core.grid import Grid
from napari_diffusion.denoising.denoise import denoise
from napari_diffusion.denoising.noise_report import NoiseWarning
from napari_diffusion.denoising.stages import stages
from napari_diffusion.engine.threads import Stopped
from napari_diffusion.loop.loop import run, steps
from napari_diffusion.loop.presets import PRESETS
from napari_diffusion.loop.recipe import Recipe
from napari_diffusion.loop.step import Step

try:
    __version__ = version("napari-diffusion")
except PackageNotFoundError:
    __version__ = "0+unknown"

__all__ = [
    "PRESETS",
    "Grid",
    "NoiseWarning",
    "Recipe",
    "Step",
    "Stopped",
    "analysis",
    "denoise",
    "domains",
    "estimate",
    "filters",
    "forensics",
    "learning",
    "measurements",
    "metrics",
    "noise",
    "run",
    "samples",
    "schedules",
    "stages",
    "steps",
]
