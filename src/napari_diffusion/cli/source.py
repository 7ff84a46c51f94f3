"""INPUT, read the way the command line says."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.cli.errors import UsageError
from napari_diffusion.core.grid import Grid, GridOptions
from napari_diffusion.core.image import Image, computing_type, is_dask
from napari_diffusion.io import memory, read_image
from napari_diffusion.loop.presets import pixel_size
from napari_diffusion.loop.recipe_units import LengthUnit

if TYPE_CHECKING:
    from argparse import Namespace

    from napari_diffusion.io import Source


@dataclass(frozen=True, eq=False)
class Input:
    """The image that a command works on.

    Attributes
    ----------
    source : Source
        INPUT, with the axes and pixel sizes to write.
    options : dict
        The grid keywords of the loop.
    """

    source: Source
    options: GridOptions

    @functools.cached_property
    def image(self) -> Image:
        """The image, checked and in canonical order."""
        return Image.of(self.source.image, **self.options)

    @property
    def pixel_size(self) -> float:
        """The pixel size that presets and defaults are scaled to."""
        return pixel_size(self.source.spacing_along(self.options["along"] or ""))

    @property
    def length_unit(self) -> LengthUnit:
        """What pixel sizes, and the lengths of a recipe, are measured in."""
        return LengthUnit(self.source.unit, self.pixel_size)

    @property
    def computing_type(self) -> np.dtype[np.floating[Any]]:
        """The type that results have before they are cast."""
        return computing_type(self.source.image.dtype)

    def written_type(self, asked: str) -> np.dtype[np.generic]:
        """Return the type to write for ``--dtype``."""
        native = self.source.image.dtype.newbyteorder("=")
        return native if asked == "source" else self.computing_type


def read_input(arguments: Namespace) -> Input:
    """Read INPUT and the mask; refuse what the options do not fit, or the memory cannot hold."""
    source, options = read_as(read_image(arguments.input), arguments)
    _check_memory(source)
    mask = None if arguments.mask is None else read_image(arguments.mask).image
    if source.valid is not None:
        mask = _without_no_data(source, mask)
    return Input(source, {**options, "mask": mask, "missing": arguments.missing})


def _without_no_data(source: Source, mask: Any) -> Any:
    """Return a mask, or none, with the pixels left out that the file marks as no data."""
    axes, valid = source.axes or "", np.asarray(source.valid)
    if source.rgb:
        valid = np.asarray(valid.all(axis=axes.index("c")))
        axes = axes.replace("c", "")
    if mask is None:
        return valid
    sizes = dict(zip(axes, valid.shape, strict=True))
    for left_out in ("", "c", "t", "tc"):
        kept = [axis for axis in axes if axis not in left_out]
        if np.shape(mask) == tuple(sizes[axis] for axis in kept):
            index = tuple(slice(None) if axis in kept else None for axis in axes)
            return (np.asarray(mask) != 0)[index] & valid
    return mask  # the engine says that it does not fit


def read_as(source: Source, arguments: Namespace) -> tuple[Source, GridOptions]:
    """Return the source as the command line wants it read, and the grid options of the loop."""
    axes = arguments.axes or source.axes
    rgb = arguments.rgb
    if rgb is None:
        rgb = source.rgb and "c" in (axes or "")
    if axes is None and source.record and len(source.record.get("steps", ())) > 1:
        raise UsageError(
            f"{source.name!r} holds the steps of a run: to read them as frames, name the axes, "
            f"such as --axes t{source.letters[1:].replace('S', 'C').lower()}."
        )
    lengths = dict(source.lengths)
    try:
        grid = Grid.of(
            source.image.shape,
            axes=axes,
            spacing=1.0 if arguments.spacing is None else arguments.spacing,
            along=arguments.along,
            joint_channels=arguments.joint_channels,
            rgb=rgb,
        )
        if arguments.spacing is not None:
            lengths.update(zip(grid.along, grid.spacing, strict=True))
            source = source.replaced(resolution=None)
    except (ValueError, TypeError) as error:
        raise UsageError(str(error)) from error
    source = source.replaced(axes=grid.axes, rgb=rgb, lengths=lengths)
    return source, {
        "axes": grid.axes,
        "spacing": source.spacing_along(grid.along),
        "along": grid.along,
        "joint_channels": grid.joint_channels,
        "rgb": rgb,
    }


def _check_memory(source: Source) -> None:
    if is_dask(source.image):
        return
    needed = memory.working_memory(source.image.shape, source.image.dtype)
    free = memory.free_memory()
    if needed > free:
        raise MemoryError(
            f"A run on {source.name!r} needs {memory.written_bytes(needed)} of memory, and "
            f"{memory.written_bytes(free)} are free: save it as OME-Zarr, which is read in parts."
        )
