"""Example images with noise, some with ground truth.

They are computed, or degraded from what ships with scikit-image. Nothing is downloaded, and two
calls give the same numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_diffusion.samples.base import LayerData, Sample, layers
from napari_diffusion.samples.damaged_face import damaged_face
from napari_diffusion.samples.face import degraded_face
from napari_diffusion.samples.microscopy import noisy_microscopy
from napari_diffusion.samples.phantom import phantom, scene
from napari_diffusion.samples.video import noisy_video

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "SAMPLES",
    "Sample",
    "damaged_face",
    "damaged_layers",
    "degraded_face",
    "face_layers",
    "layers",
    "microscopy_layers",
    "noisy_microscopy",
    "noisy_video",
    "phantom",
    "phantom_layers",
    "scene",
    "video_layers",
]

#: Every sample by the name it has on the command line and in the manifest.
SAMPLES: dict[str, Callable[[], Sample]] = {
    "face": degraded_face,
    "microscopy": noisy_microscopy,
    "phantom": phantom,
    "video": noisy_video,
    "damaged": damaged_face,
}


def face_layers() -> list[LayerData]:
    """Open the degraded face in napari."""
    return _opened("face")


def damaged_layers() -> list[LayerData]:
    """Open the damaged face and, hidden beneath it, its ground truth in napari."""
    return _opened("damaged")


def microscopy_layers() -> list[LayerData]:
    """Open the noisy microscopy image in napari."""
    return _opened("microscopy")


def phantom_layers() -> list[LayerData]:
    """Open the 3D phantom and, hidden beneath it, its ground truth in napari."""
    return _opened("phantom")


def video_layers() -> list[LayerData]:
    """Open the noisy video and, hidden beneath it, its ground truth in napari."""
    return _opened("video")


def _opened(name: str) -> list[LayerData]:
    # napari selects the layer it adds last: that must be the image, not the hidden ground truth.
    return layers(SAMPLES[name]())[::-1]
