"""Windows onto recipes and runs: forms, docks and layers; the engine imports none.

The docks are here for scripts: ``napari_diffusion.widgets.DiffusionLoop(viewer)``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_diffusion.widgets.batch.batch_dock import BatchOfFiles
    from napari_diffusion.widgets.denoise.denoise_dock import Denoise
    from napari_diffusion.widgets.inspect.inspect_dock import InspectImage
    from napari_diffusion.widgets.loop.diffusion_loop import DiffusionLoop
    from napari_diffusion.widgets.steps.steps import Steps
    from napari_diffusion.widgets.tools.add_noise import AddNoise
    from napari_diffusion.widgets.tools.filter_layer import FilterLayer
    from napari_diffusion.widgets.train.train_dock import Train

__all__ = [
    "AddNoise",
    "BatchOfFiles",
    "Denoise",
    "DiffusionLoop",
    "FilterLayer",
    "InspectImage",
    "Steps",
    "Train",
]

# They are imported when asked for: each dock imports this folder first.
_FILES = {
    "AddNoise": "tools.add_noise",
    "BatchOfFiles": "batch.batch_dock",
    "Denoise": "denoise.denoise_dock",
    "DiffusionLoop": "loop.diffusion_loop",
    "FilterLayer": "tools.filter_layer",
    "InspectImage": "inspect.inspect_dock",
    "Steps": "steps.steps",
    "Train": "train.train_dock",
}


def __getattr__(name: str) -> type:
    """Return the dock of this name."""
    if name not in _FILES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    dock: type = getattr(importlib.import_module(f"{__name__}.{_FILES[name]}"), name)
    return dock
