"""The image that a run works on: a file, read the way the options say."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_diffusion.core.grid import Grid, GridOptions
from napari_diffusion.core.image import Image, computing_type, is_dask
from napari_diffusion.io import read_image
from napari_diffusion.loop.presets import pixel_size
from napari_diffusion.loop.recipe_units import LengthUnit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np

    from napari_diffusion.io import Source
    from napari_diffusion.io.file_image import Stored


class ReadingRefused(ValueError):  # noqa: N818 - it describes the options
    """Options of reading that do not fit the image."""


@dataclass(frozen=True)
class Reading:
    """How a file is read: what it does not say itself, or says wrong.

    Attributes
    ----------
    axes : str or None
        One letter of "tczyx" per axis; None: as the file says.
    spacing : float, sequence of float or None
        Pixel size in world units, one number or one per axis of `along`; None: as the file says.
    along : str or None
        The axes that filters act along; None: all spatial ones.
    rgb : bool or None
        Whether axis c holds RGB colours; None: as the file says.
    joint_channels : bool
        Whether the channels share one edge map.
    mask : path or None
        A mask of the image's size; pixels where it is 0 stay unchanged.
    missing : {"refuse", "ignore"}
        Reject NaN and infinite pixels, or treat them as missing.
    """

    axes: str | None = None
    spacing: float | Sequence[float] | None = None
    along: str | None = None
    rgb: bool | None = None
    joint_channels: bool = True
    mask: Path | None = None
    missing: str = "refuse"


@dataclass(frozen=True, eq=False)
class RunInput:
    """The image that a run works on.

    Attributes
    ----------
    source : Source
        The file, with the axes and pixel sizes to write.
    options : dict
        The grid keywords of the loop.
    path : path or None
        Of the file; None for an image that is in none.
    stored_mask : Stored or None
        What a lazy mask is read from.
    """

    source: Source
    options: GridOptions
    path: Path | None = None
    stored_mask: Stored | None = None

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
        """Return the type to write for "source" or "float"."""
        native = self.source.image.dtype.newbyteorder("=")
        return native if asked == "source" else self.computing_type


def read_input(path: Path, reading: Reading, *, lazy: bool | None = None) -> RunInput:
    """Read an image and the mask; large ones stay in their files.

    Raises
    ------
    ReadingRefused
        If the options do not fit the image.
    """
    source, options = read_as(read_image(path, lazy=lazy), reading)
    lazy = True if is_dask(source.image) else lazy
    mask, stored = None, None
    if reading.mask is not None:
        file = read_image(reading.mask, lazy=lazy)
        mask, stored = file.image, file.stored
    if source.valid is not None:
        mask, stored = _without_no_data(source, mask), None
    return RunInput(source, {**options, "mask": mask, "missing": reading.missing}, path, stored)


def read_as(source: Source, reading: Reading) -> tuple[Source, GridOptions]:
    """Return the source as the options want it read, and the grid keywords of the loop."""
    axes, rgb = reading.axes or source.axes, reading.rgb
    if rgb is None:
        rgb = source.rgb and "c" in (axes or "")
    if axes is None and source.record and len(source.record.get("steps", ())) > 1:
        raise ReadingRefused(
            f"{source.name!r} holds the steps of a run: to read them as frames, name the axes, "
            f"such as axes=t{source.letters[1:].replace('S', 'C').lower()}."
        )
    lengths = dict(source.lengths)
    try:
        grid = Grid.of(
            source.image.shape,
            axes=axes,
            spacing=1.0 if reading.spacing is None else reading.spacing,
            along=reading.along,
            joint_channels=reading.joint_channels,
            rgb=rgb,
        )
    except (ValueError, TypeError) as error:
        raise ReadingRefused(str(error)) from error
    if reading.spacing is not None:
        lengths.update(zip(grid.along, grid.spacing, strict=True))
        source = source.replaced(resolution=None)
    source = source.replaced(axes=grid.axes, rgb=rgb, lengths=lengths)
    return source, {
        "axes": grid.axes,
        "spacing": source.spacing_along(grid.along),
        "along": grid.along,
        "joint_channels": grid.joint_channels,
        "rgb": rgb,
    }


def _without_no_data(source: Source, mask: Any) -> Any:
    """Return a mask, or none, with the pixels left out that the file marks as no data."""
    axes = source.axes or ""
    valid: Any = source.valid
    if source.rgb:
        valid = valid.all(axis=axes.index("c"))
        axes = axes.replace("c", "")
    if mask is None:
        return valid
    sizes = dict(zip(axes, valid.shape, strict=True))
    for left_out in ("", "c", "t", "tc"):
        kept = [axis for axis in axes if axis not in left_out]
        if tuple(mask.shape) == tuple(sizes[axis] for axis in kept):
            index = tuple(slice(None) if axis in kept else None for axis in axes)
            return (mask != 0)[index] & valid
    return mask  # the engine says that it does not fit
