"""The work of a batch in a thread, which posts its rows."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from napari_diffusion.engine.threads import Stopped
from napari_diffusion.io import memory
from napari_diffusion.loop.presets import DIGITS, PRESETS
from napari_diffusion.runs.batch.batch import Batch
from napari_diffusion.runs.passes.workers import cluster
from napari_diffusion.widgets.run.memory import memory_limit
from napari_diffusion.widgets.run.run_request import Message, Progress, RunError

if TYPE_CHECKING:
    from pathlib import Path

    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.runs.batch.batch_plan import BatchOptions
    from napari_diffusion.runs.batch.batch_row import BatchRow
    from napari_diffusion.runs.run_input import RunInput
    from napari_diffusion.widgets.recipe.typed_recipe import TypedRecipe
    from napari_diffusion.widgets.run.worker import Work, Worker

# How often at most a row tells how far its file is.
_TIMES = 50


class RowChanged(NamedTuple):
    """What has become of a file, by its place."""

    place: int
    row: BatchRow


@dataclass(frozen=True)
class AskedRecipe:
    """The recipe that a form shows, for an image.

    Attributes
    ----------
    preset : str
        Its name, where it is a preset: those are scaled to the pixel size of each image.
    typed : TypedRecipe
        The recipe, with the unit that it was typed in.
    """

    preset: str
    typed: TypedRecipe

    def __call__(self, read: RunInput) -> Recipe:
        """Return the recipe for an image."""
        if self.preset in PRESETS:
            return PRESETS[self.preset].scaled(read.pixel_size, DIGITS)
        return self.typed.on(read.length_unit)[0]


def batch_work(paths: list[Path], folder: Path, recipe: AskedRecipe, options: BatchOptions) -> Work:
    """Return the work of a batch: it posts `RowChanged` and `Progress`."""

    def work(worker: Worker) -> None:
        limit = memory_limit()
        try:
            with contextlib.suppress(Stopped), memory.limited_memory(limit):
                made = Batch(paths, folder, recipe, options)
                with cluster(None, None, memory.free_memory()) as workers:
                    made.workers = workers
                    _run(made, worker)
        except (ValueError, OSError) as error:
            raise RunError("batch", str(error)) from error

    return work


def _run(made: Batch, worker: Worker) -> None:
    place = -1

    def progress(done: int, total: int, unit: str) -> None:
        if done * _TIMES // total != (done - 1) * _TIMES // total:
            said = f"{unit} {done} of {total}"
            worker.post(RowChanged(place, replace(made.rows[place], sentence=said)))

    made.progress = progress
    with contextlib.closing(made.run(worker.stop)) as rows:
        for row in rows:
            place += row.state == "running"
            worker.post(RowChanged(place, row))
            if row.state == "running":
                worker.post(Message(f"File {place + 1} of {len(made.rows)}: {row.file.name}"))
                continue
            worker.post(Progress(place + 1))
            worker.hold()
