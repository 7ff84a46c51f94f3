"""The process of a command: Ctrl-C, and how many threads it uses."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_THREADS = "NAPARI_DIFFUSION_THREADS"


@contextlib.contextmanager
def stoppable() -> Iterator[threading.Event]:
    """Turn the first Ctrl-C into a request to stop; the second one interrupts at once."""
    stop = threading.Event()

    def ask(*_: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {each: signal.signal(each, ask) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextlib.contextmanager
def threads(count: int | None) -> Iterator[None]:
    """Limit the threads of the engine, and of dask."""
    if count is None:
        yield
        return
    import dask

    before = os.environ.get(_THREADS)
    os.environ[_THREADS] = str(count)
    try:
        with dask.config.set(num_workers=count):
            yield
    finally:
        os.environ.pop(_THREADS)
        if before is not None:
            os.environ[_THREADS] = before
