"""Every kind of image in every format is read the same by every reader, ours and others'."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dask.array as da
import file_readers
import napari_readers
import numpy as np
import pytest
from told_image import told_by

from napari_diffusion.io import Output, Source, step_paths
from napari_diffusion.io.file_image import Channel

if TYPE_CHECKING:
    from collections.abc import Callable

# What a reader can tell beside the values.
SPACE = {"axes", "lengths", "place"}
TIME = SPACE | {"interval", "rgb"}
ALL = TIME | {"names", "colours"}

FORMATS = {".ome.zarr": ALL, ".ome.tif": ALL, ".npy": set(), ".mrc": SPACE, ".nii.gz": TIME}


@dataclass(frozen=True)
class Reader:
    """A reader, what it tells of each format, and the outputs that it opens.

    Of a run it opens each image, or with `whole` all steps at once.
    """

    read: Callable
    tells: dict
    opens: tuple = ("image", "run", "stack")
    whole: bool = False


# The one place that says what a reader tells, and by ours what a format keeps.
READERS = {
    "read_image": Reader(file_readers.with_ours, {**FORMATS, "": ALL}),
    "zarr": Reader(file_readers.with_zarr, {".ome.zarr": ALL - {"rgb"}}),
    "tifffile": Reader(file_readers.with_tifffile, {".ome.tif": ALL, "": ALL}),
    "bioio": Reader(file_readers.with_bioio, {".ome.tif": ALL, "": ALL}),
    "mrcfile": Reader(file_readers.with_mrcfile, {".mrc": SPACE}),
    "nibabel": Reader(file_readers.with_nibabel, {".nii.gz": TIME}),
    "napari-ome-zarr": Reader(
        napari_readers.with_napari_ome_zarr, {".ome.zarr": ALL - {"place", "rgb"}}
    ),
    "napari": Reader(
        napari_readers.with_napari, {".ome.zarr": set(), ".ome.tif": set(), ".npy": set()}
    ),
    "napari, folder": Reader(napari_readers.with_napari, {"": set()}, ("run",), whole=True),
    "plugin": Reader(napari_readers.with_plugin, FORMATS, ("image",)),
    # The channels of a step stay in one layer, which has one name.
    "plugin, steps": Reader(
        napari_readers.with_plugin, {".ome.zarr": TIME, "": TIME}, ("run",)
    ),
    "plugin, run": Reader(
        napari_readers.with_plugin,
        {".ome.zarr": TIME, ".ome.tif": TIME, "": TIME},
        ("run", "stack"),
        whole=True,
    ),
}  # fmt: skip

OUTPUTS = {
    "image": FORMATS,
    "run": [".ome.zarr", ".ome.tif", ".npy", ""],
    "stack": [".ome.zarr"],
}

COUNTS = {"t": 3, "c": 2, "z": 4, "y": 5, "x": 6}
LENGTHS = {"t": 2.5, "z": 0.3, "y": 0.1, "x": 0.2}
PLACE = {"z": -3.5, "y": 5.0, "x": 7.25}
CHANNELS = (Channel("DAPI", "12A0FF"), Channel("GFP β", "00FF00"))
TYPES = ["uint8", "int16", "float32", "float64", "uint32", "bool"]


def picture(axes, dtype="uint16", unit="micrometer", colours=0, bare=False, lazy=False):
    """Return an image; `colours` is how many an RGB image has, and a bare one says nothing."""
    shape = [colours or COUNTS[axis] if axis == "c" else COUNTS[axis] for axis in axes]
    values = np.random.default_rng(0).integers(0, 2 if dtype == "bool" else 250, shape)
    said = {} if bare else {
        "lengths": {axis: LENGTHS[axis] for axis in axes if axis in LENGTHS},
        "place": {axis: PLACE[axis] for axis in axes if axis in PLACE},
        "unit": unit,
        "time_unit": "second" if "t" in axes else "frame",
        "channels": CHANNELS if "c" in axes and not colours else (),
    }  # fmt: skip
    values = values.astype(dtype)
    image = da.from_array(values, chunks=2) if lazy else values
    return Source(name="cells", image=image, axes=axes, rgb=bool(colours), **said)


KINDS = {axes: picture(axes) for axes in ("yx", "zyx", "tyx", "tzyx", "cyx", "czyx", "tczyx")} | {
    "rgb": picture("yxc", "uint8", colours=3),
    "rgba": picture("yxc", "uint8", colours=4),
    "dask": picture("tczyx", lazy=True),
}
PICTURES = {
    **KINDS,
    **{dtype: picture("zyx", dtype) for dtype in TYPES},
    "nanometer": picture("zyx", unit="nanometer"),
    "millimeter": picture("tzyx", unit="millimeter"),
    "bare": picture("yx", bare=True),
    "bare tczyx": picture("tczyx", bare=True),
    "bare rgb": picture("yxc", "uint8", colours=3, bare=True),
    "rgb uint16": picture("yxc", colours=3),
    "rgb dask": picture("yxc", "uint8", colours=3, lazy=True),
}

# What a format cannot hold, and how the refusal begins.
_CHANNELS = "An MRC file holds no channels"
REFUSED = {
    ".ome.tif": {"bool": "OME-TIFF does not support bool, only"},
    ".nii.gz": {
        "bool": "NIfTI does not support bool, only",
        "rgb uint16": "NIfTI holds colours only as uint8",
    },
    ".mrc": {name: _CHANNELS for name, each in PICTURES.items() if "c" in each.axes}
    | dict.fromkeys(["float64", "uint32", "bool"], "MRC does not support "),
}
REFUSED_STEPS = [
    ("run", ".mrc", "yx", "can hold one image, and 3 steps are to be written: write .ome.zarr"),
    ("run", ".nii.gz", "yx", "can hold one image, and 3 steps are to be written: write .ome.zarr"),
    ("run", "", "bool", "OME-TIFF does not support bool, only"),
    ("stack", "", "yx", "a folder with one file per step, and no stack: write .ome.zarr"),
    ("stack", ".ome.tif", "tzyx", "a folder with one file per step, and no stack"),
    ("stack", ".ome.zarr", "tczyx", "with the axes yx or zyx only .*: write .npy"),
]

# Types that a format has only as another one.
WRITTEN_AS = {(".mrc", "uint8"): "uint16"}


def cases():
    """Yield each output, format, kind of image and reader that go together."""
    held = {"image": PICTURES, "run": KINDS, "stack": ["yx", "zyx"]}
    for output, endings in OUTPUTS.items():
        for ending in endings:
            refused = REFUSED.get(ending, {}) if output == "image" else {}
            for name in [each for each in held[output] if each not in refused]:
                for reader, each in READERS.items():
                    if ending in each.tells and output in each.opens:
                        yield output, ending, name, reader


def steps_of(output, source):
    return [source.image + step for step in range(3)] if output != "image" else [source.image]


def record(output, source, step):
    """Return the little of a record that writers and readers look at; none for an image."""
    grid = {"axes": source.axes, "spacing": [], "along": "yx", "joint_channels": True}
    kept = {"step": step, "noise_scale": 0.1, "is_final": step == 2, "recipe": {}}
    kept |= {
        "source": "cells",
        "versions": {"napari-diffusion": "0"},
        "grid": {**grid, "rgb": source.rgb},
    }
    return kept if output != "image" else {}


def write(path, output, source):
    """Write an image, or the steps of a run; return where they are."""
    steps = steps_of(output, source)
    opened = Output(path, source, len(steps), source.image.dtype, stack=output == "stack")
    with opened as writer:
        for step, values in enumerate(steps):
            writer.write(values, record(output, source, step))
    return opened.path


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Return a function that writes an output once for all its readers."""

    @functools.cache
    def made(output, ending, name):
        folder = tmp_path_factory.mktemp("matrix")
        return write(folder / f"cells{ending}", output, PICTURES[name])

    return made


