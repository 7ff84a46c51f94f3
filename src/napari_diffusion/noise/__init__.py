"""Noise models. To add one, write its file and put its class in NOISES."""

from __future__ import annotations

from napari_diffusion.noise._base import Address, Noise
from napari_diffusion.noise.gaussian import Gaussian
from napari_diffusion.noise.poisson import Poisson

NOISES: tuple[type[Noise], ...] = (Gaussian, Poisson)

__all__ = ["NOISES", "Address", "Gaussian", "Noise", "Poisson"]
