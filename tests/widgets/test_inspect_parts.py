"""Parts of the dock Inspect image on their own: words, the plot of the null, text that scrolls."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("napari")

from qtpy.QtCore import Qt

from napari_diffusion.forensics import Curve, Frames, Levels, Place, TraceMap
from napari_diffusion.forensics.file_record import FileRecord
from napari_diffusion.widgets.inspect.null_plot import NullPlot, name_and_unit
from napari_diffusion.widgets.inspect.scrolled_text import ScrolledText
from napari_diffusion.widgets.inspect.trace_curves import TraceCurves
from napari_diffusion.widgets.inspect.trace_words import alarms_words, cure_words, places_words

SQUARE = np.array([[4, 6], [4, 16], [14, 16], [14, 6]])


@pytest.mark.parametrize(
    ("log10_nfa", "words"),
    [(0.3, "2"), (-2.0, "0.01"), (-12.3, "10⁻¹²"), (-140.0, "10⁻¹⁴⁰")],
)
def test_false_alarms_are_a_number_that_can_be_read(log10_nfa, words):
    assert alarms_words(log10_nfa) == f"false alarms: {words}"


def test_places_are_numbered_as_in_the_image():
    places = (Place(SQUARE, (2,), -12.3, "mirrored"), Place(SQUARE, words="constant part"))
    assert places_words(places) == (
        "1  plane 2; mirrored; false alarms: 10⁻¹²\n2  constant part"
    )  # fmt: skip


def test_a_reason_ends_with_its_cure():
    assert cure_words(FileRecord(), "No file.", False, "yx").endswith(
        "drop its file in the window."
    )
    assert cure_words(FileRecord(), "No file.", True, "yx") == "No file."
    assert "first axis" in cure_words(Frames(), "Too few.", False, "zyx")
    assert cure_words(Frames(), "Too few.", False, "tyx") == "Too few."
    assert cure_words(Frames(), "", False, "zyx") == ""
    assert cure_words(Levels(), "Too small.", False, "yx") == "Too small."


def test_the_unit_of_a_map_may_stand_in_its_name():
    values = np.zeros((4, 4))
    assert name_and_unit(TraceMap("less noise (spreads)", values, "", (0, 1))) == (
        "less noise", "spreads"
    )  # fmt: skip
    assert name_and_unit(TraceMap("difference", values, "intensity", (0, 1)))[1] == "intensity"
    assert name_and_unit(TraceMap("correlation", values, "", (0, 1))) == ("correlation", "")


def test_the_plot_of_the_null_reaches_beyond_the_colour_bar(qtbot):
    plot = NullPlot()
    qtbot.addWidget(plot)
    values = np.linspace(-4, 4, 10001)
    plot.show_map(TraceMap("noise (spreads)", values, "", (0.0, 6.0), False, values / 2, "same"))
    _, (starts, ends, null, shown) = plot.table()
    assert -4 < float(starts[0]) < -3.9
    assert float(ends[-1]) == 6
    assert sum(null) == pytest.approx(100)
    assert sum(shown) == pytest.approx(100)
    ticks = plot._item.getAxis("left")._tickLevels[0]
    assert [text for _, text in ticks][-3:] == ["1", "10", "100"]
    assert plot._item.getAxis("bottom").labelText == "noise (spreads)"
    plot.show_value(1.0)
    share = 100 * (values / 2 < 1).mean()
    assert f"<b>1</b> spreads. Above {share:.4g} % of the null" in plot.legend.text()
    assert "rank, no probability" in plot.legend.text()
    plot.show_value(7.5)
    assert "7.5</b> spreads, beyond the plot. Above all of the null" in plot.legend.text()
    assert plot.mark.value() == 6


def test_whole_numbers_have_a_bin_each(qtbot):
    plot = NullPlot()
    qtbot.addWidget(plot)
    plot.show_map(TraceMap("residual", np.array([-2, 0, 0, 1]), "intensity", (-3.0, 3.0), True))
    _, (starts, ends, _, shown) = plot.table()
    assert [float(each) for each in starts] == [-3.5, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5]
    assert float(ends[-1]) == 3.5
    assert shown == [0, 25, 0, 50, 25, 0, 0]


def test_a_long_name_of_an_axis_stands_in_the_legend(qtbot):
    plot = TraceCurves()
    qtbot.addWidget(plot)
    plot.show_curves([Curve("found", "frame", "difference / that of the next", (0, 1), (1.0, 2.0))])
    assert plot.legend.text().startswith("difference / that of the next:")
    plot.show_curves([Curve("found", "frame", "change", (0, 1), (1.0, 2.0))])
    assert plot._item.getAxis("left").labelText == "change"


def test_a_long_text_scrolls_only_where_it_has_no_room(qtbot):
    text = ScrolledText(3)
    qtbot.addWidget(text)
    text.value = (
        "It <shows> ranks. Assumed: one camera.\nWhat else looks the same: " + "focus " * 60
    )
    assert "<b>Assumed:</b>" in text._label.text()
    assert "<b>What else looks the same:</b>" in text._label.text()
    assert "&lt;shows&gt;" in text._label.text()
    text.resize(300, 10)
    text.show()
    lines = text._label.fontMetrics().lineSpacing()
    assert text.minimumHeight() == 3 * lines
    assert text.verticalScrollBarPolicy() == Qt.ScrollBarPolicy.ScrollBarAlwaysOn
    text.resize(300, text.sizeHint().height())
    assert text.verticalScrollBarPolicy() == Qt.ScrollBarPolicy.ScrollBarAlwaysOff
    assert text._label.height() <= text.viewport().height()
    text.value = "Short."
    assert text.minimumHeight() < 3 * lines
