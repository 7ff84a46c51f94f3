"""The dock Steps: curves, one step at a time, the recommended one, and what is written of it."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("napari")

from napari.layers import Image
from qtpy.QtWidgets import QApplication
from steps_driver import click, wait

import napari_diffusion as nd
from napari_diffusion.analysis import local_error
from napari_diffusion.analysis.step_selection import BestStep
from napari_diffusion.records.provenance import record
from napari_diffusion.widgets.layers.layer_style import LayerStyle
from napari_diffusion.widgets.layers.step_layers import image_layer
from napari_diffusion.widgets.results.continued_run import channels_of
from napari_diffusion.widgets.steps.copy_menu import COPIES
from napari_diffusion.widgets.steps.step_measure import keep_best
from napari_diffusion.widgets.steps.steps import NOTHING

SCENE = 0.5 * (np.add.outer(np.arange(60), np.arange(64)) > 60)
NOISY = (SCENE + 0.1 * np.random.default_rng(0).normal(size=SCENE.shape)).astype(np.float32)
GRID = {"axes": "yx", "spacing": (1.0, 1.0)}
RECIPE = nd.Recipe(
    num_steps=5,
    starting_noise_scale=0.0,
    noise=None,
    diffusion_filter=nd.filters.PeronaMalik(contrast=0.15, time=0.4),
    final_filter=nd.filters.Heat(time=5.0),
).resolved(NOISY)


@pytest.fixture
def dock(open_steps, qtbot):
    """Return the dock of a viewer with a source, its truth, and the steps of a run."""
    source, truth = Image(NOISY.copy(), name="cells"), Image(SCENE.astype(np.float32), name="truth")
    viewer, dock = open_steps(source, truth)
    steps = list(nd.steps(NOISY, RECIPE, **GRID))
    for step in steps:
        kept = record(RECIPE, step, GRID, "cells")
        name = f"{'final' if step.is_final else f'{step.index:02}'} · cells"
        viewer.layers.insert(
            1 + step.index, image_layer(step.image, name, LayerStyle.of(source), kept)
        )
    viewer.layers["02 · cells"].visible = True
    show(dock, qtbot, "02 · cells")
    return dock


def show(dock, qtbot, name):
    """Click a layer in the list."""
    dock.viewer.layers.selection.active = dock.viewer.layers[name]
    qtbot.wait(20)


def shown(dock):
    return [layer.name for layer in dock.viewer.layers if layer.visible and "·" in layer.name]


def measured(dock, qtbot, name):
    dock.curves.measures.tick([name.partition(" vs ")[0]])
    qtbot.waitUntil(lambda: dock.run.is_measured(name))
    return dock.run.values(name)


def test_one_step_is_kept_and_the_others_come_back(dock, qtbot):
    before = [layer.name for layer in dock.viewer.layers]
    click(dock.keep)
    qtbot.wait(20)
    assert [layer.name for layer in dock.viewer.layers] == ["cells", "02 · cells", "truth"]
    assert dock.back.enabled
    click(dock.back)
    qtbot.wait(20)
    assert [layer.name for layer in dock.viewer.layers] == before
    assert shown(dock) == ["02 · cells"]
    assert not dock.back.enabled


def test_without_a_run_everything_is_disabled_with_the_reason(dock, qtbot):
    assert dock.which.title.value == "6 steps of 'cells'"
    assert (dock.value, dock.step_slider.slider.value()) == (2, 2)
    for layer in dock.run.layers():
        dock.viewer.layers.remove(layer)
    qtbot.wait(20)
    assert dock.controls.message.sentence == NOTHING
    study, saving = dock.study, dock.saving
    for name in dock.parts:
        dock.turn_to(name)
    for button in (
        dock.keep, dock.curves.recommend, dock.curves.export, dock.compare.side,
        dock.profile.export, saving.methods, saving.save_button, saving.movie.sheet,
        study.sweep.start, study.ensemble, study.noise_free, study.local_error, study.use,
        study.go_on,
    ):  # fmt: skip
        assert not button.enabled
        assert "No run yet" in button.tooltip
    assert saving.open_button.enabled


def test_buttons_are_disabled_while_something_is_computed(dock, qtbot):
    for name in ("Save", "Study"):
        dock.turn_to(name)
    click(dock.study.local_error)
    assert dock.is_busy
    for button in (dock.keep, dock.study.go_on, dock.study.sweep.start, dock.study.use):
        assert not button.enabled
        assert "wait for it or cancel it" in button.tooltip
    dock.turn_to("Save")
    assert not dock.saving.save_button.enabled
    wait(dock, qtbot)
    assert dock.saving.save_button.enabled
    assert dock.keep.enabled


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_nothing_scrolls_sideways_and_all_tabs_can_be_read(dock, qtbot, theme):
    window = dock.viewer.window._qt_window
    dock.viewer.theme = theme
    window.resize(1280, 800)
    dock.native.setFixedWidth(330)
    dock.study.sweep.toggle.open = True
    bar = dock.tabs.tabBar()
    for place, name in enumerate(dock.parts):
        dock.turn_to(name)
        qtbot.wait(30)
        text = bar.fontMetrics().horizontalAdvance(name)
        assert bar.tabRect(place).width() >= text
        assert bar.tabRect(place).right() < 330
        area = dock.tabs.widget(place)
        assert area.widget().minimumSizeHint().width() <= area.viewport().width()


def test_measures_of_every_step_are_computed_and_kept_in_the_records(dock, qtbot):
    values = measured(dock, qtbot, "Mean intensity")
    np.testing.assert_allclose(
        values, [step.data.mean(dtype=float) for step in dock.run.steps], rtol=1e-6
    )
    layer = dock.viewer.layers["03 · cells"]
    assert layer.metadata["napari_diffusion"]["measures"]["Mean intensity"] == values[3]
    json.dumps(layer.metadata["napari_diffusion"])
    assert "<b>" in dock.curves.plot.legend.text()


def test_the_recommended_step_is_marked_with_the_reason(dock, qtbot):
    dock.curves.find_best()
    qtbot.waitUntil(lambda: dock.run.recommended() is not None)
    index, reason = dock.run.recommended()
    found = nd.analysis.best_step(NOISY, RECIPE, **GRID)
    assert (index, reason) == (found.index, found.reason)
    qtbot.waitUntil(lambda: dock.controls.message.sentence == reason)
    assert "SURE" in dock.curves.measures.value
    np.testing.assert_allclose(dock.run.values("SURE"), found.curves[0].values[1:], rtol=1e-9)

    # Without its source a run is not judged.
    dock.viewer.layers.remove("cells")
    dock.curves.find_best()
    qtbot.waitUntil(lambda: "was removed" in dock.controls.message.sentence)


def local_error_of(dock, qtbot):
    """Return the layer of the estimated local error of the shown step."""
    dock.turn_to("Study")
    wait(dock, qtbot)
    count = len(dock.viewer.layers)
    click(dock.study.local_error)
    wait(dock, qtbot)
    assert len(dock.viewer.layers) == count + 1, dock.controls.message.sentence
    assert "closer to the ground truth than the source" in dock.controls.message.sentence
    return next(layer for layer in dock.viewer.layers if "estimated local error" in layer.name)


def test_a_reference_is_a_layer_that_decides_and_is_named(dock, qtbot):
    values = measured(dock, qtbot, "PSNR vs truth")
    errors = [np.mean((step.data - SCENE) ** 2) for step in dock.run.steps]
    np.testing.assert_allclose(values, 10 * np.log10(0.25 / np.array(errors)), atol=1e-4)
    dock.curves.find_best()
    qtbot.waitUntil(lambda: dock.run.recommended() is not None)
    index, reason = dock.run.recommended()
    assert index == int(np.argmax(values))
    assert "lowest error against the reference 'truth'" in reason
    assert {"PSNR vs truth", "SURE"} <= set(dock.run.measures())
    assert "PSNR" not in dock.run.measures()


def test_a_part_with_a_mask_is_judged_as_it_ran(dock, qtbot):
    mask = np.zeros(NOISY.shape, bool)
    mask[6:56, 6:60] = True
    region = (slice(4, 58), slice(2, 62))
    options = {**GRID, "mask": mask}
    more = {"region": [(4, 58), (2, 62)], "source_shape": NOISY.shape}
    more["mask"] = {"layer": "mask", "inside": int(mask.sum())}
    style = LayerStyle.of(dock.viewer.layers["cells"]).moved((4, 2))
    for step in nd.steps(NOISY, RECIPE, region=region, **options):
        kept = record(RECIPE, step, options, "cells", **more)
        dock.viewer.add_layer(image_layer(step.image, f"part {step.index}", style, kept, mask))
    show(dock, qtbot, "part 1")
    dock.curves.find_best()
    qtbot.waitUntil(lambda: dock.run.recommended() is not None)
    found = nd.analysis.best_step(NOISY, RECIPE, region=region, **options)
    assert dock.run.recommended() == (found.index, found.reason)
    error = measured(dock, qtbot, "Mean error vs truth")[1]
    inside = (dock.run.step.data - SCENE[region])[mask[region]]
    assert error == pytest.approx(np.mean(inside), rel=1e-4)
    expected = local_error(NOISY, RECIPE, step=1, region=region, **options)
    np.testing.assert_array_equal(local_error_of(dock, qtbot).data, expected.values)


def test_channels_are_judged_together(dock, qtbot):
    stack = np.stack([NOISY, 2 * NOISY[::-1]])
    options = {"axes": "cyx", "spacing": (1.0, 1.0)}
    names = ["red", "green"]
    for name, values in zip(names, stack, strict=True):
        dock.viewer.add_layer(Image(values, name=name))
    style = LayerStyle.of(dock.viewer.layers["cells"])
    for step in nd.steps(stack, RECIPE, **options):
        kept = record(RECIPE, step, options, "red + green", layers=names)
        for channel, name in enumerate(names):
            made = image_layer(step.image[channel], f"{name} {step.index}", style,
                               {**kept, "channel": channel})  # fmt: skip
            dock.viewer.add_layer(made)
    show(dock, qtbot, "green 1")
    dock.curves.find_best()
    qtbot.waitUntil(lambda: dock.run.recommended() is not None)
    found = nd.analysis.best_step(stack, RECIPE, **options)
    assert dock.run.recommended() == (found.index, found.reason)
    # What was measured of one channel does not part it from the others.
    assert len(channels_of(dock.run.step, dock.viewer)) == 2
    expected = local_error(stack, RECIPE, step=1, **options)
    np.testing.assert_array_equal(local_error_of(dock, qtbot).data, expected.values[1])


def test_differences_are_layers_with_white_at_nothing(dock, qtbot):
    dock.turn_to("Compare")
    layers = dock.viewer.layers
    for other, name in (("cells", "source"), ("01 · cells", "step before")):
        dock.compare.other.value = name
        click(dock.compare.difference)
        qtbot.wait(20)
        made = layers[f"02 · cells minus the {name}"]
        step = layers["02 · cells"]
        np.testing.assert_array_equal(made.data, step.data - layers[other].data)
        low, high = made.contrast_limits
        assert low == -high
        assert layers.index(made) == layers.index(step) + 1
        assert dock.run.shown == 2
    dock.compare.other.value = "noise-free run"
    assert not dock.compare.difference.enabled
    assert "no noise-free run" in dock.compare.difference.tooltip


def looks(viewer):
    kept = [(each.name, each.visible, tuple(each.translate)) for each in viewer.layers]
    camera = getattr(viewer, "scene", viewer).camera
    return kept, tuple(camera.center), camera.zoom, viewer.layers.selection.active


def test_side_by_side_and_blink_leave_everything_as_it_was(dock, qtbot):
    viewer, compare = dock.viewer, dock.compare
    dock.turn_to("Compare")
    before = looks(viewer)
    click(compare.side)
    left = viewer.layers["source cells"]
    assert left.data is viewer.layers["cells"].data
    step = viewer.layers["02 · cells"]
    assert left.extent.world[1, 1] < step.extent.world[0, 1]
    np.testing.assert_allclose(left.extent.world[:, 0], step.extent.world[:, 0])
    dock.value = 4
    qtbot.wait(20)
    assert compare.side_by_side.is_there()
    dock.value = 2
    qtbot.wait(20)
    click(compare.side)
    assert looks(viewer) == before
    click(compare.blink)
    cover = viewer.layers["source cells"]
    np.testing.assert_allclose(cover.extent.world, step.extent.world)
    compare._turn()
    assert not cover.visible
    viewer.layers.remove(cover)
    assert not compare.blink.value
    viewer.layers.selection.active = step
    click(compare.blink)
    dock.turn_to("Curves")
    assert not compare.blink.value
    assert looks(viewer) == before


def test_profiles_and_histograms(dock, tmp_path):
    dock.turn_to("Profile")
    profile = dock.profile
    profile.draw()
    layer = dock.viewer.layers["02 · cells"]
    names, columns = profile.plot.table()
    shown = np.array(columns[names.index("step 02")], float)
    np.testing.assert_allclose(shown, layer.data[30], atol=1e-7)
    profile.add_line()
    shapes = dock.viewer.layers["profile line"]
    assert dock.run.shown == 2
    shapes.data = [np.array([[10.0, 5.0], [20.0, 5.0]])]
    profile.draw()
    names, columns = profile.plot.table()
    np.testing.assert_allclose(np.array(columns[names.index("source")], float), NOISY[10:21, 5])
    np.testing.assert_allclose(np.array(columns[0], float), np.arange(11.0))
    assert len(names) == 2 + len(dock.run.steps)
    profile.write(tmp_path / "profile.csv")
    assert len((tmp_path / "profile.csv").read_text().splitlines()) == 12

    dock.viewer.layers.selection.active = layer
    for log in (False, True):
        dock.histogram.log.value = log
        dock.histogram.draw()
        names, columns = dock.histogram.plot.table()
        assert names == ["from", "to", "source", "step 02"]
        assert sum(columns[2]) == sum(columns[3]) == NOISY.size


def test_a_film_a_sheet_and_what_was_done(dock, qtbot, tmp_path):
    from PIL import Image as Image

    dock.turn_to("Save")
    dock.viewer.layers["02 · cells"].colormap = "viridis"
    for name, write in (
        ("film.gif", dock.saving.movie.write_movie),
        ("sheet.png", dock.saving.movie.write_sheet),
    ):
        write(tmp_path / name)
        qtbot.waitUntil(lambda name=name: dock.controls.message.sentence == f"Written to {name}.")
    layer = dock.viewer.layers["02 · cells"]
    low, high = layer.contrast_limits
    levels = np.rint((layer.data.clip(low, high) - low) / (high - low) * 255)
    with Image.open(tmp_path / "film.gif") as film:
        assert film.n_frames == 1 + len(dock.run.steps)
        film.seek(3)  # the source, and steps 0 and 1 before
        factor = film.width // NOISY.shape[1]
        frame = np.asarray(film.convert("RGB"))[: factor * NOISY.shape[0] : factor, ::factor]
    np.testing.assert_allclose(frame, layer.colormap.map(levels / 255)[..., :3] * 255, atol=1)
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > 4 * NOISY.shape[1]

    for name, form in COPIES.items():
        dock.saving.more.asked.emit(name)
        assert QApplication.clipboard().text() == form(dock.run.record)
        assert name in dock.controls.message.sentence
    assert nd.Recipe.from_json(COPIES["Recipe (JSON)"](dock.run.record)) == RECIPE


def test_all_curves_are_exported(dock, qtbot, tmp_path):
    values = {name: measured(dock, qtbot, name) for name in ("Intensity range", "Entropy")}
    for ending in ("csv", "png", "svg"):
        path = tmp_path / f"curve.{ending}"
        dock.curves.write(path)
        assert path.stat().st_size > 0
        assert path.name in dock.controls.message.sentence
    names, *rows = [line.split(",") for line in (tmp_path / "curve.csv").read_text().splitlines()]
    assert names[0] == "step"
    for name, known in values.items():
        column = next(k for k, each in enumerate(names) if each.startswith(name))
        assert [float(row[column]) for row in rows] == known
    dock.curves.write(tmp_path / "curve.txt")
    assert "use .csv, .png or .svg" in dock.controls.message.sentence


def test_curves_and_marks_survive_saving_and_reopening(dock, qtbot, tmp_path):
    name = "run.ome.zarr"
    values = measured(dock, qtbot, "Mean intensity")
    keep_best(dock.run, BestStep(3, ()), "Step 3 is best.", str)
    records = [step.record for step in dock.run.steps]
    images = [step.data for step in dock.run.steps]
    dock.turn_to("Save")
    dock.saving.save_run(tmp_path / name)
    wait(dock, qtbot)
    assert dock.controls.message.sentence == f"Written to {name}."
    for layer in dock.run.layers():
        dock.viewer.layers.remove(layer)
    qtbot.waitUntil(lambda: dock.run is None)
    dock.saving.open_run(tmp_path / name)
    qtbot.waitUntil(lambda: dock.run is not None)
    assert dock.run.values("Mean intensity") == values
    assert dock.run.recommended() == (3, "Step 3 is best.")
    for step, before, image in zip(dock.run.steps, records, images, strict=True):
        assert step.record["measures"] == before["measures"]
        np.testing.assert_array_equal(step.data, image)
    assert dock.run.source is dock.viewer.layers["cells"]
