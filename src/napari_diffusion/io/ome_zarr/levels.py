"""The coarser levels of an image that a store holds in several resolutions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_diffusion.io.file_image import NotReadable
from napari_diffusion.io.ome_zarr.attributes import dictionary, entries
from napari_diffusion.io.ome_zarr.chunks import StoredValues
from napari_diffusion.io.ome_zarr.store import check_array, opened, opened_array

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_diffusion.io.file_image import Source


def coarser_levels(path: Path, source: Source) -> list[NDArray[Any]]:
    """Return the levels after the first as dask arrays; none where there is one resolution.

    Parameters
    ----------
    path : path
        Of an OME-Zarr image, or of any other file, which has no levels.
    source : Source
        What was read of it.
    """
    if not path.is_dir() or source.axes is None:
        return []
    attributes = dict(opened(path).attrs)
    metadata = dictionary(attributes.get("ome", attributes))
    images = [dictionary(each) for each in entries(metadata.get("multiscales"))]
    found: list[NDArray[Any]] = []
    shape = source.image.shape
    for dataset in entries(images[0].get("datasets"))[1:] if images else ():
        try:
            array, folder = opened_array(path, dictionary(dataset).get("path"))
            check_array(array, folder)
        except NotReadable:
            break  # the finest level is the image, the others only show it sooner
        coarser = array.ndim == len(shape) and all(
            here <= before for here, before in zip(array.shape, shape, strict=True)
        )
        if not coarser or array.dtype != source.image.dtype:
            break
        shape = array.shape
        found.append(StoredValues(array, folder).lazy())
    return found
