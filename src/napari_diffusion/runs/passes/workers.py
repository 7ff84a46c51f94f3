"""Who makes the tiles of a pass: threads of this process, or the workers of dask.distributed."""

from __future__ import annotations

import contextlib
import contextvars
import itertools
import logging
import sys
import warnings
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from napari_diffusion.engine.threads import Stopped, StopToken, num_threads, stoppable
from napari_diffusion.records.provenance import versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")
R = TypeVar("R")

# Tasks that wait at each worker of a cluster, so that none ever does; more only fill the scheduler.
_WINDOW = 4

# How often a task is tried again where its worker was lost.
_RETRIES = 3

# Seconds between two looks at the stop token.
_LOOK = 0.2

#: Bytes of a process before it holds a tile: the interpreter, the libraries, the kernels.
INTERPRETER = 350 << 20

# A worker is ended by its scheduler when it takes more than this part of what it was meant to.
_NET = 1.5


@dataclass(frozen=True)
class Workers:
    """Call a function with many arguments at once.

    Attributes
    ----------
    executor : Executor
        Threads of this process, or those of a cluster.
    count : int
        How many tiles are made at once.
    threads : int
        How many threads share a tile.
    window : int
        How many tasks are handed out at a time.
    client : distributed.Client or None
        Of a cluster.
    """

    executor: Executor
    count: int
    threads: int
    window: int
    client: Any = None

    @classmethod
    @contextlib.contextmanager
    def local(cls, count: int) -> Iterator[Workers]:
        """Use threads of this process, which share its processors."""
        with ThreadPoolExecutor(count) as pool:
            yield cls(pool, count, max(num_threads() // count, 1), count + 1)

    @classmethod
    def of_client(cls, client: Any) -> Workers:
        """Use the workers of a connected client, each with as many tiles as it has threads."""
        executor = client.get_executor(pure=False, retries=_RETRIES)
        count = sum(client.nthreads().values()) or 1
        return cls(executor, count, 1, _WINDOW * count, client)

    @property
    def processes(self) -> int:
        """How many processes share the memory."""
        return 1 if self.client is None else max(len(self.client.nthreads()), 1)

    def results(
        self, function: Callable[[T], R], each: Iterable[T], stop: StopToken | None
    ) -> Iterator[R]:
        """Yield what a function returns, in any order.

        Raises
        ------
        Stopped
            Once `stop` is set.
        """
        rest, waiting = iter(each), set[Future[R]]()
        try:
            while True:
                if stop is not None and stop.is_set():
                    raise Stopped("The run was stopped between two tiles.")
                for one in itertools.islice(rest, self.window - len(waiting)):
                    waiting.add(self._submitted(function, one, stop))
                if not waiting:
                    return
                done, waiting = wait(waiting, _LOOK, FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        finally:
            for future in waiting:
                future.cancel()
            if self.client is None:
                wait(waiting)

    def _submitted(self, function: Callable[[T], R], one: T, stop: StopToken | None) -> Future[R]:
        if self.client is not None:
            return self.executor.submit(function, one)
        with stoppable(stop):
            return self.executor.submit(contextvars.copy_context().run, function, one)

    def warn_of_others(self) -> None:
        """Warn of workers with other versions, or another processor, than this process."""
        own = dict(versions())
        found = {} if self.client is None else self.client.run(versions)
        for where, theirs in found.items():
            other = [f"{name} {value}" for name, value in theirs.items() if own[name] != value]
            if other:
                warnings.warn(
                    f"The worker {where} has {', '.join(other)}: its results may differ in the "
                    "last bits.",
                    stacklevel=2,
                )


@contextlib.contextmanager
def cluster(workers: int | None, scheduler: str | None, memory: int) -> Iterator[Workers | None]:
    """Start worker processes on this machine, or connect to a scheduler; else None.

    Parameters
    ----------
    workers : int or None
        How many processes to start.
    scheduler : str or None
        The address of a running scheduler, such as "tcp://10.0.0.1:8786".
    memory : int
        Bytes that all processes of this machine may take together for tiles.
    """
    if workers is None and scheduler is None:
        client = active_client()
        yield None if client is None else Workers.of_client(client)
        return
    from distributed import Client, LocalCluster

    if scheduler is not None:
        try:
            connected = Client(scheduler, timeout=_PATIENCE, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise ConnectionError(
                f"There is no scheduler at {scheduler!r} ({error}): start one with dask scheduler, "
                "and give the address that it prints."
            ) from error
        with connected as client:
            yield Workers.of_client(client)
        return
    assert workers is not None
    limit = int(_NET * memory / workers) + INTERPRETER
    with (
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            memory_limit=limit,
            dashboard_address=None,
            silence_logs=logging.ERROR,
        ) as processes,
        Client(processes, set_as_default=False) as client,
    ):
        yield Workers.of_client(client)


# Seconds.
_PATIENCE = 10


def active_client() -> Any:
    """Return the client of dask.distributed that is active here; None without one."""
    if "distributed" not in sys.modules:
        return None
    from distributed import default_client

    try:
        return default_client()
    except ValueError:
        return None
