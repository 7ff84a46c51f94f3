"""Domains that a run works in. To add one, write its file and put its class in DOMAINS."""

from __future__ import annotations

from napari_diffusion.domains.anscombe import Anscombe
from napari_diffusion.domains.base import Domain
from napari_diffusion.domains.log import Log

DOMAINS: tuple[type[Domain], ...] = (Anscombe, Log)

__all__ = ["DOMAINS", "Anscombe", "Domain", "Log"]
