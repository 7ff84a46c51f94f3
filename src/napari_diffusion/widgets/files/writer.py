"""What napari saves through this plugin: layers with pixel size, place, record and colours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.io.run_writer import Output
from napari_diffusion.io.step_record import StepRecord, as_record
from napari_diffusion.widgets.files.layer_source import file_values, layer_source
from napari_diffusion.widgets.layers.layer_axes import axes_of
from napari_diffusion.widgets.layers.layer_style import LayerStyle
from napari_diffusion.widgets.layers.layer_values import values
from napari_diffusion.widgets.layers.step_records import KEY, is_stack, layer_letters, records_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from napari.layers import Image


def write_image(path: str, data: Any, meta: Mapping[str, Any]) -> list[str]:
    """Write one image layer; what napari's *Save selected layers* calls.

    What cannot be written is an `OSError`: of a `ValueError` napari makes that there is no writer.

    Parameters
    ----------
    path : str
        Ends in ``.ome.tif``, ``.ome.zarr``, ``.mrc`` or ``.nii.gz``; napari has asked about a name
        that is taken.
    data : array or list of array
        The values, or the levels of a layer with several resolutions.
    meta : mapping
        The keyword arguments of the layer, as napari keeps them.
    """
    from napari.layers import Image

    try:
        for _ in save_layer(Path(path), Image(data, **meta)):
            pass
    except ValueError as error:
        raise OSError(str(error)) from error
    return [path]


def save_layer(path: Path, layer: Image) -> Iterator[int]:
    """Write a layer, all steps of a stack; yield how many images are written."""
    steps, records = _steps(layer)
    letters = layer_letters(records[0]) if records and "recipe" in records[0] else axes_of(layer)
    style = LayerStyle.of(layer)
    style = style.unstacked() if is_stack(layer) else style
    yield from save_steps(path, steps, records, letters, style, layer.name)


def save_steps(
    path: Path,
    steps: list[Any],
    records: list[StepRecord],
    letters: str,
    style: LayerStyle,
    name: str,
) -> Iterator[int]:
    """Write images of one kind with their records; yield how many are written.

    Parameters
    ----------
    path : path
        Its ending chooses the format; none is a folder of OME-TIFF files.
    steps : list of array
        The values of each image.
    records : list of dict
        The record of each.
    letters : str
        One letter per axis of an image.
    style : LayerStyle
        Where the images lie and what they look like.
    name : str
        Of the layer that they are, or were made from.
    """
    first = layer_source(steps[0], letters, style, name)
    dtype = np.result_type(*(step.dtype for step in steps))
    with Output(path, first, len(steps), dtype, overwrite=True) as output:
        for count, (step, record) in enumerate(zip(steps, records, strict=True), 1):
            axes: StepRecord = {"layer_axes": first.axes or letters} if "recipe" in record else {}
            output.write(file_values(step, letters, style), {**record, **axes})
            yield count


def _steps(layer: Image) -> tuple[list[Any], list[StepRecord]]:
    data = values(layer)
    if is_stack(layer):
        records = records_of(layer)
        return [data[place] for place in range(len(records))], records
    kept = as_record(layer.metadata.get(KEY))
    return [data], [kept or StepRecord()]
