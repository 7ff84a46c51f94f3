"""EXIF: what cameras and programs write into photos."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from napari_diffusion.forensics.metadata.file_facts import (
    PRIVATE,
    FileFacts,
    listed,
    plain_text,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PIL.Image import Exif

# Tags by their numbers; those of persons and serial numbers are counted and not shown.
_SHOWN = {
    0x000B: "ProcessingSoftware", 0x010E: "ImageDescription", 0x010F: "Make", 0x0110: "Model",
    0x0112: "Orientation", 0x0131: "Software", 0x0132: "DateTime",
    0x829A: "ExposureTime", 0x829D: "FNumber", 0x8827: "ISOSpeedRatings",
    0x9003: "DateTimeOriginal", 0x9004: "DateTimeDigitized", 0x9010: "OffsetTime",
    0xA002: "PixelXDimension", 0xA003: "PixelYDimension", 0xA420: "ImageUniqueID",
    0xA434: "LensModel",
}  # fmt: skip
_PERSONAL = frozenset({0x013B, 0x013C, 0x8298, 0x9C9D, 0xA430, 0xA431, 0xA435, 0xC62F})
_MAKER_NOTE = 0x927C
_EXIF, _GPS = 0x8769, 0x8825
_PLACE, _LENGTH = 0x0201, 0x0202


def exif_facts(exif: Exif, size: tuple[int, int]) -> FileFacts:
    """Return what EXIF states of an image of `size` (width, height)."""
    tags: dict[int, Any] = {**exif, **exif.get_ifd(_EXIF)}
    found = [(name, plain_text(tags[tag])) for tag, name in _SHOWN.items() if tag in tags]
    personal = len(_PERSONAL & tags.keys())
    if personal:
        found.append((f"persons, serial numbers{PRIVATE}", f"{personal} tags, not shown"))
    if isinstance(note := tags.get(_MAKER_NOTE), bytes):
        found.append(("MakerNote", f"{len(note)} bytes"))
    if position := _position(exif.get_ifd(_GPS)):
        found.append((f"GPS position{PRIVATE}", position))
    return FileFacts(listed("EXIF", found), (*_software(dict(found)), *_size(tags, size)))


def embedded_thumbnail(exif: Exif, stored: bytes) -> bytes | None:
    """Return the small JPEG in EXIF, which is `stored` with its mark of 6 bytes."""
    from PIL import ExifTags

    tags = exif.get_ifd(ExifTags.IFD.IFD1)
    place, length = tags.get(_PLACE), tags.get(_LENGTH)
    if not isinstance(place, int) or not isinstance(length, int) or min(place, length) <= 0:
        return None
    return stored[6 + place : 6 + place + length] or None


def _software(found: dict[str, str]) -> list[str]:
    said = []
    names = [found[name] for name in ("Software", "ProcessingSoftware") if found.get(name)]
    if names:
        said.append(f"EXIF names the software that wrote it: {', '.join(names)}.")
    taken, changed = found.get("DateTimeOriginal"), found.get("DateTime")
    if taken and changed and taken != changed:
        said.append(f"EXIF says that it was taken at {taken} and changed at {changed}.")
    return said


def _size(tags: dict[int, Any], size: tuple[int, int]) -> list[str]:
    width, height = tags.get(0xA002), tags.get(0xA003)
    if not isinstance(width, int) or not isinstance(height, int) or min(width, height) <= 0:
        return []
    if {width, height} == set(size):
        return []
    return [
        f"EXIF gives {width} × {height} pixels, and the image has {size[0]} × {size[1]}; this also "
        "happens when a smaller copy is made."
    ]


def _position(tags: Mapping[int, Any]) -> str:
    """Return latitude and longitude in degrees; nothing where they are not both there."""
    found = []
    for letter, value in ((1, 2), (3, 4)):
        try:
            degrees, minutes, seconds = (float(each) for each in tags[value])
            angle = degrees + minutes / 60 + seconds / 3600
        except (KeyError, TypeError, ValueError, ZeroDivisionError):
            return ""
        if not math.isfinite(angle):
            return ""
        found.append(f"{angle:.5f}° {plain_text(tags.get(letter, ''))[:1]}")
    return ", ".join(found)
