"""A run that is larger than memory: from a layer to a folder, as the work of a thread."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from napari_diffusion.core.merkle_hash import hash_of
from napari_diffusion.engine.threads import Stopped, stoppable
from napari_diffusion.io import Output
from napari_diffusion.io.memory import limited_memory
from napari_diffusion.io.output_claim import OutputInUse, PlanDiffers
from napari_diffusion.runs.file_run import FileRun
from napari_diffusion.runs.passes.workers import Workers, active_client
from napari_diffusion.runs.run_input import RunInput
from napari_diffusion.widgets.files.reader import read_layers
from napari_diffusion.widgets.layers.layer_axes import FURTHER
from napari_diffusion.widgets.recipe.code_consent import allowed_functions
from napari_diffusion.widgets.run.compiling_note import warm
from napari_diffusion.widgets.run.held_values import HeldValues
from napari_diffusion.widgets.run.memory_check import step_type
from napari_diffusion.widgets.run.read_layer import mask_words, read_mask, with_mask
from napari_diffusion.widgets.run.run_request import (
    Begun,
    Message,
    Progress,
    Resolved,
    RunError,
    SeedDone,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_diffusion.core.grid import GridOptions
    from napari_diffusion.io import Source
    from napari_diffusion.widgets.run.run_request import Job
    from napari_diffusion.widgets.run.worker import News, Work, Worker

# One at a time: each takes the memory that it finds free.
_TURN = threading.Lock()

# Seconds between two looks at the stop token.
_LOOK = 0.1

# What a name keeps of that of a layer, on any system.
_UNFIT, _LONGEST = re.compile(r"[^\w.+-]+"), 80


class StepsWritten(NamedTuple):
    """What a run has left in its folder: the parts of a layer, and the mask of the run."""

    path: Path
    data: Any
    arguments: dict[str, Any]
    mask: NDArray[np.bool_] | None


def _resolved(run: FileRun) -> News:
    return Resolved(run.resolved)


@dataclass(frozen=True, eq=False)
class FolderRequest:
    """A run, and the folder that it goes to.

    Attributes
    ----------
    job : Job
        The run, on the whole of one layer.
    source : Source
        The layer as a file would be; see `held_values.source_of`.
    folder : path
        Where the store is made.
    file : path or None
        What the layer was read from, if its values are still there: it must not change meanwhile.
    memory_limit : int or None
        Bytes that the preferences let a run take.
    found : callable
        Returns the news of what was measured.
    """

    job: Job
    source: Source
    folder: Path
    file: Path | None = None
    memory_limit: int | None = None
    found: Callable[[FileRun], News] = _resolved

    def names(self) -> Iterator[Path]:
        """Yield the names that a store may get, in the order in which they are tried."""
        kept = _UNFIT.sub("_", self.job.source_name)[:_LONGEST].strip("._") or "image"
        for number in itertools.count(1):
            yield self.folder / f"{kept}-run{number}.ome.zarr"


def folder_work(request: FolderRequest) -> Work:
    """Return the work of a run in a folder: it posts `SeedDone` with `StepsWritten` at its end."""

    def work(worker: Worker) -> None:
        with (
            contextlib.suppress(Stopped),
            _turn(worker),
            stoppable(worker.stop),
            limited_memory(request.memory_limit),
        ):
            _run(request, worker)

    return work


@contextlib.contextmanager
def _turn(worker: Worker) -> Iterator[None]:
    """Wait for the run before, which may still be at its last tiles."""
    while not _TURN.acquire(timeout=_LOOK):
        worker.post(Message("Waiting for the run before to end …"))
        if worker.stop.is_set():
            raise Stopped("The run was stopped before it began.")
    try:
        yield
    finally:
        _TURN.release()


def _run(request: FolderRequest, worker: Worker) -> None:
    job, source = request.job, request.source
    mask = read_mask(job)
    warm(source.image, job, mask, worker)
    worker.post(Message("Reading the layer …"))
    with _as_sentence(None):
        sha256 = hash_of(HeldValues(source.stored or source.image, worker.stop))
    read = RunInput(source, options_of(job, mask), request.file)
    more: Any = {**job.more, **mask_words(job, mask), "hashes": {"input": sha256}}
    if FURTHER in job.fold.letters:
        del more["layer_axes"]  # they are folded in the file
    for path in request.names():
        with _as_sentence(path):
            try:
                output = Output(path, source, len(job.kept), step_type(job), resume=True)
            except OutputInUse:
                raise
            except FileExistsError:
                continue  # something else has the name
            run = _LayerRun(
                read, job.recipe, output, job.kept, _workers(job), allowed_functions(),
                further=more, worker=worker, request=request, sha256=sha256,
            )  # fmt: skip
            try:
                run.run(worker.stop)
            except PlanDiffers:
                continue  # what was begun under this name stays
        _post_steps(path, mask, worker)
        return


def options_of(job: Job, mask: NDArray[np.bool_] | None) -> GridOptions:
    """Return the grid keywords of a run."""
    return cast("GridOptions", with_mask(job, mask))


def _workers(job: Job) -> Workers | None:
    """Return the workers of the client that is active; what is in memory is only here."""
    client = None if isinstance(job.data, np.ndarray) else active_client()
    return None if client is None else Workers.of_client(client)


def _post_steps(path: Path, mask: NDArray[np.bool_] | None, worker: Worker) -> None:
    worker.post(Message("Opening the steps …"))
    with _as_sentence(path):
        ((data, arguments, _),) = read_layers(path, lazy=True)
    worker.post(SeedDone(StepsWritten(path, data, arguments, mask), 0))


@contextlib.contextmanager
def _as_sentence(path: Path | None) -> Iterator[None]:
    """Turn what stands in the way of a run into a sentence; what is whole can be gone on with."""
    try:
        yield
    except (ValueError, TypeError, OSError, MemoryError) as error:
        kept = ""
        if path is not None and not isinstance(error, OutputInUse) and _is_begun(path):
            kept = " What is whole is kept: Run goes on with it."
        raise RunError("run", f"{error}{kept}") from error


def _is_begun(path: Path) -> bool:
    name = path.name.removesuffix(".ome.zarr")
    return os.path.lexists(path.with_name(f"{name}.partial.ome.zarr"))


@dataclass(eq=False)
class _LayerRun(FileRun):
    """A run that says how far it is; what it was begun on is known by a hash."""

    worker: Worker = field(kw_only=True)
    request: FolderRequest = field(kw_only=True)
    sha256: str = field(kw_only=True)

    def __post_init__(self) -> None:
        self.progress = self._progress
        self._is_counted = False

    def _plan(self, before: Mapping[str, Any] | None) -> dict[str, Any]:
        self.worker.post(Message("Measuring the image …"))
        # Nothing but its values tells one layer from another of its name.
        plan = super()._plan({**(before or {}), "sha256": self.sha256})
        self.worker.post(self.request.found(self))
        self.worker.post(Message("Writing the first tiles …"))
        return plan

    def _progress(self, done: int, total: int, unit: str) -> None:
        if not self._is_counted:
            self.worker.post(Begun(total, f"{unit}s"))
            self._is_counted = True
        self.worker.post(Progress(done))
        self.worker.hold()
