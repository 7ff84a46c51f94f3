"""What OME-Zarr stores say is honoured, warned of or refused: one test a row of the contract."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import zarr
from zarr_stores import IMAGE, UM, axis, change, moved, scaled, store

from napari_diffusion.io import NotReadable, read_image
from napari_diffusion.io.file_image import Channel

# Scale, translation and units


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize(
    ("level", "whole", "lengths", "place"),
    [
        ([scaled(0.5, 0.25)], [], (0.5, 0.25), {}),
        ([scaled(0.5, 0.25), moved(20, -3)], [], (0.5, 0.25), {"y": 20, "x": -3}),
        ([scaled(0.5, 0.25), moved(20, -3)], [scaled(2, 4)], (1, 1), {"y": 40, "x": -12}),
        ([scaled(0.5, 0.25)], [scaled(2, 4), moved(7, 8)], (1, 1), {"y": 7, "x": 8}),
        ([scaled(1, 1), moved(1, 0)], [scaled(2, 2), moved(5, 0)], (2, 2), {"y": 7}),
        ([{"type": "identity"}], [scaled(2, 4)], (2, 4), {}),
    ],
)
def test_transformations_are_combined(tmp_path, version, level, whole, lengths, place):
    found = read_image(store(tmp_path / "a.zarr", level=level, whole=whole, version=version))
    assert (found.axes, found.spacing, found.unit) == ("yx", lengths, "micrometer")
    assert found.place == place


@pytest.mark.parametrize(
    "transformation",
    [
        {"type": "affine", "affine": [[1, 0, 0], [0, 1, 0]]},
        {"type": "rotation", "rotation": [[0, 1], [1, 0]]},
        {"type": "scale", "path": "scales"},
        {"type": "scale", "scale": [1.0]},
        {"type": "scale", "scale": 3},
        {"type": None},
    ],
)
def test_transformations_that_are_not_supported_are_warned_of(tmp_path, transformation):
    made = store(tmp_path / "a.zarr", level=[scaled(0.5, 0.5), transformation])
    with pytest.warns(UserWarning, match="a transformation that is not supported .*not used"):
        assert read_image(made).spacing == (0.5, 0.5)


@pytest.mark.parametrize(
    ("value", "length", "words"),
    [
        (-0.5, 0.5, "negative pixel size along y"),
        (0, None, "no usable pixel size along y"),
        (float("nan"), None, "no usable pixel size along y"),
        (float("inf"), None, "no usable pixel size along y"),
        (10**400, None, "no usable pixel size along y"),
        ("wide", None, "no usable pixel size along y"),
        (None, None, "no usable pixel size along y"),
    ],
)
def test_numbers_that_are_no_pixel_size(tmp_path, value, length, words):
    made = store(tmp_path / "a.zarr")

    def edit(found):
        (image,) = found["attributes"]["ome"]["multiscales"]
        image["datasets"][0]["coordinateTransformations"] = [scaled(value, 0.5)]

    change(made / "zarr.json", edit)
    with pytest.warns(UserWarning, match=words):
        assert read_image(made).lengths.get("y") == length


@pytest.mark.parametrize("place", [float("nan"), 1e400, "there"])
def test_a_place_that_is_none(tmp_path, place):
    made = store(tmp_path / "a.zarr")

    def edit(found):
        (image,) = found["attributes"]["ome"]["multiscales"]
        image["datasets"][0]["coordinateTransformations"] = [scaled(1, 1), moved(place, 2)]

    change(made / "zarr.json", edit)
    with pytest.warns(UserWarning, match="no usable position along y .*0 is used"):
        assert read_image(made).place == {"x": 2}


@pytest.mark.parametrize(
    ("units", "found", "words"),
    [
        ((UM, UM), ((0.5, 0.5), UM), None),
        ((UM, "nanometer"), ((0.5, 0.0005), UM), None),
        ((None, None), ((0.5, 0.5), "pixel"), None),
        (("furlong", "furlong"), ((0.5, 0.5), "furlong"), None),
        ((None, UM), ((1.0, 0.5), UM), "unknown along y"),
        (("furlong", UM), ((1.0, 0.5), UM), "unknown along y"),
        (("second", UM), ((1.0, 0.5), UM), "unknown along y"),
        ((7, UM), ((1.0, 0.5), UM), "unknown along y"),
    ],
)
def test_units_of_axes(tmp_path, units, found, words):
    axes = [axis("y", units[0]), axis("x", units[1])]
    made = store(tmp_path / "a.zarr", axes=axes, level=[scaled(0.5, 0.5)])
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        source = read_image(made)
    assert (source.spacing, source.unit) == found
    assert [words in str(each.message) for each in seen] == ([True] if words else [])


def test_a_scale_of_one_without_unit_says_nothing(tmp_path):
    source = read_image(store(tmp_path / "a.zarr", axes=[axis("y"), axis("x")]))
    assert (source.lengths, source.unit) == ({}, "pixel")


@pytest.mark.parametrize(
    ("unit", "lengths", "time_unit"),
    [("second", {"t": 2.0}, "second"), (None, {"t": 2.0}, "frame"), ("furlong", {}, "frame")],
)
def test_frame_intervals(tmp_path, unit, lengths, time_unit):
    axes = [axis("t", unit, "time"), axis("y"), axis("x")]
    image = np.stack([IMAGE] * 3)
    made = store(tmp_path / "a.zarr", image, axes=axes, level=[scaled(2.0, 1, 1)])
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        source = read_image(made)
    assert (source.axes, source.lengths, source.time_unit) == ("tyx", lengths, time_unit)
    assert len(seen) == (unit == "furlong")


# Axes


@pytest.mark.parametrize(
    ("names", "axes"),
    [
        (["time", "y", "x"], "tyx"),
        (["Z", "Y", "X"], "zyx"),
        (["lat", "lon", "time"], "yxt"),
        (["dim_0", "y", "x"], None),
        (["y", "y", "x"], None),
    ],
)
@pytest.mark.parametrize("version", [2, 3])
def test_names_of_the_axes_of_a_plain_array(tmp_path, names, axes, version):
    image = np.stack([IMAGE] * 3)
    named = {"dimension_names": names} if version == 3 else {}
    array = zarr.create_array(
        tmp_path / "a.zarr", shape=image.shape, dtype="u2", zarr_format=version, **named
    )
    array[...] = image
    if version == 2:
        array.attrs["_ARRAY_DIMENSIONS"] = names
    assert read_image(tmp_path / "a.zarr").axes == axes


@pytest.mark.parametrize("names", [7, [], [None], {"a": 1}, "tyx", [["t"], "y", "x"]])
def test_what_names_no_axes(tmp_path, names):
    image = np.stack([IMAGE] * 3)
    array = zarr.create_array(tmp_path / "a.zarr", shape=image.shape, dtype="u2", zarr_format=2)
    array[...] = image
    array.attrs["_ARRAY_DIMENSIONS"] = names
    assert read_image(tmp_path / "a.zarr").axes is None


def test_axes_of_another_number_are_refused(tmp_path):
    made = store(tmp_path / "a.zarr", axes=[axis("z"), axis("y"), axis("x")], level=[scaled(1, 1)])
    with pytest.raises(NotReadable, match="names 3 axes, and its image has 2"):
        read_image(made)


# Versions


@pytest.mark.parametrize("version", ["0.1", "0.2", "0.3"])
@pytest.mark.parametrize("ndim", [2, 5])
def test_old_versions(tmp_path, version, ndim):
    image = IMAGE.reshape((1,) * (ndim - 2) + IMAGE.shape)
    names = list("tczyx")[-ndim:]
    more = {"axes": names} if version == "0.3" else {"axes": None}
    made = store(tmp_path / "a.zarr", image, version=version, multiscale=more)
    expected = "".join(names) if version == "0.3" or ndim == 5 else None
    found = read_image(made)
    assert (found.axes, found.image.shape) == (expected, image.shape)


@pytest.mark.parametrize("version", ["0.6", "0.6.dev1", "1.0"])
def test_versions_to_come_are_refused_by_name(tmp_path, version):
    made = store(tmp_path / "a.zarr")
    change(made / "zarr.json", lambda found: found["attributes"]["ome"].update(version=version))
    change(
        made / "zarr.json",
        lambda found: found["attributes"]["ome"]["multiscales"][0].pop("version"),
    )
    with pytest.raises(NotReadable, match=f"OME-Zarr {version}: versions up to 0.5 .*save it as"):
        read_image(made)


# Channels


def two_channels(path, *described, **more):
    axes = [axis("c", kind="channel"), axis("y", UM), axis("x", UM)]
    return store(path, np.stack([IMAGE] * 2), axes, omero={"channels": list(described)}, **more)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_channels_are_kept(tmp_path, version):
    window = {"start": 3, "end": 40.5, "min": 0, "max": 99}
    described = {"label": "DAPI", "color": "0000ff", "window": window}, {"label": "GFP"}
    found = read_image(two_channels(tmp_path / "a.zarr", *described, version=version))
    assert found.channels == (Channel("DAPI", "0000FF", (3.0, 40.5)), Channel("GFP"))


@pytest.mark.parametrize(
    "described",
    [
        {"label": 7, "color": "blue", "window": 3},
        {"label": None, "color": "12345", "window": {"start": 5, "end": 5}},
        {"color": 255, "window": {"start": "low", "end": 10**400}},
        "DAPI",
    ],
)
def test_what_describes_no_channel(tmp_path, described):
    found = read_image(two_channels(tmp_path / "a.zarr", described, {"label": "GFP"}))
    assert found.channels == (Channel(), Channel("GFP"))


def test_channels_of_another_number_are_warned_of(tmp_path):
    made = two_channels(tmp_path / "a.zarr", {"label": "DAPI"})
    with pytest.warns(UserWarning, match="describes 1 channels, and has 2: their names"):
        assert read_image(made).channels == ()


# Parts of a lazy image


@pytest.mark.parametrize(
    "key",
    [
        np.s_[0],
        np.s_[-1, 3],
        np.s_[:, 5],
        np.s_[1:4, ::3],
        np.s_[[0, 5]],
        np.s_[:, [7, 2]],
        np.s_[4:4],
        np.s_[...],
    ],
)
def test_any_part_of_a_lazy_image_is_that_of_the_whole(tmp_path, key):
    made = store(tmp_path / "a.zarr")
    found = read_image(made, lazy=True).image[key].compute()
    np.testing.assert_array_equal(found, IMAGE[key])
