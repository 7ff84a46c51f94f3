"""Reads DICOM: a file with one frame or several, and a folder with a series."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.units import FRAME
from napari_diffusion.io.file_image import NotReadable, Source
from napari_diffusion.io.formats.dicom_file import pixels_of, quiet, refusing, shape_of, tags_of
from napari_diffusion.io.formats.dicom_slices import (
    Slice,
    Stack,
    affine_header,
    numbers,
    pixel_spacing,
    place_of,
    slices_in,
    spacing_between,
    stacked,
)
from napari_diffusion.io.physical_size import frame_interval, pixel_sizes, places, warn

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from pydicom import Dataset

    from napari_diffusion.io.physical_size import Quantity

_MILLIMETRE = "millimeter"


def read_dicom(path: Path, lazy: bool | None = None) -> Source:
    """Read a DICOM file, or the series in a folder, as volume in the order of its positions.

    Nothing that identifies a patient is kept.
    """
    del lazy
    series = _series(path) if path.is_dir() else {path: tags_of(path)}
    paths, first = list(series), next(iter(series.values()))
    with refusing(path), quiet():
        slices = [
            each
            for number, tags in enumerate(series.values())
            for each in slices_in(tags, number, shape_of(tags)[0])
        ]
    if not all(each.slope for each in slices):
        warn(path.name, "has a slope of 0 for its intensities: 1 is used.")
        slices = [replace(each, slope=each.slope or 1.0) for each in slices]
    stack = stacked(path.name, slices)
    image, rgb = _image(paths, stack)
    axes = _axes(stack, len(paths), first)
    image = image.reshape([*_deep(stack, axes), *image.shape[1:]])
    source = Source(
        name=path.name,
        image=image,
        axes=f"{axes}c" if rgb else axes,
        rgb=rgb,
        remarks=stack.remarks,
    )
    return _placed(source, stack, first)


def _series(folder: Path) -> dict[Path, Dataset]:
    """Return the tags of each image in a folder; refuse several series."""
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".dcm", ".dicom"))
    series, skipped = {}, []
    for path in paths:
        try:
            series[path] = tags_of(path)
        except NotReadable as error:
            skipped.append(str(error))
    if not series:
        raise NotReadable(skipped[0] if skipped else f"{str(folder)!r} contains no DICOM file.")
    if skipped:
        warn(folder.name, f"holds {len(skipped)} files that are not read, such as: {skipped[0]}")
    _check_one_series(folder, list(series.values()))
    return series


def _check_one_series(folder: Path, series: list[Dataset]) -> None:
    with refusing(folder), quiet():
        names = {str(tags.get("SeriesInstanceUID", "")): _series_name(tags) for tags in series}
        counts = Counter(str(tags.get("SeriesInstanceUID", "")) for tags in series)
        shapes = {shape_of(tags)[1:] for tags in series}
    if len(counts) > 1:
        said = ", ".join(f"{names[uid]} ({count})" for uid, count in counts.items())
        raise NotReadable(
            f"{str(folder)!r} holds {len(counts)} series: put each into a folder of its own. They "
            f"are {said}."
        )
    if len(shapes) > 1:
        said = ", ".join(f"{columns} × {rows}" for rows, columns, _ in sorted(shapes))
        raise NotReadable(f"{str(folder)!r} holds slices of several sizes, {said}: remove some.")


def _series_name(tags: Dataset) -> str:
    words = [str(tags.get(key) or "") for key in ("SeriesNumber", "SeriesDescription", "Modality")]
    return " ".join(word for word in words if word) or "one without a name"


def _image(paths: list[Path], stack: Stack) -> tuple[NDArray[Any], bool]:
    """Return all slices one after the other, as intensities."""
    where = {(each.file, each.frame): n for n, each in enumerate(stack.slices)}
    alike = all((each.slope, each.intercept) == (1, 0) for each in stack.slices)
    image, rgb = None, False
    for number, path in enumerate(paths):
        values, rgb = pixels_of(path)
        places_in = [where[number, frame] for frame in range(len(values))]
        if len(paths) == 1 and alike and places_in == sorted(places_in):
            return values, rgb
        if image is None:
            shape = (len(stack.slices), *values.shape[1:])
            image = np.empty(shape, values.dtype if alike else np.float32)
        _check_alike(path, image, values, alike)
        for place, frame in zip(places_in, values, strict=True):
            image[place] = frame if alike else _scaled(frame, stack.slices[place])
    assert image is not None
    return image, rgb


def _check_alike(path: Path, image: NDArray[Any], values: NDArray[Any], alike: bool) -> None:
    if values.shape[1:] != image.shape[1:] or (alike and values.dtype != image.dtype):
        raise NotReadable(
            f"{str(path)!r} differs from the slices before it: it has the shape {values.shape[1:]} "
            f"and the type {values.dtype}."
        )


def _scaled(frame: NDArray[Any], each: Slice) -> NDArray[Any]:
    with np.errstate(over="ignore"):
        return (frame * each.slope + each.intercept).astype(np.float32)


def _axes(stack: Stack, files: int, tags: Dataset) -> str:
    """Return the axes of the image; without positions several frames of one file are times."""
    count = len(stack.slices)
    if count == 1:
        return "yx"
    if stack.distance is not None:
        return "tzyx" if stack.times > 1 else "zyx"
    volume = stack.times == 1 and (files > 1 or spacing_between(tags) is not None)
    return "zyx" if volume else "tyx"


def _deep(stack: Stack, axes: str) -> tuple[int, ...]:
    count = len(stack.slices)
    return {"yx": (), "tzyx": (stack.times, count // stack.times)}.get(axes, (count,))


def _placed(source: Source, stack: Stack, tags: Dataset) -> Source:
    """Return the source with pixel sizes, frame interval and place."""
    axes, name = source.axes or "", source.name
    found: dict[str, Quantity] = {}
    if "z" in axes:
        distance = stack.distance or spacing_between(tags)
        found["z"] = (distance, _MILLIMETRE)
    spacing = pixel_spacing(name, tags)
    if spacing is not None:
        found |= {a: (float(n), _MILLIMETRE) for a, n in zip("yx", spacing, strict=True)}
    lengths, unit = pixel_sizes(name, found)
    interval: dict[str, float] = {}
    time_unit = FRAME
    time = numbers(tags, "FrameTime", 1)
    if "t" in axes and time is not None:
        interval, time_unit = frame_interval(name, float(time[0]), "millisecond")
    place = place_of(name, stack.slices[0])
    at = {a: (value, _MILLIMETRE) for a, value in place.items() if a in axes and lengths}
    return source.replaced(
        lengths=lengths | interval,
        unit=unit,
        time_unit=time_unit,
        place=places(name, dict(at), lengths, unit),
        header=affine_header(stack.slices[0], at) if lengths else {},
    )
