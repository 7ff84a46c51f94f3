"""Noise schedules. To add one, write its file and put its class in SCHEDULES."""

from __future__ import annotations

from napari_diffusion.schedules.base import Schedule
from napari_diffusion.schedules.constant import Constant
from napari_diffusion.schedules.cosine import Cosine
from napari_diffusion.schedules.custom import Custom
from napari_diffusion.schedules.exponential import Exponential
from napari_diffusion.schedules.geometric import Geometric
from napari_diffusion.schedules.inverse_time import InverseTime
from napari_diffusion.schedules.karras import Karras
from napari_diffusion.schedules.levels import Levels
from napari_diffusion.schedules.linear import Linear
from napari_diffusion.schedules.measured import Measured
from napari_diffusion.schedules.poly_exponential import PolyExponential
from napari_diffusion.schedules.sigmoid import Sigmoid
from napari_diffusion.schedules.variance_preserving import VariancePreserving

SCHEDULES: tuple[type[Schedule], ...] = (
    Constant,
    Linear,
    Geometric,
    Cosine,
    Sigmoid,
    Karras,
    Exponential,
    PolyExponential,
    VariancePreserving,
    InverseTime,
    Measured,
    Levels,
    Custom,
)

__all__ = [
    "SCHEDULES",
    "Constant",
    "Cosine",
    "Custom",
    "Exponential",
    "Geometric",
    "InverseTime",
    "Karras",
    "Levels",
    "Linear",
    "Measured",
    "PolyExponential",
    "Schedule",
    "Sigmoid",
    "VariancePreserving",
]
