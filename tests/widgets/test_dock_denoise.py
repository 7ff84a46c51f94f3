"""The dock Denoise: one layer, what was found, its methods, a file and back."""

from __future__ import annotations

import json

import numpy as np
import pytest
from dock_driver import made, wait

pytest.importorskip("napari")

from napari.layers import Image
from qtpy.QtWidgets import QApplication, QFileDialog

import napari_diffusion as nd
from napari_diffusion.denoising import denoiser
from napari_diffusion.records.methods_paragraph import paragraph
from napari_diffusion.records.provenance import recipe_of
from napari_diffusion.widgets.source.layer_readings import READINGS

RANDOM = np.random.default_rng(3)
WHITE = (100 + 10 * RANDOM.normal(size=(64, 72))).astype(np.float32)
ROWS = WHITE + (8 * RANDOM.normal(size=(64, 1))).astype(np.float32)
COLOURS = RANDOM.normal(100, 10, (32, 40, 3)).astype(np.uint8)
STACK = RANDOM.poisson(100 + 50 * RANDOM.random((4, 24, 32))).astype(np.uint16)


@pytest.fixture
def open_denoise(open_dock):
    """Return a function that opens a viewer with some layers and the dock Denoise."""

    def opened(*layers, fast=True):
        viewer, dock = open_dock("Denoise", *layers)
        dock.fast.value = fast
        return viewer, dock

    return opened


def noisy(values=WHITE, **options):
    return Image(values.copy(), name="noisy", **options)


def denoised(dock, qtbot):
    dock.controls.run.native.click()
    wait(dock, qtbot)
    assert dock.controls.message.role in ("good", "warning"), dock.controls.message.sentence


def written(dock, qtbot, path):
    dock.results.save_to(path)
    qtbot.waitUntil(lambda: not dock.results.is_working)


def opened(dock, qtbot, path):
    dock.results.open_from(path)
    qtbot.waitUntil(lambda: not dock.results.is_working)


def test_a_click_makes_one_layer_with_its_record(open_denoise, qtbot):
    viewer, dock = open_denoise(Image(ROWS.copy(), name="rows"), noisy())
    denoised(dock, qtbot)
    (layer,) = made(viewer)
    assert [each.name for each in viewer.layers][-1] == layer.name
    np.testing.assert_array_equal(layer.data, nd.denoise(WHITE, fast=True))
    record = json.loads(json.dumps(layer.metadata["napari_diffusion"]))
    np.testing.assert_array_equal(nd.run(WHITE, recipe_of(record)).image, layer.data)
    message = dock.controls.message
    assert message.sentence.startswith(f"{record['noise_found'].removesuffix('.')}; 1 layer in ")
    assert (message.role, message.details) == ("good", "")
    assert dock.sigma.note.value.startswith("= ")


def test_what_stands_against_an_image_is_a_warning_with_details(open_denoise, qtbot):
    viewer, dock = open_denoise(noisy(ROWS))
    denoised(dock, qtbot)
    message = dock.controls.message
    assert message.role == "warning"
    assert "Row noise" in message.sentence
    kept = made(viewer)[0].metadata["napari_diffusion"]
    for warning in kept["noise_warnings"]:
        assert warning in message.details


def test_another_source_forgets_what_was_found(open_denoise, qtbot):
    viewer, dock = open_denoise(noisy(), Image(ROWS.copy(), name="rows"))
    denoised(dock, qtbot)
    assert dock.source.layer() is viewer.layers["rows"]
    # To look at the result does not make it the source.
    viewer.layers.selection.active = viewer.layers["noisy"]
    viewer.layers.selection.active = made(viewer)[0]
    assert dock.source.layer() is viewer.layers["noisy"]
    assert dock.controls.message.sentence == ""
    assert dock.sigma.note.value == "intensity"


