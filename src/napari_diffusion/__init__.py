"""The noise-and-diffusion loop on images, every step of it to be seen."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from napari_diffusion import domains, estimate, filters, metrics, noise, schedules
from napari_diffusion.analysis.ensemble import ensemble
from napari_diffusion.analysis.local_error import local_risk
from napari_diffusion.analysis.noise_free_run import twin
from napari_diffusion.analysis.parameter_sweep import ladder
from napari_diffusion.analysis.step_selection import best_step
from napari_diffusion.core.grid import Grid
from napari_diffusion.denoising.denoise import denoise
from napari_diffusion.denoising.noise_report import NoiseWarning
from napari_diffusion.engine.threads import Stopped
from napari_diffusion.loop.loop import run, steps
from napari_diffusion.loop.presets import PRESETS
from napari_diffusion.loop.recipe import Recipe, Step

# They run recipes, which estimates know nothing of, and are looked for among them all the same.
estimate.best_step = best_step  # type: ignore[attr-defined]
estimate.local_risk = local_risk  # type: ignore[attr-defined]

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
    "denoise",
    "domains",
    "ensemble",
    "estimate",
    "filters",
    "ladder",
    "metrics",
    "noise",
    "run",
    "schedules",
    "steps",
    "twin",
]
