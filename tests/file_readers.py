"""Readers of files, ours and those of others, and what each of them tells."""

from __future__ import annotations

import json
import re
import warnings
from xml.etree import ElementTree

import numpy as np
from told_image import Told, signed_colour, told_by

from napari_diffusion.io import read_image


def with_ours(path):
    """Return what read_image tells."""
    return told_by(read_image(path))


def with_zarr(path):
    """Return what zarr tells, once yaozarrs has found the image valid."""
    import zarr
    from yaozarrs import validate_zarr_store

    validate_zarr_store(str(path))
    metadata = json.loads((path / "zarr.json").read_text())["attributes"]["ome"]
    (image,) = metadata["multiscales"]
    letters = ["q" if axis["name"] == "step" else axis["name"] for axis in image["axes"]]
    units = {axis: each.get("unit") for axis, each in zip(letters, image["axes"], strict=True)}
    finest = image["datasets"][0]
    scale, *moved = finest["coordinateTransformations"]
    channels = metadata.get("omero", {}).get("channels", [])
    return Told(
        zarr.open_array(path / finest["path"], mode="r")[...],
        "".join(letters),
        dict(zip(letters, scale["scale"], strict=True)),
        dict(zip(letters, moved[0]["translation"], strict=True)) if moved else {},
        units["x"],
        units.get("t"),
        [each.get("label") for each in channels],
        [each["color"] for each in channels],
    )


def with_tifffile(path):
    """Return what tifffile tells, and the OME-XML that it hands out."""
    import tifffile

    with tifffile.TiffFile(path) as file:
        (series,) = file.series
        values, axes = series.asarray(), series.axes
        rgb = series.keyframe.photometric.name == "RGB"
        xml = re.sub(' xmlns="[^"]+"', "", file.ome_metadata, count=1)
    pixels = ElementTree.fromstring(xml).find("Image/Pixels")
    plane, channels = pixels.find("Plane"), pixels.findall("Channel")
    sizes = {axis: pixels.get(f"PhysicalSize{axis.upper()}") for axis in "zyx"}
    places = {} if plane is None else {a: plane.get(f"Position{a.upper()}") for a in "zyx"}
    assert plane is None or plane.get("PositionXUnit") == pixels.get("PhysicalSizeXUnit")
    return Told(
        values,
        axes.lower().replace("s", "c"),
        sizes | {"t": pixels.get("TimeIncrement")},
        places,
        pixels.get("PhysicalSizeXUnit"),
        pixels.get("TimeIncrementUnit"),
        [each.get("Name") for each in channels],
        [signed_colour(each.get("Color", -1)) for each in channels],
        rgb,
    )


def with_bioio(path):
    """Return what bioio tells, once ome-types has found the OME-XML valid."""
    import bioio_ome_tiff
    from bioio import BioImage

    with warnings.catch_warnings():
        # Of ome-types about what bioio asks it.
        warnings.simplefilter("ignore")
        image = BioImage(path, reader=bioio_ome_tiff.Reader)
        (described,) = image.ome_metadata.images
    pixels = described.pixels
    plane = pixels.planes[0] if pixels.planes else None
    kept = [n for n, size in enumerate(image.shape) if size > 1]
    axes = "".join(image.dims.order[n] for n in kept).lower().replace("s", "c")
    # The steps of a run are times to bioio.
    stacked = "ModuloAlongT" in path.read_bytes().decode("latin-1")
    sizes = {axis: getattr(image.physical_pixel_sizes, axis.upper()) for axis in "zyx"}
    return Told(
        image.data.reshape([image.shape[n] for n in kept]),
        axes.replace("t", "q") if stacked else axes,
        sizes | {"t": pixels.time_increment},
        {} if plane is None else {axis: getattr(plane, f"position_{axis}") for axis in "zyx"},
        pixels.physical_size_x_unit.value,
        pixels.time_increment_unit.value,
        [str(name) for name in image.channel_names],
        [signed_colour(each.color.as_int32()) for each in pixels.channels],
        "S" in image.dims.order,
    )


def with_mrcfile(path):
    """Return what mrcfile tells, once it has found the file valid."""
    import mrcfile

    assert mrcfile.validate(path)
    with mrcfile.open(path) as file:
        kinds = {"yx": file.is_single_image(), "tyx": file.is_image_stack(),
                 "zyx": file.is_volume(), "tzyx": file.is_volume_stack()}  # fmt: skip
        (axes,) = (letters for letters, said in kinds.items() if said)
        sizes = {axis: file.voxel_size[axis] or None for axis in "zyx"}
        places = {axis: file.header.origin[axis] for axis in "zyx"}
        return Told(file.data.copy(), axes, sizes, places, "Å")


def with_nibabel(path):
    """Return what nibabel tells; axes of one plane are left out."""
    import nibabel

    image = nibabel.load(path)
    values = np.asarray(image.dataobj)
    letters = "xyztc"[: values.ndim]
    if values.dtype.names:
        values = values.view((np.uint8, len(values.dtype)))
        letters += "c"
    kept = [n for n, axis in enumerate(letters) if values.shape[n] > 1 or axis in "yx"]
    unit, time_unit = image.header.get_xyzt_units()
    return Told(
        values.squeeze(),
        "".join(letters[n] for n in kept),
        dict(zip("xyzt", image.header["pixdim"][1:5], strict=True)),
        dict(zip("xyz", image.affine[:3, 3], strict=True)),
        unit,
        time_unit,
        rgb=image.get_data_dtype().names is not None,
    )
