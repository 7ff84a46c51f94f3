"""Runs a recipe on a file, as the command ``napari-diffusion run`` does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_diffusion.io import Output, memory
from napari_diffusion.loop.kept_steps import kept_steps
from napari_diffusion.runs.file_run import FileRun
from napari_diffusion.runs.passes.workers import cluster
from napari_diffusion.runs.restored_source import restored_source
from napari_diffusion.runs.run_input import Reading, read_input

if TYPE_CHECKING:
    from os import PathLike

    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.runs.passes.pass_run import Progress


def run_file(
    source: str | PathLike[str],
    output: str | PathLike[str],
    recipe: Recipe,
    *,
    reading: Reading | None = None,
    keep_every: int | None = 1,
    dtype: str = "float",
    memory_limit: int | str | None = None,
    resume: bool = False,
    overwrite: bool = False,
    take_over: bool = False,
    stack: bool = False,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Progress | None = None,
    stop: StopToken | None = None,
) -> Path:
    """Run a recipe on a file, and write the steps to another.

    An image that does not fit the memory is run in tiles, pass by pass over the output, with the
    same bits. Where a client of dask.distributed is active, its workers make the tiles; all of them
    must see the files under the same path.

    Parameters
    ----------
    source, output : path
        The image, and where the steps go; the extension chooses the format.
    recipe : Recipe
        Lengths are in the unit of the file's pixel size; see `Recipe.scaled`.
    reading : Reading, optional
        What the file does not say of its axes, pixel sizes and mask.
    keep_every : int or None
        Which steps are written: every n-th and the last one; None keeps the last alone.
    dtype : {"float", "source"}
        Type of the output: floating point, or that of the source, clipped and rounded.
    memory_limit : int or str, optional
        Bytes, or a text such as "2GiB"; by default what is free.
    resume : bool
        Go on with the unfinished output of the same run.
    overwrite : bool
        Replace an existing output.
    take_over : bool
        Take over an output whose owner is on another computer and has ended.
    stack : bool
        Write the steps into an OME-Zarr as one image, the step being its first axis.
    workers : int, optional
        Share the tiles among so many processes.
    scheduler : str, optional
        Share the tiles among the workers of a dask scheduler, such as "tcp://10.0.0.1:8786".
    progress : callable, optional
        Called with what is done, of how much, and what that is: "step" or "tile".
    stop : StopToken, optional
        Once set, `Stopped` is raised; `resume` goes on with what is whole.

    Returns
    -------
    path
        Of the output: a folder where one TIFF cannot hold the steps.

    Raises
    ------
    TooLittleMemory
        If no tile fits that is as thick as its halo.
    OutputInUse
        If another run writes this output.
    PlanDiffers
        If the unfinished output is of another run.
    """
    limit = memory.bytes_of(memory_limit) if isinstance(memory_limit, str) else memory_limit
    with (
        memory.limited_memory(limit),
        cluster(workers, scheduler, memory.free_memory()) as shared,
    ):
        lazy = None if shared is None else True
        read = read_input(Path(source), reading or Reading(), lazy=lazy)
        kept = kept_steps(recipe, keep_every)
        target = Output(
            Path(output),
            restored_source(read, recipe),
            len(kept),
            read.written_type(dtype),
            overwrite,
            stack=stack,
            resume=resume,
            take_over=take_over,
        )
        FileRun(read, recipe, target, kept, workers=shared, progress=progress).run(stop)
    return target.path
