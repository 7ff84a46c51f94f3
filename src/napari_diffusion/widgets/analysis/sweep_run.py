"""The part of an image that a parameter sweep runs on, and the sweep as the work of a thread."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.analysis.parameter_sweep import FACTORS, sweep_runs
from napari_diffusion.engine.threads import Stopped
from napari_diffusion.widgets.run.read_layer import as_run_error, read_image, read_mask, with_mask
from napari_diffusion.widgets.run.run_request import Message, SeedDone

if TYPE_CHECKING:
    import napari
    from napari.layers import Image

    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.widgets.run.run_request import Job
    from napari_diffusion.widgets.run.worker import Work, Worker

Region = tuple[slice, ...]

# The part that is tried: pixels along y and x, or along z, y and x.
_PLANE = {"y": 256, "x": 256}
_SPACE = {"z": 16, "y": 128, "x": 128}


def part_of(job: Job, layer: Image, viewer: napari.Viewer) -> Region:
    """Return the part that a parameter sweep runs on: the middle of the region or of the image."""
    fold = job.fold
    sizes = _SPACE if "z" in job.options["along"] else _PLANE
    here = np.round(layer.world_to_data(viewer.dims.point[-layer.ndim :])).astype(int)
    part = []
    for axis, (letter, size) in enumerate(zip(fold.letters, fold.shape, strict=True)):
        first, last = 0, size
        if job.region is not None:
            first, last, _ = job.region[axis].indices(size)
        if letter == "c":
            part.append(slice(0, size))
            continue
        most = sizes.get(letter, 1)
        middle = (
            (first + last) // 2 if letter in "yx" else int(np.clip(here[axis], first, last - 1))
        )
        start = int(np.clip(middle - most // 2, first, max(last - most, first)))
        part.append(slice(start, min(start + most, last)))
    return tuple(part)


def sweep_work(job: Job, tried: dict[str, tuple[float, ...]], region: Region) -> Work:
    """Return the work of a parameter sweep: it posts `Message` and, for every run, `SeedDone`."""

    def work(worker: Worker) -> None:
        source = read_image(job, with_mask(job, read_mask(job)), worker)
        worker.post(Message("Running the parameter sweep …"))
        with contextlib.suppress(Stopped), as_run_error("recipe"):
            recipe = job.recipe.resolved_on(source)
            _, made = sweep_runs(
                source, recipe, _numbers(recipe, tried), region=job.fold.region(region),
                stop=worker.stop,
            )  # fmt: skip
            for done, sweep_run in enumerate(made, 1):
                shown = job.fold.unfolded(sweep_run.image)
                shown = shown if job.cast is None else job.cast(shown)
                worker.post(SeedDone((sweep_run, shown), done), in_turn=True)
                worker.hold()

    return work


def _numbers(recipe: Recipe, tried: dict[str, tuple[float, ...]]) -> dict[str, tuple[float, ...]]:
    """Return the values to try: multiples of the recipe's where none were typed."""
    found = {}
    for name, values in tried.items():
        number = getattr(recipe.filters[0], name)
        if not values and not isinstance(number, (int, float)):
            raise ValueError(f"{name} has no value to start from: type the values to try.")
        found[name] = values or tuple(float(f"{number * f:.3g}") for f in FACTORS)
    return found