def test_the_strength_is_a_factor_on_the_noise(open_denoise, qtbot):
    viewer, dock = open_denoise(noisy())
    dock.strength.editor.native.setText("1.5")
    denoised(dock, qtbot)
    expected = nd.denoise(WHITE, fast=True, strength=1.5)
    np.testing.assert_array_equal(made(viewer)[0].data, expected)
    dock.strength.editor.native.setText("0")
    assert not dock.controls.run.enabled
    assert "strength must be a finite number greater than 0" in dock.controls.message.sentence
    dock.strength.value = 1 / 3
    assert dock.value == denoiser(fast=True, strength=1 / 3)
    assert dock.controls.message.sentence == ""


def test_the_value_is_the_recipe(open_denoise):
    _, dock = open_denoise(noisy())
    assert dock.value == denoiser(fast=True)
    dock.fast.editor.native.click()
    dock.sigma.editor.native.setText("3, 4, 4")
    assert dock.value == denoiser(noise_sigma=(3.0, 4.0, 4.0))


def test_stages_and_a_typed_noise(open_denoise, qtbot):
    viewer, dock = open_denoise(noisy(), fast=False)
    dock.stages.value = True
    dock.sigma.value = 14.0
    denoised(dock, qtbot)
    names = [layer.name for layer in viewer.layers]
    assert names[-1] == viewer.layers.selection.active.name
    assert "denoised" in names[-1]
    assert len(names) == 2 + 2 * 4
    expected = nd.denoise(WHITE, noise_sigma=14.0)
    np.testing.assert_array_equal(viewer.layers[-1].data, expected)
    mixed = sum(
        viewer.layers[i].data * viewer.layers[i + 1].data for i in range(1, len(names) - 1, 2)
    )
    np.testing.assert_allclose(mixed, expected, rtol=0, atol=1e-3)
    assert [layer.visible for layer in viewer.layers[1:-1]] == [False] * 8
    assert "standard deviation entered" in dock.controls.message.sentence


def test_a_second_click_makes_a_second_layer(open_denoise, qtbot):
    viewer, dock = open_denoise(noisy())
    denoised(dock, qtbot)
    denoised(dock, qtbot)
    first, second = made(viewer)
    assert first.name != second.name
    np.testing.assert_array_equal(first.data, second.data)


def test_a_cancelled_run_leaves_nothing(open_denoise, qtbot):
    viewer, dock = open_denoise(noisy(np.tile(WHITE, (20, 20))))
    dock.controls.run.native.click()
    assert dock.controls.cancel.enabled
    assert not dock.controls.run.enabled
    assert not dock.results.open.enabled
    dock.controls.cancel.native.click()
    wait(dock, qtbot)
    assert dock.controls.message.sentence.startswith("Cancelled")
    assert not made(viewer)
    assert dock.controls.run.enabled
    assert not dock.results.save.enabled


@pytest.mark.parametrize(
    ("values", "options", "grid"),
    [
        (STACK, {"axis_labels": ("z", "y", "x")}, {"axes": "zyx"}),
        (COLOURS, {"rgb": True}, {"axes": "yxc"}),
        (WHITE[:3, :4], {}, {"axes": "yx"}),
    ],
    ids=["3D", "rgb", "tiny"],
)
def test_kinds_of_images(open_denoise, qtbot, values, options, grid):
    viewer, dock = open_denoise(noisy(values, **options))
    denoised(dock, qtbot)
    expected = nd.denoise(values, fast=True, rgb=options.get("rgb", False), **grid)
    if values.dtype == np.uint8:
        expected = np.rint(expected).clip(0, 255)
    np.testing.assert_array_equal(made(viewer)[0].data, expected)


def test_missing_values_are_to_be_filled_and_masks_are_not_offered(open_denoise):
    holed = WHITE.copy()
    holed[3, 4] = np.nan
    viewer, dock = open_denoise(noisy(holed, contrast_limits=(0, 200)))
    assert not dock.controls.run.enabled
    sentence = "'noisy' has 1 missing value (NaN, infinite or no data), which cannot be "
    assert dock.controls.message.sentence.startswith(sentence)
    dock.advanced.open = True
    for widget in (dock.source.holes, dock.source.axes.holes, dock.source.mask):
        assert not widget.native.isVisibleTo(dock.native)
    # What another dock does with them is not asked for here.
    viewer.layers["noisy"].data = WHITE
    READINGS.keep(viewer.layers["noisy"], {"keep_holes": True})
    assert dock.controls.run.enabled
    assert "missing" not in dock.source.value.options


