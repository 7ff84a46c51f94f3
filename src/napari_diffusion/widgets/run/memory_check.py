"""Whether a run fits into memory, and what to offer where it does not."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.core.grid import CANONICAL, Grid
from napari_diffusion.core.image import computing_type
from napari_diffusion.io.memory import working_memory
from napari_diffusion.loop.kept_steps import kept_steps
from napari_diffusion.widgets.forms.message import Action
from napari_diffusion.widgets.run import memory
from napari_diffusion.widgets.run.memory import Need, chosen_result, ordinal, written_bytes
from napari_diffusion.widgets.run.run_request import RunError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_diffusion.measurements import Measurement
    from napari_diffusion.widgets.run.memory import Result
    from napari_diffusion.widgets.run.run_request import Job


def step_type(job: Job) -> np.dtype[np.generic]:
    """Return the type of a run's steps as they are kept."""
    if job.cast is not None:
        return np.dtype(job.cast.dtype)
    return computing_type(job.data.dtype)


def step_shape(job: Job) -> tuple[int, ...]:
    """Return the shape of a run's steps."""
    if job.recipe.measurement is not None:
        return _restored_shape(job, job.recipe.measurement)
    if job.region is None:
        return job.fold.shape
    sizes = zip(job.region, job.fold.shape, strict=True)
    return tuple(len(range(*part.indices(size))) for part, size in sizes)


def _restored_shape(job: Job, measurement: Measurement) -> tuple[int, ...]:
    """Return the shape of what a run restores, which may have more pixels than the source."""
    fold = job.fold
    options = {name: each for name, each in job.options.items() if name != "missing"}
    grid = measurement.grid_of(Grid.of(fold.folded(_scrap(fold.shape)).shape, **options))
    sizes = dict(zip(CANONICAL, grid.shape, strict=True))
    return fold.unfolded(_scrap(tuple(sizes[axis] for axis in grid.axes))).shape


def _scrap(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return an array that has a shape and takes no memory."""
    return np.broadcast_to(np.zeros(()), shape)


def need_of(job: Job, result: Result) -> Need:
    """Return what a run takes."""
    kept = len(job.kept) * (2 if job.noise_free_run else 1)
    shape, dtype = step_shape(job), step_type(job)
    # A lazy run has the part that is computed in memory alone.
    source = (0,) if job.lazy else job.fold.shape
    work = working_memory(source, job.data.dtype, shape)
    if job.masks:
        work += math.prod(source)
    on_disk = chosen_result(result, len(job.kept)) == "stack on disk"
    return Need(math.prod(shape) * dtype.itemsize, work, kept, on_disk)


def check_memory(job: Job, result: Result) -> None:
    """Raise `RunError` where a run needs more than is free, and say how much."""
    if job.lazy:
        return
    need, free = need_of(job, result), memory.free_memory()
    if need.memory > free:
        raise RunError(
            "memory",
            f"This run needs {written_bytes(need.memory)} of memory, but only "
            f"{written_bytes(free)} are free.",
        )
    if need.disk > memory.free_disk():
        raise RunError(
            "memory",
            f"This run needs {written_bytes(need.disk)} on disk, but only "
            f"{written_bytes(memory.free_disk())} are free for temporary files.",
        )


def offers(
    job: Job,
    result: Result,
    show: Callable[[Result, int], None],
    fewer: Callable[[int], None],
) -> list[Action]:
    """Return what would fit: the stack on disk, every k-th step, or fewer steps.

    Parameters
    ----------
    job : Job
        What does not fit.
    result : {"auto", "layers", "stack", "stack on disk"}
        What was to become of the steps.
    show : callable
        ``show(result, keep_every)`` fills the form.
    fewer : callable
        ``fewer(num_steps)`` fills the form.
    """
    free = memory.free_memory()
    made: list[Action] = []
    on_disk = need_of(job, "stack on disk")
    if result != "stack on disk" and on_disk.memory <= free and on_disk.disk <= memory.free_disk():
        made.append(Action("Stack on disk", partial(show, "stack on disk", 1)))
    fit = need_of(job, result).steps_that_fit(free)
    steps = job.recipe.total_steps - job.first_step
    every = next((k for k in range(2, steps) if _kept(job, k) <= fit), None)
    if every is not None:
        made.append(Action(f"Every {ordinal(every)} step", partial(show, result, every)))
    final = int(job.recipe.final_filter is not None)
    if 1 <= fit - final < steps:
        count = fit - final
        made.append(Action(f"{count} step{'s' * (count > 1)}", partial(fewer, count)))
    return made


def _kept(job: Job, keep_every: int) -> int:
    return len(kept_steps(job.recipe, keep_every, job.first_step))
