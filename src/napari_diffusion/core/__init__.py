"""Images, grids, parameters and components: no arithmetic, no scheduling."""

from __future__ import annotations

from napari_diffusion.core.address import Address
from napari_diffusion.core.array_parameter import ArrayParameter
from napari_diffusion.core.component import Component
from napari_diffusion.core.grid import Grid, GridOptions
from napari_diffusion.core.image import Image
from napari_diffusion.core.parameter import Parameter

__all__ = [
    "Address",
    "ArrayParameter",
    "Component",
    "Grid",
    "GridOptions",
    "Image",
    "Parameter",
]
