"""Pixel sizes of TIFF files from their resolution and from ImageJ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.units import PIXEL, unit_name
from napari_diffusion.io.file_image import Channel, Resolution
from napari_diffusion.io.physical_size import frame_interval, pixel_sizes, places, warn
from napari_diffusion.io.tiff.ome_xml import completed

if TYPE_CHECKING:
    from collections.abc import Mapping

    import tifffile

    from napari_diffusion.io.file_image import Source
    from napari_diffusion.io.physical_size import Quantity

_NONE, _INCH, _CENTIMETRE = 1, 2, 3
_UNITS = (1, 2, 3)


def resolution_of(name: str, page: tifffile.TiffPage) -> Resolution | None:
    """Return the resolution tags; None, with a warning, if they are no numbers above 0."""
    found = [page.tags.valueof(tag) for tag in ("XResolution", "YResolution")]
    if None in found:
        return None
    if not all(_is_ratio(each) for each in found):
        warn(name, f"has no usable resolution (got {found[0]!r} and {found[1]!r}): it is unknown.")
        return None
    unit = page.tags.valueof("ResolutionUnit", default=_NONE)
    x, y = ((int(each[0]), int(each[1])) for each in found)
    return x, y, int(unit) if unit in _UNITS else _NONE


def by_resolution(source: Source) -> Source:
    """Return the source with the pixel sizes of its resolution, where it is a scale."""
    # Inches are how large an image is to be printed; they say nothing about what was seen.
    if source.resolution is None or source.resolution[2] != _CENTIMETRE:
        return source
    lengths, unit = pixel_sizes(source.name, _sizes(source.resolution, 1e4, "µm"))
    return source.replaced(lengths=lengths, unit=unit)


def by_imagej(source: Source, metadata: Mapping[str, Any]) -> Source:
    """Return the source with the pixel sizes, frame interval and channels of ImageJ."""
    axes = source.axes or "tczyx"
    interval = metadata.get("finterval") if "t" in axes else None
    times, time_unit = frame_interval(
        source.name, interval or None, str(metadata.get("tunit", "s"))
    )
    source = source.replaced(
        lengths=times, time_unit=time_unit, channels=_channels(source, metadata)
    )
    _warn_of_values(source.name, metadata)
    unit = unit_name(str(metadata.get("unit", "")))
    if unit == "inch":
        warn(source.name, "has its pixel size in inches, as it is to be printed: it is unknown.")
        return source
    if unit == PIXEL and ("z" not in axes or "spacing" not in metadata):
        return source
    # In ImageJ slices are one unit apart unless it says otherwise.
    found: dict[str, Quantity] = {"z": (metadata.get("spacing", 1.0), unit)} if "z" in axes else {}
    found |= _across(source.resolution, unit)
    lengths, known = pixel_sizes(source.name, found)
    lengths = completed(source.name, source.axes or "", lengths, known)
    place = places(source.name, _origins(metadata, lengths, unit), lengths, known)
    return source.replaced(lengths=lengths | times, unit=known, place=place)


def by_tifffile(source: Source, metadata: Mapping[str, Any]) -> Source:
    """Return the source with the pixel sizes that were given to tifffile as metadata.

    They have the names of ImageJ or of OME, though the file is of neither.
    """
    if isinstance(metadata.get("unit"), str):
        names = ("unit", "spacing", "finterval", "tunit")
        return by_imagej(source, {name: metadata[name] for name in names if name in metadata})
    along = [axis for axis in "xyz" if axis in (source.axes or "zyx")]
    found: dict[str, Quantity] = {
        axis: (metadata[f"PhysicalSize{axis.upper()}"], _unit_of(metadata, axis))
        for axis in along
        if f"PhysicalSize{axis.upper()}" in metadata
    }
    if not found:
        return source
    lengths, unit = pixel_sizes(source.name, found)
    lengths = completed(source.name, source.axes or "", lengths, unit)
    return source.replaced(lengths=lengths, unit=unit)


def _unit_of(metadata: Mapping[str, Any], axis: str) -> str:
    return str(metadata.get(f"PhysicalSize{axis.upper()}Unit", "µm"))


def _is_ratio(value: object) -> bool:
    return (
        isinstance(value, tuple)
        and len(value) == 2
        and all(isinstance(each, int | np.integer) and 0 < each < 2**32 for each in value)
    )


def _sizes(resolution: Resolution, length: float, unit: str) -> dict[str, Quantity]:
    """Return the pixel sizes of y and x: the resolution is pixels per `length`."""
    x, y, _ = resolution
    return {"y": (length * y[1] / y[0], unit), "x": (length * x[1] / x[0], unit)}


def _across(resolution: Resolution | None, unit: str) -> dict[str, Quantity]:
    """Return the pixel sizes of y and x in the unit of ImageJ."""
    counted = unit == PIXEL and (resolution is None or resolution[2] == _INCH)
    if resolution is None or counted:
        return dict.fromkeys("yx", (1.0, unit)) if counted else {}
    return _sizes(resolution, 1.0, unit)


def _origins(
    metadata: Mapping[str, Any], lengths: Mapping[str, float], unit: str
) -> dict[str, Quantity]:
    """Return where the first pixel lies; ImageJ says which pixel lies at 0."""
    found: dict[str, Quantity] = {}
    for axis, length in lengths.items():
        at = metadata.get(f"{axis}origin")
        found[axis] = (-at * length if isinstance(at, int | float) else at, unit)
    return found


def _warn_of_values(name: str, metadata: Mapping[str, Any]) -> None:
    """Warn of a calibration of the values, such as that of integers with a sign."""
    start, step = metadata.get("c0", 0), metadata.get("c1", 1)
    if metadata.get("cf") == 0 and (start, step) != (0, 1):
        warn(
            name,
            f"has values that stand for {start} + {step} × value in ImageJ: they are read as they "
            "are stored.",
        )


def _channels(source: Source, metadata: Mapping[str, Any]) -> tuple[Channel, ...]:
    """Return the colours and limits of the channels, of those that ImageJ says them of."""
    axes = source.axes or ""
    count = source.image.shape[axes.index("c")] if "c" in axes else 1
    if source.rgb:
        return ()
    limits = _limits(metadata, count)
    tables = metadata.get("LUTs", ())
    tables = tables if isinstance(tables, list) else [tables]
    colours = [_colour(each) for each in tables] if len(tables) == count else [""] * count
    if not any(limits) and not any(colours):
        return ()
    return tuple(
        Channel(colour=colour, limits=limit) for colour, limit in zip(colours, limits, strict=True)
    )


def _limits(metadata: Mapping[str, Any], count: int) -> list[tuple[float, float] | None]:
    found = metadata.get("Ranges")
    if found is None and count == 1:
        found = (metadata.get("min"), metadata.get("max"))
    numbers = found if isinstance(found, tuple) else ()
    if len(numbers) != 2 * count or not all(isinstance(each, int | float) for each in numbers):
        return [None] * count
    pairs = [(float(numbers[2 * k]), float(numbers[2 * k + 1])) for k in range(count)]
    return [pair if np.isfinite(pair).all() and pair[0] < pair[1] else None for pair in pairs]


def _colour(table: Any) -> str:
    """Return the last colour of a table that begins with black."""
    if np.shape(table) != (3, 256) or np.any(table[:, 0]):
        return ""
    return "".join(f"{int(value):02X}" for value in table[:, -1])
