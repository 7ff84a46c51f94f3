"""The steps of a run that is larger than memory, for whoever does not keep them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from napari_diffusion.engine.threads import num_threads
from napari_diffusion.io import memory
from napari_diffusion.io.full_disk import check_room
from napari_diffusion.runs.passes.pass_plan import arrays_at_once, planned
from napari_diffusion.runs.passes.pass_run import PassRun
from napari_diffusion.runs.passes.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.loop.step import Step
    from napari_diffusion.runs.run_input import RunInput

# What is left of the memory for tiles.
_SHARE = 0.6


def tiled_steps(
    read: RunInput, recipe: Recipe, stop: StopToken | None = None
) -> Generator[Step, None, None]:
    """Yield the steps of a resolved recipe, their images as lazy arrays that last until the next.

    They lie in the folder of temporary files, which needs room for the image twice, of
    reverse updates four times.
    """
    itemsize, grid = read.computing_type.itemsize, read.image.grid
    plan = planned(recipe, grid, itemsize, int(_SHARE * memory.free_memory()), None, num_threads())
    with (
        tempfile.TemporaryDirectory(prefix="napari-diffusion-") as folder,
        Workers.local(plan.at_once) as workers,
    ):
        needed = arrays_at_once(plan, recipe) * read.source.image.size * itemsize
        check_room(Path(folder), needed, "the run")
        yield from PassRun(read, recipe, plan, Path(folder), workers).steps(stop=stop)
