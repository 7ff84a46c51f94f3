"""The commands of the menus and the palette: on the selected layer, in the background."""

from __future__ import annotations

import json
import threading

import numpy as np
import pytest

pytest.importorskip("napari")

from napari._app_model import get_app_model
from napari.utils.progress import progress
from qtpy.QtWidgets import QMessageBox

import napari_diffusion as nd
from napari_diffusion.denoising.noise_report import noise_report
from napari_diffusion.engine.threads import Threads
from napari_diffusion.records.provenance import recipe_of
from napari_diffusion.widgets.commands import asked_axes, command_work, open_files
from napari_diffusion.widgets.results.saved_run import save_run
from napari_diffusion.widgets.results.shown_step import ShownStep
from napari_diffusion.widgets.source.layer_readings import READINGS

RANDOM = np.random.default_rng(3)
CLEAN = 100 + 20 * np.add.outer(np.arange(48) // 8 % 2, np.arange(56) // 8 % 2)
WHITE = (CLEAN + 10 * RANDOM.normal(size=CLEAN.shape)).astype(np.float32)
ROWS = (WHITE + 8 * RANDOM.normal(size=(48, 1))).astype(np.float32)
ON_A_LAYER = ["denoise_selected", "estimate_noise", "noise_map", "difference_to_source"]


@pytest.fixture
def notes(monkeypatch):
    """Return all that napari's notifications have said, in order."""
    found = []
    for kind in ("error", "warning", "info"):
        monkeypatch.setattr(
            f"napari.utils.notifications.show_{kind}",
            lambda sentence, kind=kind: found.append((kind, sentence)),
        )
    return found


@pytest.fixture
def viewer(make_napari_viewer):
    viewer = make_napari_viewer()
    yield viewer
    for worker in command_work.under_way():
        worker.cancel()


def execute(command):
    get_app_model().commands.execute_command(f"napari-diffusion.{command}")


def executed(command, qtbot):
    execute(command)
    qtbot.waitUntil(lambda: not command_work.under_way())


@pytest.mark.parametrize("command", ON_A_LAYER)
def test_without_a_selected_image_one_sentence_answers(viewer, notes, command):
    execute(command)
    viewer.add_image(WHITE, name="one")
    viewer.add_image(WHITE, name="two")
    viewer.layers.selection = set(viewer.layers)
    viewer.layers.selection.active = None
    viewer.layers.selection.update(viewer.layers)
    execute(command)
    (kind, none), (_, many) = notes
    assert kind == "warning"
    assert none.startswith("Select one image layer to ")
    assert none.count(".") == 1
    assert "2 layers are selected" in many
    assert len(viewer.layers) == 2


@pytest.mark.parametrize("command", ON_A_LAYER)
def test_other_layers_are_refused(viewer, notes, command):
    viewer.add_labels(np.ones((8, 8), int), name="cells")
    execute(command)
    ((kind, sentence),) = notes
    assert kind == "warning"
    assert sentence.startswith("'cells' is a Labels layer: select an image layer to ")
    assert not command_work.under_way()


def test_denoise_adds_a_layer_with_its_record(viewer, qtbot, notes):
    source = viewer.add_image(WHITE.copy(), name="noisy", scale=(0.5, 0.5), units="um")
    viewer.add_image(WHITE.copy(), name="other")
    viewer.layers.selection.active = source
    executed("denoise_selected", qtbot)
    assert [layer.name for layer in viewer.layers] == ["noisy", "denoised · noisy", "other"]
    layer = viewer.layers["denoised · noisy"]
    np.testing.assert_array_equal(layer.data, nd.denoise(WHITE, spacing=0.5))
    np.testing.assert_array_equal(layer.scale, source.scale)
    assert layer.units == source.units
    record = json.loads(json.dumps(layer.metadata["napari_diffusion"]))
    np.testing.assert_array_equal(nd.run(WHITE, recipe_of(record), spacing=0.5).image, layer.data)
    np.testing.assert_array_equal(source.data, WHITE)
    assert notes == [("info", f"{record['noise_found']} Removed from 'noisy'.")]


def test_estimate_says_what_denoise_says_and_adds_nothing(viewer, qtbot, notes):
    viewer.add_image(ROWS.copy(), name="rows")
    executed("estimate_noise", qtbot)
    assert [layer.name for layer in viewer.layers] == ["rows"]
    (info, found), (warning, doubt) = notes
    assert (info, warning) == ("info", "warning")
    assert found.endswith(" Measured on 'rows'.")
    assert "Row noise" in doubt
    notes.clear()
    executed("denoise_selected", qtbot)
    assert notes[0] == ("info", found.replace("Measured on", "Removed from"))
    assert notes[1:] == [("warning", doubt)]


def test_the_noise_map_is_a_layer_with_its_unit(viewer, qtbot, notes):
    source = viewer.add_image(WHITE.copy(), name="noisy", scale=(0.5, 0.5), units="um")
    viewer.add_image(WHITE.copy(), name="other")
    viewer.layers.selection.active = source
    executed("noise_map", qtbot)
    assert [layer.name for layer in viewer.layers] == ["noisy", "noise map · noisy", "other"]
    layer = viewer.layers["noise map · noisy"]
    np.testing.assert_array_equal(layer.data, nd.estimate.noise_map(WHITE, spacing=0.5))
    np.testing.assert_array_equal(layer.scale, source.scale)
    assert layer.contrast_limits == [0, pytest.approx(layer.data.max())]
    record = json.loads(json.dumps(layer.metadata["napari_diffusion"]))
    assert record["map_unit"] == "intensity"
    assert "intensity units" in record["processed"]
    assert notes[0][0] == "info"
    assert notes[0][1].endswith("Measured on 'noisy'.")


def test_the_noise_map_of_colours_has_no_channels(viewer, qtbot, notes):
    colours = (100 + 10 * RANDOM.normal(size=(48, 56, 3))).clip(0, 255).astype(np.uint8)
    viewer.add_image(colours, name="colours", rgb=True)
    executed("noise_map", qtbot)
    layer = viewer.layers["noise map · colours"]
    assert layer.data.shape == (48, 56)
    assert np.median(layer.data) == pytest.approx(10, rel=0.15)


def test_a_script_names_the_layer(viewer, qtbot, notes):
    from napari_diffusion.widgets.commands.estimate_noise import estimate_noise

    wanted = viewer.add_image(WHITE.copy(), name="wanted")
    viewer.add_image(ROWS.copy(), name="selected")
    estimate_noise(viewer, wanted)
    qtbot.waitUntil(lambda: not command_work.under_way())
    assert "'wanted'" in notes[0][1]


def test_what_the_engine_refuses_is_said(viewer, qtbot, notes):
    holes = WHITE.copy()
    holes[3, 4] = np.nan
    viewer.add_image(holes, name="holes")
    executed("denoise_selected", qtbot)
    viewer.add_image(np.zeros((1, 1)), name="thin")
    executed("denoise_selected", qtbot)
    assert len(viewer.layers) == 2
    (_, about_holes), (_, about_size) = notes
    assert "1 missing value " in about_holes
    assert "too small" in about_size


@pytest.fixture
def held(monkeypatch):
    """Hold every measurement of noise until the gate is opened."""
    gate = threading.Event()

    def waiting(*arguments):
        while not gate.wait(0.01):
            Threads().poll()
        return noise_report(*arguments)

    monkeypatch.setattr("napari_diffusion.widgets.denoise.denoise_run.noise_report", waiting)
    yield gate
    gate.set()


def test_the_work_is_known_to_napari_and_can_be_cancelled(viewer, qtbot, notes, held):
    viewer.add_image(WHITE.copy(), name="noisy")
    manager = viewer.window._task_status_manager
    execute("denoise_selected")
    qtbot.waitUntil(lambda: any("Measuring" in bar.desc for bar in progress._all_instances))
    assert manager.is_busy()
    assert any("Denoise 'noisy'" in each for each in manager.get_status())
    execute("denoise_selected")
    assert notes == [("warning", "Denoise 'noisy': this is under way already.")]
    (bar,) = progress._all_instances
    bar.cancel()
    qtbot.waitUntil(lambda: not command_work.under_way())
    qtbot.waitUntil(lambda: not manager.is_busy())
    assert notes[1:] == [("info", "Denoise 'noisy': cancelled.")]
    assert len(viewer.layers) == 1
    assert not progress._all_instances


def test_a_failure_is_said(viewer, qtbot, notes, monkeypatch, caplog):
    def broken(*arguments):
        raise RuntimeError("broken")

    monkeypatch.setattr("napari_diffusion.widgets.denoise.denoise_run.noise_report", broken)
    viewer.add_image(WHITE.copy(), name="noisy")
    executed("denoise_selected", qtbot)
    assert notes == [("error", "Denoise 'noisy' failed: RuntimeError: broken")]
    caplog.clear()


def test_difference_to_source(viewer, qtbot, notes):
    source = viewer.add_image(WHITE.copy(), name="noisy", scale=(0.5, 0.5))
    executed("denoise_selected", qtbot)
    result = viewer.layers.selection.active
    assert result.name == "denoised · noisy"
    executed("difference_to_source", qtbot)
    assert [layer.name for layer in viewer.layers] == [
        "noisy",
        "denoised · noisy",
        "denoised · noisy minus noisy",
    ]
    layer = viewer.layers[-1]
    np.testing.assert_allclose(layer.data, result.data - source.data, atol=1e-4)
    assert layer.contrast_limits[0] == -layer.contrast_limits[1]
    np.testing.assert_array_equal(layer.scale, source.scale)
    kept = layer.metadata["napari_diffusion_difference"]
    assert kept["minus"] == "noisy"
    assert recipe_of(json.loads(json.dumps(kept["record"])))

    notes.clear()
    viewer.layers.remove(source)
    viewer.layers.selection.active = result
    executed("difference_to_source", qtbot)
    assert notes == [
        (
            "warning",
            "The source 'noisy' was removed or changed: open it again under that name.",
        )
    ]


def test_the_difference_of_what_is_no_step_is_refused(viewer, notes):
    viewer.add_image(WHITE.copy(), name="raw")
    execute("difference_to_source")
    ((_, sentence),) = notes
    assert "'raw' is no result of napari-diffusion" in sentence


def test_open_run_adds_the_steps_of_a_saved_one(viewer, qtbot, notes, monkeypatch, tmp_path):
    viewer.add_image(WHITE.copy(), name="noisy")
    executed("denoise_selected", qtbot)
    made = viewer.layers.selection.active
    run = ShownStep.of(viewer).run
    list(save_run(tmp_path / "steps", run))
    viewer.layers.remove(made)
    monkeypatch.setattr(open_files, "asked_folder", lambda viewer: tmp_path / "steps")
    executed("open_run", qtbot)
    layer = viewer.layers.selection.active
    np.testing.assert_array_equal(layer.data, made.data)
    assert recipe_of(layer.metadata["napari_diffusion"]) == recipe_of(
        made.metadata["napari_diffusion"]
    )

    notes.clear()
    monkeypatch.setattr(open_files, "asked_folder", lambda viewer: None)
    executed("open_run", qtbot)
    assert not notes
    monkeypatch.setattr(open_files, "asked_folder", lambda viewer: tmp_path)
    executed("open_run", qtbot)
    ((kind, sentence),) = notes
    assert kind == "error"
    assert "is not a folder of steps or a result" in sentence


@pytest.mark.parametrize(
    ("command", "kind"),
    [("perona_malik", nd.filters.PeronaMalik), ("total_variation", nd.filters.TotalVariation)],
)
def test_the_words_of_the_field_open_the_filters(viewer, command, kind):
    execute(command)
    assert "Filter (napari-diffusion)" in viewer.window.dock_widgets
    _, dock = viewer.window.add_plugin_dock_widget("napari-diffusion", "Filter")
    assert isinstance(dock.value, kind)
    dock.value = nd.filters.Heat()
    execute(command)
    assert isinstance(dock.value, kind)


@pytest.fixture
def answer(monkeypatch):
    """Answer what the first axis is; return what was asked."""
    asked = []

    def answers(letter):
        def ask(layer, letters):
            asked.append((layer.name, letters))
            return letter

        monkeypatch.setattr(asked_axes, "asked_first_axis", ask)
        return asked

    return answers


MOVIE = np.stack([WHITE[:24, :28], 2 * WHITE[:24, :28], WHITE[24:48, :28]])


def test_the_first_axis_of_a_layer_without_names_is_asked_for_once(viewer, qtbot, notes, answer):
    asked = answer("t")
    movie = viewer.add_image(MOVIE.copy(), name="movie")
    executed("denoise_selected", qtbot)
    assert asked == [("movie", "ztc")]
    layer = viewer.layers["denoised · movie"]
    np.testing.assert_array_equal(layer.data, nd.denoise(MOVIE, axes="tyx"))
    assert READINGS.typed(movie)["axes"] == "tyx"
    # Neither the layer nor its result is asked for again.
    for each in (layer, movie):
        viewer.layers.selection.active = each
        executed("estimate_noise", qtbot)
    assert len(asked) == 1
    assert [kind for kind, _ in notes].count("error") == 0


def test_without_an_answer_nothing_is_done(viewer, notes, answer):
    answer(None)
    viewer.add_image(MOVIE.copy(), name="movie")
    execute("denoise_selected")
    assert notes == [("warning", "The first axis of 'movie' is not known.")]
    assert not command_work.under_way()


def test_named_axes_are_not_asked_for(viewer, qtbot, notes, answer):
    asked = answer("t")
    viewer.add_image(MOVIE.copy(), name="volume", axis_labels=("z", "y", "x"))
    executed("estimate_noise", qtbot)
    assert not asked
    assert notes[0][0] == "info"


def test_the_question_offers_what_the_axis_may_be(viewer, monkeypatch):
    movie = viewer.add_image(MOVIE.copy(), name="movie")
    found = []

    def click(box):
        found.append((box.text(), [button.text() for button in box.buttons()]))
        next(button for button in box.buttons() if button.text() == wanted).click()

    monkeypatch.setattr(QMessageBox, "exec", click)
    wanted = "Time"
    assert asked_axes.asked_first_axis(movie, "ztc") == "t"
    assert found[0][0] == "What is the first axis of 'movie' (3 × 24 × 28)?"
    assert set(found[0][1]) >= {"Depth", "Time", "Channel"}
    wanted = next(text for text in found[0][1] if "Cancel" in text)
    assert asked_axes.asked_first_axis(movie, "ztc") is None
