"""Reads OME-XML: pixel sizes, place, channels, and the record of napari-diffusion."""

from __future__ import annotations

import json
import math
import re
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from napari_diffusion.io.file_image import Channel, NotReadable
from napari_diffusion.io.physical_size import frame_interval, pixel_sizes, places, warn
from napari_diffusion.io.step_record import as_record

if TYPE_CHECKING:
    from pathlib import Path
    from xml.etree.ElementTree import Element

    from napari_diffusion.io.file_image import Source
    from napari_diffusion.io.physical_size import Quantity
    from napari_diffusion.io.step_record import StepRecord

#: Namespace of the annotation that holds the record in an OME-TIFF.
NAMESPACE = "napari-diffusion"

# tifffile makes lists of this length before it looks at the pages.
_MOST_PLANES = 2_000_000
# It looks for each file of a set.
_MOST_MISSING = 10_000


class UnusableOme(ValueError):  # noqa: N818 - it describes the text
    """OME-XML that says nothing; the message goes on after "has OME-XML that"."""


def parsed(xml: str) -> Element:
    """Return the root of OME-XML.

    Raises
    ------
    UnusableOme
        If it is broken, or has a DOCTYPE, whose entities can grow without end.
    """
    from xml.etree import ElementTree

    if re.search(r"<!\s*(DOCTYPE|ENTITY)", xml, re.IGNORECASE):
        raise UnusableOme("has a DOCTYPE, which OME-XML never has")
    try:
        return ElementTree.fromstring(xml)
    except (ElementTree.ParseError, ValueError, RecursionError) as error:
        raise UnusableOme(f"is broken ({error})") from error


def check_planes(path: Path, root: Element, size: int) -> None:
    """Refuse OME-XML that leads out of the folder, or declares more than any file can hold.

    Parameters
    ----------
    path : path
        Of the file that holds the OME-XML.
    root : Element
        Of the OME-XML.
    size : int
        Pixels of one plane in the file.

    Raises
    ------
    UnusableOme
        If it describes no image.
    """
    if not any(_tag(element) == "Pixels" for element in root.iter()):
        binary = _first(root, "BinaryOnly")
        where = "" if binary is None else f" and points to {binary.get('MetadataFile', '')!r}"
        raise UnusableOme(f"describes no image{where}")
    planes, missing = 0.0, set()
    for element in root.iter():
        kind = _tag(element)
        if kind == "UUID" and element.text != root.get("UUID"):
            name = element.get("FileName", "")
            _check_inside(path, name)
            missing |= set() if (path.parent / name).exists() else {name}
        if kind == "Pixels":
            declared = math.prod(_whole(element, f"Size{axis}", 1) for axis in "XYZCT")
            planes += declared / max(size, 1)
            _check_count(path, planes)
        if kind == "TiffData":
            for name in ("IFD", "NumPlanes", "PlaneCount", "FirstZ", "FirstC", "FirstT"):
                _check_count(path, _whole(element, name, 0))
        if kind.startswith("ModuloAlong"):
            _check_count(path, _modulo(element))
    if len(missing) > _MOST_MISSING:
        raise NotReadable(
            f"{str(path)!r} is one file of a set, and {len(missing)} others are not in its folder: "
            "put all files of the set into one folder."
        )


def image_of(root: Element, height: int, width: int) -> Element:
    """Return the first image of that size, or the first."""
    images = [each for each in root.iter() if _first(each, "Pixels") is not None]
    wanted = (str(height), str(width))
    for image in images:
        pixels = _first(image, "Pixels")
        if pixels is not None and (pixels.get("SizeY"), pixels.get("SizeX")) == wanted:
            return image
    return images[0]


def described(source: Source, image: Element) -> Source:
    """Return the source with what OME-XML says of its pixel sizes, place and channels."""
    pixels = _first(image, "Pixels")
    if pixels is None:
        return source
    name, axes = source.name, source.axes or "tczyx"
    along = [axis for axis in "xyz" if axis in axes]
    found: dict[str, Quantity] = {
        axis: (pixels.get(f"PhysicalSize{axis.upper()}"), _unit(pixels, axis)) for axis in along
    }
    lengths, unit = pixel_sizes(name, found)
    lengths = completed(name, source.axes or "", lengths, unit)
    times, time_unit = frame_interval(
        name, *(_interval(name, pixels) if "t" in axes else (None, ""))
    )
    return source.replaced(
        lengths=lengths | times,
        unit=unit,
        time_unit=time_unit,
        place=places(name, _position(image, pixels, along), lengths, unit),
        channels=_channels(source, pixels),
    )


def completed(name: str, axes: str, lengths: dict[str, float], unit: str) -> dict[str, float]:
    """Return the pixel sizes of y, x and z, unknown ones being those of a neighbouring axis.

    With some axes in units of length, the others could not count pixels.
    """
    found = dict(lengths)
    for axis, like in ("yx", "xy", "zx"):
        if axis in axes and axis not in found and like in found:
            size = "voxel size" if "z" in axes else "pixel size"
            warn(
                name,
                f"gives no {size} along {axis}: that along {like} is used, {found[like]:g} {unit}.",
            )
            found[axis] = found[like]
    return found


