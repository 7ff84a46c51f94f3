"""Reads OME-Zarr images, 0.4 and 0.5; those larger than the memory as dask arrays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from napari_diffusion.core.axis_names import FURTHER, axis_letters, letter_of
from napari_diffusion.core.grid import CANONICAL
from napari_diffusion.core.units import FRAME, PIXEL, in_one_unit, unit_name
from napari_diffusion.io.file_image import NotReadable, Source
from napari_diffusion.io.memory import fits
from napari_diffusion.io.step_record import as_record
from napari_diffusion.io.zarr_description import KEY

if TYPE_CHECKING:
    from pathlib import Path

    import zarr
    from numpy.typing import NDArray
    from zarr.types import AnyArray

    from napari_diffusion.io.step_record import StepRecord

#: Attributes of a zarr node, as its JSON has them.
_Attributes: TypeAlias = dict[str, Any]

# Types of axes that have one letter whatever they are called.
_TYPES = ("time", "channel")


def read_zarr(path: Path, lazy: bool | None = None) -> Source:
    """Read the finest level of an OME-Zarr image, or a plain zarr array."""
    import zarr

    try:
        node = zarr.open(str(path), mode="r")
    except FileNotFoundError:
        raise NotReadable(f"{str(path)!r} is a folder that contains no zarr image.") from None
    if isinstance(node, zarr.Array):
        return Source(name=path.name, image=_values(node, path, lazy), axes=_plain_axes(node))
    attributes: _Attributes = dict(node.attrs)
    metadata = attributes.get("ome", attributes)
    if "multiscales" not in metadata:
        raise NotReadable(_without_image(path, node, attributes))
    multiscale = metadata["multiscales"][0]
    level = multiscale["datasets"][0]
    record = as_record(attributes.get(KEY))
    array = zarr.open_array(str(path / level["path"]), mode="r")
    image = _values(array, path / level["path"], lazy)
    source = Source(name=path.name, image=image, record=record)
    return _described(source, multiscale, level, path)


def _values(array: AnyArray, path: Path, lazy: bool | None) -> NDArray[Any]:
    if lazy is None:
        lazy = not fits(array.shape, array.dtype)
    if not lazy:
        return np.asarray(array[...])
    import dask.array as da

    return da.from_zarr(str(path))


def _plain_axes(array: AnyArray) -> str | None:
    names = getattr(array.metadata, "dimension_names", None) or ()
    letters = [letter_of(str(name)) or FURTHER for name in names]
    known = len(letters) == array.ndim == len(set(letters)) and FURTHER not in letters
    return "".join(letters) if known else None


def _described(source: Source, multiscale: _Attributes, level: _Attributes, path: Path) -> Source:
    """Return the source with the axes, lengths and units of its multiscale metadata."""
    entries = [_entry(axis) for axis in multiscale.get("axes", ())]
    axes = _axes(entries, path)
    scales = _scales(level, len(axes)) * _scales(multiscale, len(axes))
    lengths, units = {}, {}
    for axis, entry, scale in zip(axes, entries, scales, strict=True):
        if axis in "zyx" and entry.get("unit"):
            lengths[axis], units[axis] = float(scale), unit_name(entry["unit"])
        elif axis in "zyx" and scale != 1:
            lengths[axis], units[axis] = float(scale), PIXEL
    if len(set(units.values())) > 1 and PIXEL in units.values():
        units = dict.fromkeys(units, next(unit for unit in units.values() if unit != PIXEL))
    times = {a: (float(s), e) for a, s, e in zip(axes, scales, entries, strict=True) if a == "t"}
    interval, entry = times.get("t", (0.0, {}))
    return source.replaced(
        axes=axes,
        lengths=in_one_unit(lengths, units) | ({"t": interval} if interval > 0 else {}),
        unit=next(iter(units.values()), PIXEL),
        time_unit=unit_name(entry["unit"]) if entry.get("unit") else FRAME,
        rgb=_is_rgb(source.record, axes),
    )


def _entry(axis: str | _Attributes) -> _Attributes:
    # Before 0.4 an axis was its name alone.
    return {"name": axis} if isinstance(axis, str) else dict(axis)


def _axes(entries: list[_Attributes], path: Path) -> str:
    names = [
        str(entry["type"]) if entry.get("type") in _TYPES else str(entry.get("name", ""))
        for entry in entries
    ]
    axes = axis_letters(names, CANONICAL)
    for letter, entry in zip(axes, entries, strict=True):
        if letter == FURTHER:
            raise NotReadable(
                f"{str(path)!r} has an axis {entry.get('name')!r}: only t, c, z, y and x are "
                "supported."
            )
    return axes


def _scales(holder: _Attributes, count: int) -> NDArray[np.float64]:
    scales = np.ones(count)
    for transformation in holder.get("coordinateTransformations") or ():
        if transformation.get("type") == "scale":
            scales = scales * np.array(transformation["scale"], dtype=float)
    return scales


def _is_rgb(record: StepRecord | None, axes: str) -> bool:
    return bool(record and "grid" in record and record["grid"]["rgb"] and "c" in axes)


def _without_image(path: Path, group: zarr.Group, attributes: _Attributes) -> str:
    series = []
    if "OME" in group:
        series = json.loads(json.dumps(dict(group["OME"].attrs))).get("ome", {}).get("series", [])
    if KEY in attributes and series:
        return (
            f"{str(path)!r} holds the {len(series)} steps of a run: give one of them, such as "
            f"{str(path / series[-1])!r}."
        )
    if series:
        first = str(path / series[0])
        return f"{str(path)!r} holds {len(series)} images: give one of them, such as {first!r}."
    return f"{str(path)!r} is a zarr group that contains no OME-Zarr image."
