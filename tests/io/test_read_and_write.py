"""What stands in a file is read, and what is written can be read by others to the last digit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image
from yaozarrs import validate_zarr_store

import napari_diffusion as nd
from napari_diffusion.core.units import factor, unit_name
from napari_diffusion.engine.threads import Stopped
from napari_diffusion.io import (
    NotReadable,
    Output,
    Source,
    cast_record,
    check_apart,
    read_image,
    read_record,
    step_paths,
)
from napari_diffusion.io.cast import cast
from napari_diffusion.io.output_format import split_extension
from napari_diffusion.io.output_path import publish
from napari_diffusion.records.provenance import record

RECIPE = nd.Recipe(
    num_steps=3,
    starting_noise_scale=1 / 3,
    diffusion_filter=nd.filters.PeronaMalik(contrast=0.1, time=1e-4),
    final_filter=None,
)
GREY = np.arange(30, dtype=np.uint8).reshape(5, 6)
COLOUR = np.arange(90, dtype=np.uint8).reshape(5, 6, 3)


def source(axes="yx", dtype=np.float32, **more):
    sizes = {"t": 2, "c": 3, "z": 4, "y": 5, "x": 6}
    shape = [sizes[axis] for axis in axes]
    image = np.random.default_rng(0).random(shape).astype(dtype)
    return Source(name="a", image=image, axes=axes, **more)


def recorded(step, origin):
    grid = {"axes": origin.axes, "spacing": origin.spacing, "rgb": origin.rgb}
    return record(RECIPE, step, grid, origin.name)


def written(path, origin, count=3, dtype="float32", overwrite=False):
    """Write `count` made-up steps; return (where they are, their images)."""
    images = [origin.image.astype("float32") + 10 * index for index in range(count)]
    with Output(path, origin, count, np.dtype(dtype), overwrite) as output:
        for index, image in enumerate(images):
            output.write(image, recorded(nd.Step(index, 0.1, image, is_final=False), origin))
    return output.path, images


# Images


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.tiff", "a.npy", "A.PNG"])
def test_grey_is_read_as_it_is(tmp_path, name):
    path = tmp_path / name
    np.save(path, GREY) if name.endswith("npy") else Image.fromarray(GREY).save(path)
    found = read_image(path)
    assert np.array_equal(found.image, GREY)
    assert found.image.dtype == np.uint8
    assert found.axes == (None if name.endswith("npy") else "yx")
    assert (found.name, found.unit, found.rgb, found.lengths) == (name, "pixel", False, {})


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("RGB", lambda image: np.array(image)),
        ("RGBA", lambda image: np.array(image)),
        ("LA", lambda image: np.array(image.convert("RGBA"))),
        ("P", lambda image: np.array(image.convert("RGB"))),
    ],
)
def test_every_kind_of_colour_is_rgb(tmp_path, mode, expected):
    image = Image.fromarray(COLOUR).convert(mode)
    image.save(tmp_path / "a.png")
    found = read_image(tmp_path / "a.png")
    assert np.array_equal(found.image, expected(image))
    assert (found.axes, found.rgb) == ("yxc", True)


def test_sixteen_bits_of_grey_and_one_bit(tmp_path):
    deep = GREY.astype(np.uint16) * 2000
    Image.fromarray(deep).save(tmp_path / "deep.png")
    Image.fromarray(GREY > 7).save(tmp_path / "bit.png")
    assert np.array_equal(read_image(tmp_path / "deep.png").image, deep)
    assert np.array_equal(read_image(tmp_path / "bit.png").image, GREY > 7)


def test_a_photo_is_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera lay on its side
    smooth = np.repeat(np.repeat(COLOUR[:2, :3], 16, axis=0), 16, axis=1)
    Image.fromarray(smooth).save(tmp_path / "a.jpg", exif=exif, quality=95)
    found = read_image(tmp_path / "a.jpg")
    assert found.image.shape == (48, 32, 3)
    np.testing.assert_allclose(found.image, np.rot90(smooth, -1), atol=8)


# TIFF


def test_resolution_in_centimetres_is_spacing_and_in_inches_is_print(tmp_path):
    for unit in ("CENTIMETER", "INCH"):
        tifffile.imwrite(
            tmp_path / f"{unit}.tif", GREY, resolution=((20000, 3), (5000, 1)), resolutionunit=unit
        )
    seen = read_image(tmp_path / "CENTIMETER.tif")
    assert (seen.spacing, seen.unit) == ((2.0, 1.5), "micrometer")
    printed = read_image(tmp_path / "INCH.tif")
    assert (printed.spacing, printed.unit) == ((1.0, 1.0), "pixel")
    assert printed.resolution == ((20000, 3), (5000, 1), 2)


def test_imagej(tmp_path):
    stack = source("tzcyx").image
    tifffile.imwrite(
        tmp_path / "a.tif",
        stack,
        imagej=True,
        resolution=((1000, 107), (1000, 107)),
        metadata={"axes": "TZCYX", "spacing": 0.5, "unit": "\\u00B5m", "finterval": 0.25},
    )
    found = read_image(tmp_path / "a.tif")
    assert np.array_equal(found.image, stack)
    assert found.axes == "tzcyx"
    assert (found.spacing, found.unit) == ((0.5, 0.107, 0.107), "micrometer")
    assert (found.lengths["t"], found.time_unit) == (0.25, "second")
    assert found.rgb is False


def test_imagej_without_a_unit_counts_in_pixels(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GREY, imagej=True, resolution=(2, 2))
    assert read_image(tmp_path / "a.tif").lengths == {}


def test_ome_tiff_with_two_units(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.ome.tif",
        source("zyx").image,
        photometric="minisblack",
        metadata={
            "axes": "ZYX",
            "PhysicalSizeX": 0.1,
            "PhysicalSizeXUnit": "µm",
            "PhysicalSizeY": 0.2,
            "PhysicalSizeYUnit": "µm",
            "PhysicalSizeZ": 500.0,
            "PhysicalSizeZUnit": "nm",
        },
    )
    found = read_image(tmp_path / "a.ome.tif")
    assert (found.axes, found.unit) == ("zyx", "micrometer")
    assert found.spacing == pytest.approx((0.5, 0.2, 0.1), rel=1e-15)


def test_ome_tiff_without_the_distance_of_slices_warns(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.ome.tif",
        source("zyx").image,
        photometric="minisblack",
        metadata={"axes": "ZYX", "PhysicalSizeX": 0.25, "PhysicalSizeY": 0.25},
    )
    with pytest.warns(UserWarning, match="no voxel size along z: that along x is used, 0.25 micro"):
        assert read_image(tmp_path / "a.ome.tif").spacing == (0.25, 0.25, 0.25)


@pytest.mark.parametrize(
    ("shape", "options", "axes", "rgb"),
    [
        ((5, 6, 3), {"photometric": "rgb"}, "yxc", True),
        ((3, 5, 6), {"photometric": "rgb", "planarconfig": "separate"}, "cyx", True),
        ((5, 6, 2), {"photometric": "minisblack", "planarconfig": "contig"}, "yxc", False),
        ((7, 5, 6), {"photometric": "minisblack"}, None, False),
        ((2, 4, 5, 6), {"photometric": "minisblack", "metadata": {"axes": "TZYX"}}, "tzyx", False),
    ],
)
def test_axes_of_a_plain_tiff(tmp_path, shape, options, axes, rgb):
    image = np.zeros(shape, np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", image, **options)
    found = read_image(tmp_path / "a.tif")
    assert (found.axes, found.rgb, found.image.shape) == (axes, rgb, shape)


def test_compression_that_tifffile_leaves_to_others(tmp_path):
    pages = [Image.fromarray(COLOUR), Image.fromarray(COLOUR[::-1].copy())]
    pages[0].save(
        tmp_path / "a.tif", compression="tiff_lzw", save_all=True, append_images=pages[1:]
    )
    assert np.array_equal(read_image(tmp_path / "a.tif").image, np.stack(pages))


def test_several_images_and_colour_tables_warn(tmp_path):
    with tifffile.TiffWriter(tmp_path / "many.tif") as file:
        file.write(GREY)
        file.write(COLOUR, photometric="rgb")
    with pytest.warns(UserWarning, match="2 images: only the first one is read"):
        assert np.array_equal(read_image(tmp_path / "many.tif").image, GREY)
    Image.fromarray(GREY).convert("P").save(tmp_path / "table.tif")
    with pytest.warns(UserWarning, match="values are read as indices"):
        read_image(tmp_path / "table.tif")


# OME-Zarr


def zarr_image(path, version, axes, scale, image, **level):
    entries = [{"name": name, **rest} for name, rest in axes]
    scaled = [{"type": "scale", "scale": scale}]
    multiscale = {
        "axes": entries,
        "datasets": [{"path": "s0", "coordinateTransformations": scaled, **level}],
        "coordinateTransformations": [{"type": "scale", "scale": [2.0] * len(axes)}],
    }
    attributes = {"multiscales": [{**multiscale, "version": version}]}
    new = version == "0.5"
    attributes = {"ome": {"version": version, **attributes}} if new else attributes
    group = zarr.create_group(path, zarr_format=3 if new else 2, attributes=attributes)
    chunks = (2,) * image.ndim
    group.create_array("s0", shape=image.shape, dtype=image.dtype, chunks=chunks)[...] = image


SPACE = {"type": "space", "unit": "micrometer"}


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("lazy", [False, True])
def test_ome_zarr(tmp_path, version, lazy):
    image = source("tczyx").image
    axes = [("t", {"type": "time", "unit": "millisecond"}), ("c", {"type": "channel"})]
    axes += [(name, SPACE) for name in "zyx"]
    zarr_image(tmp_path / "a.zarr", version, axes, [5.0, 1.0, 1.0, 0.25, 0.1], image)
    found = read_image(tmp_path / "a.zarr", lazy=lazy)
    assert hasattr(found.image, "chunks") == lazy
    assert np.array_equal(np.asarray(found.image), image)
    assert (found.axes, found.spacing, found.unit) == ("tczyx", (2.0, 0.5, 0.2), "micrometer")
    assert (found.lengths["t"], found.time_unit) == (10.0, "millisecond")


def test_what_does_not_fit_the_memory_is_read_lazily(tmp_path, monkeypatch):
    from napari_diffusion.io import memory

    zarr_image(tmp_path / "a.zarr", "0.5", [("y", SPACE), ("x", SPACE)], [1.0, 1.0], GREY)
    monkeypatch.setattr(
        memory, "free_memory", lambda: memory.working_memory(GREY.shape, GREY.dtype) - 1
    )
    assert hasattr(read_image(tmp_path / "a.zarr").image, "chunks")
    monkeypatch.setattr(
        memory, "free_memory", lambda: memory.working_memory(GREY.shape, GREY.dtype)
    )
    assert not hasattr(read_image(tmp_path / "a.zarr").image, "chunks")


def test_axes_by_their_type(tmp_path):
    axes = [("channels", {"type": "channel"}), ("Y", {"type": "space"}), ("X", {"type": "space"})]
    zarr_image(tmp_path / "a.zarr", "0.5", axes, [1.0, 0.5, 0.5], source("cyx").image)
    found = read_image(tmp_path / "a.zarr")
    assert (found.axes, found.spacing, found.unit) == ("cyx", (1.0, 1.0), "pixel")


def test_a_plain_array(tmp_path):
    array = zarr.create_array(
        tmp_path / "a.zarr", shape=(5, 6), dtype="u1", dimension_names=["Y", "X"]
    )
    array[...] = GREY
    found = read_image(tmp_path / "a.zarr")
    assert found.axes == "yx"
    assert np.array_equal(found.image, GREY)


# What cannot be read


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.txt", b"text", r"use \.tif \.tiff \.png .*\.npy .*\.zarr"),
        ("a.png", b"garbage", "cannot identify"),
        ("a.tif", b"garbage", "not a TIFF"),
        ("a.npy", b"garbage", "not a NPY file"),
        ("a.npy", b"\x93NUMPY\x01\x00garbage", "cannot be read"),
    ],
)
def test_what_is_no_image(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises((NotReadable, OSError), match=words):
        read_image(tmp_path / name)


def test_pickled_objects_are_not_loaded(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}], dtype=object))
    with pytest.raises(NotReadable, match="cannot be read"):
        read_image(tmp_path / "a.npy")


def test_no_file():
    with pytest.raises(FileNotFoundError, match=r"File .nothing\.tif. does not exist"):
        read_image("nothing.tif")


def test_a_numbered_folder_names_an_image_and_the_cure(tmp_path):
    for number in range(3):
        tifffile.imwrite(tmp_path / f"z{number:03}.tif", GREY)
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(NotReadable, match=r"folder of 3 images: give .*z000\.tif.* one stack"):
        read_image(tmp_path)


def test_folders_that_are_no_image(tmp_path):
    with pytest.raises(NotReadable, match="contains no zarr image"):
        read_image(tmp_path)
    zarr.create_group(tmp_path / "empty.zarr")
    with pytest.raises(NotReadable, match="contains no OME-Zarr image"):
        read_image(tmp_path / "empty.zarr")
    zarr_image(tmp_path / "w.zarr", "0.5", [("w", {}), ("X [um]", SPACE)], [1.0, 1.0], GREY)
    with pytest.warns(UserWarning, match="unknown along y"):
        assert read_image(tmp_path / "w.zarr").axes == "yx"  # a name that says nothing
    zarr_image(tmp_path / "a.zarr", "0.5", [("scene", {}), ("x", SPACE)], [1.0, 1.0], GREY)
    with pytest.raises(NotReadable, match="axis 'scene': only t, c, z, y and x"):
        read_image(tmp_path / "a.zarr")
    path, _ = written(tmp_path / "steps.ome.zarr", source())
    with pytest.raises(NotReadable, match=r"3 steps of a run: give one .*steps\W+0002"):
        read_image(path)


# Units and types


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("µm", "micrometer"),
        ("μm", "micrometer"),
        ("\\u00B5m", "micrometer"),
        ("um", "micrometer"),
        ("micron", "micrometer"),
        ("Microns", "micrometer"),
        ("micrometre", "micrometer"),
        ("micrometers", "micrometer"),
        ("nm", "nanometer"),
        ("mm", "millimeter"),
        ("Å", "angstrom"),
        ("sec", "second"),
        ("s", "second"),
        ("ms", "millisecond"),
        ("pixel", "pixel"),
        ("", "pixel"),
        (None, "pixel"),
        ("furlong", "furlong"),
    ],
)
def test_names_of_units(text, name):
    assert unit_name(text) == name


def test_units_into_each_other():
    assert factor("millimeter", "micrometer") == pytest.approx(1000, rel=1e-12)
    assert factor("furlong", "furlong") == 1
    with pytest.raises(ValueError, match="'second' cannot be converted to 'meter'"):
        factor("second", "meter")


@pytest.mark.parametrize(
    ("dtype", "values", "expected"),
    [
        ("uint8", [-1.0, 0.5, 1.5, 254.4, 300.0], [0, 0, 2, 254, 255]),
        ("int16", [-40000.0, -1.5, 40000.0], [-32768, -2, 32767]),
        ("uint32", [2.0**32, 3.0], [2**32 - 1, 3]),
        ("int64", [1e30, -1e30], [2**63 - 1024, -(2**63)]),
        ("uint64", [1e30, -1.0], [2**64 - 2048, 0]),
        ("bool", [-1.0, 0.2, 0.7, 9.0], [False, False, True, True]),
        ("float16", [1e9, 0.5], [65504.0, 0.5]),
    ],
)
def test_values_in_another_type(dtype, values, expected):
    for computed in (np.float32, np.float64):
        made = cast(np.array(values, computed), dtype)
        assert made.dtype == dtype
        assert made.tolist() == expected


def test_what_a_cast_did_is_said():
    said = cast_record("float32", "uint8")
    assert said == {"dtype": "uint8", "clipped": [0.0, 255.0], "rounded": True}
    assert cast_record("float32", "float32") is None


# Steps in a TIFF


@pytest.mark.parametrize(
    ("axes", "rgb", "found_axes"),
    [
        ("yx", False, "QYX"),
        ("zyx", False, "QZYX"),
        ("cyx", False, "QCYX"),
        ("yxc", False, "QCYX"),
        ("yxc", True, "QYXS"),
        ("cyx", True, "QYXS"),
        ("xyz", False, "QZYX"),
    ],
)
def test_steps_along_an_axis_of_one_tiff(tmp_path, axes, rgb, found_axes):
    path, images = written(tmp_path / "a.ome.tif", source(axes, rgb=rgb))
    assert path == tmp_path / "a.ome.tif"
    order = [axes.index(axis) for axis in found_axes[1:].lower().replace("s", "c")]
    with tifffile.TiffFile(path) as file:
        (series,) = file.series
        assert (series.axes, series.kind, series.dtype) == (found_axes, "ome", "float32")
        np.testing.assert_array_equal(
            series.asarray(), [image.transpose(order) for image in images]
        )


@pytest.mark.parametrize(
    ("axes", "rgb", "found_axes"),
    [("tyx", False, "TYX"), ("tczyx", False, "TCZYX"), ("zyxc", True, "ZYXS")],
)
def test_other_steps_are_a_folder_of_tiffs(tmp_path, axes, rgb, found_axes):
    path, images = written(tmp_path / "a.ome.tif", source(axes, rgb=rgb))
    assert path == tmp_path / "a"
    assert [entry.name for entry in step_paths(path)] == [
        f"step_{index:04}.ome.tif" for index in range(3)
    ]
    for index, each in enumerate(step_paths(path)):
        with tifffile.TiffFile(each) as file:
            assert file.series[0].axes == found_axes
            np.testing.assert_array_equal(file.asarray(), images[index])
        assert read_record(each)["step"] == index


def test_a_name_without_ending_is_a_folder(tmp_path):
    path, _ = written(tmp_path / "a", source())
    assert len(step_paths(path)) == 3
    assert read_image(step_paths(path)[1]).axes == "yx"


def test_one_step_needs_no_axis(tmp_path):
    path, images = written(tmp_path / "a.tif", source("tczyx"), count=1)
    found = read_image(path)
    assert found.axes == "tczyx"
    assert np.array_equal(found.image, images[0])


@pytest.mark.parametrize("length", [0.107, 1 / 3, 1e-4, 0.125, 65535.0])
def test_lengths_are_kept_to_the_last_digit(tmp_path, length):
    lengths = {"t": 0.1, "z": 2 * length, "y": length, "x": length}
    origin = source("tzyx", lengths=lengths, unit="micrometer", time_unit="second")
    for name in ("one.ome.tif", "many.ome.zarr"):
        path, _ = written(tmp_path / name, origin, count=1)
        found = read_image(path)
        assert found.lengths == lengths
        assert (found.unit, found.time_unit) == ("micrometer", "second")


@pytest.mark.parametrize("unit", ["CENTIMETER", "INCH", "NONE"])
def test_resolution_tags_are_kept_as_they_stand(tmp_path, unit):
    fractions = (20000, 3), (4999, 7)
    tifffile.imwrite(tmp_path / "in.tif", GREY, resolution=fractions, resolutionunit=unit)
    path, _ = written(tmp_path / "out.tif", read_image(tmp_path / "in.tif"))
    with tifffile.TiffFile(path) as file:
        tags = file.pages[0].tags
        found = tags["XResolution"].value, tags["YResolution"].value
        assert found == fractions
        assert tags["ResolutionUnit"].value.name == unit


def test_resolution_of_what_was_no_tiff(tmp_path):
    origin = source(lengths={"y": 0.5, "x": 0.25}, unit="micrometer")
    path, _ = written(tmp_path / "a.tif", origin)
    with tifffile.TiffFile(path) as file:
        tags = file.pages[0].tags
        assert tags["XResolution"].value == (40000, 1)
        assert tags["YResolution"].value == (20000, 1)
        assert tags["ResolutionUnit"].value.name == "CENTIMETER"


def test_types_that_a_tiff_lacks_are_refused(tmp_path):
    with pytest.raises(TypeError, match=r"OME-TIFF does not support int64, only .*\.ome\.zarr"):
        written(tmp_path / "a.tif", source(), dtype="int64")
    assert list(tmp_path.glob("a*")) == []
    path, images = written(tmp_path / "a.npy", source(), dtype="int64")
    assert np.array_equal(np.load(path), np.rint(images))


# Steps in an OME-Zarr


@pytest.mark.parametrize(
    ("axes", "rgb", "found_axes"),
    [("yx", False, "yx"), ("yxc", True, "cyx"), ("xyzct", False, "tczyx"), ("x", False, "yx")],
)
def test_steps_in_an_ome_zarr(tmp_path, axes, rgb, found_axes):
    origin = source(axes, rgb=rgb)
    path, images = written(tmp_path / "a.ome.zarr", origin)
    validate_zarr_store(str(path))
    for index, image in enumerate(images):
        step = path / "steps" / f"{index:04}"
        validate_zarr_store(str(step))
        found = read_image(step)
        assert (found.axes, found.rgb, found.image.dtype) == (found_axes, rgb, "float32")
        kept = image if "y" in axes else image[np.newaxis]
        order = [axes.index(axis) for axis in found_axes] if "y" in axes else [0, 1]
        assert np.array_equal(found.image, kept.transpose(order))
        assert found.record["step"] == index
    omero = zarr.open(step).attrs["ome"].get("omero")
    labels = [channel["label"] for channel in omero["channels"]] if rgb else []
    assert labels == ["red", "green", "blue"][: 3 * rgb]


def test_the_group_is_a_collection_of_its_steps(tmp_path):
    path, _ = written(tmp_path / "a.zarr", source())
    group = zarr.open_group(path, mode="r")
    assert group.metadata.zarr_format == 3
    assert group["OME"].attrs["ome"]["series"] == ["steps/0000", "steps/0001", "steps/0002"]
    assert group.attrs["ome"] == {"version": "0.5", "bioformats2raw.layout": 3}


# Records


@pytest.mark.parametrize("name", ["a.ome.tif", "a.zarr", "a.npy", "folder"])
def test_the_recipe_comes_back_exactly(tmp_path, name):
    path, _ = written(tmp_path / name, source("zyx", lengths={"z": 1 / 3, "y": 0.1, "x": 0.1}))
    kept = read_record(step_paths(path)[-1] if name == "folder" else path)
    assert nd.Recipe.from_dict(kept["recipe"]) == RECIPE
    assert kept["grid"]["spacing"] == [1 / 3, 0.1, 0.1]
    assert kept["step"] == 2
    if name != "folder":
        assert [step["step"] for step in kept["steps"]] == [0, 1, 2]
    assert json.loads(json.dumps(kept)) == kept


def test_files_of_others_have_no_record(tmp_path):
    np.save(tmp_path / "a.npy", GREY)
    tifffile.imwrite(tmp_path / "a.ome.tif", GREY)
    zarr.create_group(tmp_path / "a.zarr")
    for name in ("a.npy", "a.ome.tif", "a.zarr", "."):
        assert read_record(tmp_path / name) is None


# Nothing half done, nothing lost


def write_step(output, index):
    image = output.source.image + index
    step = nd.Step(index, 0.1, image, is_final=False)
    output.write(image, recorded(step, output.source))


def break_off(path, error, after):
    """Write some steps of five, then raise."""
    with Output(path, source("zyx"), 5, "float32") as output:
        for index in range(after):
            assert not path.exists()
            write_step(output, index)
        raise error


@pytest.mark.parametrize("name", ["a.ome.tif", "a.ome.zarr", "a.npy", "a"])
@pytest.mark.parametrize("after", [1, 2])
def test_steps_made_before_the_end_are_kept_under_another_name(tmp_path, name, after):
    with pytest.raises(Stopped) as caught:
        break_off(tmp_path / name, Stopped("…"), after)
    stem, dot, ending = name.partition(".")
    partial = tmp_path / f"{stem}.partial{dot}{ending}"
    assert repr(str(partial)) in caught.value.__notes__[0]
    assert not (tmp_path / name).exists()
    image = source("zyx").image
    if name == "a.npy":
        found = list(np.load(partial))
    elif name == "a.ome.tif":
        with tifffile.TiffFile(partial) as file:
            assert file.series[0].axes == ("ZYX" if after == 1 else "QZYX")
            found = list(file.asarray().reshape(after, *image.shape))
    else:
        found = [read_image(step).image for step in step_paths(partial)]
    assert len(found) == after
    for index, each in enumerate(found):
        assert np.array_equal(each, image + index)
    if name != "a":
        assert len(read_record(partial)["steps"]) == after


@pytest.mark.parametrize("name", ["a.ome.tif", "a.ome.zarr", "a.npy", "a"])
def test_a_run_without_a_step_leaves_nothing(tmp_path, name):
    with pytest.raises(ValueError, match="…") as caught:
        break_off(tmp_path / name, ValueError("…"), after=0)
    assert caught.value.__notes__ == [f"Nothing was written to {str(tmp_path / name)!r}."]
    assert list(tmp_path.glob("a*")) == []


def fill_the_disk(path, monkeypatch):
    """Write one step, and another one for which there is no room."""
    from napari_diffusion.io import npy_writer
    from napari_diffusion.io.ome_zarr import image as zarr_image
    from napari_diffusion.io.tiff import writer as tiff_writer

    def full(*_):
        raise OSError(28, "No space left on device")

    with Output(path, source(), 3, "float32") as output:
        write_step(output, 0)
        monkeypatch.setattr(npy_writer, "slabs", full)
        monkeypatch.setattr(tiff_writer, "planes", full)
        monkeypatch.setattr(zarr_image, "_store", full)
        write_step(output, 1)


@pytest.mark.parametrize("name", ["a.tif", "a.npy", "a.zarr", "a"])
def test_a_full_disk_leaves_no_half_step(tmp_path, monkeypatch, name):
    with pytest.raises(OSError, match="No space"):
        fill_the_disk(tmp_path / name, monkeypatch)
    (left,) = [path for path in tmp_path.glob("a*") if path.suffix != ".json"]
    if name == "a.npy":
        assert np.load(left).shape == (1, 5, 6)
    elif name == "a.tif":
        np.testing.assert_array_equal(tifffile.imread(left), source().image)
        assert [step["step"] for step in read_record(left)["steps"]] == [0]
    else:
        assert len(step_paths(left)) == 1


@pytest.mark.parametrize("name", ["a.tif", "a.zarr", "a.npy", "a"])
def test_nothing_is_replaced_unless_asked(tmp_path, name):
    path = tmp_path / name
    _, first = written(path, source())
    with pytest.raises(FileExistsError, match="exists; --overwrite replaces it"):
        written(path, source("zyx"))
    assert first_step(path).shape == first[0].shape
    written(path, source("zyx"), overwrite=True)
    assert first_step(path).shape == (4, 5, 6)
    assert [p.name for p in tmp_path.glob("a*") if "recipe.json" not in p.name] == [name]


def first_step(path):
    if path.suffix == ".npy":
        return np.load(path)[0]
    if path.is_file():
        return tifffile.imread(path)[0]
    return read_image(step_paths(path)[0]).image


def test_a_record_beside_is_not_replaced_either(tmp_path):
    beside = tmp_path / "a.npy.recipe.json"
    beside.write_text("mine")
    with pytest.raises(FileExistsError, match=r"recipe\.json"):
        written(tmp_path / "a.npy", source())
    assert beside.read_text() == "mine"


def be_overtaken(path):
    """Write a step; before it gets its name somebody else takes that."""
    with Output(path, source(), 1, "float32") as output:
        write_step(output, 0)
        path.write_text("mine")


def test_what_came_meanwhile_is_not_replaced(tmp_path):
    with pytest.raises(FileExistsError) as caught:
        be_overtaken(tmp_path / "a.tif")
    assert repr(str(tmp_path / "a.partial.tif")) in caught.value.__notes__[0]
    assert (tmp_path / "a.tif").read_text() == "mine"
    assert (tmp_path / "a.partial.tif").exists()


@pytest.mark.parametrize("name", ["a", "a.zarr", "a.tif"])
def test_folders_with_other_things_are_never_replaced(tmp_path, name):
    mine = tmp_path / name / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("mine")
    with pytest.raises(FileExistsError, match="with other files than steps"):
        written(tmp_path / name, source(), overwrite=True)
    assert mine.read_text() == "mine"


def test_what_was_there_stays_until_the_new_one_has_its_name(tmp_path, monkeypatch):
    import os

    old, new = tmp_path / "a.zarr", tmp_path / "a.partial.zarr"
    for path in (old, new):
        zarr.create_group(path, attributes={"from": path.name})
    replace = os.replace

    def fails(start, end):
        if Path(start) == new:
            raise PermissionError(13, "no")
        replace(start, end)

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(PermissionError):
        publish(new, old, overwrite=True)
    assert zarr.open(old).attrs["from"] == "a.zarr"
    monkeypatch.undo()
    publish(new, old, overwrite=True)
    assert zarr.open(old).attrs["from"] == "a.partial.zarr"
    assert [path.name for path in tmp_path.glob("a*")] == ["a.zarr"]


def test_the_input_is_never_written(tmp_path):
    image, folder = tmp_path / "a.tif", tmp_path / "a.zarr"
    image.write_bytes(b"")
    folder.mkdir()
    (tmp_path / "link.tif").hardlink_to(image)
    for output, read in [
        (image, image),
        (tmp_path / "link.tif", image),
        (folder, folder / "steps" / "0001"),
        (folder / "b.tif", folder),
    ]:
        with pytest.raises(FileExistsError, match="would overwrite"):
            check_apart(output, read)
    check_apart(tmp_path / "b.tif", image, folder)


def test_no_folder_to_write_into(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"output folder .* does not exist"):
        written(tmp_path / "nothing" / "a.tif", source())


@pytest.mark.parametrize(
    ("name", "stem", "ending"),
    [
        ("a.ome.tif", "a", ".ome.tif"),
        ("a.b.TIF", "a.b", ".tif"),
        ("a.ome.zarr", "a", ".ome.zarr"),
        ("a", "a", ""),
    ],
)
def test_endings(name, stem, ending):
    assert split_extension(Path("folder") / name) == (Path("folder") / stem, ending)


def test_other_endings_name_those_that_there_are():
    with pytest.raises(ValueError, match=r"'a.jpg' .* \.ome\.zarr, \.zarr, .*\.npy, or none"):
        split_extension(Path("a.jpg"))


# Larger than the memory
