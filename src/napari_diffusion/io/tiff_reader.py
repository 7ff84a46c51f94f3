"""Reads TIFF files (plain, ImageJ, OME) with axes, pixel sizes and units."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.units import FRAME, PIXEL, in_one_unit, unit_name
from napari_diffusion.io.file_image import NotReadable, Resolution, Source
from napari_diffusion.io.step_record import as_record

if TYPE_CHECKING:
    from pathlib import Path
    from xml.etree.ElementTree import Element

    import tifffile
    from numpy.typing import NDArray

    from napari_diffusion.io.step_record import StepRecord

#: Namespace of the annotation that holds the record in an OME-TIFF.
NAMESPACE = "napari-diffusion"

_CENTIMETRE = 3
_RGB, _PALETTE, _YCBCR = 2, 3, 6
_COLOURS = (3, 4)


def read_tiff(path: Path, lazy: bool | None = None) -> Source:
    """Read the first image of a TIFF file."""
    del lazy
    import tifffile

    with tifffile.TiffFile(path) as file:
        if len(file.series) > 1:
            warnings.warn(
                f"{path.name} holds {len(file.series)} images: only the first one is read.",
                stacklevel=3,
            )
        series, page = file.series[0], file.series[0].keyframe
        if int(page.photometric) == _PALETTE:
            warnings.warn(
                f"{path.name} is a palette image: its values are read as indices, without colours.",
                stacklevel=3,
            )
        image = _values(path, series)
        axes, image, rgb = _axes(series.axes, image, int(page.photometric))
        resolution = _resolution(page)
        source = Source(
            name=path.name,
            image=image,
            axes=axes,
            letters=series.axes,
            rgb=rgb,
            resolution=resolution,
        )
        if file.is_ome:
            return _with_ome(source, file.ome_metadata or "")
        if file.is_imagej:
            return _with_imagej(source, file.imagej_metadata or {})
    return _with_resolution(source, "micrometer", 1e4) if _in_centimetres(resolution) else source


def _in_centimetres(resolution: Resolution | None) -> bool:
    # Inches are how large an image is to be printed; they say nothing about what was seen.
    return resolution is not None and resolution[2] == _CENTIMETRE


def _axes(
    letters: str, image: NDArray[Any], photometric: int
) -> tuple[str | None, NDArray[Any], bool]:
    """Return (axes, image, rgb) from TIFF's letters; unknown axes give None."""
    if "S" in letters and "C" in letters and image.shape[letters.index("C")] == 1:
        image = image.squeeze(letters.index("C"))
        letters = letters.replace("C", "")
    rgb = (
        "S" in letters
        and photometric in (_RGB, _YCBCR)
        and image.shape[letters.index("S")] in _COLOURS
    )
    axes = letters.replace("S", "C").lower()
    named = set(axes) <= set("tczyx") and len(set(axes)) == len(axes)
    return (axes, image, rgb) if named else (None, image, False)


def _values(path: Path, series: tifffile.TiffPageSeries) -> NDArray[Any]:
    try:
        values = series.asarray()
    except ValueError as error:
        if "imagecodecs" not in str(error):
            raise
        values = _values_by_pillow(path, series)
    return np.asarray(values)


def _values_by_pillow(path: Path, series: tifffile.TiffPageSeries) -> NDArray[Any]:
    """Return the values of a file whose compression tifffile does not read by itself."""
    from PIL import Image

    with Image.open(path) as file:
        pages = []
        for page in series.pages:
            if page is None:
                continue
            file.seek(page.index)
            pages.append(np.asarray(file))
    values = np.stack(pages)
    if values.size != series.size or values.dtype.newbyteorder("=") != series.dtype:
        kind = getattr(series.keyframe.compression, "name", series.keyframe.compression)
        raise NotReadable(
            f"{str(path)!r} is compressed with {kind}, which needs another package: "
            "pip install imagecodecs."
        )
    return values.reshape(series.shape)


def _resolution(page: tifffile.TiffPage) -> Resolution | None:
    x, y = (page.tags.valueof(name) for name in ("XResolution", "YResolution"))
    if not x or not y or not all((*x, *y)):
        return None
    return tuple(x), tuple(y), int(page.tags.valueof("ResolutionUnit", default=1))


def _with_resolution(source: Source, unit: str, length: float) -> Source:
    """Return the source with the pixel sizes of y and x: its resolution is pixels per `length`."""
    if source.resolution is None:
        return source
    x, y, _ = source.resolution
    lengths = {"y": length * y[1] / y[0], "x": length * x[1] / x[0]}
    return source.replaced(lengths={**source.lengths, **lengths}, unit=unit)


def _with_imagej(source: Source, metadata: dict[str, Any]) -> Source:
    unit = unit_name(str(metadata.get("unit", "")))
    interval = metadata.get("finterval") or 0.0
    if interval > 0:
        source = source.replaced(
            lengths={"t": float(interval)}, time_unit=unit_name(metadata.get("tunit", "s"))
        )
    if unit == PIXEL:
        return source
    # In ImageJ slices are one unit apart unless it says otherwise.
    spacing = abs(float(metadata.get("spacing", 1.0))) or 1.0
    source = source.replaced(lengths={**source.lengths, "z": spacing})
    return _with_resolution(source, unit, 1.0)


def _with_ome(source: Source, xml: str) -> Source:
    from xml.etree import ElementTree

    root = ElementTree.fromstring(xml)
    pixels = next((e for e in root.iter() if _tag(e) == "Pixels"), None)
    source = source.replaced(record=record_in(xml))
    if pixels is None:
        return source
    lengths, units = {}, {}
    for axis in "xyz":
        length = float(pixels.get(f"PhysicalSize{axis.upper()}", 0))
        if length > 0:
            lengths[axis] = length
            units[axis] = unit_name(pixels.get(f"PhysicalSize{axis.upper()}Unit", "µm"))
    interval = float(pixels.get("TimeIncrement", 0))
    time_unit = unit_name(pixels.get("TimeIncrementUnit", "s")) if interval > 0 else FRAME
    if "z" in (source.axes or "") and "x" in lengths and "z" not in lengths:
        warnings.warn(
            f"{source.name} gives no voxel size along z: that along x is used, {lengths['x']:g} "
            f"{units['x']}.",
            stacklevel=4,
        )
        lengths["z"], units["z"] = lengths["x"], units["x"]
    return source.replaced(
        lengths=in_one_unit(lengths, units) | ({"t": interval} if interval > 0 else {}),
        unit=next(iter(units.values()), PIXEL),
        time_unit=time_unit,
    )


def record_in(xml: str) -> StepRecord | None:
    """Return the record in OME-XML; None where there is none."""
    from xml.etree import ElementTree

    for element in ElementTree.fromstring(xml).iter():
        if _tag(element) == "CommentAnnotation" and element.get("Namespace") == NAMESPACE:
            text = next((e.text for e in element if _tag(e) == "Value"), None)
            return as_record(json.loads(text or "null"))
    return None


def _tag(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
