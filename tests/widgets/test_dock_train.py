"""The dock Train: weights learned from a layer, whether they became better, and what they do."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

pytest.importorskip("napari")

from hand import Hand
from napari.layers import Image
from qtpy.QtWidgets import QFileDialog

import napari_diffusion as nd
from napari_diffusion.filters.learned.weight_files import weights_folder
from napari_diffusion.filters.learned.weights import shipped, weights_named
from napari_diffusion.filters.learned.weights_file import bytes_of
from napari_diffusion.learning import Score
from napari_diffusion.records.provenance import recipe_of
from napari_diffusion.widgets.docks.dock_tabs import opened_dock
from napari_diffusion.widgets.train.train_dock import Train
from napari_diffusion.widgets.train.training_work import TrainingChoice

RANDOM = np.random.default_rng(5)
CLEAN = np.kron(RANDOM.random((16, 16)), np.ones((10, 10))).astype(np.float32)
NOISY = CLEAN + RANDOM.normal(0, 0.08, CLEAN.shape).astype(np.float32)
PHOTOGRAPHS = weights_named("photographs")


def noisy(values=NOISY, **options):
    return Image(values.copy(), name="noisy cells", **options)


class Trained:
    """What training makes, as far as the dock looks at it."""

    def __init__(self, ended="time", better=True, about=None):
        from napari_diffusion.learning.trained_weights import kept

        self.ended, self.is_better = ended, better
        self._data = bytes_of(PHOTOGRAPHS.network, about or {"name": "own"})
        self.weights = kept(self._data)

    def summary(self):
        return "It helped." if self.is_better else "It did not help; the start is kept."

    def save(self, path, *, overwrite=False):
        with open(path, "wb" if overwrite else "xb") as file:
            file.write(self._data)
        return path


class Trainer:
    """Stands for training: posts scores when it is let, and heeds its stop token."""

    def __init__(self):
        self.asked, self.error, self.made = [], None, Trained()
        self.errors = [0.05, 0.04, 0.045]
        self.go_on = threading.Event()
        self.go_on.set()

    def train(self, images, *, progress, stop, **asked):
        self.asked.append({"images": images, **asked})
        if self.error is not None:
            raise self.error
        for place, error in enumerate(self.errors):
            progress(Score(place * 0.4 * asked["seconds"], 10 * place, 0.05, error))
        while not self.go_on.wait(0.01):
            if stop.is_set():
                time.sleep(0.3)  # a step of training goes on to its end
                self.made.ended = "stopped"
                break
        return self.made


@pytest.fixture(autouse=True)
def _own_weights(monkeypatch, tmp_path):
    monkeypatch.setenv("NAPARI_DIFFUSION_WEIGHTS", str(tmp_path / "weights"))


@pytest.fixture
def trainer(monkeypatch):
    trainer = Trainer()
    monkeypatch.setattr("napari_diffusion.widgets.train.training_work.train", trainer.train)
    yield trainer
    trainer.go_on.set()


@pytest.fixture
def open_train(open_dock):
    """Return a function that opens a viewer with some layers and the dock Train."""

    def opened(*layers):
        return open_dock("Train", *layers)

    return opened


def wait(dock, qtbot):
    qtbot.waitUntil(lambda: not (dock.controls.is_running or dock._made is not None))


def trained(dock, qtbot):
    dock.controls.run.native.click()
    wait(dock, qtbot)


# --- training ---


def test_a_click_trains_on_the_layer_and_says_whether_it_helped(open_train, qtbot, trainer):
    _, dock = open_train(noisy())
    assert not dock.buttons.denoise.enabled
    assert not dock.buttons.save.enabled
    trained(dock, qtbot)
    (asked,) = trainer.asked
    np.testing.assert_array_equal(asked.pop("images"), NOISY)
    assert asked == {
        "kind": "noisy", "start": "photographs", "seconds": 40.0, "noise_sigma": "auto",
        "names": ("noisy cells",), "axes": "yx", "spacing": (1.0, 1.0), "along": "yx",
        "joint_channels": True, "rgb": False,
    }  # fmt: skip
    message = dock.controls.message
    assert message.sentence.startswith("It helped.")
    assert message.role == "good"
    assert [each.held_out for each in dock.scores] == trainer.errors
    assert dock.buttons.denoise.enabled
    assert dock.buttons.save.enabled


def test_the_curve_shows_the_held_out_error_and_that_of_the_start(open_train, qtbot, trainer):
    _, dock = open_train(noisy())
    trained(dock, qtbot)
    curve, line = None, None
    for item in dock.plot._view.getPlotItem().items:
        curve = item if hasattr(item, "getData") else curve
        line = item if hasattr(item, "angle") and not hasattr(item, "getData") else line
    at, errors = curve.getData()
    np.testing.assert_allclose(errors, trainer.errors)
    np.testing.assert_allclose(at, [0, 16, 32])
    assert line.value() == pytest.approx(0.05)
    assert "0.04 at best, 0.05 at the start (dashed)" in dock.plot.words


def test_what_did_not_help_is_said_and_not_offered(open_train, qtbot, trainer):
    trainer.made = Trained("no better", better=False)
    _, dock = open_train(noisy())
    trained(dock, qtbot)
    assert dock.controls.message.sentence == "It did not help; the start is kept."
    assert dock.controls.message.role == "warning"
    assert not dock.buttons.denoise.enabled
    assert not dock.buttons.save.enabled


def test_an_image_that_is_refused_is_said_with_the_cure(open_train, qtbot, trainer, said):
    trainer.error = ValueError("The noise is not white: learn from repeated frames.")
    _, dock = open_train(noisy())
    trained(dock, qtbot)
    assert dock.controls.message.sentence == str(trainer.error)
    assert dock.controls.message.role == "error"
    assert said == [str(trainer.error)]
    assert dock.controls.run.enabled
    assert not dock.scores


def test_a_refusal_comes_before_any_work(open_train, qtbot, said):
    smooth = nd.filters.Heat(time=2.0)(NOISY)
    _, dock = open_train(noisy(smooth))
    trained(dock, qtbot)
    assert dock.controls.message.role == "error"
    assert "kind=" not in dock.controls.message.sentence
    assert not dock.scores
    assert said


def test_cancel_keeps_the_best_weights_so_far(open_train, qtbot, trainer):
    trainer.go_on.clear()
    _, dock = open_train(noisy())
    dock.controls.run.native.click()
    qtbot.waitUntil(lambda: len(dock.scores) == 3)
    assert not dock.controls.run.enabled
    assert not dock.buttons.denoise.enabled
    dock.controls.cancel.native.click()
    wait(dock, qtbot)
    assert dock.controls.message.sentence.startswith("It helped. It was stopped.")
    assert dock.buttons.denoise.enabled


def test_while_it_trains_the_bar_moves_and_says_how_long_it_takes(open_train, qtbot, trainer):
    trainer.go_on.clear()
    _, dock = open_train(noisy())
    dock.controls.run.native.click()
    qtbot.waitUntil(lambda: dock.controls.bar.value >= 80)
    qtbot.waitUntil(lambda: dock.controls.message.sentence.startswith("Running, "))
    assert dock.controls.bar.value < dock.controls.bar.max == 100


def test_a_dock_that_is_closed_stops_training(open_train, qtbot, trainer):
    trainer.go_on.clear()
    viewer, dock = open_train(noisy())
    dock.controls.run.native.click()
    qtbot.waitUntil(lambda: len(dock.scores) == 3)
    viewer.window.remove_dock_widget(dock.native)
    qtbot.waitUntil(lambda: trainer.made.ended == "stopped")
    assert dock.runner.worker.join(10)


def test_another_training_waits_until_the_last_has_ended(open_train, qtbot, trainer, said):
    _, dock = open_train(noisy())
    dock._made = []
    dock.run()
    assert "still ending" in dock.controls.message.sentence
    assert not trainer.asked


def test_only_the_visible_region_is_learned_from(open_train, qtbot, trainer, monkeypatch):
    _, dock = open_train(noisy())
    dock.source.axes.region.value = "visible"
    part = (slice(10, 90), slice(20, 120))
    monkeypatch.setattr(
        "napari_diffusion.widgets.source.run_source.visible_region", lambda *_: part
    )
    trained(dock, qtbot)
    np.testing.assert_array_equal(trainer.asked[0]["images"], NOISY[part])


# --- the form ---


def test_the_value_is_what_training_is_asked_for(open_train, qtbot, trainer):
    _, dock = open_train(noisy(np.stack([NOISY] * 3)))
    heard = []
    dock.changed.connect(heard.append)
    assert dock.value == TrainingChoice()
    choice = TrainingChoice("frames", None, 2.0, (0.1, 0.2))
    dock.value = choice
    assert dock.value == choice
    assert heard
    dock.seconds.native.setCurrentText("480 s")
    assert dock.value == choice._replace(seconds=480.0)


def test_frames_need_an_axis_of_time(open_train, qtbot, trainer):
    _, dock = open_train(noisy(np.stack([NOISY] * 3)))
    dock.kind.native.setCurrentText("frames of one scene")
    dock.source.first_axis.choice.native.setCurrentText("depth")
    assert not dock.controls.run.enabled
    assert "Frames of one scene need an axis t" in dock.controls.message.sentence
    dock.source.first_axis.choice.native.setCurrentText("time")
    assert dock.controls.run.enabled
    trained(dock, qtbot)
    assert trainer.asked[0]["axes"] == "tyx"
    assert trainer.asked[0]["kind"] == "frames"


def test_it_starts_from_a_file(open_train, qtbot, trainer, tmp_path, monkeypatch):
    file = tmp_path / "mine.npz"
    own = Trained().save(file) and Trained().weights.name
    _, dock = open_train(noisy())
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: (str(file), ""))
    dock.start.choose_file.native.click()
    assert dock.value.start == own
    trained(dock, qtbot)
    assert trainer.asked[0]["start"] == own
    file.write_bytes(b"no weights")
    dock.start.choose_file.native.click()
    assert "mine.npz" in dock.start.problem
    assert dock.value.start == own
    dock.value = TrainingChoice()
    assert dock.start.problem == ""


# --- what was trained ---


def test_it_denoises_by_the_start_and_by_the_own_weights(open_train, qtbot, trainer):
    viewer, dock = open_train(noisy())
    trained(dock, qtbot)
    dock.buttons.denoise.native.click()
    wait(dock, qtbot)
    assert [layer.name for layer in viewer.layers] == [
        "noisy cells",
        "start weights · noisy cells",
        "own weights · noisy cells",
    ]
    _, start, own = viewer.layers
    assert [start.visible, own.visible] == [False, True]
    np.testing.assert_array_equal(start.data, nd.filters.LearnedDiffusion()(NOISY))
    (file,) = weights_folder().glob("*.npz")
    assert file.name.startswith("noisy-cells-")
    by_file = nd.filters.LearnedDiffusion(weights=file)
    np.testing.assert_array_equal(own.data, by_file(NOISY))
    recipe = recipe_of(own.metadata["napari_diffusion"])
    assert recipe.diffusion_filter.weights == by_file.weights
    # To look at the results does not make them the source.
    viewer.layers.selection.active = start
    assert dock.source.layer() is viewer.layers["noisy cells"]
    dock.buttons.denoise.native.click()
    wait(dock, qtbot)
    assert len(viewer.layers) == 5
    assert [file] == list(weights_folder().glob("*.npz"))


def test_a_new_user_needs_three_clicks(make_napari_viewer, qtbot, trainer):
    hand = Hand(make_napari_viewer(show=True), "a-new-user-trains")
    hand.viewer.add_layer(noisy(np.stack([NOISY] * 3)))
    hand.menu("Plugins", "napari-diffusion", "Train")
    hand.settle(0.5)
    dock = opened_dock(hand.viewer, Train)
    hand.press(dock.controls.run)
    wait(dock, qtbot)
    hand.picture()
    hand.press(dock.buttons.denoise)
    wait(dock, qtbot)
    hand.picture()
    assert hand.viewer.layers.selection.active.name == "own weights · noisy cells"
    assert hand.clicks == 3
    # napari looks for what still holds its window when a test has ended.
    hand.viewer = hand.window = None


def test_photon_noise_is_stabilised_as_in_training(open_train, qtbot, trainer):
    photons = RANDOM.poisson(40 * CLEAN + 5).astype(np.float32)
    viewer, dock = open_train(noisy(photons))
    trained(dock, qtbot)
    dock.buttons.denoise.native.click()
    wait(dock, qtbot)
    recipe = recipe_of(viewer.layers[-1].metadata["napari_diffusion"])
    assert type(recipe.domain).__name__ == "Anscombe"


def test_weights_are_saved_in_their_folder_by_default(open_train, qtbot, trainer, monkeypatch):
    _, dock = open_train(noisy())
    trained(dock, qtbot)
    proposed = []

    def chosen(self):
        proposed.append(self.selectedFiles()[0])
        return 1

    monkeypatch.setattr(QFileDialog, "exec", chosen)
    dock.buttons.save.native.click()
    path = weights_folder() / "noisy-cells.npz"
    assert proposed == [str(path)]
    assert nd.filters.LearnedDiffusion(weights=path).weights == trainer.made.weights.name
    assert "by their SHA-256" in dock.controls.message.sentence
    dock.buttons.save_to(path.with_suffix(".txt") / "x.npz")
    assert dock.controls.message.role == "error"


def test_a_real_training_of_a_moment(open_train, qtbot):
    _, dock = open_train(noisy())
    dock.value = TrainingChoice(seconds=1.0)
    trained(dock, qtbot)
    assert dock.controls.message.role in ("good", "warning"), dock.controls.message.sentence
    assert "square" in dock.controls.message.sentence
    assert dock.scores[0].steps == 0
    assert dock.scores[-1].steps > 0
    assert shipped()