def record_in(xml: str, name: str = "The file") -> StepRecord | None:
    """Return the record in OME-XML; None where there is none."""
    if NAMESPACE not in xml:
        return None
    try:
        root = parsed(xml)
        for element in root.iter():
            if _tag(element) == "CommentAnnotation" and element.get("Namespace") == NAMESPACE:
                text = next((each.text for each in element if _tag(each) == "Value"), None)
                found = json.loads(text or "null")
                if not isinstance(found, dict):
                    raise ValueError("no record")
                return as_record(found)
    except (ValueError, RecursionError):
        warn(name, "has a damaged record of napari-diffusion: how it was made is unknown.")
    return None


def _unit(element: Element, axis: str) -> str:
    return element.get(f"PhysicalSize{axis.upper()}Unit", "µm")


def _interval(name: str, pixels: Element) -> Quantity:
    """Return the frame interval; where the file does not say it, that of its planes' times."""
    if pixels.get("TimeIncrement"):
        return pixels.get("TimeIncrement"), pixels.get("TimeIncrementUnit", "s")
    planes = [
        element
        for element in pixels
        if _tag(element) == "Plane" and element.get("TheZ") == element.get("TheC") == "0"
    ]
    units = {element.get("DeltaTUnit", "s") for element in planes}
    try:
        times = {int(each.get("TheT", "")): float(each.get("DeltaT", "")) for each in planes}
        first, last = min(times), max(times)
        interval = (times[last] - times[first]) / (last - first)
    except (ValueError, ArithmeticError):
        return None, ""
    if len(units) > 1 or not 0 < interval < math.inf:
        return None, ""
    unit = units.pop()
    warn(name, f"gives no frame interval: the mean of its planes' times, {interval:g} {unit}.")
    return interval, unit


def _position(image: Element, pixels: Element, along: list[str]) -> dict[str, Quantity]:
    """Return where the first plane lies; where the file does not say it, the stage."""
    # The schema's unit for positions without one is none of length.
    for element in pixels:
        first = all(element.get(f"The{axis}", "0") == "0" for axis in "ZCT")
        if _tag(element) == "Plane" and first and any("Position" in key for key in element.attrib):
            unknown = "reference frame"
            return {
                axis: (
                    element.get(f"Position{axis.upper()}"),
                    element.get(f"Position{axis.upper()}Unit", unknown),
                )
                for axis in along
            }
    stage = _first(image, "StageLabel")
    if stage is None:
        return {}
    return {
        axis: (stage.get(axis.upper()), stage.get(f"{axis.upper()}Unit", "reference frame"))
        for axis in along
    }


def _channels(source: Source, pixels: Element) -> tuple[Channel, ...]:
    """Return names and colours of the channels; none if they do not fit the image."""
    found = [
        Channel(name=element.get("Name", ""), colour=_colour(source.name, element.get("Color")))
        for element in pixels
        if _tag(element) == "Channel"
    ]
    if source.rgb or not any(channel.name or channel.colour for channel in found):
        return ()
    axes = source.axes or source.letters.lower()
    count = source.image.shape[axes.index("c")] if "c" in axes else 1
    if len(found) == count:
        return tuple(found)
    warn(source.name, f"describes {len(found)} channels and has {count}: their names are not read.")
    return ()


def _colour(name: str, text: str | None) -> str:
    """Return red, green and blue of OME's signed 32 bits, the last of which are alpha."""
    if not text:
        return ""
    try:
        number = int(text)
    except ValueError:
        warn(name, f"has a channel with an unusable colour ({text[:40]!r}): it is unknown.")
        return ""
    return f"{(number & 0xFFFFFFFF) >> 8:06X}"


def _check_inside(path: Path, name: str) -> None:
    """Refuse a file of a set that is not below the folder of the set."""
    parts = PurePosixPath(name.replace("\\", "/"))
    outside = parts.is_absolute() or ".." in parts.parts or PureWindowsPath(name).drive
    other = path.parent / name
    if outside or (other.exists() and not other.is_file()):
        raise NotReadable(
            f"{str(path)!r} continues in {name!r}, which is not a file of its folder: it is not "
            "opened. Put all files of the set into one folder."
        )


def _check_count(path: Path, count: float) -> None:
    if not 0 <= count <= _MOST_PLANES:
        raise NotReadable(f"{str(path)!r} declares {count:,.0f} planes: it is damaged.")


def _whole(element: Element, name: str, default: int) -> int:
    try:
        return int(element.get(name, default))
    except ValueError:
        raise UnusableOme(f"has no usable {name} ({element.get(name, '')[:40]!r})") from None


def _modulo(element: Element) -> float:
    try:
        start, end, step = (
            float(element.get(name, default))
            for name, default in (("Start", "0"), ("End", "0"), ("Step", "1"))
        )
        return abs((end - start) / step)
    except (ValueError, ZeroDivisionError):
        raise UnusableOme(f"has an unusable {_tag(element)}") from None


def _first(parent: Element, tag: str) -> Element | None:
    return next((element for element in parent if _tag(element) == tag), None)


def _tag(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
