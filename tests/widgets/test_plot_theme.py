"""Plots can be read on napari's dark and light themes, also after a change."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("napari")

from dock_driver import face
from napari.utils.theme import get_theme
from pyqtgraph import PlotWidget
from qtpy.QtWidgets import QWidget

from napari_diffusion import Recipe, filters
from napari_diffusion.widgets.forms.theme import colours_of, lightness
from napari_diffusion.widgets.plots.curve_plot import CurvePlot, Drawn
from napari_diffusion.widgets.plots.plot_theme import MARK, PALETTE, show_theme

THEMES = ("dark", "light")


def luminance(colour):
    parts = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.03928, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def contrast(colour, theme):
    back = "#{:02x}{:02x}{:02x}".format(*get_theme(theme).background.as_rgb_tuple()[:3])
    low, high = sorted((luminance(colour), luminance(back)))
    return (high + 0.05) / (low + 0.05)


def axis_colours(plot):
    item = plot.getPlotItem()
    axes = [item.getAxis(side) for side in ("left", "bottom", "right")]
    return {
        colour.name() for axis in axes for colour in (axis.pen().color(), axis.textPen().color())
    }


@pytest.mark.parametrize("theme", THEMES)
def test_contrasts(theme):
    for colour in (*PALETTE, MARK):
        assert contrast(colour, theme) >= 3
    for colour in colours_of(theme)[:4]:
        assert contrast(colour, theme) >= 4.5


def test_plots_follow_the_theme_and_those_made_later_begin_with_it(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    first = CurvePlot(window)
    first.show_curves([0, 1, 2], [Drawn("Sharpness", "", [1.0, 2.0, 3.0])])
    first.mark(1, 2)
    for theme in ("light", "dark", "light"):
        show_theme(window, theme)
        wanted = colours_of(theme).help
        assert axis_colours(first._view) == {wanted}
        assert first._shown.pen.color().name() == wanted
        later = CurvePlot(window)
        assert axis_colours(later._view) == {wanted}
        assert later._shown.pen.color().name() == wanted
    assert first.legend.property("role") == "help"
    assert "color" not in first.legend.text().replace(PALETTE[0], "").replace("color:", "", 1)
    show_theme(window, "dark")


def test_the_plots_of_the_dock_follow_the_viewer(open_loop, qtbot):
    viewer, loop = open_loop(face())
    loop.value = Recipe(diffusion_filter=filters.PeronaMalik(contrast="auto"))
    loop.recipe.schedule.toggle.open = True
    plot = loop.recipe.schedule_view.plot
    viewer.theme = "light"
    light = colours_of("light").help
    assert axis_colours(plot._view) == {light}
    assert plot.width.opts["pen"].color().name() == light
    loop.estimate_button.native.click()
    qtbot.waitUntil(lambda: not loop.runner.is_running, timeout=60_000)
    loop.evidence.open = True
    assert axis_colours(loop.evidence.gradients._view) == {light}
    for line in loop.evidence.gradients.marks():
        assert line.label.color.name() == light
    viewer.theme = "dark"
    assert axis_colours(loop.evidence.gradients._view) == {colours_of("dark").help}


def test_the_background_of_a_plot_changes_with_the_theme(make_napari_viewer, qtbot):
    viewer = make_napari_viewer(show=True)
    _, dock = viewer.window.add_plugin_dock_widget("napari-diffusion", "Diffusion loop")
    dock.recipe.schedule.toggle.open = True
    plot = dock.recipe.schedule_view.plot
    for theme in THEMES:
        viewer.theme = theme
        qtbot.wait(200)
        corner = plot._view.grab().toImage().pixelColor(2, 2).getRgb()
        assert (lightness(corner) > 0.5) == (theme == "light")


def test_the_name_of_an_axis_is_not_cut_off(qtbot):
    plot = CurvePlot()
    qtbot.addWidget(plot)
    plot.resize(300, 300)
    plot.show()
    qtbot.waitExposed(plot)
    view = plot.findChild(PlotWidget)
    view.getPlotItem().setLabel("bottom", "along the line (µm)")
    qtbot.wait(50)
    label = view.getPlotItem().getAxis("bottom").label
    name = label.mapRectToScene(label.boundingRect())
    assert name.bottom() <= view.sceneRect().bottom()
