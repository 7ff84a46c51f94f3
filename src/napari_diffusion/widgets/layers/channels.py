"""Several layers as the channels of one image."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_diffusion.core.image import is_dask
from napari_diffusion.loop.step import Step
from napari_diffusion.widgets.layers.layer_axes import axes_of
from napari_diffusion.widgets.layers.layer_values import values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Image
    from numpy.typing import DTypeLike

    from napari_diffusion.io.step_record import StepRecord
    from napari_diffusion.widgets.layers.step_layers import LayerSink


@dataclass(frozen=True, eq=False)
class Channels:
    """Arrays of one shape as one array with a leading axis c, joined when it is read.

    Attributes
    ----------
    parts : tuple of array
        One for each channel.
    """

    parts: tuple[NDArray[Any], ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Extent, channels first."""
        return (len(self.parts), *self.parts[0].shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type that holds the values of all channels."""
        return np.result_type(*(part.dtype for part in self.parts))

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        """Return the joined array, which is always a new one."""
        del copy
        return np.stack([np.asarray(part) for part in self.parts]).astype(
            dtype or self.dtype, copy=False
        )


#: The values of a source: an array of numpy or dask, or those of its channels.
SourceArray = NDArray[Any] | Channels


def joined(parts: Sequence[NDArray[Any]]) -> SourceArray:
    """Return one array of all channels: a lazy one where a channel is lazy."""
    if len(parts) == 1:
        return parts[0]
    if not any(is_dask(part) for part in parts):
        return Channels(tuple(parts))
    import dask.array as da

    return da.stack([da.asarray(part) for part in parts])


def mismatch(layers: Sequence[Image]) -> str:
    """Say in one sentence why layers cannot be channels of one image; nothing if they can."""
    first = layers[0]
    for layer in layers:
        if layer.rgb:
            return (
                f"{layer.name!r} is an RGB image: split its channels to combine them with others."
            )
        if "c" in axes_of(layer):
            return (
                f"{layer.name!r} already has a channel axis, so it cannot be one of several "
                "channels."
            )
        if values(layer).shape != values(first).shape:
            one, other = (
                f"{each.name!r} is {sizes(values(each).shape)}" for each in (first, layer)
            )
            return f"{one}, and {other}: they cannot be channels of one image."
        if not _same_place(first, layer):
            return (
                f"{first.name!r} and {layer.name!r} differ in scale, units or place: they cannot "
                "be channels of one image."
            )
    return ""


def sizes(shape: Sequence[int]) -> str:
    """Return a shape as people read it."""
    return " × ".join(str(size) for size in shape)


def _same_place(one: Image, other: Image) -> bool:
    corners = [np.zeros(one.ndim), *np.diag(np.array(values(one).shape, float))]
    pixel = np.abs(one.scale).min()
    apart = [np.subtract(one.data_to_world(at), other.data_to_world(at)) for at in corners]
    return one.units == other.units and bool(np.abs(apart).max() < 0.01 * pixel)


class ChannelsLayerSink:
    """Hands the channels of every step to layer sinks of their own.

    Parameters
    ----------
    layer_sinks : sequence of LayerSink
        One for each channel.
    """

    def __init__(self, layer_sinks: Sequence[LayerSink]) -> None:
        self._layer_sinks = list(layer_sinks)
        self._kept: deque[list[Step]] = deque()

    @property
    def mask(self) -> NDArray[np.bool_] | None:
        """The mask of the run, which all channels share."""
        return self._layer_sinks[0].mask

    @mask.setter
    def mask(self, mask: NDArray[np.bool_] | None) -> None:
        for layer_sink in self._layer_sinks:
            layer_sink.mask = mask

    @property
    def in_turn(self) -> bool:
        """Whether one of the layer sinks must show a step before the next one is made."""
        return any(layer_sink.in_turn for layer_sink in self._layer_sinks)

    def keep(self, step: Step) -> Step:
        """Put the channels of a step away, each an array of its own."""
        image: NDArray[Any] = step.image
        parts = [
            Step(step.index, step.noise_scale, _own(image[channel]), step.is_final)
            for channel in range(len(self._layer_sinks))
        ]
        self._kept.append([o.keep(part) for o, part in zip(self._layer_sinks, parts, strict=True)])
        return step

    def show(self, step: Step, record: StepRecord) -> None:
        """Show the channels of the step that has been waiting for longest."""
        del step
        parts = self._kept.popleft()
        for channel, (layer_sink, part) in enumerate(zip(self._layer_sinks, parts, strict=True)):
            layer_sink.show(part, {**record, "channel": channel})

    def finish(self) -> None:
        """Show what is still to be shown."""
        for layer_sink in self._layer_sinks:
            layer_sink.finish()


def _own(part: NDArray[Any]) -> NDArray[Any]:
    # A view would keep the other channels in memory after their layers are deleted.
    return part if is_dask(part) else np.array(part)
