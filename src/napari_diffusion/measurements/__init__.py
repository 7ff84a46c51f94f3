"""Measurements. To add one, write its file and put its class in MEASUREMENTS."""

from __future__ import annotations

from napari_diffusion.measurements.base import Measured, Measurement
from napari_diffusion.measurements.binned import Binned
from napari_diffusion.measurements.blurred import Blurred
from napari_diffusion.measurements.downsampled_frames import DownsampledFrames
from napari_diffusion.measurements.masked import Masked
from napari_diffusion.measurements.wedge import Wedge

MEASUREMENTS: tuple[type[Measurement], ...] = (
    Masked,
    Binned,
    Blurred,
    Wedge,
    DownsampledFrames,
)

__all__ = [
    "MEASUREMENTS",
    "Binned",
    "Blurred",
    "DownsampledFrames",
    "Masked",
    "Measured",
    "Measurement",
    "Wedge",
]
