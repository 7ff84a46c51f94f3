"""Runs the loop on a dask array step by step, each step computed once from a file."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from napari_diffusion.engine.threads import Stopped
from napari_diffusion.io.full_disk import full_disk_named
from napari_diffusion.loop.loop import steps

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari_diffusion.core.grid import GridOptions
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.loop.recipe import Recipe, Step


def steps_by_disk(
    image: Any,
    recipe: Recipe,
    folder: Path,
    stop: StopToken | None = None,
    **options: Unpack[GridOptions],
) -> Generator[Step, None, None]:
    """Yield the steps of `napari_diffusion.steps`, each computed once, from the one before.

    A step of a dask array asked for alone costs all the steps before it. Here each step is
    written to a scratch file, from which the next one is made; only chunks are in memory.

    Parameters
    ----------
    image : dask array
        The source.
    recipe : Recipe
        Resolved.
    folder : path
        Folder for scratch files of twice the size of the image, removed at the end.
    stop : StopToken, optional
        Once set, `Stopped` is raised before the next chunk.
    **options
        ``axes, spacing, along, joint_channels, rgb, mask, missing``.
    """
    import dask.array as da

    with tempfile.TemporaryDirectory(prefix=".napari-diffusion-", dir=folder) as scratch:
        scale = None
        for index in range(recipe.total_steps + 1):
            step = next(steps(image, recipe, first_step=index, noise_scale=scale, **options))
            scale = step.next_noise_scale
            if step.is_final and recipe.final_filter is None:
                yield dataclasses.replace(step, image=image)
                return
            path = Path(scratch) / str(index % 2)
            with full_disk_named(folder):
                _store(step.image, path, stop)
            image = da.from_zarr(str(path))
            yield dataclasses.replace(step, image=image)


def _store(image: Any, path: Path, stop: StopToken | None) -> None:
    import dask.array as da
    import zarr
    from dask.callbacks import Callback

    def before_task(*_: Any) -> None:
        if stop is not None and stop.is_set():
            raise Stopped("The run was stopped.")

    # Regular chunks, so that no two of dask's meet in one of the file's.
    image = image.rechunk(image.chunksize)
    target: Any = zarr.create_array(
        str(path),
        shape=image.shape,
        chunks=image.chunksize,
        dtype=image.dtype,
        compressors=None,
        overwrite=True,
    )
    with Callback(pretask=before_task):
        da.store([image], [target], lock=False)
