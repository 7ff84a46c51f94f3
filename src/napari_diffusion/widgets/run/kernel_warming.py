"""Has the kernels of the recipe that a dock shows compiled before they are needed.

A process of its own does it, at the lowest priority: the window keeps its processor, and what is
being compiled can be stopped at any moment. What it compiles is loaded from the cache on disk.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import subprocess
import sys
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, QTimer

from napari_diffusion.denoising import kernel_warming
from napari_diffusion.engine.kernel_folder import kernel_folder

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from napari_diffusion.loop.recipe import Recipe

#: Set to 0 no kernels are compiled ahead.
SWITCH = "NAPARI_DIFFUSION_WARMING"

# Milliseconds: a form that is being edited makes one request.
_SETTLED = 700

# What is known to be compiled, by what decides on the kernels.
_DONE: set[str] = set()

_UNDER_WAY: weakref.WeakSet[KernelWarming] = weakref.WeakSet()


class KernelWarming:
    """Compiles the kernels of one recipe at a time in a process of its own.

    Parameters
    ----------
    parent : QObject
        The dock; when it is destroyed, the process ends.
    """

    def __init__(self, parent: QObject) -> None:
        self._timer = QTimer(parent)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._start)
        self._request = self._key = ""
        self._process: subprocess.Popen[str] | None = None
        self.is_closed = os.environ.get(SWITCH) == "0"
        parent.destroyed.connect(self._orphaned)
        _UNDER_WAY.add(self)

    def follow(
        self, recipe: Recipe, axes: str, dtype: DTypeLike, rgb: bool = False, **options: Any
    ) -> None:
        """Compile what a recipe needs on images of this kind, soon; nothing where it is known.

        Parameters
        ----------
        recipe : Recipe
            What the form shows.
        axes : str
            The axes that the loop takes, one of "tczyx" each.
        dtype : dtype
            The type of the images.
        rgb : bool
            Whether c holds colours.
        **options
            Further options of the grid: ``spacing, along, joint_channels``.
        """
        if self.is_closed:
            return
        known = {name: each for name, each in options.items() if name != "mask"}
        try:
            request = kernel_warming.request_of(
                recipe, axes, np.dtype(dtype).name, {**known, "rgb": rgb}
            )
            kinds = kernel_warming.kinds_of(recipe, axes, dtype, {**known, "rgb": rgb})
        except (TypeError, ValueError):  # a function of the user's own has no text
            return
        key = f"{kinds} {kernel_folder()}"
        if key in _DONE or key == self._key:
            return
        self._request, self._key = request, key
        self._timer.start(_SETTLED)

    @property
    def is_running(self) -> bool:
        """Whether the process is at work, or about to be."""
        waits = not self.is_closed and self._timer.isActive()
        return waits or (self._process is not None and self._process.poll() is None)

    def stop(self) -> None:
        """End the process and compile nothing more: the dock is closed."""
        if not self.is_closed:
            self._timer.stop()
        self._orphaned()

    def _orphaned(self) -> None:
        """End: the dock goes, and the timer with it."""
        self.is_closed = True
        self._end()

    def _start(self) -> None:
        self._end()
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(each for each in sys.path if each),
            "NAPARI_DIFFUSION_THREADS": "1",
        }
        flags = getattr(subprocess, "IDLE_PRIORITY_CLASS", 0)
        flags |= getattr(subprocess, "CREATE_NO_WINDOW", 0)
        # Without a Python of its own to start, kernels are compiled when they are needed.
        with contextlib.suppress(OSError):
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", kernel_warming.__name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment,
                creationflags=flags,
                text=True,
            )
            assert self._process.stdin is not None
            self._process.stdin.write(f"{self._request}\n")
            self._process.stdin.flush()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() == 0:
            _DONE.add(self._key)
        process.kill()
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            process.communicate(timeout=1)


@atexit.register
def _end_all() -> None:
    for each in list(_UNDER_WAY):
        each._end()
