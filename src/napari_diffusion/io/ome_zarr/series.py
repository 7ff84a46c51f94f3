"""Lists the images of an OME-Zarr collection, as its readers look for them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from napari_diffusion.core.units import METRES, SYMBOLS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np

    from napari_diffusion.io.file_image import Source

_OME = "http://www.openmicroscopy.org/Schemas/OME/2016-06"

# OME's names of types; it has none for integers of 64 bits.
_TYPES = {"bool": "bit", "float32": "float", "float64": "double"}
_SAME = ("int8", "int16", "int32", "uint8", "uint16", "uint32")


def write_series(store: Path, images: Sequence[str], source: Source, dtype: np.dtype[Any]) -> None:
    """List images in the group ``OME``: as ``series``, and in METADATA.ome.xml.

    Parameters
    ----------
    store : path
        The collection.
    images : sequence of str
        Their paths in it.
    source : Source
        Shape, axes and pixel sizes of each.
    dtype : dtype
        Type of their values.
    """
    from yaozarrs import v05

    listed = {"ome": v05.Series(series=list(images)).model_dump(mode="json")}
    set_attributes(store / "OME", listed)
    root = ElementTree.Element("OME", {"xmlns": _OME, "Creator": "napari-diffusion"})
    for index, image in enumerate(images):
        # napari-ome-zarr finds the image by its ID.
        element = ElementTree.SubElement(root, "Image", {"ID": f"Image:{image}", "Name": image})
        _add_pixels(element, index, source, dtype)
    aside = store / "OME" / ".METADATA.ome.xml"
    aside.write_bytes(ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True))
    os.replace(aside, aside.with_name("METADATA.ome.xml"))


def set_attributes(path: Path, attributes: dict[str, Any]) -> None:
    """Set attributes of a group, which is made if it is not there."""
    import zarr

    if path.exists():
        zarr.open_group(str(path), mode="r+").attrs.update(attributes)
    else:
        zarr.create_group(str(path), zarr_format=3, attributes=attributes)


def _add_pixels(
    image: ElementTree.Element, index: int, source: Source, dtype: np.dtype[Any]
) -> None:
    sizes = dict(zip(source.axes or "", source.image.shape, strict=True))
    kind = dtype.name if dtype.name in _SAME else _TYPES.get(dtype.name, "double")
    said = {"ID": f"Pixels:{index}", "DimensionOrder": "XYZCT", "Type": kind}
    said |= {f"Size{axis.upper()}": str(sizes.get(axis, 1)) for axis in "xyzct"}
    for axis in "xyz":
        if source.unit in METRES and axis in source.lengths:
            said[f"PhysicalSize{axis.upper()}"] = repr(float(source.lengths[axis]))
            said[f"PhysicalSize{axis.upper()}Unit"] = SYMBOLS[source.unit]
    pixels = ElementTree.SubElement(image, "Pixels", said)
    for channel in range(sizes.get("c", 1)):
        entry = {"ID": f"Channel:{index}:{channel}", "SamplesPerPixel": "1"}
        ElementTree.SubElement(pixels, "Channel", entry)
    ElementTree.SubElement(pixels, "MetadataOnly")
