"""What happens while numba compiles kernels, which it does at the first call of each."""

from __future__ import annotations

import contextlib
import gc
import time
from typing import TYPE_CHECKING, Any

from numba.core import event

from napari_diffusion.engine.kernel_cache import KernelCache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PACKAGE = __name__.partition(".")[0]


class _Compilations(event.Listener):
    """Follows the compilations of our kernels; numba's lock lets in one thread at a time."""

    def __init__(self) -> None:
        self.depth = 0
        self.collects = False
        self.began = self.spent = 0.0
        self.watchers: list[Callable[[float], None]] = []

    def on_start(self, event: Any) -> None:
        """Stop looking for garbage: a tenth of the time, for next to none that is found."""
        self.depth += 1
        if self.depth == 1:
            self.began = time.monotonic()
            self.collects = gc.isenabled() and _is_ours(event)
            if self.collects:
                gc.disable()
        if _is_ours(event):
            for watcher in self.watchers:
                watcher(self.spent + time.monotonic() - self.began)

    def on_end(self, event: Any) -> None:
        """Look for garbage again once all is compiled that a call needs."""
        self.depth -= 1
        kernel, types = event.data["dispatcher"], tuple(event.data["args"])
        if isinstance(kernel._cache, KernelCache) and types not in kernel.overloads:
            kernel._cache.given_up()
        if self.depth == 0:
            self.spent += time.monotonic() - self.began
            if self.collects:
                gc.enable()


def _is_ours(event: Any) -> bool:
    return str(event.data["dispatcher"].py_func.__module__).partition(".")[0] == _PACKAGE


_COMPILATIONS = _Compilations()
event.register("numba:compile", _COMPILATIONS)


@contextlib.contextmanager
def watched(watcher: Callable[[float], None]) -> Iterator[None]:
    """Call a function, in whichever thread compiles, whenever a kernel begins to be compiled.

    It gets the seconds that the process has spent with compiling.
    """
    _COMPILATIONS.watchers.append(watcher)
    try:
        yield
    finally:
        _COMPILATIONS.watchers.remove(watcher)
