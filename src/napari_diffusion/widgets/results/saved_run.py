"""The steps of a run on disk with their records, curves and marks, and as layers again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.io.file_image import Source
from napari_diffusion.io.reader import read_image
from napari_diffusion.io.record_reader import step_paths
from napari_diffusion.io.run_writer import Output
from napari_diffusion.loop.recipe import Step
from napari_diffusion.records.provenance import SCHEMA, noise_scale_of
from napari_diffusion.widgets.layers.layer_axes import Fold
from napari_diffusion.widgets.layers.layer_names import layer_name, next_run, step_name
from napari_diffusion.widgets.layers.layer_style import LayerStyle
from napari_diffusion.widgets.layers.source_layers import is_image
from napari_diffusion.widgets.layers.step_layers import image_layer
from napari_diffusion.widgets.layers.step_records import layer_letters, letters_of, source_of
from napari_diffusion.widgets.layers.thumbnails import draw_thumbnails
from napari_diffusion.widgets.run.preferences import preferences

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import napari
    from napari.layers import Image
    from numpy.typing import NDArray

    from napari_diffusion.io.step_record import StepRecord
    from napari_diffusion.widgets.results.step_run import StepRun

#: The file, the record and the values of a step.
OpenedStep = tuple["Source", "StepRecord", "NDArray[Any]"]


def save_run(path: Path, run: StepRun) -> Iterator[int]:
    """Write all steps of a run, each with its record; yield how many are written.

    Parameters
    ----------
    path : path
        Ends in .ome.zarr; or has no ending, for a folder of OME-TIFF files.
    run : StepRun
        Its layers say how far apart the pixels are.
    """
    first = run.steps[0]
    fold = Fold(run.letters, np.shape(first.data))
    placed = first.style.placed
    spatial = run.letters.replace("c", "") if first.layer.rgb else run.letters
    lengths = {axis: float(length) for axis, length in zip(spatial, placed["scale"], strict=True)}
    source = Source(
        name=run.record["source"],
        image=run.folded(first.data),
        axes=fold.axes,
        lengths={axis: length for axis, length in lengths.items() if axis in "tzyx"},
        unit=str(placed["units"][-1]),
        rgb=bool(first.layer.rgb),
    )
    dtype = np.result_type(*(step.data.dtype for step in run.steps))
    with Output(path, source, len(run.steps), dtype, overwrite=True) as output:
        for count, step in enumerate(run.steps, 1):
            output.write(run.folded(step.data), {**step.record, "layer_axes": fold.axes})
            yield count


def open_run(path: Path) -> Iterator[OpenedStep]:
    """Yield the file, the record and the values of each step that `save_run` wrote.

    A file that holds one step is opened as well.

    Raises
    ------
    ValueError
        If there are none, or their records are not there.
    """
    paths = step_paths(path) or [path] * path.is_file()
    if not paths:
        raise ValueError(f"{path.name} is not a folder of steps saved by napari-diffusion.")
    for each in paths:
        source = read_image(each)
        if source.record is None or "recipe" not in source.record:
            raise ValueError(f"{each.name} has no processing record.")
        if len(source.record.get("steps", ())) > 1:
            raise ValueError(f"{each.name} holds several steps: open one step, or a folder.")
        # The list of the steps in a file would be taken for a stack.
        record: StepRecord = {**source.record}
        record.pop("steps", None)
        yield source, record, _arranged(source, layer_letters(record))


def show_run(viewer: napari.Viewer, opened: list[OpenedStep]) -> None:
    """Add the steps of an opened run, the last of them selected."""
    name = source_of(opened[0][1])
    known = (layer for layer in viewer.layers if layer.name == name and is_image(layer))
    run = next_run([layer.name for layer in viewer.layers], name)
    layers = layers_of(opened, next(known, None), run)
    with viewer.layers.batched_update():
        viewer.layers.extend(layers)
    draw_thumbnails(layers, viewer.dims)
    viewer.layers.selection.active = layers[-1]


def layers_of(opened: list[OpenedStep], known: Image | None = None, run: int = 1) -> list[Image]:
    """Return the layers of opened steps: one each, or one stack of very many.

    They look like the layer that is known to be their source, where it is as large. Their names
    have the number of the run on that source.
    """
    source, record, image = opened[0]
    same = known is not None and known.data.shape == image.shape
    style = LayerStyle.of(known) if known is not None and same else _style(source, image, record)
    count = max(record["step"] for _, record, _ in opened) + 1
    if len(opened) > preferences().most_layers:
        whole = {"schema": SCHEMA, "steps": [record for _, record, _ in opened]}
        stack = np.stack([image for *_, image in opened])
        name = layer_name(f"{len(opened)} steps", source_of(record), run)
        return [image_layer(stack, name, style.stacked(), whole)]
    layers = []
    for _, kept, values in opened:
        step = Step(kept["step"], noise_scale_of(kept), values, kept["is_final"])
        name = layer_name(step_name(step, count, kept), source_of(kept), run)
        layer = image_layer(values, name, style, kept)
        layer.visible = kept is opened[-1][1]
        layers.append(layer)
    return layers


def _arranged(source: Source, letters: str) -> NDArray[Any]:
    """Return the values in the order that the layer had them in."""
    axes = source.axes or letters
    image = source.image
    for axis in [axis for axis in axes if axis not in letters]:
        image = image[tuple(0 if each == axis else slice(None) for each in axes)]
        axes = axes.replace(axis, "")
    return np.asarray(image).transpose([axes.index(axis) for axis in letters])


def _style(source: Source, image: NDArray[Any], record: StepRecord) -> LayerStyle:
    from napari.layers import Image

    letters = letters_of(record)
    colours = bool(record["grid"].get("rgb"))
    axes = [axis for axis in letters if not (axis == "c" and (colours or "channel" in record))]
    finite = image[np.isfinite(image)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    shown = {} if colours else {"contrast_limits": (low, high if high > low else low + 1.0)}
    layer = Image(
        image,
        rgb=colours,
        scale=[source.lengths.get(axis, 1.0) for axis in axes],
        units=[source.unit if axis in "zyx" else "pixel" for axis in axes],
        axis_labels=axes,
        **shown,
    )
    return LayerStyle.of(layer)
