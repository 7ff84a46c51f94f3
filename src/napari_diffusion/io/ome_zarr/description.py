"""The OME-Zarr 0.5 metadata of an image to be written."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.readable_name import readable_name
from napari_diffusion.core.units import FRAME, PIXEL
from napari_diffusion.io.file_image import Channel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from yaozarrs import v05

    from napari_diffusion.io.file_image import Source
    from napari_diffusion.io.ome_zarr.pyramid import Level

#: Key of the record in a group's attributes.
KEY = "napari_diffusion"

#: Name of the axis of the steps of a run.
STEP = "step"

#: Names and colours of the channels of an RGB image; an image with these is one.
OF_RGB = (("red", "FF0000"), ("green", "00FF00"), ("blue", "0000FF"), ("alpha", "FFFFFF"))

# For channels without a colour of their own: OME-Zarr demands one.
_COLOURS = ("00FF00", "FF00FF", "00FFFF", "FFFF00", "FF0000", "0000FF")


def description(
    source: Source,
    axes: str,
    levels: Sequence[Level],
    name: str,
    limits: Callable[[int], tuple[float, float]],
    *,
    stack: bool = False,
) -> dict[str, Any]:
    """Return the attribute ``ome`` of an image.

    Parameters
    ----------
    source : Source
        Pixel sizes, place, units and channels.
    axes : str
        Of the file.
    levels : sequence of Level
        Of the pyramid.
    name : str
        Of the image.
    limits : callable
        Gives the least and the greatest intensity of a channel.
    stack : bool
        Whether an axis of steps comes first.
    """
    from yaozarrs import v05

    steps = [v05.CustomAxis(name=STEP, type=STEP)] if stack else []
    with warnings.catch_warnings():
        # Units that OME-Zarr does not know are kept all the same.
        warnings.simplefilter("ignore")
        named = [_axis(source, axis) for axis in axes]
    multiscale = v05.Multiscale(
        name=readable_name(name),
        axes=[*steps, *named],
        datasets=[
            v05.Dataset(path=str(k), coordinateTransformations=each)
            for k, each in enumerate(_transformations(source, axes, levels, stack=stack))
        ],
        type="mean",
    )
    image = v05.Image(multiscales=[multiscale], omero=_omero(source, axes, limits))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return image.model_dump(mode="json", by_alias=True, exclude_none=True)


def _transformations(
    source: Source, axes: str, levels: Sequence[Level], *, stack: bool
) -> list[list[Any]]:
    """Return the scale of each level, and where its first pixel lies."""
    from yaozarrs import v05

    sizes = [source.lengths.get(axis, 1.0) for axis in axes]
    places = [source.place.get(axis, 0.0) for axis in axes]
    moved = any(places) or len(levels) > 1
    made: list[list[Any]] = []
    for level in levels:
        scale = [size * by for size, by in zip(sizes, level.factor, strict=True)]
        # The first pixel of a coarser level is the mean of several, and lies between them.
        starts = [
            place + size * (by - 1) / 2
            for place, size, by in zip(places, sizes, level.factor, strict=True)
        ]
        each: list[Any] = [v05.ScaleTransformation(scale=[1.0] * stack + scale)]
        if moved:
            each.append(v05.TranslationTransformation(translation=[0.0] * stack + starts))
        made.append(each)
    return made


def _axis(source: Source, axis: str) -> v05.TimeAxis | v05.ChannelAxis | v05.SpaceAxis:
    from yaozarrs import v05

    if axis == "t":
        return v05.TimeAxis(name="t", unit=_unit(source.time_unit, FRAME))
    if axis == "c":
        return v05.ChannelAxis(name="c")
    return v05.SpaceAxis(name=axis, unit=_unit(source.unit, PIXEL))


def _unit(unit: str, none: str) -> str | None:
    return None if unit == none else unit


def _omero(
    source: Source, axes: str, limits: Callable[[int], tuple[float, float]]
) -> v05.Omero | None:
    """Return how a viewer shows the channels; None where the source does not say."""
    from yaozarrs import v05

    count = source.image.shape[(source.axes or "").index("c")] if "c" in axes else 1
    channels = source.channels if len(source.channels) == count else ()
    if source.rgb and not channels:
        channels = _colours(source, count)
    if not channels:
        return None
    shown = [_shown(each, k, count, limits) for k, each in enumerate(channels)]
    if source.rgb and count == 4:
        shown[-1]["active"] = False
    return v05.Omero.model_validate({"channels": shown})


def _colours(source: Source, count: int) -> tuple[Channel, ...]:
    dtype = np.dtype(source.image.dtype)
    white = float(np.iinfo(dtype).max) if dtype.kind in "iu" else 1.0
    return tuple(Channel(name, colour, (0.0, white)) for name, colour in OF_RGB[:count])


def _shown(
    channel: Channel, index: int, count: int, limits: Callable[[int], tuple[float, float]]
) -> dict[str, Any]:
    low, high = limits(index) if channel.limits is None else channel.limits
    colour = "FFFFFF" if count == 1 else _COLOURS[index % len(_COLOURS)]
    shown: dict[str, Any] = {
        "color": channel.colour or colour,
        "active": True,
        "window": {"start": low, "end": high, "min": low, "max": high},
    }
    return shown | ({"label": readable_name(channel.name)} if channel.name else {})
