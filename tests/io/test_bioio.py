"""What bioio reads becomes a source: its axes, sizes, channels and first scene."""

from __future__ import annotations

import datetime

import numpy as np
import pytest
import tifffile

from napari_diffusion.io import NotReadable, read_image

pytest.importorskip("bioio")

from napari_diffusion.io.formats.bioio_images import read_bioio

SIZES = {"T": 2, "C": 3, "Z": 4, "Y": 5, "X": 6, "S": 3}


def saved(path, axes, count=1, **metadata):
    """Write OME-TIFF with one image or several; return the first."""
    shape = [SIZES[axis] for axis in axes]
    images = [np.arange(np.prod(shape), dtype=np.uint16).reshape(shape) + n for n in range(count)]
    with tifffile.TiffWriter(path, ome=True) as file:
        for image in images:
            colours = {"photometric": "rgb"} if axes[-1] == "S" else {"photometric": "minisblack"}
            file.write(image, metadata={"axes": axes, **metadata}, **colours)
    return images[0]


@pytest.mark.parametrize(("axes", "letters"), [("TCZYX", "tczyx"), ("ZYX", "zyx"), ("YX", "yx"),
                                               ("TYX", "tyx"), ("YXS", "yxc"), ("ZYXS", "zyxc"),
])  # fmt: skip
def test_axes(tmp_path, axes, letters):
    image = saved(tmp_path / "a.ome.tif", axes)
    found = read_bioio(tmp_path / "a.ome.tif", None)
    assert (found.axes, found.rgb) == (letters, axes[-1] == "S")
    assert np.array_equal(found.image, image)
    assert isinstance(found.image, np.ndarray)


def test_sizes_and_channels(tmp_path):
    path = tmp_path / "a.ome.tif"
    saved(path, "CZYX", PhysicalSizeX=0.2, PhysicalSizeY=0.3, PhysicalSizeZ=1.5,
          Channel={"Name": ["DAPI", "GFP", "RFP"]})  # fmt: skip
    found = read_bioio(path, None)
    assert (found.lengths, found.unit) == ({"z": 1.5, "y": 0.3, "x": 0.2}, "micrometer")
    assert [channel.name for channel in found.channels] == ["DAPI", "GFP", "RFP"]
    saved(path, "CYX")
    assert read_bioio(path, None).channels == ()
    assert (read_bioio(path, None).lengths, read_bioio(path, None).unit) == ({}, "pixel")


@pytest.mark.parametrize(("sizes", "words"), [
    ({"M": 9, "Y": 5, "X": 6}, r"axes beside t, c, z, y and x, M \(9\): save their images one by"),
    ({"C": 2, "Y": 5, "X": 6, "S": 3}, "3 colours in each of several channels"),
])  # fmt: skip
def test_what_is_no_single_image_is_refused(tmp_path, monkeypatch, sizes, words):
    from types import SimpleNamespace

    from napari_diffusion.io.formats import bioio_images

    dims = SimpleNamespace(order="".join(sizes), shape=tuple(sizes.values()))
    reader = SimpleNamespace(dims=dims)
    said = SimpleNamespace(dims=dims, reader=reader, shape=dims.shape, scenes=("a",))
    monkeypatch.setattr(bioio_images, "_opened", lambda path: said)
    with pytest.raises(NotReadable, match=words):
        read_bioio(tmp_path / "a.czi", None)


def test_interval_and_units_that_a_plugin_says(tmp_path, monkeypatch):
    from bioio import BioImage
    from bioio_base.types import DimensionProperties, DimensionProperty, ureg

    saved(tmp_path / "a.ome.tif", "TYX", PhysicalSizeX=200, PhysicalSizeY=200)
    length, nothing = DimensionProperty("space", ureg.nanometer), DimensionProperty(None, None)
    said = DimensionProperties(nothing, nothing, length, length, length)
    monkeypatch.setattr(BioImage, "dimension_properties", property(lambda self: said))
    waited = datetime.timedelta(milliseconds=250)
    monkeypatch.setattr(BioImage, "time_interval", property(lambda self: waited))
    found = read_bioio(tmp_path / "a.ome.tif", None)
    assert found.lengths == {"y": 200.0, "x": 200.0, "t": 0.25}
    assert (found.unit, found.time_unit) == ("nanometer", "second")


def test_first_scene_of_several(tmp_path):
    image = saved(tmp_path / "a.ome.tif", "ZYX", count=3)
    with pytest.warns(UserWarning, match="holds 3 scenes: the first one is read"):
        assert np.array_equal(read_bioio(tmp_path / "a.ome.tif", None).image, image)


def test_lazy_values(tmp_path, monkeypatch):
    path = tmp_path / "a.ome.tif"
    image = saved(path, "TZYX")
    assert np.array_equal(read_bioio(path, True).image.compute(), image)
    monkeypatch.setattr("napari_diffusion.io.formats.bioio_images.fits", lambda *_: False)
    assert not isinstance(read_bioio(path, None).image, np.ndarray)


@pytest.mark.parametrize(("name", "words"), [("a.czi", "pip install bioio-czi"),
                                             ("a.vsi", r"install bioio-bioformats \(and Java\)"),
                                             ("a.nd2", "no readable ND2 file")])  # fmt: skip
def test_files_without_a_plugin_and_broken_ones(tmp_path, monkeypatch, name, words):
    import bioio.plugins

    plugins = {".nd2": bioio.plugins.get_plugins(use_cache=False).get(".nd2", [])}
    monkeypatch.setattr("bioio.bio_image.get_plugins", lambda **_: plugins)
    monkeypatch.setattr("bioio.plugins.get_plugins", lambda **_: plugins)
    (tmp_path / name).write_bytes(b"abc" * 100)
    with pytest.raises(NotReadable, match=words):
        read_image(tmp_path / name)


def test_without_bioio_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "bioio", None)
    (tmp_path / "a.czi").write_bytes(b"abc")
    with pytest.raises(NotReadable, match=r'pip install "napari-diffusion\[bioio\]"'):
        read_image(tmp_path / "a.czi")
