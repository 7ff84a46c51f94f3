"""Reads what the plugins of bioio read: the files of microscopes."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_diffusion.core.units import FRAME
from napari_diffusion.io.file_image import Channel, NotReadable, Source
from napari_diffusion.io.memory import fits
from napari_diffusion.io.physical_size import frame_interval, pixel_sizes, warn

if TYPE_CHECKING:
    from pathlib import Path

    from bioio import BioImage
    from numpy.typing import NDArray

    from napari_diffusion.io.physical_size import Quantity

# The plugins by the ending that they read; bioio-bioformats reads the others, with Java.
_PLUGINS = {
    ".czi": "bioio-czi",
    ".nd2": "bioio-nd2",
    ".lif": "bioio-lif",
    ".dv": "bioio-dv",
    ".sldy": "bioio-sldy",
    ".lsm": "bioio-tifffile",
}
_ANY = "bioio-bioformats"

# What bioio calls channels without a name.
_UNNAMED = re.compile(r"Channel:\d+(:\d+)?")

_RGB = (3, 4)


def read_bioio(path: Path, lazy: bool | None = None) -> Source:
    """Read the first scene; axes of one plane are left out."""
    with warnings.catch_warnings():
        # Of the libraries of the plugins.
        warnings.simplefilter("ignore")
        image = _opened(path)
        order, scenes = str(image.dims.order), len(image.scenes)
        sizes = dict(zip(order, image.shape, strict=True))
        kept = "".join(a for a in "TCZYX" if sizes.get(a, 1) > 1 or a in "YX")
        rgb = sizes.get("S", 1) > 1
        _check(path, kept, sizes.get("S", 1), _further(image))
        values = _values(image, kept + "S" * rgb, lazy)
        said = _Said.of(image)
    if scenes > 1:
        warn(path.name, f"holds {scenes} scenes: the first one is read.")
    axes = kept.lower()
    lengths, unit = pixel_sizes(path.name, {a: said.lengths[a] for a in "zyx" if a in axes})
    interval, time_unit = frame_interval(path.name, *said.interval) if "t" in axes else ({}, FRAME)
    return Source(
        name=path.name,
        image=values,
        axes=axes + "c" * rgb,
        letters=order,
        lengths=lengths | interval,
        unit=unit,
        time_unit=time_unit,
        rgb=rgb,
        channels=said.channels if "c" in axes else (),
    )


@dataclass(frozen=True)
class _Said:
    """What a file says of pixel sizes, frame interval and channels."""

    lengths: dict[str, Quantity]
    interval: Quantity
    channels: tuple[Channel, ...]

    @classmethod
    def of(cls, image: BioImage) -> _Said:
        units = {axis: _unit(image, axis) for axis in "tzyx"}
        sizes, interval = image.physical_pixel_sizes, image.time_interval
        lengths: dict[str, Quantity] = {
            # Plugins that say no unit have micrometres.
            axis: (getattr(sizes, axis.upper()), units[axis] or "micrometer")
            for axis in "zyx"
        }
        time: Quantity = (interval, units["t"])
        if interval is not None and hasattr(interval, "total_seconds"):
            time = (interval.total_seconds(), "second")
        names = [str(name) for name in image.channel_names or ()]
        named = not all(map(_UNNAMED.fullmatch, names))
        return cls(lengths, time, tuple(map(Channel, names)) if named else ())


def _unit(image: BioImage, axis: str) -> str:
    properties = getattr(image, "dimension_properties", None)
    unit = getattr(getattr(properties, axis.upper(), None), "unit", None)
    return "" if unit is None else str(unit)


def _opened(path: Path) -> BioImage:
    from bioio import BioImage
    from bioio.plugins import get_plugins
    from bioio_base.exceptions import UnsupportedFileFormatError

    try:
        return BioImage(path)
    except UnsupportedFileFormatError:
        pass
    ending = path.suffix.lower()
    if ending in get_plugins(use_cache=False):
        raise NotReadable(f"{str(path)!r} is no readable {ending[1:].upper()} file, or is broken.")
    needed = _PLUGINS.get(ending, f"{_ANY} (and Java)")
    raise NotReadable(f"{str(path)!r} needs another plugin of bioio: pip install {needed}.")


def _further(image: BioImage) -> dict[str, int]:
    """Return the sizes of the axes that are not among t, c, z, y and x."""
    dims = image.reader.dims
    every = zip(dims.order, dims.shape, strict=True)
    left = {axis: size for axis, size in every if axis not in "TCZYXS" and size > 1}
    # What bioio has stitched together is one image.
    return {axis: size for axis, size in left.items() if axis != "M" or "M" in image.dims.order}


def _check(path: Path, kept: str, samples: int, further: dict[str, int]) -> None:
    if further:
        said = ", ".join(f"{axis} ({size})" for axis, size in further.items())
        raise NotReadable(
            f"{str(path)!r} has axes beside t, c, z, y and x, {said}: save their images one by one."
        )
    if samples > 1 and ("C" in kept or samples not in _RGB):
        raise NotReadable(
            f"{str(path)!r} holds {samples} colours in each of several channels: save them one by "
            "one."
        )


def _values(image: BioImage, order: str, lazy: bool | None) -> NDArray[Any]:
    if lazy is None:
        lazy = not fits(image.shape, image.dtype)
    held: Any = image.get_image_dask_data(order) if lazy else image.get_image_data(order)
    return held.astype(held.dtype.newbyteorder("="), copy=False)
