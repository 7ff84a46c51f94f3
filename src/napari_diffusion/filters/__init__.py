"""Filters. To add one, write its file and put its class in FILTERS."""

from __future__ import annotations

from napari_diffusion.filters._base import Filter
from napari_diffusion.filters._flow import Flow
from napari_diffusion.filters.coherence_enhancing import CoherenceEnhancing
from napari_diffusion.filters.edge_enhancing import EdgeEnhancing
from napari_diffusion.filters.gaussian import Gaussian
from napari_diffusion.filters.heat import Heat
from napari_diffusion.filters.median import Median
from napari_diffusion.filters.perona_malik import PeronaMalik

FILTERS: tuple[type[Filter], ...] = (
    PeronaMalik,
    EdgeEnhancing,
    CoherenceEnhancing,
    Heat,
    Gaussian,
    Median,
)

__all__ = [
    "FILTERS",
    "CoherenceEnhancing",
    "EdgeEnhancing",
    "Filter",
    "Flow",
    "Gaussian",
    "Heat",
    "Median",
    "PeronaMalik",
]
