"""Reads OME-Zarr images up to 0.5; those larger than the memory as dask arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.axis_names import FURTHER, letter_of
from napari_diffusion.io.file_image import NotReadable, Source
from napari_diffusion.io.memory import fits
from napari_diffusion.io.ome_zarr.attributes import (
    axis_entries,
    channels,
    check_version,
    dictionary,
    entries,
    letters,
    placed,
    transformed,
)
from napari_diffusion.io.ome_zarr.chunk_files import ChunkFiles
from napari_diffusion.io.ome_zarr.chunks import StoredValues
from napari_diffusion.io.ome_zarr.collections import without_image
from napari_diffusion.io.ome_zarr.description import KEY, OF_RGB, STEP
from napari_diffusion.io.ome_zarr.store import check_array, opened, opened_array
from napari_diffusion.io.physical_size import warn
from napari_diffusion.io.step_record import as_record

if TYPE_CHECKING:
    from pathlib import Path

    from zarr.types import AnyArray

    from napari_diffusion.io.ome_zarr.attributes import Attributes
    from napari_diffusion.io.step_record import StepRecord

#: What stands for the axis of steps, as in an OME-TIFF.
_STEPS = "Q"


def read_zarr(path: Path, lazy: bool | None = None) -> Source:
    """Read the finest level of an OME-Zarr image, or a plain zarr array."""
    import zarr

    node = opened(path)
    if isinstance(node, zarr.Array):
        return _with_values(Source(name=path.name, image=np.empty(0)), node, path, lazy).replaced(
            **_plain_axes(node)
        )
    attributes: Attributes = dict(node.attrs)
    metadata = dictionary(attributes.get("ome", attributes))
    if "multiscales" not in metadata:
        raise NotReadable(without_image(path, attributes))
    multiscale = _first(path, metadata)
    check_version(path, metadata, multiscale)
    datasets = entries(multiscale.get("datasets"))
    level = dictionary(datasets[0]) if datasets else {}
    array, folder = opened_array(path, level.get("path"))
    record = as_record(attributes.get(KEY))
    source = Source(name=path.name, image=np.empty(0), record=record)
    source = _with_values(source, array, folder, lazy)
    described = _described(source, multiscale, level, path)
    found = _channels(described, metadata.get("omero"))
    names = tuple((channel.name, channel.colour) for channel in found)
    if described.rgb or (len(names) in (3, 4) and names == OF_RGB[: len(names)]):
        return described.replaced(rgb=True)
    return described.replaced(channels=found)


def _first(path: Path, metadata: Attributes) -> Attributes:
    images = [each for each in entries(metadata["multiscales"]) if isinstance(each, dict)]
    if not images:
        raise NotReadable(f"{str(path)!r} is an OME-Zarr that describes no image.")
    if len(images) > 1:
        warn(path.name, f"has {len(images)} multiscale images: only the first one is read.")
    return images[0]


def _with_values(source: Source, array: AnyArray, path: Path, lazy: bool | None) -> Source:
    """Return the source with its values, and a remark where some of them are not there."""
    check_array(array, path)
    promised = bool(source.record) and dictionary(source.record).get("complete") is True
    files = ChunkFiles.of(array, path)
    remarks = _on_missing(source.name, array, path, files, promised)
    values = StoredValues(array, path, files)
    if lazy is None:
        lazy = not fits(array.shape, array.dtype)
    if not lazy:
        return source.replaced(image=values.in_memory(), remarks=remarks)
    return source.replaced(image=values.lazy(), stored=values, remarks=remarks)


def _on_missing(
    name: str, array: AnyArray, path: Path, files: ChunkFiles, promised: bool
) -> tuple[str, ...]:
    missing, expected = files.missing, files.there.size
    if not missing:
        return ()
    if promised or missing == expected:
        raise NotReadable(
            f"{str(path)!r} is incomplete: {missing} of its {expected} chunks are missing; copy "
            "it again."
        )
    said = (
        f"{missing} of {expected} chunks ({missing / expected:.2g} of the image) are not stored: "
        f"their pixels are read as {array.fill_value}, and may be lost."
    )
    warn(name, f"is incomplete: {said}")
    return (said,)


def _plain_axes(array: AnyArray) -> dict[str, Any]:
    said: Any = getattr(array.metadata, "dimension_names", None)
    said = said or array.attrs.get("_ARRAY_DIMENSIONS")
    names = [str(name) for name in said] if isinstance(said, (list, tuple)) else []
    found = [letter_of(name) or FURTHER for name in names]
    known = len(found) == array.ndim == len(set(found)) and FURTHER not in found
    return {"axes": "".join(found) if known else None, "letters": ",".join(names)}


def _described(source: Source, multiscale: Attributes, level: Attributes, path: Path) -> Source:
    """Return the source with the axes, lengths, place and units of its metadata."""
    ndim = source.image.ndim
    axes = axis_entries(multiscale, path, ndim)
    if not axes:
        return source
    scale, moved = transformed(path.name, ndim, level, multiscale)
    stack = _is_stack(source.record, axes)
    found = letters(axes[stack:], path)
    fields = placed(path.name, found, axes[stack:], scale[stack:], moved[stack:])
    return source.replaced(
        axes=None if stack else found,
        letters=_STEPS * stack + found,
        rgb=_is_rgb(source.record, found),
        **fields,
    )


def _is_stack(record: StepRecord | None, axes: list[Attributes]) -> bool:
    """Whether napari-diffusion wrote the image, with the step as first axis."""
    return bool(record and "steps" in record) and axes[0].get("name") == STEP


def _is_rgb(record: StepRecord | None, axes: str) -> bool:
    return bool(record and "grid" in record and record["grid"]["rgb"] and "c" in axes)


def _channels(source: Source, omero: object) -> tuple[Any, ...]:
    axes = source.axes or ""
    return channels(source.name, omero, source.image.shape[axes.index("c")] if "c" in axes else 1)
