"""A source as it was chosen: its data, how it is read, and the part of it that is wanted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from napari_diffusion.core.image import is_dask
from napari_diffusion.core.units import unit_name
from napari_diffusion.io.cast import Cast
from napari_diffusion.io.step_record import as_record
from napari_diffusion.widgets.layers.channels import joined, mismatch, sizes
from napari_diffusion.widgets.layers.layer_axes import FURTHER, Fold, unit_of
from napari_diffusion.widgets.layers.layer_style import LayerStyle
from napari_diffusion.widgets.layers.layer_values import values
from napari_diffusion.widgets.layers.step_records import KEY, records_of
from napari_diffusion.widgets.run.memory_check import need_of
from napari_diffusion.widgets.run.run_request import Job

if TYPE_CHECKING:
    from collections.abc import Sequence

    import napari
    from napari.layers import Image

    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.widgets.layers.mask import Mask
    from napari_diffusion.widgets.layers.step_records import Entries, GridKeywords
    from napari_diffusion.widgets.source.axes_form import Reading

Region = tuple[slice, ...]


@dataclass(frozen=True, eq=False)
class RunSource:
    """Everything about a source that a run needs.

    Attributes
    ----------
    layers : tuple of Image
        The layer; several are the channels of one image.
    data : array
        Its values, at the highest resolution; of several layers with a leading axis c.
    fold : Fold
        How its axes become the loop's.
    options : dict
        The grid keywords of the loop.
    region : tuple of slice or None
        One slice per axis of `data`; None is the whole.
    mask : Mask or None
        Where the image may change.
    """

    layers: tuple[Image, ...]
    data: Any
    fold: Fold
    options: GridKeywords
    region: Region | None
    mask: Mask | None = None

    @classmethod
    def of(
        cls,
        layers: Sequence[Image],
        reading: Reading,
        viewer: napari.Viewer,
        mask: Mask | None = None,
    ) -> Self:
        """Read the layers; ValueError says in one sentence why they cannot be run on."""
        layer, many = layers[0], len(layers) > 1
        if many and (reason := mismatch(layers)):
            raise ValueError(reason)
        data = joined([values(each) for each in layers])
        shape = tuple(int(size) for size in data.shape)
        fold = Fold("c" * many + reading.axes, shape)
        extent = [shape[fold.letters.index(axis)] for axis in reading.along]
        if 0 in shape:
            raise ValueError(f"{layer.name!r} is empty: its shape is {sizes(shape)}.")
        if max(extent) < 2:
            raise ValueError(
                f"{layer.name!r} is too small: along {reading.along} it has "
                f"{sizes(extent)} pixels, and diffusion needs at least 2."
            )
        options: GridKeywords = {
            "axes": fold.axes,
            "spacing": reading.spacing,
            "along": reading.along,
            "joint_channels": reading.joint_channels,
            "rgb": bool(layer.rgb),
        }
        if reading.keep_holes:
            options["missing"] = "ignore"
        region = None
        if reading.region == "visible":
            region = visible_region(viewer, layer, reading.axes, shape[many:])
            region = (slice(0, len(layers)),) * many + region
        return cls(tuple(layers), data, fold, options, region, mask)

    @property
    def styles(self) -> list[LayerStyle]:
        """The style of the steps of each layer."""
        return [LayerStyle.of(layer).moved(self.start) for layer in self.layers]

    @property
    def name(self) -> str:
        """What the records call the source."""
        return " + ".join(layer.name for layer in self.layers)

    def job(self, recipe: Recipe, keep_every: int, free: int) -> Job:
        """Return the job of a run; a dask array that memory has no room for stays lazy."""
        job = Job(
            data=self.data,
            fold=self.fold,
            options=self.options,
            recipe=recipe,
            source_name=self.name,
            region=self.region,
            keep_every=keep_every,
            cast=self.cast,
            masks=() if self.mask is None else (self.mask.of_run(recipe.measurement is not None),),
            more=self._more(),
        )
        large = is_dask(self.data) and need_of(job, "layers").memory > free
        return replace(job, lazy=True) if large else job

    def _more(self) -> Entries:
        """Return what the records hold besides the recipe and the grid."""
        letters = self.fold.letters[len(self.layers) > 1 :]
        unit = unit_of(self.layers[0], letters, self.options["along"])
        more: Entries = {"unit": unit_name(unit)}
        if FURTHER in self.fold.letters:
            more["layer_axes"] = self.fold.letters
        if self.region is not None:
            more["region"] = [
                part.indices(n)[:2] for part, n in zip(self.region, self.fold.shape, strict=True)
            ]
            more["source_shape"] = self.fold.shape
        if self.cast is not None:
            more["cast"] = self.cast.record()
        if len(self.layers) > 1:
            more["layers"] = [layer.name for layer in self.layers]
        if words := processed(self.layers):
            more["source_processed"] = words
        return more

    @property
    def cast(self) -> Cast | None:
        """The cast back to the layer's type: for colours, whose limits napari does not scale."""
        return Cast.to_colours(self.data) if self.options["rgb"] else None

    @property
    def start(self) -> tuple[int, ...]:
        """Where a step begins in a layer, per axis of the layer."""
        ndim, many = self.layers[0].ndim, len(self.layers) > 1
        if self.region is None:
            return (0,) * ndim
        return tuple(int(part.start or 0) for part in self.region[many : many + ndim])


def processed(layers: Sequence[Image]) -> str:
    """Return what was done to layers before, in words; nothing where they are raw."""
    found = []
    for layer in layers:
        kept = as_record(layer.metadata.get(KEY))
        records = records_of(layer) or ([] if kept is None else [kept])
        found += [record["processed"] for record in records[-1:] if "processed" in record]
    return " ".join(dict.fromkeys(found))


def visible_region(
    viewer: napari.Viewer, layer: Image, axes: str, shape: tuple[int, ...]
) -> Region:
    """Return the part of a layer that the canvas shows, one slice per axis of its array.

    Along axes that have a slider it is the one position shown; channels are always taken
    together.
    """
    ndim = layer.ndim
    offset = viewer.dims.ndim - ndim
    displayed = [axis - offset for axis in viewer.dims.displayed if axis >= offset]
    here = np.round(layer.world_to_data(viewer.dims.point)).astype(int)
    factors = layer.downsample_factors[layer.data_level] if layer.multiscale else np.ones(ndim)
    low, high = (np.asarray(corner) * factors for corner in layer.corner_pixels)
    everything = [slice(0, size) for size in shape]
    part = list(everything)
    for axis in range(ndim):
        if axis not in displayed:
            part[axis] = slice(int(here[axis]), int(here[axis]) + 1)
        elif viewer.dims.ndisplay == 2:
            # The corners are pixels; the last one is shown as well.
            first, last = int(np.floor(low[axis])), int(np.ceil(high[axis]))
            part[axis] = slice(max(first, 0), min(last + 1, shape[axis]))
        if not 0 <= part[axis].start < min(part[axis].stop, shape[axis] + 1):
            raise ValueError(f"No part of {layer.name!r} is visible on the canvas.")
    if "c" in axes:
        part[axes.index("c")] = everything[axes.index("c")]
    folded = [axis for axis, letter in enumerate(axes) if letter in (FURTHER, "t")]
    if FURTHER in axes and any(part[axis].stop - part[axis].start > 1 for axis in folded):
        # Only one of the folded images, or all of them, are a region of the folded array.
        for axis in folded:
            part[axis] = everything[axis]
    return tuple(part)
