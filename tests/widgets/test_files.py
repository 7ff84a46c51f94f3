"""Layers and files say the same: pixel sizes, units, place, channels, colours and records."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from napari.layers import Image, Layer

import napari_diffusion as nd
from napari_diffusion.cli import main
from napari_diffusion.core.units import METRES, SECONDS
from napari_diffusion.io import read_image
from napari_diffusion.widgets.files.layer_source import layer_arguments, layer_source
from napari_diffusion.widgets.files.reader import get_reader, read_layers
from napari_diffusion.widgets.files.writer import write_image
from napari_diffusion.widgets.layers.layer_axes import axes_of
from napari_diffusion.widgets.layers.layer_style import LayerStyle
from napari_diffusion.widgets.layers.step_records import KEY, records_of

VALUES = np.random.default_rng(0).normal(100, 9, (5, 24, 28)).astype(np.float32)


def corners(layer, index):
    """Return the world position of some pixels in metres and seconds, where units are known."""
    factors = []
    for unit in layer.units:
        name = str(unit)
        factors.append(METRES.get(name, SECONDS.get(name, 1.0)))
    return [np.multiply(layer.data_to_world(place), factors) for place in index]


@st.composite
def layers(draw):
    """Draw a layer of some axes, units, sizes, place and type."""
    axes = draw(st.sampled_from(["yx", "zyx", "tyx", "tzyx", "czyx", "cyx"]))
    ndim = len(axes)
    dtype = draw(st.sampled_from(["uint8", "uint16", "int16", "float32"]))
    shape = [draw(st.integers(2, 4)) for _ in axes]
    values = np.random.default_rng(draw(st.integers(0, 99))).integers(0, 99, shape).astype(dtype)
    length = st.sampled_from(["nanometer", "micrometer", "millimeter"])
    time = st.sampled_from(["second", "millisecond", "minute"])
    units = [
        draw(time) if axis == "t" else "pixel" if axis == "c" else draw(length) for axis in axes
    ]
    number = st.floats(0.01, 1000, allow_nan=False)
    scale = [1.0 if axis == "c" else draw(number) for axis in axes]
    mirrored = [axis in "zyx" and draw(st.booleans()) for axis in axes]
    scale = [-s if m else s for s, m in zip(scale, mirrored, strict=True)]
    translate = [0.0 if a == "c" else draw(st.floats(-1e3, 1e3)) for a in axes]
    return Image(
        values,
        scale=scale,
        translate=translate,
        units=units,
        axis_labels=list(axes),
        name=draw(st.text("abc µ", min_size=1, max_size=5)),
        affine=np.eye(ndim + 1),
    )


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(layer=layers(), ending=st.sampled_from([".ome.zarr", ".ome.tif"]))
def test_a_layer_comes_back_from_its_file(layer, ending, tmp_path_factory):
    path = tmp_path_factory.mktemp("layer") / f"a{ending}"
    data, meta, _ = layer.as_layer_data_tuple()
    assert write_image(str(path), data, meta) == [str(path)]
    again = [Layer.create(*each) for each in read_layers(path)]
    axes = axes_of(layer)
    parts = [again[0].data] if len(again) == 1 else [each.data for each in again]
    whole = parts[0] if "c" not in axes else np.stack([np.asarray(each) for each in parts])
    if "c" in axes and len(parts) == 1:
        whole = parts[0][None] if parts[0].ndim < len(axes) else parts[0]
    spatial = [k for k, axis in enumerate(axes) if axis != "c"]
    turned = [k for k in range(len(axes)) if layer.scale[k] < 0]
    np.testing.assert_array_equal(whole, np.flip(layer.data, tuple(turned)))
    assert whole.dtype == layer.data.dtype
    for made in again:
        own = (
            [axes.replace("c", "")[k] for k in range(made.ndim)] if made.ndim < len(axes) else axes
        )
        assert "".join(made.axis_labels) == "".join(own)
        known = METRES | SECONDS | {"pixel": 1.0}
        kept = spatial if made.ndim < len(axes) else list(range(len(axes)))
        for place, k in enumerate(kept):
            before = abs(layer.scale[k]) * known[str(layer.units[k])]
            after = made.scale[place] * known[str(made.units[place])]
            assert after == pytest.approx(before, rel=1e-6), axes[k]


@settings(deadline=None)
@given(layer=layers())
def test_the_conversion_keeps_the_world(layer):
    """Every pixel lies in the world where it lay, mirrored layers too."""
    axes = axes_of(layer)
    source = layer_source(layer.data, axes, LayerStyle.of(layer), "a")
    again = Image(source.image, **layer_arguments(source, axes))
    before, after = (np.array(each.extent.world) for each in (layer, again))
    for k in range(len(axes)):
        sizes = METRES | SECONDS | {"pixel": 1.0}
        ends = before[:, k] * sizes[str(layer.units[k])]
        found = after[:, k] * sizes[str(again.units[k])]
        tolerance = 1e-9 * max(1e-12, *np.abs(ends))
        np.testing.assert_allclose(found, ends, atol=max(tolerance, 1e-9 * abs(ends[1] - ends[0])))


def test_rotation_is_warned_of():
    layer = Image(VALUES[0], rotate=30, name="slanted", axis_labels=("y", "x"))
    with pytest.warns(UserWarning, match="slanted is rotated or sheared"):
        layer_source(layer.data, "yx", LayerStyle.of(layer), "slanted")


def test_channels_have_names_and_colours(tmp_path):
    import tifffile

    data = np.arange(2 * 16 * 16, dtype=np.uint16).reshape(2, 16, 16)
    tifffile.imwrite(
        tmp_path / "a.ome.tif",
        data,
        photometric="minisblack",
        metadata={"axes": "CYX", "Channel": {"Name": ["DAPI", "GFP"]}},
    )
    for name in ("a.ome.tif", "b.ome.zarr"):
        if name.startswith("b"):
            words = ["filter", str(tmp_path / "a.ome.tif"), str(tmp_path / name)]
            assert main([*words, "--filter", "Heat", "--set", "time=0", "--quiet"]) == 0
        found = read_layers(tmp_path / name)
        if name.startswith("a"):
            assert [each[1]["name"] for each in found] == ["a DAPI", "a GFP"]
            np.testing.assert_array_equal(np.stack([each[0] for each in found]), data)
        assert [each.name for each in read_image(tmp_path / name).channels] == ["DAPI", "GFP"]


@pytest.mark.parametrize("name", ["run.ome.zarr", "steps", "run.ome.tif"])
def test_a_run_opens_as_one_layer_with_its_steps(tmp_path, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", VALUES)
    recipe = ["--set", "starting_noise_scale=2", "--set", "diffusion_filter.contrast=5"]
    words = ["run", "a.npy", name, "--steps", "3", "--spacing", "2,.5,.5", "--quiet", *recipe]
    assert main(words) == 0
    assert get_reader(str(tmp_path / name)) is not None
    ((data, arguments, kind),) = read_layers(tmp_path / name)
    assert kind == "image"
    layer = Layer.create(data, arguments, kind)
    finest = layer.data[0] if layer.multiscale else layer.data
    assert finest.shape == (4, *VALUES.shape)
    assert layer.axis_labels == ("step", "z", "y", "x")
    assert layer.scale.tolist() == [1.0, 2.0, 0.5, 0.5]
    assert [record["step"] for record in records_of(layer)] == [0, 1, 2, 3]
    assert layer.name == "4 steps · a.npy"
    low, high = layer.contrast_limits
    assert np.asarray(finest).min() <= low < high <= np.asarray(finest).max()
    kept = nd.Recipe.from_dict(records_of(layer)[2]["recipe"])
    made = list(nd.steps(VALUES, kept, spacing=(2, 0.5, 0.5)))
    np.testing.assert_array_equal(np.asarray(finest[2]), made[2].image)


def test_a_run_is_saved_as_what_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", VALUES)
    assert main(["run", "a.npy", "steps", "--recipe", "smooth", "--steps", "2", "--quiet"]) == 0
    (first,) = read_layers(tmp_path / "steps")
    layer = Layer.create(*first)
    for name in ("again.ome.zarr", "again.ome.tif"):
        data, meta, _ = layer.as_layer_data_tuple()
        write_image(str(tmp_path / name), data, meta)
        ((values, arguments, _),) = read_layers(tmp_path / name)
        values = values[0] if isinstance(values, list) else values
        np.testing.assert_array_equal(np.asarray(values), np.asarray(layer.data))
        for before, after in zip(
            layer.metadata[KEY]["steps"], arguments["metadata"][KEY]["steps"], strict=True
        ):
            assert after["recipe"] == before["recipe"]
            assert after["step"] == before["step"]


@pytest.mark.parametrize("name", ["run.ome.zarr", "run.ome.tif", "run"])
def test_a_run_has_its_colour_again(tmp_path, name):
    layer = Image(VALUES[0], colormap="green", contrast_limits=(3, 40), axis_labels=("y", "x"))
    write_image(str(tmp_path / "a.ome.zarr"), *layer.as_layer_data_tuple()[:2])
    run = ["run", str(tmp_path / "a.ome.zarr"), str(tmp_path / name)]
    assert main([*run, "--steps", "2", "--quiet"]) == 0
    made = Layer.create(*read_layers(tmp_path / name)[0])
    assert made.colormap.name == "green"
    assert name != "run.ome.zarr" or tuple(made.contrast_limits) == (3, 40)


def test_what_belongs_to_others_is_left_to_them(tmp_path):
    (tmp_path / "a.tif").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    for name in ("a.tif", "folder", "a.png", "none.zarr"):
        assert get_reader(str(tmp_path / name)) is None


def test_a_file_without_axes_is_a_layer_whose_axes_are_asked_for(tmp_path):
    np.save(tmp_path / "a.npy", VALUES)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ((data, arguments, _),) = read_layers(tmp_path / "a.npy")
    assert data.shape == VALUES.shape
    assert "axis_labels" not in arguments


@pytest.mark.parametrize("ending", [".ome.zarr", ".ome.tif"])
def test_colours_are_colours_again(tmp_path, ending):
    values = np.random.default_rng(0).integers(0, 255, (20, 24, 3), dtype=np.uint8)
    path = tmp_path / f"a{ending}"
    data, meta, _ = Image(values, rgb=True, name="face").as_layer_data_tuple()
    write_image(str(path), data, meta)
    ((again, arguments, _),) = read_layers(path)
    layer = Image(again, **arguments)
    assert layer.rgb
    np.testing.assert_array_equal(layer.data, values)


def test_what_is_no_data_is_shown_as_labels(tmp_path, make_napari_viewer):
    import tifffile

    from napari_diffusion.widgets.results.saved_run import open_file, show_result

    values = VALUES[0].copy()
    values[:8] = -9999
    extra = [(42113, "s", 0, "-9999", True)]
    tifffile.imwrite(tmp_path / "dem.tif", values, extratags=extra)
    viewer = make_napari_viewer()
    with pytest.warns(UserWarning, match="marks 224 of 672 values"):
        show_result(viewer, open_file(tmp_path / "dem.tif"))
    assert [layer.name for layer in viewer.layers] == ["dem", "dem data"]
    np.testing.assert_array_equal(viewer.layers["dem data"].data == 1, values > 0)
    assert viewer.layers.selection.active is viewer.layers["dem"]


@pytest.mark.parametrize(
    ("colormap", "colour"),
    [
        ("gray", "FFFFFF"),
        ("green", "00FF00"),
        ("bop orange", "F8AD20"),
        ("gray_r", ""),
        ("magma", ""),
        ("twilight", ""),
        ("I Blue", ""),
    ],
)
def test_only_a_ramp_from_black_is_a_colour(colormap, colour):
    layer = Image(np.ones((4, 5)), colormap=colormap)
    made = layer_source(layer.data, "yx", LayerStyle.of(layer), "a")
    assert [each.colour for each in made.channels] == [colour]


def test_napari_says_why_a_layer_cannot_be_saved(tmp_path):
    layer = Image(np.zeros((4, 5, 3), np.uint8), rgb=True)
    with pytest.raises(OSError, match=r"An MRC file holds no channels .* write .ome.zarr"):
        layer.save(str(tmp_path / "a.mrc"), plugin="napari-diffusion")


def test_a_warning_of_a_layer_comes_once(tmp_path):
    layer = Image(np.ones((6, 5)), rotate=30)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        write_image(str(tmp_path / "a.ome.tif"), *layer.as_layer_data_tuple()[:2])
    assert len([each for each in said if "rotated" in str(each.message)]) == 1


@pytest.mark.parametrize("name", ["a.npy", "one.ome.tif", "run.ome.tif"])
def test_a_file_is_read_once(tmp_path, monkeypatch, name):
    from napari_diffusion.widgets.files import reader, saved_steps

    monkeypatch.chdir(tmp_path)
    np.save("a.npy", VALUES)
    kept = "last" if name.startswith("one") else "all"
    words = ["run", "a.npy", name, "--recipe", "smooth", "--steps", "2", "--keep", kept]
    assert name == "a.npy" or main([*words, "--quiet"]) == 0
    read = []

    def counted(path, **options):
        read.append(path)
        return read_image(path, **options)

    for module in (reader, saved_steps):
        monkeypatch.setattr(module, "read_image", counted)
    assert read_layers(tmp_path / name)
    assert read == [tmp_path / name]
