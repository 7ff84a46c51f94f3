"""How every dock of the manifest looks: nothing clipped, nothing sideways, readable in each theme.

With ``NAPARI_DIFFUSION_SCREENSHOTS=folder`` the window is saved there, for each dock and theme.
"""

from __future__ import annotations

import itertools
import os
import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("napari")

from napari.layers import Image
from napari.utils.theme import get_theme
from npe2 import PluginManifest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QScrollArea,
    QStyle,
    QStyleOptionButton,
)

import napari_diffusion
from napari_diffusion.widgets.forms.box import Box
from napari_diffusion.widgets.forms.component_choice import ComponentChoice
from napari_diffusion.widgets.forms.fold import FoldToggle
from napari_diffusion.widgets.forms.theme import DARK, LIGHT, Colours, colours_of, style_sheet

MANIFEST = Path(napari_diffusion.__file__).with_name("napari.yaml")
DOCKS = [widget.display_name for widget in PluginManifest.from_file(MANIFEST).contributions.widgets]
NARROWEST = 330
STACK = np.random.default_rng(0).poisson(100, (4, 48, 64)).astype(np.uint16)


def stack():
    return Image(
        STACK, name="cells with a name that is long", scale=(1, 0.2, 0.2), units=("um",) * 3
    )


@pytest.fixture
def shown(make_napari_viewer, qtbot):
    """Return a function that opens a dock in a window of 1280 × 800, as narrow as it gets."""

    def opened(title, *layers, theme="dark"):
        viewer = make_napari_viewer(show=True)
        viewer.theme = theme
        viewer.window._qt_window.resize(1280, 800)
        for layer in layers:
            viewer.add_layer(layer)
        area, dock = viewer.window.add_plugin_dock_widget("napari-diffusion", title)
        docks.append(dock)
        viewer.window._qt_window.resizeDocks([area], [NARROWEST], Qt.Orientation.Horizontal)
        qtbot.wait(150)
        return viewer, dock

    docks = []
    yield opened
    for dock in docks:
        dock.let_go(closed=False)
        if dock.runner.worker is not None:
            assert dock.runner.worker.join(30)


def picture(viewer, name):
    """Save the window where somebody wants to look at it."""
    if folder := os.environ.get("NAPARI_DIFFUSION_SCREENSHOTS"):
        QApplication.processEvents()
        Path(folder).mkdir(parents=True, exist_ok=True)
        viewer.screenshot(str(Path(folder, f"{name}.png")), canvas_only=False, flash=False)


def boxes_in(box):
    """Every box within a box, itself first."""
    yield box
    for each in box:
        if isinstance(each, Box):
            yield from boxes_in(each)


def toggles_of(dock):
    natives = dock.native.findChildren(QAbstractButton)
    found = [getattr(native, "_magic_widget", None) for native in natives]
    return [each for each in found if isinstance(each, FoldToggle)]


def unfold(dock, qtbot):
    """Open all that is folded, also what is folded within."""
    for _ in range(3):
        for toggle in toggles_of(dock):
            if toggle.enabled and toggle.native.isVisibleTo(dock.native):
                toggle.open = True
    qtbot.wait(150)


def texts(dock, kind):
    return [each for each in dock.native.findChildren(kind) if each.isVisible()]


def room_in_button(button):
    option = QStyleOptionButton()
    option.initFrom(button)
    inside = button.style().subElementRect(QStyle.SubElement.SE_PushButtonContents, option, button)
    return min(inside.width(), button.width())


def clipped(dock):
    """What is not all there of the texts in view."""
    found = []
    for button in texts(dock, QAbstractButton):
        needed = button.fontMetrics().horizontalAdvance(button.text().replace("&", ""))
        if button.text() and needed > room_in_button(button):
            found.append(f"button {button.text()!r}: {needed} > {room_in_button(button)}")
    for label in texts(dock, QLabel):
        words = [re.sub("<[^>]*>", "", word) for word in label.text().split()]
        needed = max(map(label.fontMetrics().horizontalAdvance, words), default=0)
        if needed > label.contentsRect().width():
            found.append(f"label {label.text()!r}: {needed} > {label.contentsRect().width()}")
        if label.wordWrap() and label.heightForWidth(label.width()) > label.height() + 1:
            found.append(f"label {label.text()!r}: too low")
    for edit in texts(dock, QLineEdit):
        if isinstance(edit.parent(), QComboBox):
            continue
        # What is longer than the field can be scrolled, but the beginning of it must be seen.
        text = edit.text() or edit.placeholderText()
        needed = min(edit.fontMetrics().horizontalAdvance(text), 90)
        if needed > edit.contentsRect().width() - 4:
            found.append(f"edit {text!r}: {needed} > {edit.contentsRect().width() - 4}")
    return found


def sideways(dock):
    """The parts that are wider than there is room for them."""
    found = []
    for area in texts(dock, QScrollArea):
        inside, room = area.widget(), area.viewport().width()
        if inside is not None and inside.minimumSizeHint().width() > room:
            found.append(f"{inside.minimumSizeHint().width()} > {room}")
    return found


