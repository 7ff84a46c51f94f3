"""Which layer sink the steps of a run go to, and where in the list of layers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.io.full_disk import reserve
from napari_diffusion.widgets.layers.channels import ChannelsLayerSink
from napari_diffusion.widgets.layers.layer_names import (
    layer_name,
    next_run,
    run_number,
    step_name,
)
from napari_diffusion.widgets.layers.step_layers import Place, StepLayers, StepStack
from napari_diffusion.widgets.layers.step_records import KEY, records_of, source_of
from napari_diffusion.widgets.run import memory
from napari_diffusion.widgets.run.memory import chosen_result
from napari_diffusion.widgets.run.memory_check import check_memory, step_shape, step_type
from napari_diffusion.widgets.run.run_request import RunError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import napari
    from napari.layers import Image, Layer
    from numpy.typing import DTypeLike, NDArray

    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.widgets.layers.layer_style import LayerStyle
    from napari_diffusion.widgets.layers.step_layers import LayerSink, Titled
    from napari_diffusion.widgets.run.memory import Result
    from napari_diffusion.widgets.run.run_request import Job
    from napari_diffusion.widgets.source.run_source import RunSource


def related_layers(viewer: napari.Viewer, layer: Image) -> list[Layer]:
    """Return a layer and the layers of all runs that came from it or from the same source."""
    source = next(iter(_sources_of(layer)), layer.name)
    kin = [each for each in viewer.layers if source in _sources_of(each)]
    return [layer, *(each for each in kin if each is not layer)]


def _sources_of(layer: Layer) -> list[str]:
    """Return the names of the layers that a layer was made from, by steps or by many runs."""
    of = getattr(layer, "metadata", {}).get(KEY)
    derived = [of["of"]] if isinstance(of, dict) and "of" in of else []
    return [source_of(record) for record in (*records_of(layer), *derived)]


def single_result(
    viewer: napari.Viewer, run_source: RunSource, recipe: Recipe, titled: Titled
) -> tuple[Job, LayerSink]:
    """Return a run that makes one layer, and where that goes; `RunError` says what it lacks.

    Parameters
    ----------
    viewer : napari.Viewer
        Gets the layer.
    run_source : RunSource
        What the run starts from.
    recipe : Recipe
        What is done, in one step.
    titled : callable
        ``titled(step, record)`` returns what the layer is called, after its source.
    """
    job = run_source.job(recipe, 1, memory.free_memory())
    check_memory(job, "layers")
    sink = layer_sink_for(viewer, run_source.layers, job, run_source.styles, "layers", titled)
    return job, sink


def layer_sink_for(
    viewer: napari.Viewer,
    layers: Sequence[Image],
    job: Job,
    styles: Sequence[LayerStyle],
    result: Result,
    titled: Titled | None = None,
    many: str = "steps",
    run: int = 1,
) -> LayerSink:
    """Return where the steps of a run go; layers that would stay visible through them are hidden.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose layers.
    layers : sequence of Image
        The layers that the run starts from, one for each channel where they are several.
    job : Job
        The run.
    styles : sequence of LayerStyle
        What one step looks like, for each of the layers.
    result : {"auto", "layers", "stack", "stack on disk"}
        What becomes of the steps.
    titled : callable, optional
        ``titled(step, record)`` returns what a step's layer is called before its source; without,
        it is called as a step of a loop.
    many : str
        What a stack of them is called.
    run : int
        Which run on its source it is, where it is none of a loop.
    """
    if titled is None:
        titled, run = _numbered(job.recipe.total_steps), loop_run_number(viewer, layers, job)
    names = [job.source_name] if len(layers) == 1 else job.more["layers"]
    layer_sinks = [
        _layer_sink(viewer, layer, job, style, result, name, titled, many, run)
        for layer, style, name in zip(layers, styles, names, strict=True)
    ]
    if len(layer_sinks) == 1:
        return layer_sinks[0]
    return ChannelsLayerSink(layer_sinks)


def _layer_sink(
    viewer: napari.Viewer,
    layer: Image,
    job: Job,
    style: LayerStyle,
    result: Result,
    name: str,
    titled: Titled,
    many: str,
    run: int,
) -> LayerSink:
    shape, many_channels = step_shape(job), "layers" in job.more
    shape = shape[many_channels:]  # c leads, and each channel has a layer
    if job.recipe.measurement is not None:
        style = style.resized(job.fold.shape[many_channels:], shape)
    count = len(job.kept)
    kind = chosen_result(result, count)
    buffer: Any = LazyBuffer()
    if kind != "layers" and not job.lazy:
        buffer = buffer_for(count, shape, step_type(job), kind == "stack on disk")
    beneath = related_layers(viewer, layer)
    place = Place(viewer, beneath)
    # What is hidden itself lets the layers beneath be seen.
    if style.mixes and style.shown.get("visible", True):
        place.cover()
    if kind == "layers":
        return StepLayers(place, style, name, titled, run)
    return StepStack(viewer, place, style, layer_name(f"{count} {many}", name, run), buffer)


def loop_run_number(viewer: napari.Viewer, layers: Sequence[Image], job: Job) -> int:
    """Return which run of the loop on its source a run is.

    A run that is continued keeps its number where that gives no two layers one name.
    """
    names = [job.source_name] if len(layers) == 1 else job.more["layers"]
    if job.first_step:
        run = run_number(layers[0].name)
        later = [
            each
            for each in viewer.layers
            if run_number(each.name) == run
            and any(
                source_of(record) in names
                and (record["is_final"] or record["step"] >= job.first_step)
                for record in records_of(each)
            )
        ]
        if not later:
            return run
    return max(next_run([each.name for each in viewer.layers], name) for name in names)


def _numbered(num_steps: int) -> Titled:
    return lambda step, record: step_name(step, num_steps, record)


def buffer_for(count: int, shape: tuple[int, ...], dtype: DTypeLike, on_disk: bool) -> NDArray[Any]:
    """Return room for `count` steps; on disk in a file that goes when the last view of it goes.

    Raises
    ------
    RunError
        If the disk has no room: of a file with holes in it, the system would end the process.
    """
    if not on_disk:
        return np.zeros((count, *shape), dtype)
    import tempfile

    size = math.prod((count, *shape)) * np.dtype(dtype).itemsize
    with tempfile.TemporaryFile(prefix="napari-diffusion-") as file:
        try:
            reserve(file, 0, size, zeros=True)
        except OSError as error:
            raise RunError("memory", f"The stack on disk cannot be made. {error}") from error
        return np.memmap(file, dtype=dtype, mode="w+", shape=(count, *shape))


class LazyBuffer:
    """Steps that are computed where they are looked at, as if they were one array."""

    def __init__(self) -> None:
        self._steps: list[NDArray[Any]] = []

    def __setitem__(self, place: int, step: NDArray[Any]) -> None:
        """Put the next step at the end."""
        self._steps[place : place + 1] = [step]

    def __getitem__(self, place: int | slice) -> NDArray[Any]:
        """Return one step, or some of them as one lazy array."""
        if not isinstance(place, slice):
            return self._steps[place]
        import dask.array as da

        return da.stack(self._steps[place])
