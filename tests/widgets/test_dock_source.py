"""The source in a dock, here that of Filter: which layer, how it is read, and what is refused."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from dock_driver import made, wait

pytest.importorskip("napari")

from napari.layers import Image, Labels, Shapes

import napari_diffusion as nd
from napari_diffusion.samples import phantom_layers
from napari_diffusion.widgets.run import folder_question, memory
from napari_diffusion.widgets.source.source_form import SourceForm
from napari_diffusion.widgets.tools.filter_layer import FilterLayer

RANDOM = np.random.default_rng(2)
FACE = RANDOM.random((24, 32)).astype(np.float32)
FILTER = nd.filters.PeronaMalik(contrast=0.2, time=0.5)


@pytest.fixture
def open_filter(open_dock):
    """Return a function that opens a viewer with some layers and the dock Filter."""
    return partial(open_dock, "Filter")


def ran(dock, qtbot, chosen=FILTER):
    dock.value = chosen
    dock.controls.run.native.click()
    wait(dock, qtbot)


def choose(dock, name):
    dock.source.image.combo.native.setCurrentText(name)


def offered(dock):
    combo = dock.source.image.combo.native
    return [combo.itemText(row) for row in range(combo.count())]


def shown(dock):
    return dock.source.layer() and dock.source.layer().name


# --- which layer ---


def test_the_active_layer_is_the_source_when_the_dock_opens(make_napari_viewer):
    viewer = make_napari_viewer()
    viewer.add_image(FACE, name="one")
    viewer.add_image(FACE, name="two")
    viewer.layers.selection.active = viewer.layers["one"]
    _, dock = viewer.window.add_plugin_dock_widget("napari-diffusion", "Filter")
    assert shown(dock) == "one"
    assert dock.source.image.combo.native.currentText() == "one"


def test_a_image_opened_later_becomes_the_source(open_filter):
    viewer, dock = open_filter()
    assert shown(dock) is None
    viewer.add_image(FACE, name="one")
    assert shown(dock) == "one"
    viewer.add_image(FACE, name="two")
    assert shown(dock) == "two"
    viewer.layers.selection.active = viewer.layers["one"]
    assert shown(dock) == "one"


def test_the_combo_chooses_and_stays_until_another_layer_is_made_active(open_filter):
    viewer, dock = open_filter(Image(FACE, name="one"), Image(FACE, name="two"))
    choose(dock, "one")
    assert shown(dock) == "one"
    viewer.layers["two"].name = "second"
    assert shown(dock) == "one"
    assert offered(dock) == ["one", "second"]
    viewer.layers["one"].name = "first"
    viewer.layers.move(0, 2)
    assert shown(dock) == "first"
    assert offered(dock) == ["second", "first"]
    assert dock.source.image.combo.native.currentText() == "first"
    viewer.layers.remove("first")
    assert shown(dock) == "second"


def test_a_hidden_truth_is_never_the_source_by_default(open_filter):
    layers = [Image(data, **options) for data, options, _ in phantom_layers()]
    (truth,) = [layer for layer in layers if layer.name.endswith("truth")]
    viewer, dock = open_filter(*layers)
    assert shown(dock) == "phantom"
    viewer.layers.selection.active = truth
    assert shown(dock) == "phantom"
    viewer.layers.remove("phantom")
    assert shown(dock) is None


def test_a_truth_can_be_chosen(open_filter):
    layers = [Image(data, **options) for data, options, _ in phantom_layers()]
    _, dock = open_filter(*layers)
    choose(dock, "phantom · ground truth")
    assert shown(dock) == "phantom · ground truth"


def test_a_result_stays_beside_its_source_and_can_be_the_next_one(open_filter, qtbot):
    viewer, dock = open_filter(Image(FACE, name="face"))
    ran(dock, qtbot)
    assert viewer.layers.selection.active is made(viewer)[-1]
    assert shown(dock) == "face"
    choose(dock, made(viewer)[-1].name)
    assert dock.source.layer() is made(viewer)[-1]


def test_layers_that_are_passed_over_do_not_become_the_source_when_they_are_active(
    make_napari_viewer,
):
    viewer = make_napari_viewer()
    one, two = viewer.add_image(FACE, name="one"), viewer.add_image(FACE, name="two")
    source = SourceForm(viewer, passes_over=lambda layer: layer is two)
    viewer.layers.selection.active = one
    viewer.layers.selection.active = two
    assert source.layer() is one
    source.set_layer(two)
    assert source.layer() is two
    source.close()


def test_a_dock_that_a_script_makes_follows_its_viewer_and_no_other(make_napari_viewer):
    viewer, other = make_napari_viewer(), make_napari_viewer()
    dock = FilterLayer(viewer)
    other.add_image(FACE, name="elsewhere")
    assert offered(dock) == []
    viewer.add_image(FACE, name="here")
    assert (shown(dock), offered(dock)) == ("here", ["here"])
    viewer.add_labels(np.ones((24, 32), int), name="cells")
    dock.source.mask.value = viewer.layers["cells"]
    assert dock.source.value.mask.name == "cells"
    viewer.layers["here"].name = "renamed"
    assert offered(dock) == ["renamed"]
    viewer.window.add_dock_widget(dock, name="Filter")
    assert (shown(dock), offered(dock)) == ("renamed", ["renamed"])


def test_two_docks_follow_layers_that_are_renamed_moved_and_removed(open_dock):
    viewer, filters = open_dock("Filter", Image(FACE, name="one"), Image(FACE, name="two"))
    _, noise = viewer.window.add_plugin_dock_widget("napari-diffusion", "Add noise")
    choose(filters, "one")
    choose(noise, "two")
    viewer.layers["one"].name = "first"
    viewer.layers.move(0, 2)
    assert (shown(filters), shown(noise)) == ("first", "two")
    assert offered(filters) == offered(noise) == ["two", "first"]
    viewer.layers.remove("two")
    assert (shown(filters), shown(noise)) == ("first", "first")
    viewer.layers.clear()
    assert (shown(filters), shown(noise)) == (None, None)
    assert not filters.controls.run.enabled
    assert not noise.controls.run.enabled


# --- how it is read ---


def test_axes_scale_and_units_are_read_from_the_layer(open_filter):
    volume = Image(
        RANDOM.random((6, 8, 10), np.float32),
        axis_labels=("Z", "y", "x"),
        scale=(2, 0.5, 0.5),
        units=("um", "um", "um"),
    )
    _, dock = open_filter(volume)
    reading = dock.source.axes.value
    assert (reading.axes, reading.along, reading.spacing) == ("zyx", "zyx", (2.0, 0.5, 0.5))
    assert dock.source.axes.length_unit() == "µm"
    assert not dock.source.first_axis.native.isVisibleTo(dock.source.native)


def test_a_change_of_the_layer_is_read_again(open_filter):
    viewer, dock = open_filter(Image(RANDOM.random((6, 8, 10), np.float32), name="stack"))
    assert dock.source.axes.value.axes == "zyx"
    viewer.layers["stack"].axis_labels = ("t", "y", "x")
    viewer.layers["stack"].scale = (1, 0.25, 0.25)
    reading = dock.source.axes.value
    assert (reading.axes, reading.along, reading.spacing) == ("tyx", "yx", (0.25, 0.25))


def test_data_with_another_number_of_axes_is_read_again(open_filter):
    viewer, dock = open_filter(Image(RANDOM.random((6, 8, 10), np.float32), name="stack"))
    dock.source.axes.axes.editor.native.setText("tyx")
    viewer.layers["stack"].data = RANDOM.random((6, 8, 12), np.float32)
    assert dock.source.axes.value.axes == "tyx"
    viewer.layers["stack"].data = RANDOM.random((8, 10), np.float32)
    assert dock.source.axes.value.axes == "yx"
    assert dock.source.problem is None


def test_axes_can_be_edited_and_are_remembered_for_the_layer(open_filter, qtbot):
    movie = RANDOM.random((5, 16, 12), np.float32)
    viewer, dock = open_filter(Image(FACE, name="face"), Image(movie, name="movie"))
    dock.source.axes.axes.editor.native.setText("tyx")
    assert dock.source.axes.value.along == "yx"
    viewer.layers.selection.active = viewer.layers["face"]
    viewer.layers.selection.active = viewer.layers["movie"]
    assert dock.source.axes.value.axes == "tyx"
    ran(dock, qtbot)
    expected = FILTER(movie, axes="tyx")
    np.testing.assert_array_equal(made(viewer)[-1].data, expected)


def test_along_lets_a_video_diffuse_through_time(open_filter, qtbot):
    movie = RANDOM.random((5, 16, 12), np.float32)
    viewer, dock = open_filter(Image(movie, axis_labels=("t", "y", "x"), scale=(3, 1, 1)))
    dock.source.axes.along.editor.native.setText("tyx")
    ran(dock, qtbot)
    grid = {"axes": "tyx", "along": "tyx", "spacing": (3.0, 1.0, 1.0)}
    expected = FILTER(movie, **grid)
    np.testing.assert_array_equal(made(viewer)[-1].data, expected)


def test_channels_share_their_edges_unless_told_otherwise(open_filter, qtbot):
    cells = RANDOM.random((2, 16, 12), np.float32)
    viewer, dock = open_filter(Image(cells, axis_labels=("c", "y", "x")))
    dock.source.axes.joint.value = False
    ran(dock, qtbot)
    grid = {"axes": "cyx", "joint_channels": False}
    expected = FILTER(cells, **grid)
    np.testing.assert_array_equal(made(viewer)[-1].data, expected)
    joint = FILTER(cells, axes="cyx")
    assert not np.array_equal(expected, joint)


def test_further_axes_fold_into_t(open_filter, qtbot):
    shape = (2, 3, 2, 4, 8, 9)
    data = RANDOM.random(shape, np.float32)
    viewer, dock = open_filter(Image(data))
    assert dock.source.axes.value.axes == "?tczyx"
    ran(dock, qtbot)
    folded = data.reshape((6, *shape[2:]))
    expected = FILTER(folded, axes="tczyx")
    np.testing.assert_array_equal(made(viewer)[-1].data, expected.reshape(shape))


def test_of_a_multiscale_layer_the_highest_resolution_is_used(open_filter, qtbot):
    fine = RANDOM.random((64, 48)).astype(np.float32)
    viewer, dock = open_filter(Image([fine, fine[::2, ::2]], multiscale=True, name="pyramid"))
    assert "full resolution" in dock.source.hint.value
    ran(dock, qtbot)
    np.testing.assert_array_equal(made(viewer)[-1].data, FILTER(fine))


def test_a_dask_array_is_read_and_run_in_memory(open_filter, qtbot):
    da = pytest.importorskip("dask.array")
    viewer, dock = open_filter(Image(da.from_array(FACE, chunks=8), name="lazy"))
    ran(dock, qtbot)
    assert isinstance(made(viewer)[-1].data, np.ndarray)
    np.testing.assert_array_equal(made(viewer)[-1].data, FILTER(FACE))


def test_a_dask_array_larger_than_memory_stays_lazy(open_filter, qtbot, monkeypatch):
    da = pytest.importorskip("dask.array")
    monkeypatch.setattr(memory, "free_memory", lambda: 5000)
    monkeypatch.setattr(folder_question, "asked", lambda sentence, lazy: "as before")
    viewer, dock = open_filter(Image(da.from_array(FACE, chunks=8), name="lazy"))
    ran(dock, qtbot)
    last = made(viewer)[-1].data
    assert isinstance(last, da.Array)
    expected = FILTER(FACE)
    np.testing.assert_array_equal(np.asarray(last), expected)


def test_the_visible_part_gets_the_values_of_the_whole(open_filter, qtbot):
    viewer, dock = open_filter(
        Image(FACE, name="face", scale=(2, 2), translate=(10, 20), rotate=30), show=True
    )
    dock.source.axes.region.value = "visible"
    camera = getattr(viewer, "scene", viewer).camera
    camera.center = (0, *viewer.layers["face"].data_to_world((6, 8)))
    camera.zoom = 40
    qtbot.wait(300)
    ran(dock, qtbot)
    step = made(viewer)[0]
    assert step.data.shape != FACE.shape
    (y, _), (x, _) = step.metadata["napari_diffusion"]["region"]
    whole = FILTER(FACE, spacing=2.0)
    height, width = step.data.shape
    np.testing.assert_array_equal(step.data, whole[y : y + height, x : x + width])
    np.testing.assert_allclose(
        step.data_to_world((0, 0)), viewer.layers["face"].data_to_world((y, x))
    )


def test_the_visible_part_of_a_video_is_the_frame_shown(open_filter, qtbot):
    movie = RANDOM.random((5, 16, 12), np.float32)
    viewer, dock = open_filter(Image(movie, axis_labels=("t", "y", "x")), show=True)
    dock.source.axes.region.value = "visible"
    viewer.dims.set_point(0, 3)
    qtbot.wait(200)
    ran(dock, qtbot)
    assert made(viewer)[0].data.shape[0] == 1
    assert made(viewer)[0].metadata["napari_diffusion"]["region"][0] == [3, 4]
    starts = [start for start, _ in made(viewer)[0].metadata["napari_diffusion"]["region"]]
    np.testing.assert_array_equal(made(viewer)[0].translate, starts)


# --- what is refused: in the message ---


def refused(dock):
    """What stands in the message of a dock that has nothing to run."""
    assert not dock.controls.run.enabled
    dock.controls.run.native.click()
    assert not dock.runner.is_running
    return dock.controls.message.sentence


def test_no_layer_at_all(open_filter):
    viewer, dock = open_filter()
    assert refused(dock).startswith("No image layer")
    viewer.add_image(FACE)
    assert dock.controls.message.sentence == ""
    assert dock.controls.run.enabled


@pytest.mark.parametrize(
    ("layer", "kind"),
    [(Labels(np.zeros((5, 5), int), name="cells"), "Labels"), (Shapes(name="cells"), "Shapes")],
    ids=["labels", "shapes"],
)
def test_a_layer_that_is_no_image(open_filter, layer, kind):
    _, dock = open_filter(layer)
    assert f"'cells' is a {kind} layer, and only images can be chosen" in refused(dock)


def test_a_labels_layer_beside_an_image(open_filter, qtbot, said):
    cells = Labels(np.zeros((5, 5), int), name="cells")
    viewer, dock = open_filter(Image(FACE, name="face"), cells)
    assert shown(dock) == "face"
    hint = "Only images can be chosen: 'cells' is a Labels layer; 'face' is used."
    assert dock.source.hint.value == hint
    ran(dock, qtbot)
    assert len(made(viewer)) == 1
    assert said == []


def test_holes_are_refused_with_their_cure(open_filter, qtbot, said):
    holed = FACE.copy()
    holed[3, 4:6] = np.nan
    viewer, dock = open_filter(Image(holed, name="holed", contrast_limits=(0, 1)))
    ran(dock, qtbot)
    assert said[-1].startswith("'holed' has 2 missing values")
    assert dock.controls.message.sentence == said[-1]
    assert not made(viewer)
    assert dock.source.holes.native.isVisibleTo(dock.source.native)
    dock.source.holes.native.click()
    assert dock.controls.message.sentence == ""
    ran(dock, qtbot)
    expected = FILTER(holed, missing="ignore")
    np.testing.assert_array_equal(made(viewer)[-1].data, expected)
    assert np.isnan(made(viewer)[-1].data[3, 4])


@pytest.mark.filterwarnings("ignore::RuntimeWarning:napari")
def test_an_empty_layer(open_filter):
    empty = Image(np.zeros((0, 8, 10), np.float32), contrast_limits=(0, 1), name="nothing")
    _, dock = open_filter(empty)
    assert refused(dock) == "'nothing' is empty: its shape is 0 × 8 × 10."


def test_a_layer_too_small(open_filter):
    _, dock = open_filter(Image(np.ones((1, 1), np.float32), name="speck"))
    assert refused(dock).startswith("'speck' is too small: along yx it has 1 × 1 pixels")


def test_what_the_engine_refuses_is_said_until_the_form_is_another(open_filter, qtbot, said):
    _, dock = open_filter(Image(FACE, scale=(1e-6, 1e-6)))
    ran(dock, qtbot, nd.filters.PeronaMalik(contrast=1.0, time=1.0))
    assert "sub-steps" in said[-1]
    assert dock.controls.message.sentence == said[-1]
    assert dock.controls.message.role == "error"
    dock.value = nd.filters.Heat(time=1e-12)
    assert dock.controls.message.sentence == ""


@pytest.mark.parametrize(
    ("axes", "words"),
    [("yxx", "each once"), ("y", "must name 2 axes"), ("yw", "letters of tczyx")],
)
def test_axes_that_do_not_fit(open_filter, axes, words):
    _, dock = open_filter(Image(FACE))
    dock.source.axes.axes.editor.native.setText(axes)
    assert words in refused(dock)


@pytest.mark.parametrize(
    ("along", "words"),
    [("z", "at least one of the axes"), ("yy", "each once"), ("", "at least one")],
)
def test_along_that_does_not_fit(open_filter, along, words):
    _, dock = open_filter(Image(FACE))
    dock.source.axes.along.editor.native.setText(along)
    assert words in refused(dock)


@pytest.mark.parametrize(
    ("spacing", "words"),
    [("0", "greater than 0"), ("1, 2, 3", "one per axis"), ("a", "number")],
)
def test_spacing_that_does_not_fit(open_filter, spacing, words):
    _, dock = open_filter(Image(FACE))
    dock.source.axes.pixel_size.spacing.editor.native.setText(spacing)
    assert words in refused(dock)


def test_time_does_not_flow_between_folded_images(open_filter):
    _, dock = open_filter(
        Image(np.zeros((2, 2, 4, 5), np.float32), axis_labels=("s", "t", "y", "x"))
    )
    dock.source.axes.along.editor.native.setText("tyx")
    assert "taken together with t" in refused(dock)


# --- the first axis, the pixel size and the unit ---


def answer(dock, name):
    dock.source.first_axis.choice.native.setCurrentText(name)


def question(dock):
    """What the question of the first axis shows, nothing where it is not asked."""
    asked = dock.source.first_axis
    shown = asked.native.isVisibleTo(dock.source.native)
    return asked.choice.native.currentText() if shown else ""


def test_the_first_axis_is_asked_once_for_all_docks_and_is_a_guess_until_then(open_dock, qtbot):
    frames = Image(RANDOM.random((4, 24, 32), np.float32), name="frames")
    viewer, dock = open_dock("Filter", frames)
    _, noise = viewer.window.add_plugin_dock_widget("napari-diffusion", "Add noise")
    assert question(dock) == question(noise) == "depth (guessed)"
    # Another answer about the layer is not one to this question.
    dock.source.axes.region.value = "visible"
    assert question(dock) == question(noise) == "depth (guessed)"
    assert noise.source.axes.region.value == "visible"
    dock.source.axes.region.value = "whole"
    answer(dock, "time")
    assert question(dock) == question(noise) == "time"
    assert noise.source.value.options["along"] == "yx"
    ran(dock, qtbot)
    np.testing.assert_array_equal(made(viewer)[0].data, FILTER(frames.data, axes="tyx"))
    choose(noise, "frames")
    answer(noise, "depth")
    assert question(dock) == "depth"
    assert dock.source.value.options["along"] == "zyx"


def test_the_guess_is_an_answer_once_it_is_chosen(open_filter):
    _, dock = open_filter(Image(RANDOM.random((4, 24, 32), np.float32)))
    answer(dock, "depth")
    assert question(dock) == "depth"


def test_labels_that_come_later_take_the_question_away(open_filter):
    viewer, dock = open_filter(Image(RANDOM.random((4, 24, 32), np.float32), name="frames"))
    dock.source.axes.region.value = "visible"
    viewer.layers["frames"].axis_labels = ("t", "y", "x")
    assert question(dock) == ""
    assert dock.source.value.options["axes"] == "tyx"
    assert dock.source.axes.region.value == "visible"


@pytest.mark.parametrize("shape", [(24, 32), (24, 32, 3)], ids=["plane", "rgb"])
def test_there_is_no_question_where_there_is_one_answer(open_filter, shape):
    _, dock = open_filter(Image(RANDOM.random(shape, np.float32), rgb=len(shape) == 3))
    assert question(dock) == ""


def test_a_colour_stack_cannot_be_channels(open_filter):
    _, dock = open_filter(Image(RANDOM.random((4, 24, 32, 3), np.float32), rgb=True))
    assert list(dock.source.first_axis.choice.options_named) == ["depth (guessed)", "depth", "time"]


def test_a_typed_pixel_size_becomes_the_layer_s_own(open_dock, qtbot):
    viewer, dock = open_dock("Filter", Image(FACE, name="face"))
    _, noise = viewer.window.add_plugin_dock_widget("napari-diffusion", "Add noise")
    size = dock.source.axes.pixel_size
    dock.advanced.open = True
    size.unit.editor.native.setText("um")
    size.spacing.editor.native.setText("0.5, 0.25")
    size.spacing.editor.native.editingFinished.emit()
    layer = viewer.layers["face"]
    assert tuple(layer.scale) == (0.5, 0.25)
    assert [str(unit) for unit in layer.units] == ["micrometer"] * 2
    for each in (dock, noise):
        assert each.source.value.options["spacing"] == (0.5, 0.25)
        assert each.units().length == "µm"
    size.spacing.value = 1.0
    size.unit.value = "pixel"
    assert tuple(layer.scale) == (1.0, 1.0)
    assert noise.units().length == "pixel"


def test_what_is_no_unit_of_length_is_said(open_filter):
    viewer, dock = open_filter(Image(FACE, name="face"))
    for wrong in ("parsec per", "second", "meter²"):
        dock.source.axes.pixel_size.unit.value = wrong
        assert refused(dock).startswith("Unit must be a unit of length such as µm")
    assert [str(unit) for unit in viewer.layers["face"].units] == ["pixel"] * 2


def test_a_time_axis_keeps_its_own_unit(open_filter):
    labels = {"axis_labels": ("t", "y", "x"), "units": ("second", "um", "um")}
    layer = Image(RANDOM.random((4, 24, 32), np.float32), scale=(2, 0.5, 0.5), **labels)
    _, dock = open_filter(layer)
    dock.source.axes.along.value = "tyx"
    assert dock.source.value.options["spacing"] == (2.0, 0.5, 0.5)
    dock.source.axes.pixel_size.unit.value = "nm"
    assert [str(unit) for unit in layer.units] == ["second", "nanometer", "nanometer"]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [("locked", True, "is locked"), ("affine", np.diag([2.0, 2.0, 1.0]), "affine transform")],
    ids=["locked", "affine"],
)
def test_a_pixel_size_that_cannot_be_set_says_why(open_filter, name, value, words):
    viewer, dock = open_filter(Image(FACE, name="face"))
    setattr(viewer.layers["face"], name, value)
    for field in (dock.source.axes.pixel_size.spacing, dock.source.axes.pixel_size.unit):
        assert not field.editor.enabled
        assert words in field.editor.native.toolTip()


def test_lengths_keep_their_effect_on_an_image_with_another_unit(open_filter):
    in_um = Image(FACE, name="in µm", scale=(0.1, 0.1), units=("um", "um"))
    _, dock = open_filter(Image(FACE, name="in pixels"), in_um)
    choose(dock, "in pixels")
    dock.value = nd.filters.Heat(time=3.0)
    choose(dock, "in µm")
    assert dock.value.time == pytest.approx(0.03, rel=1e-14)
    assert dock.controls.message.sentence.startswith("Lengths converted from pixels to µm")
    choose(dock, "in pixels")
    assert dock.value == nd.filters.Heat(time=3.0)
    choose(dock, "in µm")
    dock.controls.message.actions[0].native.click()
    assert dock.value == nd.filters.Heat(time=3.0)
    assert dock.filter.form.rows["time"].note.value == "µm² = 300 px²"


def test_defaults_follow_the_pixel_size_without_a_word(open_filter):
    _, dock = open_filter(Image(FACE, scale=(0.1, 0.1), units=("um", "um")))
    assert dock.value == nd.filters.PeronaMalik().scaled(0.1, 15)
    assert dock.controls.message.sentence == ""
