"""Small zarr stores for tests, written by zarr itself."""

from __future__ import annotations

import json

import numpy as np
import zarr

from napari_diffusion.io import Output, Source

UM = "micrometer"
IMAGE = np.arange(1, 49, dtype=np.uint16).reshape(6, 8)


def axis(name, unit=None, kind="space"):
    return {"name": name, "type": kind} | ({"unit": unit} if unit else {})


def scaled(*factors):
    return {"type": "scale", "scale": list(factors)}


def moved(*places):
    return {"type": "translation", "translation": list(places)}


def store(path, image=IMAGE, axes=None, level=None, whole=None, version="0.5", **more):
    """Write an OME-Zarr image; `level` and `whole` are its transformations.

    Keywords `omero`, `multiscale` and `array` add metadata, and change how the array is made.
    """
    new = version >= "0.5"
    axes = [axis("y", UM), axis("x", UM)] if axes is None else axes
    multiscale = {
        "version": version,
        "axes": axes,
        "datasets": [
            {"path": "0", "coordinateTransformations": level or [scaled(*[1.0] * image.ndim)]}
        ],
        **({"coordinateTransformations": whole} if whole else {}),
        **more.get("multiscale", {}),
    }
    metadata = {"multiscales": [multiscale]}
    if "omero" in more:
        metadata["omero"] = more["omero"]
    attributes = {"ome": {"version": version, **metadata}} if new else metadata
    attributes |= more.get("attributes", {})
    group = zarr.create_group(path, zarr_format=3 if new else 2, attributes=attributes)
    options = {"chunks": (2,) * image.ndim} | more.get("array", {})
    array = group.create_array("0", shape=image.shape, dtype=image.dtype, **options)
    array[...] = image
    return path


def change(path, edit):
    """Change a file of JSON in place."""
    found = json.loads(path.read_text())
    edit(found)
    path.write_text(json.dumps(found))


def made_up(axes, shape=None, dtype="float32", **fields):
    """Return a source of random values."""
    sizes = {"t": 2, "c": 3, "z": 4, "y": 5, "x": 6}
    shape = shape or tuple(sizes[axis] for axis in axes)
    image = np.random.default_rng(0).random(shape).astype(dtype)
    return Source(name="a", image=image, axes=axes, **fields)


def record_of(source, step):
    """Return the little of a record that writers look at."""
    grid = {"axes": source.axes, "spacing": [], "along": "yx", "joint_channels": True}
    return {
        "step": step,
        "noise_scale": 0.1,
        "is_final": False,
        "grid": {**grid, "rgb": source.rgb},
    }


def write(path, source, images=None, count=None, **options):
    """Write images (the source's by default) as the steps of a run; return the path."""
    images = [source.image] if images is None else images
    dtype = np.dtype(images[0].dtype)
    with Output(path, source, len(images) if count is None else count, dtype, **options) as output:
        for step, image in enumerate(images):
            output.write(image, record_of(source, step))
    return output.path


def image_of(path):
    """Return the values of an array."""
    return zarr.open_array(path, mode="r")[...]
