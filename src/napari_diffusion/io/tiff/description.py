"""What the OME-XML of a TIFF to be written says of channels and of the place of the image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_diffusion.core.readable_name import readable_name
from napari_diffusion.core.units import METRES, PIXEL, SYMBOLS

if TYPE_CHECKING:
    from napari_diffusion.io.file_image import Channel, Source


def channels_and_places(
    source: Source, axes: str, shape: tuple[int, ...], planes: int
) -> dict[str, Any]:
    """Return the elements Channel and Plane, as tifffile takes them.

    Parameters
    ----------
    source : Source
        Channels, place and pixel sizes.
    axes, shape
        Of one image in the file.
    planes : int
        How many there are in the file, of all steps; z runs fastest.
    """
    made: dict[str, Any] = {}
    count = shape[axes.index("c")] if "c" in axes else 1
    if not source.rgb and len(source.channels) == count:
        made["Channel"] = [_channel(channel) for channel in source.channels]
    known = source.unit in METRES or source.unit == PIXEL
    if known and any(source.place.get(axis) for axis in "zyx"):
        depth = shape[axes.index("z")] if "z" in axes else 1
        made["Plane"] = [_position(source, axes, index % depth) for index in range(planes)]
    return made


def _channel(channel: Channel) -> dict[str, Any]:
    entry: dict[str, Any] = {"Name": readable_name(channel.name)} if channel.name else {}
    if channel.colour:
        # Signed, with alpha last.
        number = int(channel.colour + "FF", 16)
        entry["Color"] = number - 2**32 if number >= 2**31 else number
    return entry


def _position(source: Source, axes: str, index: int) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    for axis in "xyz":
        if axis in axes:
            place = source.place.get(axis, 0.0)
            if axis == "z":
                place += index * source.lengths.get("z", 1.0)
            entry[f"Position{axis.upper()}"] = place
            entry[f"Position{axis.upper()}Unit"] = SYMBOLS.get(source.unit, PIXEL)
    return entry
