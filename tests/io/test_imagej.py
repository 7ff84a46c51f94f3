"""Hyperstacks of ImageJ: axes, pixel sizes and values as Fiji reads them."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from napari_diffusion.cli import main
from napari_diffusion.io import Output, Source, read_image, read_record

SIZES = {"t": 2, "z": 3, "c": 2, "y": 16, "x": 20}
LENGTHS = {"z": 0.5, "y": 0.1, "x": 0.1}


def source(axes, dtype="uint16", **more):
    shape = [SIZES[axis] for axis in axes]
    image = np.random.default_rng(0).integers(0, 200, shape).astype(dtype)
    lengths = {axis: LENGTHS[axis] for axis in axes if axis in LENGTHS}
    return Source(name="a", image=image, axes=axes, lengths=lengths, unit="micrometer", **more)


def written(path, made, count=1):
    with Output(path, made, count, made.image.dtype, imagej=True) as output:
        for index in range(count):
            entry = {"step": index, "noise_scale": 0.0, "is_final": False}
            output.write(made.image + index, entry if count > 1 else {})
    return path


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("axes", ["yx", "zyx", "tyx", "cyx", "tczyx", "czyx", "tzyx", "xy"])
def test_an_image_is_a_hyperstack(tmp_path, axes, dtype):
    made = source(axes, dtype)
    path = written(tmp_path / "a.tif", made)
    with tifffile.TiffFile(path) as file:
        assert file.is_imagej
        assert len(file.series) == 1
        series, said = file.series[0], file.imagej_metadata
        values, found = series.asarray(), series.axes.lower()
    assert found == "".join(axis for axis in "tzcyx" if axis in axes)
    order = [axes.index(axis) for axis in found]
    np.testing.assert_array_equal(values, made.image.transpose(order))
    assert said["unit"] == "um"
    if "z" in axes:
        assert said["spacing"] == 0.5
    again = read_image(path)
    assert again.spacing_along("yx") == pytest.approx((0.1, 0.1))
    assert again.unit == "micrometer"


@pytest.mark.parametrize("unit", ["nanometer", "angstrom", "pixel"])
def test_voxels_one_unit_wide_and_their_place(tmp_path, unit):
    lengths, place = {"z": 3.0, "y": 1.0, "x": 1.0}, {"z": -6.0, "y": 2.0, "x": 100.0}
    made = source("zyx").replaced(lengths=lengths, unit=unit, place=place)
    again = read_image(written(tmp_path / "a.tif", made))
    assert (again.lengths, again.unit, again.place) == (lengths, unit, place)


def test_steps_are_frames(tmp_path):
    made = source("zyx")
    path = written(tmp_path / "a.tif", made, 4)
    with tifffile.TiffFile(path) as file:
        assert (file.series[0].axes, file.series[0].shape) == ("TZYX", (4, 3, 16, 20))
        np.testing.assert_array_equal(file.series[0].asarray()[3], made.image + 3)
    assert len(read_record(path)["steps"]) == 4


def test_rgb(tmp_path):
    image = np.random.default_rng(0).integers(0, 255, (16, 20, 3)).astype("uint8")
    path = written(tmp_path / "a.tif", Source(name="a", image=image, axes="yxc", rgb=True))
    with tifffile.TiffFile(path) as file:
        assert file.is_imagej
        np.testing.assert_array_equal(file.series[0].asarray(), image)
    assert read_image(path).rgb


@pytest.mark.parametrize(
    ("made", "count", "words"),
    [
        (source("tyx"), 2, "no axis for the 2 steps of a time series"),
        (source("yx", "float64"), 1, "does not support float64, only uint8"),
        (source("yxc", "uint16", rgb=False).replaced(rgb=True), 1, "RGB colours of 8 bits"),
    ],
)
def test_what_imagej_does_not_have_is_refused(tmp_path, made, count, words):
    with pytest.raises((ValueError, TypeError), match=words):
        written(tmp_path / "a.tif", made, count)
    assert not list(tmp_path.iterdir())


def test_a_record_beside_is_none_of_an_ome_tiff(tmp_path):
    path = written(tmp_path / "a.tif", source("yx"), 2)
    made = source("yx")
    with Output(path, made, 1, made.image.dtype, overwrite=True) as output:
        output.write(made.image, {"step": 7, "noise_scale": 0.0, "is_final": False})
    assert read_record(path)["step"] == 7


def test_from_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    tifffile.imwrite("a.ome.tif", source("zyx").image, photometric="minisblack",
                     metadata={"axes": "ZYX", "PhysicalSizeX": 0.1, "PhysicalSizeY": 0.1,
                               "PhysicalSizeZ": 0.5})  # fmt: skip
    words = ["--filter", "Heat", "--set", "time=0.01", "--imagej", "--quiet"]
    assert main(["filter", "a.ome.tif", "b.tif", *words]) == 0
    assert read_record(tmp_path / "b.tif")["recipe"]["diffusion_filter"]["type"] == "Heat"
    assert main(["methods", "b.tif"]) == 0
    assert main(["filter", "a.ome.tif", "b.ome.zarr", *words]) == 1
    assert "must end in .tif" in capsys.readouterr().err