@pytest.mark.filterwarnings("ignore:cells.mrc cannot hold a frame interval")
@pytest.mark.filterwarnings("ignore:.* has no voxel size in its header")
@pytest.mark.parametrize(("output", "ending", "name", "reader"), [*cases()])
def test_a_reader_finds_what_was_written(written, output, ending, name, reader):
    path, source = written(output, ending, name), PICTURES[name]
    steps = [np.asarray(each) for each in steps_of(output, source)]
    paths = step_paths(path) if output == "run" and not READERS[reader].whole else []
    tells = READERS[reader].tells[ending]
    for place in paths or [path]:
        # A NPY file has an axis of steps, be it one.
        many = len(steps) > 1 and not paths
        values = np.stack(steps) if many else steps[paths.index(place) if paths else 0]
        check(READERS[reader].read(place), source, values, "q" * many, ending, tells)


def check(told, source, values, leading, ending, tells):
    """Compare what a reader tells with what was written."""
    expected = told_by(source)
    values = values.astype(WRITTEN_AS.get((ending, values.dtype.name), values.dtype))
    expected.values, expected.axes = values, leading + source.axes
    if "axes" in tells:
        assert sorted(told.axes) == sorted(expected.axes)
        found = told.arranged(expected.axes)
    else:
        # OME-Zarr has colours before y and x.
        order = (
            expected.axes
            if ending != ".ome.zarr"
            else leading + "".join(axis for axis in "tczyx" if axis in source.axes)
        )
        found, expected.values = told.values, expected.arranged(order)
    np.testing.assert_array_equal(found, expected.values)
    assert found.dtype == values.dtype
    for what in tells - {"axes"}:
        said = getattr(expected, what)
        if what not in ("names", "colours"):
            assert getattr(told, what) == pytest.approx(said, rel=1e-6), what
        elif said:  # what readers call channels without a name is theirs
            assert getattr(told, what) == said


@pytest.mark.parametrize(
    ("output", "ending", "name", "words"),
    [("image", ending, *each) for ending, refused in REFUSED.items() for each in refused.items()]
    + REFUSED_STEPS,
)
def test_what_a_format_cannot_hold_is_refused_before_anything_is_written(
    tmp_path, output, ending, name, words
):
    with pytest.raises((TypeError, ValueError), match=words):
        write(tmp_path / f"cells{ending}", output, PICTURES[name])
    assert not list(tmp_path.iterdir())
