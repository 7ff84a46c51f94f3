"""The source in the dock: which layer, how it is read, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from dock_driver import made, wait

pytest.importorskip("napari")

from napari.layers import Image, Labels, Shapes

import napari_diffusion as nd
from napari_diffusion.samples import phantom_layers
from napari_diffusion.widgets.run import memory

RANDOM = np.random.default_rng(2)
FACE = RANDOM.random((24, 32)).astype(np.float32)
RECIPE = nd.Recipe(num_steps=2, starting_noise_scale=0.1)


def ran(loop, qtbot, recipe=RECIPE):
    loop.recipe.set_value(recipe)
    loop.controls.run.click()
    wait(loop, qtbot)


def shown(loop):
    return loop.source.layer() and loop.source.layer().name


# --- which layer ---


def test_the_active_layer_is_the_source_when_the_dock_opens(make_napari_viewer):
    viewer = make_napari_viewer()
    viewer.add_image(FACE, name="one")
    viewer.add_image(FACE, name="two")
    viewer.layers.selection.active = viewer.layers["one"]
    _, loop = viewer.window.add_plugin_dock_widget("napari-diffusion", "Diffusion loop")
    assert shown(loop) == "one"
    assert loop.source.combo.currentText() == "one"


def test_a_image_opened_later_becomes_the_source(open_loop):
    viewer, loop = open_loop()
    assert shown(loop) is None
    viewer.add_image(FACE, name="one")
    assert shown(loop) == "one"
    viewer.add_image(FACE, name="two")
    assert shown(loop) == "two"
    viewer.layers.selection.active = viewer.layers["one"]
    assert shown(loop) == "one"


def test_the_combo_chooses_and_stays_until_another_layer_is_made_active(open_loop):
    viewer, loop = open_loop(Image(FACE, name="one"), Image(FACE, name="two"))
    row = loop.source.combo.findText("one")
    loop.source.combo.setCurrentIndex(row)
    loop.source.combo.activated.emit(row)
    assert shown(loop) == "one"
    viewer.layers["two"].name = "second"
    assert shown(loop) == "one"
    assert loop.source.combo.findText("second") >= 0


def test_a_hidden_truth_is_never_the_source_by_default(open_loop):
    layers = [Image(data, **options) for data, options, _ in phantom_layers()]
    (truth,) = [layer for layer in layers if layer.name.endswith("truth")]
    viewer, loop = open_loop(*layers)
    assert shown(loop) == "phantom"
    viewer.layers.selection.active = truth
    assert shown(loop) == "phantom"
    viewer.layers.remove("phantom")
    assert shown(loop) is None


def test_a_truth_can_be_chosen(open_loop):
    layers = [Image(data, **options) for data, options, _ in phantom_layers()]
    _, loop = open_loop(*layers)
    row = loop.source.combo.findText("phantom · ground truth")
    loop.source.combo.setCurrentIndex(row)
    loop.source.combo.activated.emit(row)
    assert shown(loop) == "phantom · ground truth"


def test_the_steps_of_a_run_do_not_become_the_source(open_loop, qtbot):
    viewer, loop = open_loop(Image(FACE, name="face"))
    ran(loop, qtbot)
    assert viewer.layers.selection.active is made(viewer)[-1]
    assert shown(loop) == "face"


# --- how it is read ---


def test_axes_scale_and_units_are_read_from_the_layer(open_loop):
    volume = Image(
        RANDOM.random((6, 8, 10), np.float32),
        axis_labels=("Z", "y", "x"),
        scale=(2, 0.5, 0.5),
        units=("um", "um", "um"),
    )
    _, loop = open_loop(volume)
    reading = loop.source.axes.value()
    assert (reading.axes, reading.along, reading.spacing) == ("zyx", "zyx", (2.0, 0.5, 0.5))
    assert loop.source.details.text() == "axes zyx, 2 × 0.5 × 0.5 µm"


def test_a_change_of_the_layer_is_read_again(open_loop):
    viewer, loop = open_loop(Image(RANDOM.random((6, 8, 10), np.float32), name="stack"))
    assert loop.source.axes.value().axes == "zyx"
    viewer.layers["stack"].axis_labels = ("t", "y", "x")
    viewer.layers["stack"].scale = (1, 0.25, 0.25)
    reading = loop.source.axes.value()
    assert (reading.axes, reading.along, reading.spacing) == ("tyx", "yx", (0.25, 0.25))


def test_data_with_another_number_of_axes_is_read_again(open_loop):
    viewer, loop = open_loop(Image(RANDOM.random((6, 8, 10), np.float32), name="stack"))
    loop.source.axes.axes.edit.setText("tyx")
    viewer.layers["stack"].data = RANDOM.random((6, 8, 12), np.float32)
    assert loop.source.axes.value().axes == "tyx"
    viewer.layers["stack"].data = RANDOM.random((8, 10), np.float32)
    assert loop.source.axes.value().axes == "yx"
    assert loop.source.problem() is None


def test_axes_can_be_edited_and_are_remembered_for_the_layer(open_loop, qtbot):
    movie = RANDOM.random((5, 16, 12), np.float32)
    viewer, loop = open_loop(Image(FACE, name="face"), Image(movie, name="movie"))
    loop.source.axes.axes.edit.setText("tyx")
    assert loop.source.axes.value().along == "yx"
    viewer.layers.selection.active = viewer.layers["face"]
    viewer.layers.selection.active = viewer.layers["movie"]
    assert loop.source.axes.value().axes == "tyx"
    ran(loop, qtbot)
    expected = nd.run(movie, RECIPE.resolved(movie, axes="tyx"), axes="tyx").image
    np.testing.assert_array_equal(made(viewer)[-1].data, expected)


def test_along_lets_a_video_diffuse_through_time(open_loop, qtbot):
    movie = RANDOM.random((5, 16, 12), np.float32)
    viewer, loop = open_loop(Image(movie, axis_labels=("t", "y", "x"), scale=(3, 1, 1)))
    loop.source.axes.along.edit.setText("tyx")
    ran(loop, qtbot)
    grid = {"axes": "tyx", "along": "tyx", "spacing": (3.0, 1.0, 1.0)}
    expected = nd.run(movie, RECIPE.resolved(movie, **grid), **grid).image
    np.testing.assert_array_equal(made(viewer)[-1].data, expected)


def test_channels_share_their_edges_unless_told_otherwise(open_loop, qtbot):
    cells = RANDOM.random((2, 16, 12), np.float32)
    viewer, loop = open_loop(Image(cells, axis_labels=("c", "y", "x")))
    loop.source.axes.joint.set_value(False)
    ran(loop, qtbot)
    grid = {"axes": "cyx", "joint_channels": False}
    expected = nd.run(cells, RECIPE.resolved(cells, **grid), **grid).image
    np.testing.assert_array_equal(made(viewer)[-1].data, expected)
    joint = nd.run(cells, RECIPE.resolved(cells, axes="cyx"), axes="cyx").image
    assert not np.array_equal(expected, joint)


def test_further_axes_fold_into_t(open_loop, qtbot):
    shape = (2, 3, 2, 4, 8, 9)
    data = RANDOM.random(shape, np.float32)
    viewer, loop = open_loop(Image(data))
    assert loop.source.axes.value().axes == "?tczyx"
    ran(loop, qtbot)
    folded = data.reshape((6, *shape[2:]))
    expected = nd.run(folded, RECIPE.resolved(folded, axes="tczyx"), axes="tczyx").image
    np.testing.assert_array_equal(made(viewer)[-1].data, expected.reshape(shape))


def test_of_a_multiscale_layer_the_highest_resolution_is_used(open_loop, qtbot):
    fine = RANDOM.random((64, 48)).astype(np.float32)
    viewer, loop = open_loop(Image([fine, fine[::2, ::2]], multiscale=True, name="pyramid"))
    assert "full resolution" in loop.source.hint.text()
    ran(loop, qtbot)
    np.testing.assert_array_equal(made(viewer)[-1].data, nd.run(fine, RECIPE.resolved(fine)).image)


def test_a_dask_array_is_read_and_run_in_memory(open_loop, qtbot):
    da = pytest.importorskip("dask.array")
    viewer, loop = open_loop(Image(da.from_array(FACE, chunks=8), name="lazy"))
    ran(loop, qtbot)
    assert isinstance(made(viewer)[-1].data, np.ndarray)
    np.testing.assert_array_equal(made(viewer)[-1].data, nd.run(FACE, RECIPE.resolved(FACE)).image)


@pytest.mark.parametrize("result", ["layers", "stack"])
def test_a_dask_array_larger_than_memory_stays_lazy(open_loop, qtbot, monkeypatch, result):
    da = pytest.importorskip("dask.array")
    monkeypatch.setattr(memory, "free_memory", lambda: 5000)
    viewer, loop = open_loop(Image(da.from_array(FACE, chunks=8), name="lazy"))
    loop.result.set_value(result)
    ran(loop, qtbot)
    last = made(viewer)[-1].data
    assert isinstance(last, da.Array)
    expected = nd.run(FACE, RECIPE.resolved(FACE)).image
    np.testing.assert_array_equal(np.asarray(last if result == "layers" else last[-1]), expected)


def test_the_visible_part_gets_the_values_of_the_whole(open_loop, qtbot):
    viewer, loop = open_loop(
        Image(FACE, name="face", scale=(2, 2), translate=(10, 20), rotate=30), show=True
    )
    loop.source.axes.region.set_value("visible")
    camera = getattr(viewer, "scene", viewer).camera
    camera.center = (0, *viewer.layers["face"].data_to_world((6, 8)))
    camera.zoom = 40
    qtbot.wait(300)
    ran(loop, qtbot)
    step = made(viewer)[0]
    assert step.data.shape != FACE.shape
    (y, _), (x, _) = step.metadata["napari_diffusion"]["region"]
    whole = next(nd.steps(FACE, RECIPE.resolved(FACE, spacing=2.0), spacing=2.0)).image
    height, width = step.data.shape
    np.testing.assert_array_equal(step.data, whole[y : y + height, x : x + width])
    np.testing.assert_allclose(
        step.data_to_world((0, 0)), viewer.layers["face"].data_to_world((y, x))
    )


def test_the_visible_part_of_a_video_is_the_frame_shown(open_loop, qtbot):
    movie = RANDOM.random((5, 16, 12), np.float32)
    viewer, loop = open_loop(Image(movie, axis_labels=("t", "y", "x")), show=True)
    loop.source.axes.region.set_value("visible")
    viewer.dims.set_point(0, 3)
    qtbot.wait(200)
    ran(loop, qtbot)
    assert made(viewer)[0].data.shape[0] == 1
    assert made(viewer)[0].metadata["napari_diffusion"]["region"][0] == [3, 4]
    starts = [start for start, _ in made(viewer)[0].metadata["napari_diffusion"]["region"]]
    np.testing.assert_array_equal(made(viewer)[0].translate, starts)


# --- what is refused: in a notification and next to the field ---


def refused(loop, said):
    loop.controls.run.click()
    assert not loop.runner.is_running
    return said[-1]


def test_no_layer_at_all(open_loop, said):
    viewer, loop = open_loop()
    sentence = refused(loop, said)
    assert sentence.startswith("No image layer")
    assert loop.source.message.text() == sentence
    viewer.add_image(FACE)
    assert loop.source.message.text() == ""


@pytest.mark.parametrize(
    ("layer", "kind"),
    [(Labels(np.zeros((5, 5), int), name="cells"), "Labels"), (Shapes(name="cells"), "Shapes")],
    ids=["labels", "shapes"],
)
def test_a_layer_that_is_no_image(open_loop, said, layer, kind):
    _, loop = open_loop(layer)
    sentence = refused(loop, said)
    assert f"'cells' is a {kind} layer, and only images are filtered" in sentence
    assert loop.source.message.text() == sentence


def test_a_labels_layer_beside_an_image(open_loop, qtbot, said):
    viewer, loop = open_loop(Image(FACE, name="face"), Labels(np.zeros((5, 5), int), name="cells"))
    assert shown(loop) == "face"
    assert "'cells' is a Labels layer" in loop.source.hint.text()
    ran(loop, qtbot)
    assert "'cells' is a Labels layer; only images are filtered, so 'face'" in said[-1]
    assert len(made(viewer)) == 2


def test_holes_are_refused_with_their_cure(open_loop, qtbot, said):
    holed = FACE.copy()
    holed[3, 4:6] = np.nan
    viewer, loop = open_loop(Image(holed, name="holed", contrast_limits=(0, 1)))
    ran(loop, qtbot)
    assert said[-1].startswith("'holed' has 2 NaN or infinite values")
    assert loop.source.message.text() == said[-1]
    assert not made(viewer)
    assert loop.source.holes.isVisibleTo(loop)
    loop.source.holes.click()
    assert loop.source.message.text() == ""
    ran(loop, qtbot)
    expected = nd.run(holed, RECIPE.resolved(holed, missing="ignore"), missing="ignore").image
    np.testing.assert_array_equal(made(viewer)[-1].data, expected)
    assert np.isnan(made(viewer)[-1].data[3, 4])


@pytest.mark.filterwarnings("ignore::RuntimeWarning:napari")
def test_an_empty_layer(open_loop, said):
    empty = Image(np.zeros((0, 8, 10), np.float32), contrast_limits=(0, 1), name="nothing")
    _, loop = open_loop(empty)
    assert refused(loop, said) == "'nothing' is empty: its shape is 0 × 8 × 10."
    assert loop.source.message.text() == said[-1]


def test_a_layer_too_small(open_loop, said):
    _, loop = open_loop(Image(np.ones((1, 1), np.float32), name="speck"))
    assert refused(loop, said).startswith("'speck' is too small: along yx it has 1 × 1 pixels")
    assert loop.source.message.text() == said[-1]


def test_no_steps(open_loop, said):
    viewer, loop = open_loop(Image(FACE))
    loop.recipe.num_steps.edit.setText("0")
    assert "at least 1" in refused(loop, said)
    assert not made(viewer)
    loop.recipe.num_steps.edit.setText("2")
    assert loop.controls.problem.text() == ""


def test_what_the_engine_refuses_is_said_next_to_its_field(open_loop, qtbot, said):
    _, loop = open_loop(Image(FACE, scale=(1e-6, 1e-6)))
    ran(
        loop,
        qtbot,
        RECIPE.replaced(diffusion_filter=nd.filters.PeronaMalik(contrast=1.0, time=1.0)),
    )
    assert "sub-steps" in said[-1]
    assert said[-1] in [label.text() for label in loop.recipe.findChildren(type(loop.source.hint))]


@pytest.mark.parametrize(
    ("axes", "words"),
    [("yxx", "each once"), ("y", "must name 2 axes"), ("yw", "letters of tczyx")],
)
def test_axes_that_do_not_fit(open_loop, said, axes, words):
    _, loop = open_loop(Image(FACE))
    loop.source.axes.axes.edit.setText(axes)
    assert words in refused(loop, said)
    assert loop.source.details.text() == "axes: invalid"


@pytest.mark.parametrize(
    ("along", "words"),
    [("z", "at least one of the axes"), ("yy", "each once"), ("", "at least one")],
)
def test_along_that_does_not_fit(open_loop, said, along, words):
    _, loop = open_loop(Image(FACE))
    loop.source.axes.along.edit.setText(along)
    assert words in refused(loop, said)


@pytest.mark.parametrize(
    ("spacing", "words"),
    [("0", "greater than 0"), ("1, 2, 3", "one per axis"), ("a", "number")],
)
def test_spacing_that_does_not_fit(open_loop, said, spacing, words):
    _, loop = open_loop(Image(FACE))
    loop.source.axes.spacing.edit.setText(spacing)
    assert words in refused(loop, said)


def test_time_does_not_flow_between_folded_images(open_loop, said):
    _, loop = open_loop(Image(np.zeros((2, 2, 4, 5), np.float32), axis_labels=("s", "t", "y", "x")))
    loop.source.axes.along.edit.setText("tyx")
    assert "taken together with t" in refused(loop, said)


@pytest.mark.parametrize("result", ["auto", "layers", "stack"])
def test_a_need_above_what_is_free_is_said_with_what_would_fit(
    open_loop, qtbot, said, monkeypatch, result
):
    step = FACE.nbytes
    monkeypatch.setattr(memory, "free_memory", lambda: 20 * step)
    viewer, loop = open_loop(Image(FACE, name="face"))
    loop.result.set_value(result)
    loop.recipe.set_value(RECIPE.replaced(num_steps=40, final_filter=None))
    sentence = refused(loop, said)
    # The source, its copy as float, five images to work in, and 40 steps.
    assert sentence == "This run needs 144 kB of memory, but only 61 kB are free."
    assert loop.result.message.text() == sentence
    buttons = {button.text(): button for button in _buttons(loop.result.offers)}
    assert list(buttons) == ["Stack on disk", "Every 5th step", "9 steps"]
    assert not made(viewer)


def _buttons(widget):
    from qtpy.QtWidgets import QPushButton

    return [button for button in widget.findChildren(QPushButton) if button.isVisibleTo(widget)]


@pytest.mark.parametrize(
    ("offer", "kept"),
    [("Stack on disk", 40), ("Every 5th step", 9), ("9 steps", 9)],
)
def test_each_offer_fits(open_loop, qtbot, said, monkeypatch, offer, kept):
    monkeypatch.setattr(memory, "free_memory", lambda: 20 * FACE.nbytes)
    viewer, loop = open_loop(Image(FACE, name="face"))
    loop.recipe.set_value(RECIPE.replaced(num_steps=40, final_filter=None))
    loop.result.set_value("stack")
    refused(loop, said)
    (button,) = [each for each in _buttons(loop.result.offers) if each.text() == offer]
    button.click()
    assert loop.result.message.text() == ""
    said.clear()
    loop.controls.run.click()
    qtbot.waitUntil(lambda: not loop.runner.is_running, timeout=60_000)
    assert said == []
    (stack,) = made(viewer)
    assert len(stack.data) == kept
    assert isinstance(stack.data.base if stack.data.base is not None else stack.data, np.ndarray)
    assert (offer == "Stack on disk") == isinstance(stack.data, np.memmap)
    recipe = loop.recipe.value().resolved(FACE)
    np.testing.assert_array_equal(stack.data[-1], nd.run(FACE, recipe).image)


def test_a_full_disk_is_said_too(open_loop, said, monkeypatch):
    monkeypatch.setattr(memory, "free_disk", lambda: 1000)
    _, loop = open_loop(Image(FACE))
    loop.result.set_value("stack on disk")
    loop.recipe.set_value(RECIPE.replaced(num_steps=40))
    assert "on disk, but only 1 kB are free" in refused(loop, said)


def test_the_need_is_shown_before_the_run(open_loop):
    _, loop = open_loop(Image(FACE))
    loop.recipe.set_value(RECIPE)
    assert loop.result.need.text() == "2 layers, 28 kB of memory"
    loop.recipe.set_value(RECIPE.replaced(num_steps=31))
    assert loop.result.need.text() == "1 stack of 31, 117 kB of memory"
    loop.result.keep_every.setValue(10)
    assert loop.result.need.text() == "4 layers, 34 kB of memory"
