"""The dock Inspect image: traces listed, read, shown as layers and plots, never judged."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import Annotated, ClassVar

import imageio.v3
import numpy as np
import pytest

pytest.importorskip("napari")

from napari.layers import Image, Shapes
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QLabel

import napari_diffusion as nd
from napari_diffusion.forensics import Curve, Number, Place, Reading, Trace, TraceMap, catalog
from napari_diffusion.forensics.reading import NOTHING
from napari_diffusion.widgets.forms.box import Box
from napari_diffusion.widgets.inspect.contrast_views import equalised
from napari_diffusion.widgets.layers.layer_files import keep_file
from napari_diffusion.widgets.layers.step_records import KEY

VALUES = np.random.default_rng(3).integers(20, 200, (40, 56)).astype(np.uint8)
SQUARE = np.array([[4, 6], [4, 16], [14, 16], [14, 6]])


@dataclass(frozen=True)
class Brightness(Trace):
    """A map of the image, and one curve."""

    null = "same image"
    assumes = "The values are those of the file."
    misleads = ("A lamp of its own does the same.",)

    def read(self, evidence):
        values = evidence.image.data[0, 0, 0] - 100.0
        shown = TraceMap("darker or brighter", values[None] if evidence.image.grid.shape[0] > 1
                         else values, "intensity", (-100.0, 100.0), True,
                         np.linspace(-50, 50, 101), "the same image")  # fmt: skip
        if evidence.image.grid.shape[0] > 1:
            frames = evidence.image.data[:, 0, 0] - 100.0
            shown = TraceMap(shown.name, frames, shown.unit, shown.limits, True)
        second = TraceMap("squared", shown.values**2, "", (0.0, 1e4))
        curves = (
            Curve("found", "quality", "change", (1, 2, 3), (3.0, 1.0, 2.0)),
            Curve("expected", "quality", "change", (1, 2, 3), (2.0, 2.0, 2.0), True),
        )
        numbers = (Number("mean (intensity)", 1.5, 1.0, 2.0, "untouched images have 0 to 1"),)
        remark = "This region differs from the rest in brightness."
        return Reading(
            self, (shown, second), curves, numbers=numbers, remarks=(remark, "So does that.")
        )


@dataclass(frozen=True)
class Pairs(Trace):
    """Two places that belong together, and one in the reference."""

    display_name = "Copies"
    null = "a-contrario"
    assumes = "Nothing repeats by itself."
    misleads = ("Gratings and brickwork repeat.",)

    def read(self, evidence):
        places = [
            Place(SQUARE, (), -12.3, "turned by 90°", SQUARE + 20),
            Place(SQUARE + 3, (), -2.0, "mirrored", SQUARE + 10),
        ]
        if evidence.reference is not None:
            places.append(Place(SQUARE, (), -5.0, "shared", SQUARE + 5, "reference"))
        return Reading(self, places=tuple(places), remarks=("Two parts are alike.",))


@dataclass(frozen=True)
class OfFile(Trace):
    """Needs the file."""

    display_name = "File"
    needs: ClassVar[frozenset[str]] = frozenset({"file"})

    def read(self, evidence):
        return Reading(self, remarks=(f"Read from {evidence.file.name}.",))


@dataclass(frozen=True)
class Moving(Trace):
    """Needs frames."""

    display_name = "Frames"
    needs: ClassVar[frozenset[str]] = frozenset({"pixels", "frames"})

    def read(self, evidence):
        place = Place(SQUARE, (2, 0)[: evidence.image.data.ndim], words="frozen")
        return Reading(self, places=(place,), remarks=("Frames repeat.",))


@dataclass(frozen=True)
class Waiting(Trace):
    """Reads until it is stopped."""

    started: ClassVar[threading.Event] = threading.Event()

    def read(self, evidence):
        self.started.set()
        if not evidence.stop.wait(30):
            raise ValueError("not stopped")
        raise nd.Stopped


@dataclass(frozen=True)
class Adjustable(Trace):
    """Has a parameter, and a place on a map."""

    side: Annotated[int, {"min": 2, "max": 20, "tooltip": "Side of the windows."}] = 8

    def worthless(self, evidence):
        return "The windows are larger than the image." if self.side > 15 else ""

    def read(self, evidence):
        values = np.full(evidence.image.grid.shape[-2:], float(self.side))
        shown = TraceMap("side", values, "pixels", (0.0, 20.0))
        place = Place(SQUARE, words=f"windows of {self.side}")
        return Reading(self, (shown,), places=(place,), remarks=(f"Windows of {self.side}.",))


@dataclass(frozen=True)
class Empty(Trace):
    """Sees nothing."""

    def read(self, evidence):
        return Reading(self, remarks=(NOTHING,))


@dataclass(frozen=True)
class Broken(Trace):
    """Cannot be read, as turns out late."""

    def read(self, evidence):
        raise ValueError("Too even to be read.")


@pytest.fixture
def opened(open_dock, qtbot, monkeypatch):
    """Return a function that opens the dock with traces, and waits until they were asked."""
    docks = []

    def function(traces, *layers, show=False):
        monkeypatch.setattr(catalog, "traces", lambda: traces)
        viewer, dock = open_dock("Inspect image", *layers, show=show)
        docks.append(dock)
        asked(dock, qtbot)
        return viewer, dock

    yield function
    for dock in docks:
        dock.let_go(closed=False)


def asked(dock, qtbot):
    """Wait until every trace has said whether it applies."""
    qtbot.waitUntil(lambda: not dock._asking.is_busy)


def run(dock, qtbot):
    dock.controls.run.native.click()
    qtbot.waitUntil(lambda: not dock.runner.is_running)


def cells(**more):
    return Image(VALUES, name="cells", **more)


def named(viewer, *words):
    """Return the layers whose names hold all words."""
    return [each for each in viewer.layers if all(word in each.name for word in words)]


def test_a_trace_that_does_not_apply_is_greyed_with_the_reason(opened, qtbot):
    _, dock = opened((Brightness, OfFile, Moving), cells())
    rows = dock.trace_list
    assert rows.reasons[0] == ""
    assert "file of this image is not known" in rows.reasons[1]
    assert "3 frames" in rows.item(2, 1).text()
    boxes = [rows.item(place, 0).data(Qt.ItemDataRole.CheckStateRole) for place in range(3)]
    assert [box is None for box in boxes] == [False, True, True]
    assert rows.asked == [0]
    rows.select(2)
    assert "3 frames" in dock.limits.value


def test_traces_that_apply_stand_on_top(opened, qtbot):
    viewer, dock = opened((OfFile, Brightness, Moving, Pairs), cells())
    sides = dock.trace_list.verticalHeader()
    assert [sides.logicalIndex(row) for row in range(4)] == [1, 3, 0, 2]
    viewer.layers["cells"].data = np.stack([VALUES] * 4)
    dock.source.first_axis.choice.native.setCurrentText("time")
    asked(dock, qtbot)
    assert [sides.logicalIndex(row) for row in range(4)] == [1, 2, 3, 0]


def test_parameters_are_folded_until_asked_for_and_are_read_with(opened, qtbot):
    viewer, dock = opened((Brightness, Adjustable), cells(), show=True)
    dock.trace_list.select(0)
    assert not dock.parameters.toggle.visible
    dock.trace_list.select(1)
    assert dock.parameters.toggle.visible
    assert not dock.parameters.visible
    dock.parameters.toggle.native.click()
    assert dock.parameters.visible
    row = dock.parameters.form(1).rows["side"]
    row.value = 5
    dock.trace_list.select(0)
    assert not dock.parameters.visible
    dock.trace_list.select(1)
    assert dock.parameters.visible
    run(dock, qtbot)
    assert dock.readings[1].remarks == ("Windows of 5.",)
    (shown,) = named(viewer, "side (pixels)")
    assert shown.metadata[KEY]["parameters"] == {"side": "5"}


def test_a_wrong_parameter_is_said_and_one_that_does_not_apply_greys(opened, qtbot):
    _, dock = opened((Adjustable,), cells())
    dock.trace_list.select(0)
    editor = dock.parameters.form(0).rows["side"].editor
    editor.native.setText("1")
    editor.native.textEdited.emit("1")
    assert not dock.controls.run.enabled
    assert "side" in dock.controls.message.sentence
    assert "2" in dock.controls.message.sentence
    editor.native.setText("18")
    editor.native.textEdited.emit("18")
    asked(dock, qtbot)
    assert dock.trace_list.reasons == ["The windows are larger than the image."]
    assert dock.limits.value.startswith("The windows are larger")
    editor.native.setText("6")
    editor.native.textEdited.emit("6")
    asked(dock, qtbot)
    assert dock.trace_list.reasons == [""]
    assert dock.controls.run.enabled


def test_places_are_seen_on_the_image_and_a_map_when_chosen(opened, qtbot):
    viewer, dock = opened((Adjustable,), cells())
    run(dock, qtbot)
    (places,), (shown,) = named(viewer, "places"), named(viewer, "side")
    assert (places.visible, shown.visible) == (True, False)
    assert dock.plots.places.value == "1  windows of 8"
    dock._pointer.point((5, 7))  # a map that is not seen has no value to mark
    assert dock.plots.choice.value == "places on the image"
    dock.plots.choice.value = "side"
    assert (places.visible, shown.visible) == (True, True)
    dock.plots.choice.value = "places on the image"
    assert not shown.visible
    viewer.layers.selection.active = shown
    assert shown.visible
    assert dock.plots.choice.value == "side"


def test_a_trace_with_a_finding_is_turned_to_and_the_layer_stays_active(opened, qtbot):
    viewer, dock = opened((Empty, Brightness, Pairs), cells())
    run(dock, qtbot)
    assert dock.trace_list.place == 1
    assert viewer.layers.selection.active.name == "cells"
    dock.trace_list.select(0)
    assert dock.controls.message.sentence == NOTHING
    assert [each.name for each in viewer.layers if each.visible] == ["cells"]
    run(dock, qtbot)
    assert dock.trace_list.place == 0


def test_the_file_of_a_layer_is_used(opened, qtbot, tmp_path):
    path = tmp_path / "cells.png"
    imageio.v3.imwrite(path, VALUES)
    layer = cells()
    keep_file(layer, path)
    _, dock = opened((OfFile,), layer)
    assert dock.trace_list.asked == [0]
    assert "cells.png" in dock.file_note.value
    run(dock, qtbot)
    assert dock.controls.message.sentence == "Read from cells.png."


def test_maps_become_layers_on_a_fixed_scale(opened, qtbot):
    viewer, dock = opened((Brightness,), cells(scale=(0.2, 0.2), units=("um", "um")))
    run(dock, qtbot)
    (shown,) = named(viewer, "darker or brighter (intensity) · cells")
    (second,) = named(viewer, "squared · cells")
    assert shown.colormap.name == "coolwarm"
    assert tuple(shown.contrast_limits) == (-100, 100)
    assert shown.colorbar.visible
    assert (shown.visible, second.visible) == (True, False)
    np.testing.assert_array_equal(shown.data, VALUES - 100.0)
    np.testing.assert_allclose(shown.scale, (0.2, 0.2))
    record = shown.metadata[KEY]
    assert any("A lamp of its own" in each for each in record["limits"])
    assert record["findings"][0].startswith("This region differs")
    run(dock, qtbot)  # in place of the earlier ones
    assert len(viewer.layers) == 3
    shown = named(viewer, "darker or brighter")[0]
    shown.name = "mine"
    run(dock, qtbot)
    assert len(viewer.layers) == 4
    assert dock.source.layer().name == "cells"


def test_findings_assumptions_and_innocent_causes_are_in_sight(opened, qtbot):
    _, dock = opened((Brightness, Pairs), cells())
    run(dock, qtbot)
    assert dock.trace_list.place == 0
    message = dock.controls.message
    assert message.sentence == "This region differs from the rest in brightness."
    assert message.details.startswith("So does that.")
    assert "mean (intensity): 1.5 (95 %: 1 to 2); untouched images have 0 to 1" in message.details
    assert "A lamp of its own does the same." in dock.limits.value
    assert "ranks" in dock.limits.value
    dock.trace_list.select(1)
    assert dock.controls.message.sentence == "Two parts are alike."
    assert "Gratings" in dock.limits.value
    assert "number of false alarms" in dock.limits.value
    assert not dock.plots.visible


def test_pairs_have_one_colour_and_a_line(opened, qtbot):
    viewer, dock = opened((Pairs,), cells())
    run(dock, qtbot)
    (shapes,) = named(viewer, "places", "cells")
    assert isinstance(shapes, Shapes)
    assert shapes.shape_type == ["polygon", "polygon", "line"] * 2
    colours = shapes.edge_color
    assert (colours[0] == colours[1]).all()
    assert (colours[0] == colours[2]).all()
    assert (colours[0] != colours[3]).any()
    np.testing.assert_array_equal(shapes.data[0], SQUARE)
    np.testing.assert_array_equal(shapes.data[1], SQUARE + 20)
    # Short of the numbers in the centres.
    np.testing.assert_allclose(shapes.data[2], [SQUARE.mean(0) + 2, SQUARE.mean(0) + 18])
    words = list(shapes.features["place"])
    assert words[:3] == ["turned by 90°; false alarms: 10⁻¹²", words[0], ""]
    assert list(shapes.features["number"]) == ["1", "1", "", "2", "2", ""]
    red, green = colours[:, 0], colours[:, 1]
    assert not ((red > 0.7) & (green < 0.3)).any()
    assert not ((green > 0.6) & (red < 0.3)).any()


def test_a_pair_with_the_reference_lies_on_both(opened, qtbot):
    other = Image(VALUES[:30], name="other")
    viewer, dock = opened((Pairs,), cells(), other)
    dock.source.set_layer(viewer.layers["cells"])
    dock.reference.layer.value = other
    asked(dock, qtbot)
    run(dock, qtbot)
    (partners,) = named(viewer, "partners", "other")
    np.testing.assert_array_equal(partners.data[0], SQUARE + 5)
    (places,) = named(viewer, "places", "cells")
    assert (partners.edge_color[0] == places.edge_color[-1]).all()


def test_a_reference_may_be_a_file(opened, qtbot, tmp_path, monkeypatch):
    path = tmp_path / "other.png"
    imageio.v3.imwrite(path, VALUES[:30])
    viewer, dock = opened((Pairs,), cells())
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    dock.reference.choose_file.native.click()
    assert dock.reference.value == path
    run(dock, qtbot)
    assert len(dock.readings[0].places) == 3
    assert not named(viewer, "partners")
    dock.reference.forget.native.click()
    assert dock.reference.value is None
    dock.reference.give(path)
    dock.reference.layer.value = viewer.layers["cells"]
    assert dock.reference.value is viewer.layers["cells"]


def test_a_reference_with_other_axes_is_refused_in_a_sentence(opened, qtbot):
    colours = Image(np.stack([VALUES] * 3, -1), rgb=True, name="colours")
    viewer, dock = opened((Pairs,), colours, cells())
    dock.source.set_layer(viewer.layers["cells"])
    dock.reference.layer.value = viewer.layers["colours"]
    asked(dock, qtbot)
    assert "axes yxc in colours, and the image yx" in dock.controls.message.sentence
    assert dock.controls.message.role == "error"


def test_places_lie_in_their_frame(opened, qtbot):
    stack = Image(np.stack([VALUES] * 4), name="stack")
    viewer, dock = opened((Moving, Brightness), stack)
    dock.source.first_axis.choice.native.setCurrentText("time")
    asked(dock, qtbot)
    assert dock.trace_list.asked == [0, 1]
    run(dock, qtbot)
    (shapes,) = named(viewer, "places")
    assert shapes.ndim == 3
    assert (shapes.data[0][:, 0] == 2).all()
    np.testing.assert_array_equal(shapes.data[0][:, 1:], SQUARE)
    assert named(viewer, "darker")[0].data.shape == (4, 40, 56)


def test_a_click_marks_the_value_in_the_null(opened, qtbot):
    viewer, dock = opened((Brightness,), cells(scale=(2, 2)))
    run(dock, qtbot)
    plot = dock.plots.null
    assert plot.clicked_value is None
    value = float(VALUES[5, 7]) - 100
    dock._pointer.point((10.4, 14.2))
    assert plot.clicked_value == value
    assert plot.mark.isVisible()
    assert plot.mark.value() == value
    share = 100 * (np.linspace(-50, 50, 101) < value).mean()
    assert f"<b>{value:g}</b> intensity. Above {share:.4g} % of the null" in plot.legend.text()
    dock._pointer.point((1e4, 0))
    assert plot.clicked_value is None
    viewer.layers.selection.active = named(viewer, "squared")[0]
    dock._pointer.point((10, 14))
    assert plot.clicked_value == value**2
    assert "null:" not in plot.legend.text()


def test_a_drag_is_no_click(opened, qtbot):
    viewer, dock = opened((Brightness,), cells())
    run(dock, qtbot)

    class Event:
        type = "mouse_press"
        position = (5, 7)

    event = Event()
    made = dock._pointer._clicked(viewer, event)
    next(made)
    event.type = "mouse_move"
    next(made)
    event.type = "mouse_release"
    list(made)
    assert dock.plots.null.clicked_value is None


def test_closing_hears_of_no_click_any_more(opened, qtbot):
    viewer, dock = opened((Brightness,), cells())
    assert dock._pointer._clicked in viewer.mouse_drag_callbacks
    viewer.window.remove_dock_widget(dock.native)
    assert not [each for each in viewer.mouse_drag_callbacks if "_clicked" in repr(each)]


def test_curves_with_the_same_labels_share_a_plot(opened, qtbot):
    _, dock = opened((Brightness,), cells())
    run(dock, qtbot)
    names = list(dock.plots.choice.choices)
    assert names == ["darker or brighter", "squared", "change over quality"]
    dock.plots.choice.value = names[-1]
    headings, columns = dock.plots.curves.table()
    assert headings == [
        "found: quality", "found: change", "expected: quality", "expected: change"
    ]  # fmt: skip
    assert columns[1] == [3.0, 1.0, 2.0]
    assert not dock.plots.null.isVisibleTo(dock.native)


def test_cancel_keeps_what_was_read(opened, qtbot):
    Waiting.started.clear()
    _, dock = opened((Brightness, Waiting, Pairs), cells())
    dock.controls.run.native.click()
    qtbot.waitUntil(Waiting.started.is_set)
    assert dock.controls.cancel.enabled
    dock.controls.cancel.native.click()
    qtbot.waitUntil(lambda: not dock.runner.is_running)
    assert list(dock.readings) == [0]
    assert dock.controls.message.sentence == "Cancelled: 1 trace kept."
    assert dock.controls.run.enabled


def test_one_trace_that_fails_keeps_no_other_from_being_read(opened, qtbot):
    _, dock = opened((Broken, Pairs), cells())
    run(dock, qtbot)
    assert dock.trace_list.reasons[0] == "Too even to be read."
    assert list(dock.readings) == [1]


def test_only_ticked_traces_are_read(opened, qtbot):
    _, dock = opened((Brightness, Pairs), cells())
    dock.trace_list.tick(0, False)
    run(dock, qtbot)
    assert list(dock.readings) == [1]
    dock.trace_list.tick(1, False)
    assert not dock.controls.run.enabled
    assert dock.controls.message.sentence == "Tick a trace that can be read."


@pytest.mark.parametrize("rgb", [False, True])
def test_views_are_layers_and_no_sources(opened, qtbot, rgb):
    values = np.stack([VALUES] * 3, -1) if rgb else VALUES
    viewer, dock = opened((Pairs,), Image(values, rgb=rgb, name="cells"))
    for button in dock.views.buttons:
        button.native.click()
        qtbot.waitUntil(lambda: not dock.views.work.is_running)
    assert [each.name for each in viewer.layers] == ["cells", "Gamma · cells", "Equalised · cells"]
    assert all(each.data.dtype == np.uint8 for each in viewer.layers)
    viewer.layers.selection.active = viewer.layers["Gamma · cells"]
    assert dock.source.layer().name == "cells"
    assert np.median(viewer.layers["Gamma · cells"].data) > np.median(values)


def test_a_second_click_takes_a_view_away_and_shows_the_map_again(opened, qtbot):
    viewer, dock = opened((Brightness,), cells())
    run(dock, qtbot)
    button, shown = dock.views.buttons[0].native, named(viewer, "darker")[0]
    before = [each.name for each in viewer.layers]
    button.click()
    qtbot.waitUntil(lambda: not dock.views.work.is_running)
    (view,) = named(viewer, "Equalised")
    assert (view.visible, shown.visible, button.isChecked()) == (True, False, True)
    assert viewer.layers.selection.active.name == "cells"
    view.locked = True
    button.click()
    assert view in viewer.layers
    assert "locked" in dock.controls.message.sentence
    view.locked = False
    button.click()
    assert [each.name for each in viewer.layers] == before
    assert (shown.visible, button.isChecked()) == (True, False)
    assert viewer.layers.selection.active.name == "cells"
    button.click()
    qtbot.waitUntil(lambda: not dock.views.work.is_running)
    viewer.layers.remove(named(viewer, "Equalised")[0])  # by hand
    assert not button.isChecked()


def test_equalised_is_even():
    ramp = np.linspace(0, 1, 5001) ** 3
    found = np.histogram(equalised(ramp), 10, (0, 1))[0]
    assert np.ptp(found[1:]) < 60
    np.testing.assert_allclose(equalised(np.full((4, 4), 0.7)), 0.5)


def test_it_never_pronounces_a_verdict(opened, qtbot):
    _, dock = opened((Brightness, Pairs), cells(), show=True)
    run(dock, qtbot)
    texts = [each.text() for each in dock.native.findChildren(QLabel)]
    texts += [each.tooltip for each in (*dock, *dock._form) if isinstance(each, Box)]
    verdict = r"fake|forg|manipulat|authentic|genuine|suspicious|score"
    assert not [each for each in texts if re.search(verdict, each or "", re.IGNORECASE)]