@pytest.mark.filterwarnings("ignore::napari_diffusion.denoising.NoiseWarning")
def test_channels_are_denoised_together_and_saved_each_in_its_file(open_denoise, qtbot, tmp_path):
    viewer, dock = open_denoise(Image(WHITE, name="red"), Image(ROWS, name="green"))
    viewer.layers.selection = set(viewer.layers)
    dock.source.join.native.click()
    denoised(dock, qtbot)
    expected = nd.denoise(np.stack([WHITE, ROWS]), axes="cyx", fast=True)
    for layer, values in zip(made(viewer), expected, strict=True):
        np.testing.assert_array_equal(layer.data, values)
    viewer.layers.selection.active = made(viewer)[0]
    written(dock, qtbot, tmp_path / "both.ome.tif")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["both green.ome.tif", "both red.ome.tif"]
    written(dock, qtbot, tmp_path / "both.ome.tif")
    assert dock.controls.message.sentence == "'both red.ome.tif' exists: choose another name."


def test_lazy_images(open_denoise, qtbot):
    da = pytest.importorskip("dask.array")
    viewer, dock = open_denoise(Image(da.from_array(WHITE, chunks=32), name="lazy"))
    denoised(dock, qtbot)
    np.testing.assert_array_equal(np.asarray(made(viewer)[0].data), nd.denoise(WHITE, fast=True))


# --- what can be done with a result ---


def test_there_is_nothing_to_copy_or_save_before_a_run(open_denoise, qtbot):
    viewer, dock = open_denoise(noisy())
    buttons = dock.results
    for button in (buttons.copy, buttons.save):
        assert not button.enabled
        assert "Denoise an image first" in button.tooltip
    assert buttons.open.enabled
    denoised(dock, qtbot)
    assert buttons.copy.enabled
    assert buttons.save.enabled
    viewer.layers.remove(made(viewer)[0])
    assert not buttons.copy.enabled


def test_the_methods_are_copied(open_denoise, qtbot):
    viewer, dock = open_denoise(noisy())
    denoised(dock, qtbot)
    dock.results.copy.native.click()
    expected = paragraph(made(viewer)[0].metadata["napari_diffusion"])
    assert QApplication.clipboard().text() == expected
    words = len(expected.split())
    assert dock.controls.message.sentence == f"Copied a methods paragraph of {words} words."
    assert dock.controls.message.details == expected


@pytest.mark.parametrize("name", ["result.ome.tif", "result.ome.zarr"])
@pytest.mark.parametrize("values", [WHITE, STACK], ids=["plane", "volume"])
def test_a_result_is_saved_and_opened_again(open_denoise, qtbot, tmp_path, name, values):
    scale = (1.0, 0.2, 0.2)[-values.ndim :]
    labels = ("z", "y", "x")[-values.ndim :]
    source = noisy(values, scale=scale, units=("um",) * values.ndim, axis_labels=labels)
    viewer, dock = open_denoise(source)
    denoised(dock, qtbot)
    result = made(viewer)[0]
    written(dock, qtbot, tmp_path / name)
    assert dock.controls.message.sentence == f"Saved {name} with pixel size and record."
    opened(dock, qtbot, tmp_path / name)
    assert dock.controls.message.sentence == f"Opened {name} with pixel size and record."
    again = viewer.layers[-1]
    assert again.name == "result"
    assert again is viewer.layers.selection.active
    np.testing.assert_array_equal(again.data, result.data)
    assert again.data.dtype == result.data.dtype
    np.testing.assert_array_equal(again.scale, scale)
    assert again.units == result.units
    assert again.axis_labels == labels
    kept, before = (each.metadata["napari_diffusion"] for each in (again, result))
    assert json.loads(json.dumps(before)).items() <= kept.items()
    # What was opened is a result like any other.
    assert dock.source.layer() is source
    dock.results.copy.native.click()
    assert QApplication.clipboard().text() == paragraph(before)


