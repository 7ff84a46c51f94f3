"""How components run on an image: executors, tiles, compiled kernels and what they share."""

from __future__ import annotations

from napari_diffusion.engine.threads import Stopped, StopToken, Threads

__all__ = ["StopToken", "Stopped", "Threads"]
