"""Writes images as ImageJ and Fiji have them: a hyperstack with its pixel sizes in one TIFF."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.units import METRES, PIXEL, SECONDS, SYMBOLS
from napari_diffusion.io.layout import Layout
from napari_diffusion.io.record_reader import write_record
from napari_diffusion.io.tiff.writer import TiffWriter, ratio

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import DTypeLike

    from napari_diffusion.io.file_image import Resolution, Source
    from napari_diffusion.io.step_record import StepRecord

_TYPES = ("uint8", "uint16", "float32")

_MOST_BYTES = 2**32 - 2**25


class ImageJWriter(TiffWriter):
    """One hyperstack, the steps being its frames, with the record in a file beside it.

    Raises
    ------
    TypeError
        For types of pixels that ImageJ does not have.
    ValueError
        For what no hyperstack holds: steps of a time series, alpha, more than 4 GB.
    """

    def __init__(
        self,
        path: Path,
        source: Source,
        dtype: DTypeLike,
        count: int,
        whole: Sequence[StepRecord] = (),
        *,
        durable: bool = False,
    ) -> None:
        axes, size = source.axes or "", math.prod(source.image.shape) * np.dtype(dtype).itemsize
        if count > 1 and "t" in axes:
            raise ValueError(
                f"ImageJ has no axis for the {count} steps of a time series: keep one step, or "
                "write .ome.zarr."
            )
        if source.rgb and (np.dtype(dtype) != np.uint8 or source.image.shape[axes.index("c")] != 3):
            raise ValueError("ImageJ has RGB colours of 8 bits without alpha only: write .ome.tif.")
        if count * size > _MOST_BYTES:
            raise ValueError(
                f"ImageJ reads hyperstacks of at most 4 GB (got {count * size} bytes): write "
                ".ome.zarr."
            )
        super().__init__(path, source, dtype, count, whole, durable=durable)

    def finish(self, record: StepRecord) -> None:
        """Close the file, and write ImageJ's description and the record beside it."""
        super().finish(record)
        write_record(self._path, record)

    def _layout_of(self, source: Source) -> Layout:
        given = source.axes or ""
        if source.rgb:
            return Layout(given, "".join(a for a in "tz" if a in given) + "yxc")
        return Layout(given, "".join(a for a in "tzc" if a in given) + "yx")

    def _checked(self, dtype: DTypeLike) -> np.dtype[Any]:
        found = np.dtype(dtype)
        if found.name not in _TYPES:
            raise TypeError(
                f"ImageJ does not support {found}, only {', '.join(_TYPES)}: write .ome.tif."
            )
        return found

    @property
    def _lengths(self) -> Mapping[str, float]:
        """Pixel sizes that ImageJ has a unit for, which may be pixels."""
        source = self._source
        known = source.unit in METRES or source.unit == PIXEL
        return source.lengths if known and {"x", "y"} <= set(source.lengths) else {}

    def _resolution(self) -> Resolution:
        """Return pixels per unit, as ImageJ reads them."""
        lengths = self._lengths
        if not lengths:
            return (1, 1), (1, 1), 1
        return ratio(1 / lengths["x"]), ratio(1 / lengths["y"]), 1

    def _description(self, record: StepRecord) -> str:
        """Return ImageJ's description."""
        import tifffile

        del record
        source, axes, shape = self._source, self._layout.axes.upper(), self._shape
        if axes.endswith("C"):
            axes = axes[:-1] + "S"
        if self._count > 1:
            axes, shape = "T" + axes, (self._count, *shape)
        said: dict[str, Any] = {}
        if self._lengths:
            said = {"unit": SYMBOLS.get(source.unit, PIXEL).replace("µ", "u")}
            said |= {"spacing": source.lengths["z"]} if "z" in source.lengths else {}
            # ImageJ says which pixel lies at 0.
            said |= {
                f"{axis}origin": -place / source.lengths[axis]
                for axis, place in source.place.items()
                if axis in "zyx" and axis in source.lengths
            }
        if "t" in source.lengths and source.time_unit in SECONDS:
            said["finterval"] = source.lengths["t"] * SECONDS[source.time_unit]
        return str(tifffile.imagej_description(shape, axes=axes, rgb=source.rgb, **said))
