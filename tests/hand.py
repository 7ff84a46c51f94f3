"""The hand of a user: real clicks and keys in the window of napari, counted, and screenshots."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

pytest.importorskip("napari")

from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QApplication,
    QComboBox,
    QMenu,
    QScrollArea,
    QStyle,
    QStyleOptionSlider,
    QWidget,
)

PICTURES = os.environ.get("NAPARI_DIFFUSION_SCREENSHOTS", "")


class Hand:
    """Clicks and types in one viewer.

    Attributes
    ----------
    clicks : int
        How often something was clicked; picking an entry of a menu or a list counts once.
    """

    def __init__(self, viewer, name):
        self.viewer = viewer
        self.window = viewer.window._qt_window
        self.name = name
        self.clicks = 0
        self.pictures = 0
        self.window.resize(1280, 800)
        self.settle()

    def settle(self, seconds=0.2):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            QApplication.processEvents()
            time.sleep(0.005)

    def click(self, native, position=None):
        """Click a widget that is in sight."""
        self.clicks += 1
        self._press(native, position)

    def _press(self, native, position=None):
        self._into_view(native)
        assert native.isVisible(), native
        assert native.isEnabled(), native
        QTest.mouseClick(native, Qt.MouseButton.LeftButton, pos=position or native.rect().center())
        self.settle()

    def press(self, button):
        """Click a magicgui button."""
        self.click(button.native)

    def menu(self, *path):
        """Walk through the menus of the window, by the titles that are read there."""
        bar = self.window.menuBar()
        action = _action(bar, path[0])
        self.clicks += 1
        self._press(bar, bar.actionGeometry(action).center())
        menu = action.menu()
        for title in path[1:]:
            entry = _action(menu, title)
            assert entry.isEnabled(), title
            self._press(menu, menu.actionGeometry(entry).center())
            menu = entry.menu() or menu

    def choose(self, choice, text):
        """Open the list of a choice and click an entry."""
        combo: QComboBox = choice.native
        place = combo.findText(text)
        assert place >= 0, (text, [combo.itemText(i) for i in range(combo.count())])
        self.clicks += 1
        self._press(combo)
        # A list that has just been opened takes no click for a moment.
        self.settle(0.6)
        view = combo.view()
        rect = view.visualRect(combo.model().index(place, 0))
        QTest.mouseMove(view.viewport(), rect.center())
        self._press(view.viewport(), rect.center())
        assert combo.currentText() == text, combo.currentText()

    def type(self, edit, text, tabbed=False):
        """Click into a line, or come there with the tab key; replace its text and press Return."""
        if not tabbed:
            self.click(edit.native)
        assert edit.native.isVisible()
        edit.native.selectAll()
        QTest.keyClicks(edit.native, text)
        QTest.keyClick(edit.native, Qt.Key.Key_Return)
        self.settle()

    def drag(self, slider, share):
        """Drag the handle of a slider to a share of its width."""
        option = QStyleOptionSlider()
        slider.initStyleOption(option)
        parts = QStyle.ComplexControl.CC_Slider, QStyle.SubControl.SC_SliderHandle
        handle = slider.style().subControlRect(parts[0], option, parts[1], slider).center()
        end = QPoint(int(share * slider.width()), handle.y())
        QTest.mousePress(slider, Qt.MouseButton.LeftButton, pos=handle)
        QTest.mouseMove(slider, end)
        self.settle(0.1)
        QTest.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=end)
        self.clicks += 1
        self.settle(0.5)

    def tab(self, tabs, title):
        """Click the tab of that title."""
        bar = tabs.tabBar()
        place = [bar.tabText(each) for each in range(bar.count())].index(title)
        self.click(bar, bar.tabRect(place).center())

    def select(self, layer):
        """Click the name of a layer in the list."""
        layers = self.window._qt_viewer.layers
        for row in range(layers.model().rowCount()):
            at = layers.model().index(row, 0)
            if at.data() == layer.name:
                layers.scrollTo(at)
                rect = layers.visualRect(at)
                return self.click(layers.viewport(), rect.center())
        raise AssertionError(layer.name)

    def picture(self):
        """Keep a screenshot of the window, where pictures are asked for."""
        self.pictures += 1
        if PICTURES:
            self.settle(0.5)
            path = Path(PICTURES) / f"{self.name}-{self.pictures}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            self.viewer.screenshot(str(path), canvas_only=False, flash=False)

    def _into_view(self, native: QWidget):
        parent = native.parentWidget()
        while parent is not None:
            if isinstance(parent, QScrollArea) and not isinstance(native, QMenu):
                parent.ensureWidgetVisible(native)
            parent = parent.parentWidget()
        self.settle(0.05)


def _action(menu, title):
    for action in menu.actions():
        text = action.text().replace("&", "").split("\t")[0]
        if text.removesuffix(" (napari-diffusion)") == title:
            return action
    titles = [action.text() for action in menu.actions()]
    raise AssertionError(f"{title!r} is not among {titles}")
