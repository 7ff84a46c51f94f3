"""A denoised layer as a file with its voxel size and record, and back again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_diffusion.io.output_format import split_extension
from napari_diffusion.widgets.layers.step_records import records_of, source_of
from napari_diffusion.widgets.results.chosen_step import ChosenStep
from napari_diffusion.widgets.results.saved_run import save_run
from napari_diffusion.widgets.results.step_run import StepRun

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from napari.layers import Image

#: What a layer can be written as, by the endings of the files.
FORMATS = {"ome.tif": "OME-TIFF", "ome.zarr": "OME-Zarr"}


def files_for(path: Path, layers: Sequence[Image]) -> list[Path]:
    """Return the file of each layer: channels of one image get their names into that asked for.

    Raises
    ------
    FileExistsError
        If the file of a channel is there already: only the name asked for was confirmed.
    """
    if len(layers) == 1:
        return [path]
    stem, ending = split_extension(path)
    names = [source_of(records_of(layer)[0]) for layer in layers]
    files = [path.with_name(f"{stem.name} {name}{ending}") for name in names]
    for file in files:
        if file.exists():
            raise FileExistsError(f"{file.name!r} exists: choose another name.")
    return files


def save_layers(path: Path, layers: Sequence[Image]) -> Iterator[int]:
    """Write layers that hold one result each; yield how many are written."""
    for count, (file, layer) in enumerate(zip(files_for(path, layers), layers, strict=True), 1):
        run = StepRun((ChosenStep(layer, 0),), 0, None, (None,))
        for _ in save_run(file, run):
            yield count