def test_files_are_asked_for(open_denoise, qtbot, tmp_path, monkeypatch):
    viewer, dock = open_denoise(noisy())
    denoised(dock, qtbot)
    path = tmp_path / "asked.ome.zarr"
    here = "napari_diffusion.widgets.denoise.result_buttons.asked_for"
    monkeypatch.setattr(here, lambda *_: None)
    dock.results.save.native.click()
    assert not any(tmp_path.iterdir())
    monkeypatch.setattr(here, lambda *_: path)
    dock.results.save.native.click()
    qtbot.waitUntil(lambda: not dock.results.is_working)
    # The dialog cannot choose a folder: the description of the store stands for it.
    chosen = str(path / "zarr.json")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (chosen, ""))
    dock.results.open.native.click()
    qtbot.waitUntil(lambda: not dock.results.is_working)
    assert viewer.layers[-1].name == "asked"


def test_what_cannot_be_opened_or_written_is_said(open_denoise, qtbot, tmp_path):
    tifffile = pytest.importorskip("tifffile")
    viewer, dock = open_denoise(noisy())
    tifffile.imwrite(tmp_path / "raw.tif", WHITE)
    opened(dock, qtbot, tmp_path / "raw.tif")
    assert dock.controls.message.sentence == "raw.tif has no processing record."
    assert dock.controls.message.role == "error"
    denoised(dock, qtbot)
    written(dock, qtbot, tmp_path / "nowhere" / "result.ome.tif")
    assert "does not exist" in dock.controls.message.sentence
    assert len(made(viewer)) == 1


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("options", [{}, {"strength": 1.3}, {"noise_sigma": (3.0, 4.0, 4.0)}])
def test_a_recipe_of_the_denoiser_is_shown_and_comes_back(open_denoise, fast, options):
    _, dock = open_denoise(noisy())
    recipe = denoiser(fast=fast, **options)
    dock.value = recipe
    assert dock.value == recipe
    assert dock.fast.value is fast
    with pytest.raises(ValueError, match="use the presets denoise"):
        dock.value = nd.PRESETS["explore"]
    assert dock.value == recipe


def test_a_noise_map_is_typed_by_the_name_of_its_file_or_layer(open_denoise, qtbot, tmp_path):
    sigma = (5 + 10 * np.linspace(0, 1, 72) * np.ones((64, 1))).astype(np.float32)
    path = tmp_path / "sigma.npy"
    np.save(path, sigma)
    viewer, dock = open_denoise(noisy())
    dock.sigma.editor.native.setText(str(path))
    assert not dock.form_problem()
    denoised(dock, qtbot)
    (layer,) = made(viewer)
    np.testing.assert_array_equal(layer.data, nd.denoise(WHITE, fast=True, noise_sigma=sigma))
    record = layer.metadata["napari_diffusion"]
    assert str(path) in json.dumps(record["recipe"])
    again = recipe_of(json.loads(json.dumps(record)))
    np.testing.assert_array_equal(nd.run(WHITE, again).image, layer.data)
    # A layer that shows the file stands for it; one without a file could not be named.
    viewer.open(str(path), layer_type="image", name="map", plugin="napari")
    dock.sigma.editor.native.setText("map")
    assert dock.value == denoiser(fast=True, noise_sigma=sigma)
    assert dock.value.to_json()
    viewer.add_image(2 * sigma, name="other")
    dock.sigma.editor.native.setText("other")
    assert "save its layer as .tif or .npy" in dock.form_problem()
    for text, sigmas in (("auto", "auto"), ("4", 4.0), ("3, 4, 4", (3.0, 4.0, 4.0))):
        dock.sigma.editor.native.setText(text)
        assert dock.value == denoiser(fast=True, noise_sigma=sigmas)


def test_a_noise_map_that_was_saved_is_taken(open_denoise, qtbot, tmp_path):
    viewer, dock = open_denoise(noisy())
    path = tmp_path / "map.tif"
    viewer.add_image(np.full((64, 72), 10, np.float32), name="noise map").save(str(path))
    dock.sigma.editor.native.setText(str(path))
    assert dock.value == denoiser(fast=True, noise_sigma=np.full((64, 72), 10, np.float32))
