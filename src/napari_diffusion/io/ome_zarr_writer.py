"""Writes steps to an OME-Zarr 0.5: a group with one image per step, ``steps/0007``."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from napari_diffusion.core.units import FRAME, PIXEL
from napari_diffusion.io.layout import Layout
from napari_diffusion.io.ome_zarr_reader import KEY

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import DTypeLike, NDArray
    from yaozarrs import v05

    from napari_diffusion.io.file_image import Source
    from napari_diffusion.io.step_record import StepRecord

_COLOURS = ("red", "FF0000"), ("green", "00FF00"), ("blue", "0000FF"), ("alpha", "FFFFFF")


class ZarrWriter:
    """A group of OME-Zarr images, one per step, listed in order as a collection.

    OME-Zarr 0.5 has no step axis; it has collections of images.
    """

    separate = True

    def __init__(self, path: Path, source: Source, dtype: DTypeLike) -> None:
        import zarr

        del dtype
        self._path, self._source = path, source
        self._layout = Layout.of(source.axes or "")
        self._series: list[str] = []
        zarr.create_group(str(path), zarr_format=3)
        zarr.create_group(str(path / "steps"), zarr_format=3)

    def write(self, image: NDArray[Any], record: StepRecord) -> None:
        """Write a step as an image of its own."""
        from yaozarrs.write.v05 import write_image

        name = f"steps/{record['step']:04}"
        arranged = self._layout.arranged(image)
        try:
            write_image(
                self._path / name,
                self._metadata(record),
                arranged,
                writer="zarr",
                # Of a dask array no two chunks may meet in one of the file's.
                chunks=getattr(arranged, "chunksize", "auto"),
                extra_attributes={KEY: record},
            )
        except BaseException:
            shutil.rmtree(self._path / name, ignore_errors=True)
            raise
        self._series.append(name)

    def finish(self, record: StepRecord) -> None:
        """List the steps, and validate the OME-Zarr."""
        import zarr
        from yaozarrs import v05, validate_zarr_store

        whole = v05.Bf2Raw.model_validate({"bioformats2raw.layout": 3})
        attributes: dict[str, Any] = {
            "ome": whole.model_dump(mode="json", by_alias=True),
            KEY: record,
        }
        zarr.open_group(str(self._path), mode="r+").attrs.update(attributes)
        series = v05.Series(series=self._series).model_dump(mode="json")
        zarr.create_group(str(self._path / "OME"), zarr_format=3, attributes={"ome": series})
        validate_zarr_store(str(self._path))

    def close(self) -> None:
        """Do nothing: no file is open."""

    def _metadata(self, record: StepRecord) -> v05.Image:
        from yaozarrs import v05

        source, axes = self._source, self._layout.axes
        scale = [float(source.lengths.get(axis, 1.0)) for axis in axes]
        level = v05.Dataset(
            path="0", coordinateTransformations=[v05.ScaleTransformation(scale=scale)]
        )
        multiscale = v05.Multiscale(
            name=f"step {record['step']}",
            axes=[self._axis(axis) for axis in axes],
            datasets=[level],
        )
        return v05.Image(multiscales=[multiscale], omero=self._colours())

    def _axis(self, axis: str) -> v05.TimeAxis | v05.ChannelAxis | v05.SpaceAxis:
        from yaozarrs import v05

        source = self._source
        if axis == "t":
            return v05.TimeAxis(name="t", unit=_unit(source.time_unit, FRAME))
        if axis == "c":
            return v05.ChannelAxis(name="c")
        return v05.SpaceAxis(name=axis, unit=_unit(source.unit, PIXEL))

    def _colours(self) -> v05.Omero | None:
        """Return how a viewer shows the channels of a colour image; None for any other."""
        if not self._source.rgb:
            return None
        import numpy as np
        from yaozarrs import v05

        source = np.dtype(self._source.image.dtype)
        white = float(np.iinfo(source).max) if source.kind in "iu" else 1.0
        window = {"start": 0.0, "end": white, "min": 0.0, "max": white}
        count = self._source.image.shape[(self._source.axes or "").index("c")]
        return v05.Omero.model_validate(
            {
                "channels": [
                    {"label": label, "color": colour, "active": label != "alpha", "window": window}
                    for label, colour in _COLOURS[:count]
                ]
            }
        )


def _unit(unit: str, none: str) -> str | None:
    return None if unit == none else unit
