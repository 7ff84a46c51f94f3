"""How components run on an image: executors, tiles, compiled kernels and what they share."""

from __future__ import annotations

from napari_diffusion.engine.block import Block
from napari_diffusion.engine.executor import Executor, executor_for
from napari_diffusion.engine.threads import Stopped, StopToken, Threads

__all__ = ["Block", "Executor", "StopToken", "Stopped", "Threads", "executor_for"]