# --- sizes ---


@pytest.mark.parametrize("title", DOCKS)
def test_nothing_is_clipped_and_nothing_scrolls_sideways(shown, qtbot, title):
    viewer, dock = shown(title, stack())
    assert dock.native.width() <= NARROWEST + 30
    for theme in ("dark", "light"):
        viewer.theme = theme
        qtbot.wait(100)
        picture(viewer, f"{title} {theme}")
        assert clipped(dock) == []
        assert sideways(dock) == []
    unfold(dock, qtbot)
    picture(viewer, f"{title} unfolded")
    assert clipped(dock) == []
    assert sideways(dock) == []


@pytest.mark.parametrize("title", ["Filter", "Add noise"])
def test_no_component_is_too_wide(shown, qtbot, title):
    _, dock = shown(title, stack())
    (choice,) = [each for each in boxes_in(dock._form) if type(each) is ComponentChoice][:1]
    dock.source.first_axis.choice.native.setCurrentText("time")
    for name in choice.choice.options_named:
        choice.choice.native.setCurrentText(name)
        unfold(dock, qtbot)
        assert (name, clipped(dock), sideways(dock)) == (name, [], [])


def test_long_messages_wrap_and_actions_stand_beneath_each_other(shown, qtbot):
    from napari_diffusion.widgets.forms.message import Action

    viewer, dock = shown("Filter", stack())
    sentence = "Lengths converted from pixels to µm; the effect on the pixels is the same."
    actions = [Action(text, lambda: None) for text in ("Use fewer steps", "Show steps", "Undo")]
    dock.controls.message.say(sentence, "warning", *actions, details="word " * 200)
    dock.controls.message._fold.open = True
    qtbot.wait(100)
    picture(viewer, "message")
    assert clipped(dock) == []
    assert sideways(dock) == []


# --- one main button, and what applies ---


@pytest.mark.parametrize("title", DOCKS)
def test_there_is_one_main_button_at_most_and_it_waits_for_an_image(shown, title):
    viewer, dock = shown(title)
    main = [each for each in texts(dock, QAbstractButton) if each.property("role") == "primary"]
    assert len(main) <= 1
    assert not any(button.isEnabled() for button in main)
    if title == "Batch":  # its images are in files
        return
    viewer.add_layer(stack())
    assert all(button.isEnabled() for button in main)


@pytest.mark.parametrize("title", ["Denoise", "Filter", "Add noise"])
def test_buttons_before_during_and_after_a_run(shown, qtbot, title):
    viewer, dock = shown(title, Image(np.tile(STACK, (1, 8, 8)), name="large"))
    controls = dock.controls
    assert (controls.run.enabled, controls.cancel.enabled) == (True, False)
    controls.run.native.click()
    qtbot.waitUntil(lambda: controls.bar.native.isVisible())
    assert (controls.run.enabled, controls.cancel.enabled) == (False, True)
    picture(viewer, f"{title} running")
    qtbot.waitUntil(lambda: clipped(dock) == [])
    controls.cancel.native.click()
    qtbot.waitUntil(lambda: not dock.runner.is_running)
    assert (controls.run.enabled, controls.cancel.enabled) == (True, False)
    assert not controls.bar.native.isVisible()


# --- colours ---


def luminance(colour):
    """Of red, green and blue from 0 to 255, as the WCAG define it."""
    shares = (each / 255 for each in colour)
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def rgb(text):
    return tuple(int(text[place : place + 2], 16) for place in (1, 3, 5))


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_text_has_a_contrast_of_at_least_4_5(theme):
    colours, napari = colours_of(theme), get_theme(theme)
    assert colours == {"dark": DARK, "light": LIGHT}[theme]
    backgrounds = [napari.background.as_rgb_tuple()[:3], napari.canvas.as_rgb_tuple()[:3]][:1]
    for role, background in itertools.product(("help", "warning", "error", "good"), backgrounds):
        assert contrast(rgb(getattr(colours, role)), background) >= 4.5, role
    for background in (colours.primary, colours.hover):
        assert contrast(rgb(colours.primary_text), rgb(background)) >= 4.5
    assert set(Colours._fields) == {
        "help", "warning", "error", "good", "primary", "hover", "primary_text"
    }  # fmt: skip


def test_no_other_colours_are_in_the_style_sheet():
    for theme in ("dark", "light"):
        assert set(re.findall("#[0-9a-f]{6}", style_sheet(theme))) <= set(colours_of(theme))


@pytest.mark.parametrize("title", DOCKS)
def test_a_change_of_the_theme_is_followed_at_once(shown, qtbot, title):
    viewer, dock = shown(title, stack())
    viewer.theme = "light"
    assert dock.native.styleSheet() == style_sheet("light")
    helps = [each for each in texts(dock, QLabel) if each.property("role") == "help"]
    for label in helps:
        label.ensurePolished()
        assert label.palette().windowText().color().name() == LIGHT.help
    viewer.theme = "dark"
    for label in helps:
        label.ensurePolished()
        assert label.palette().windowText().color().name() == DARK.help
