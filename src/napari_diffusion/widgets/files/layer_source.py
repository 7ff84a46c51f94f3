"""The one conversion between a layer and a file: pixel sizes, units, place, channels, colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.units import FRAME, METRES, PIXEL, SECONDS, unit_name
from napari_diffusion.io.file_image import Channel, Source
from napari_diffusion.io.physical_size import frame_interval, pixel_sizes, places, warn
from napari_diffusion.widgets.layers.layer_axes import Fold

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.widgets.layers.layer_style import LayerStyle, Placement


def layer_source(image: NDArray[Any], letters: str, style: LayerStyle, name: str) -> Source:
    """Return a layer as a file says it.

    Parameters
    ----------
    image : array
        The values of the layer, numpy or dask.
    letters : str
        One letter of "tczyx?" per axis of the array; further axes are folded into t.
    style : LayerStyle
        Where the layer lies and what it looks like. Along mirrored axes the values are turned
        round, so that they lie in the world where they lay. What is rotated or sheared is written
        along the axes of its pixels, which is warned of.
    name : str
        Of the layer.
    """
    colours = bool(style.shown["rgb"])
    placed = [axis for axis in letters if not (colours and axis == "c")]
    linear, units = _world(style.placed), style.placed["units"]
    sizes = np.linalg.norm(linear[:-1, :-1], axis=0)
    if _is_turned(linear[:-1, :-1]):
        warn(name, "is rotated or sheared: it is written along the axes of its pixels.")
    mirrored = _mirrored(linear)
    corner = np.zeros(len(placed))
    corner[mirrored] = [image.shape[k] - 1 for k in mirrored]
    first = linear[:-1, :-1] @ corner + linear[:-1, -1]
    said = {a: (float(n), u) for a, n, u in zip(placed, sizes, units, strict=True)}
    spatial = {a: each for a, each in said.items() if a in "xyz" and each != (1.0, PIXEL)}
    lengths, unit = pixel_sizes(name, dict(sorted(spatial.items())))
    interval: dict[str, float] = {}
    time_unit = FRAME
    if said.get("t", (1.0, PIXEL)) != (1.0, PIXEL):
        interval, time_unit = frame_interval(name, *said["t"])
    where = zip(placed, first, units, strict=True)
    lies = {axis: (float(p), _unit(u, axis)) for axis, p, u in where if axis in "tzyx"}
    fold = Fold(letters, tuple(image.shape))
    return Source(
        name=name,
        image=file_values(image, letters, style),
        axes=fold.axes,
        lengths=lengths | ({} if fold.axes != letters else interval),
        place=places(name, lies, lengths, unit, time_unit),
        unit=unit,
        time_unit=time_unit,
        rgb=colours,
        channels=() if colours else _channels(fold, style, name),
    )


def file_values(image: NDArray[Any], letters: str, style: LayerStyle) -> NDArray[Any]:
    """Return the values of a layer as `layer_source` describes them: turned round, and folded."""
    mirrored = _mirrored(_world(style.placed))
    image = np.flip(image, tuple(mirrored)) if mirrored else image
    return Fold(letters, tuple(image.shape)).folded(image)


def is_mirrored(style: LayerStyle) -> bool:
    """Say whether a layer lies turned round along an axis."""
    return bool(_mirrored(_world(style.placed)))


def layer_arguments(source: Source, letters: str) -> dict[str, Any]:
    """Return the keyword arguments of a napari layer for what a file says.

    Parameters
    ----------
    source : Source
        From a file.
    letters : str
        One letter per axis of the layer's array.
    """
    axes = [axis for axis in letters if not (source.rgb and axis == "c")]
    found = {
        "rgb": source.rgb,
        "scale": [source.lengths.get(axis, 1.0) for axis in axes],
        "translate": [source.place.get(axis, 0.0) for axis in axes],
        "units": [_layer_unit(source, axis) for axis in axes],
        "axis_labels": list(axes),
    }
    return found


def channel_arguments(channel: Channel) -> dict[str, Any]:
    """Return the keyword arguments of a napari layer for what a file says of its channel."""
    found: dict[str, Any] = {}
    if channel.colour:
        found["colormap"] = f"#{channel.colour.lower()}"
        found["blending"] = "additive"
    if channel.limits is not None and channel.limits[0] < channel.limits[1]:
        found["contrast_limits"] = channel.limits
    return found


def _layer_unit(source: Source, axis: str) -> str:
    unit = source.time_unit if axis == "t" else source.unit
    known = axis in source.lengths and (unit in SECONDS or unit in METRES)
    return unit if known else PIXEL


def _unit(unit: Any, axis: str) -> str:
    name = unit_name(str(unit))
    return FRAME if axis == "t" and name == PIXEL else name


def _world(placed: Placement) -> NDArray[np.float64]:
    """Return the matrix from pixels to the world, the last column being the place."""
    from napari.utils.transforms import Affine

    own = {name: placed[name] for name in ("scale", "translate", "rotate", "shear")}
    return np.asarray(placed["affine"] @ Affine(**own).affine_matrix)


def _mirrored(world: NDArray[np.float64]) -> list[int]:
    return [k for k in range(len(world) - 1) if world[k, k] < 0]


def _is_turned(linear: NDArray[np.float64]) -> bool:
    beside = np.abs(linear - np.diag(np.diag(linear)))
    return bool(beside.max(initial=0.0) > 1e-6 * np.abs(linear).max(initial=0.0))


def _channels(fold: Fold, style: LayerStyle, name: str) -> tuple[Channel, ...]:
    """Return how the only channel of a layer is shown; those along an axis have no names."""
    if "c" in fold.axes:
        return ()
    limits = style.shown.get("contrast_limits")
    colour = _colour(style.shown["colormap"])
    return (Channel(name, colour, None if limits is None else (limits[0], limits[1])),)


def _colour(colormap: Any) -> str:
    """Return the colour that a colormap comes to from black; "" if it does so by others."""
    first, middle, last = np.asarray(colormap.map([0.0, 0.5, 1.0]))[:, :3]
    if np.abs(first).max() > 0.02 or np.abs(middle - last / 2).max() > 0.05:
        return ""
    return "".join(f"{round(255 * float(value)):02X}" for value in last)
