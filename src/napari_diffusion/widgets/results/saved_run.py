"""The steps of a run on disk with their records, curves and marks, and as layers again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_diffusion.io.file_image import NotReadable
from napari_diffusion.io.output_format import split_extension
from napari_diffusion.widgets.files.reader import read_layers
from napari_diffusion.widgets.files.writer import save_steps
from napari_diffusion.widgets.layers.layer_files import keep_file
from napari_diffusion.widgets.layers.layer_names import layer_name, next_run
from napari_diffusion.widgets.layers.source_layers import is_image
from napari_diffusion.widgets.layers.step_records import is_stack, records_of, source_of
from napari_diffusion.widgets.layers.thumbnails import draw_thumbnails

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import napari
    from napari.layers import Layer

    from napari_diffusion.widgets.results.step_run import StepRun


def save_run(path: Path, run: StepRun) -> Iterator[int]:
    """Write all steps of a run, each with its record; yield how many are written.

    Parameters
    ----------
    path : path
        Ends in .ome.zarr; or has no ending, for a folder of OME-TIFF files.
    run : StepRun
        Its layers say how far apart the pixels are.
    """
    steps = [step.data for step in run.steps]
    records = [step.record for step in run.steps]
    style = run.steps[0].style
    yield from save_steps(path, steps, records, run.letters, style, run.record["source"])


def open_file(path: Path) -> list[Layer]:
    """Return the layers of a file or a folder of any supported format, not yet shown."""
    from napari.layers import Layer

    layers = [Layer.create(*each) for each in read_layers(path)]
    for layer in layers:
        keep_file(layer, path)
    return layers


def open_result(path: Path) -> list[Layer]:
    """Return the layers of a file or a folder with a record of napari-diffusion, not yet shown.

    Raises
    ------
    ValueError
        If it has no record.
    """
    try:
        layers = open_file(path)
    except NotReadable as error:
        raise ValueError(f"{path.name} is not a folder of steps or a result: {error}") from error
    if not any(records_of(layer) for layer in layers):
        raise ValueError(f"{path.name} has no processing record.")
    if len(layers) == 1 and not is_stack(layers[0]):
        layers[0].name = split_extension(path)[0].name
    return layers


def show_result(viewer: napari.Viewer, layers: list[Layer]) -> None:
    """Add the layers of an opened result, the last of them selected."""
    names = [layer.name for layer in viewer.layers]
    for layer in layers:
        if is_stack(layer):
            records = records_of(layer)
            source = source_of(records[0])
            title, run = f"{len(records)} steps", next_run(names, source)
            layer.name = layer_name(title, source, run)
    with viewer.layers.batched_update():
        viewer.layers.extend(layers)
    draw_thumbnails([layer for layer in layers if is_image(layer)], viewer.dims)
    # Where there are data lies behind the image that is worked with.
    layers = [layer for layer in layers if is_image(layer)] or layers
    viewer.layers.selection.active = layers[-1]
