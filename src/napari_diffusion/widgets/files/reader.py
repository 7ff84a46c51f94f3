"""What napari opens through this plugin: images with their metadata, and runs as they were made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.image import is_dask
from napari_diffusion.io.file_image import Channel, Source
from napari_diffusion.io.ome_zarr.levels import coarser_levels
from napari_diffusion.io.reader import STORES, is_dicom_series, read_image
from napari_diffusion.io.record_reader import step_paths
from napari_diffusion.widgets.files.layer_source import channel_arguments, layer_arguments
from napari_diffusion.widgets.files.saved_steps import SavedSteps
from napari_diffusion.widgets.layers.step_records import KEY, layer_letters

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    #: Values or levels, keyword arguments, and the type of a layer.
    LayerData = tuple[Any, dict[str, Any], str]

_FILES = (".ome.tif", ".ome.tiff", ".mrc", ".mrcs", ".nii", ".nii.gz")


def get_reader(path: str | Sequence[str]) -> Callable[[Any], list[LayerData]] | None:
    """Return the reader of a file or a folder; None for what is left to other readers.

    Parameters
    ----------
    path : str or list of str
        What was dropped or opened; of several files each is opened by itself.
    """
    paths = [path] if isinstance(path, str | Path) else list(path)
    return read_files if all(_is_readable(Path(each)) for each in paths) else None


def _is_readable(path: Path) -> bool:
    if path.is_dir():
        store = any((path / name).exists() for name in STORES)
        return store or bool(step_paths(path)) or is_dicom_series(path)
    return path.name.lower().endswith(_FILES)


def read_files(path: str | Sequence[str]) -> list[LayerData]:
    """Return the layers of one or several files or folders."""
    paths = [path] if isinstance(path, str | Path) else list(path)
    return [layer for each in paths for layer in read_layers(Path(each))]


def read_layers(path: Path, *, lazy: bool | None = None) -> list[LayerData]:
    """Return the layers of a file: one image, one for each channel, or all steps of a run.

    Parameters
    ----------
    path : path
        Of any supported format. The steps of a run are one layer with a slider, read when they
        are looked at, in several resolutions where the file has them.
    lazy : bool, optional
        Whether a single image is read where it is looked at; by default only what is large.
    """
    paths = step_paths(path)
    if len(paths) > 1:
        return [SavedSteps.of_files(paths).layer()]
    path = paths[0] if paths else path
    source = read_image(path, lazy=lazy)
    steps = SavedSteps.of_stack(source)
    if steps is not None:
        return [steps.layer()]
    if source.record is not None and "recipe" in source.record:
        return [_step_layer(source, path)]
    return _image_layers(source, path)


def _step_layer(source: Source, path: Path) -> LayerData:
    """Return the layer of one step: its axes are those of the layer that it was made from."""
    assert source.record is not None
    letters = layer_letters(source.record)
    record = dict(source.record)
    # The list of the steps in a file would be taken for a stack.
    record.pop("steps", None)
    arguments = layer_arguments(source, letters) | _looks(source)
    arguments |= {"name": _title(source), "metadata": {KEY: record}}
    levels = _levels(source, path)
    parts = [SavedSteps.arranged(source.replaced(image=each), letters) for each in levels]
    many = len(parts) > 1
    return (parts if many else parts[0]), arguments | {"multiscale": many}, "image"


def _image_layers(source: Source, path: Path) -> list[LayerData]:
    axes = source.axes or _guessed(source)
    levels = _levels(source, path)
    if source.rgb:  # napari has colours last
        colours = axes.index("c")
        levels = [np.moveaxis(each, colours, -1) for each in levels]
        axes = axes.replace("c", "") + "c"
    kept = {} if source.record is None else {KEY: dict(source.record)}
    made: list[LayerData] = []
    split = source.axes is not None and not source.rgb and "c" in axes
    along = axes.index("c") if split else None
    letters = axes if along is None else axes.replace("c", "")
    count = 1 if along is None else source.image.shape[along]
    named = (*source.channels, *[Channel()] * count)
    for place in range(count):
        parts = levels if along is None else [_taken(each, place, along) for each in levels]
        arguments = layer_arguments(source, letters)
        if source.axes is None:
            arguments.pop("axis_labels")
        arguments |= _looks(source.replaced(channels=named[place : place + 1]))
        called = named[place].name or (str(place) if along is not None else "")
        title = _title(source)
        arguments["name"] = f"{title} {called}" if called and along is not None else title
        arguments["metadata"] = kept
        many = len(parts) > 1
        made.append((parts if many else parts[0], arguments | {"multiscale": many}, "image"))
    if source.valid is not None:
        made.append(_valid_layer(source, axes))
    return made


def _levels(source: Source, path: Path) -> list[NDArray[Any]]:
    """Return the levels of an image; what is in memory needs none but the finest."""
    return [source.image, *(coarser_levels(path, source) if is_dask(source.image) else [])]


def _valid_layer(source: Source, axes: str) -> LayerData:
    """Return where the file has data as labels, which docks offer as a mask."""
    assert source.valid is not None
    arguments = layer_arguments(source.replaced(rgb=False), axes)
    if source.rgb:
        letters = axes.replace("c", "")
        arguments = layer_arguments(source.replaced(rgb=False), letters)
    arguments.pop("rgb")
    labels = source.valid.astype(np.uint8)
    if labels.ndim > len(arguments["scale"]):
        labels = labels.max(axis=axes.index("c"))
    return labels, {**arguments, "name": f"{_title(source)} data", "visible": False}, "labels"


def _taken(image: NDArray[Any], place: int, axis: int) -> NDArray[Any]:
    return image[tuple(place if k == axis else slice(None) for k in range(image.ndim))]


def _looks(source: Source) -> dict[str, Any]:
    return channel_arguments(source.channels[0]) if len(source.channels) == 1 else {}


def _title(source: Source) -> str:
    name = source.name
    for ending in (".ome.tiff", ".ome.tif", ".ome.zarr", ".nii.gz"):
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return Path(name).stem or name


def _guessed(source: Source) -> str:
    """Return letters for an image whose file names none; docks ask what its first axis is."""
    return "tczyx"[-source.image.ndim :].rjust(source.image.ndim, "?")
