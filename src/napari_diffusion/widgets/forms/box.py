"""Widgets in a column or a row: what every form and every dock is laid out with."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from magicgui.widgets import Container, Label
from magicgui.widgets.bases import Widget
from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QFrame, QScrollArea, QSizePolicy, QWidget

from napari_diffusion.widgets.forms.theme import give_role

if TYPE_CHECKING:
    from collections.abc import Iterator

_SPACING = 4


class Box(Container[Widget]):
    """Widgets close together, without labels of their own.

    Unlike a plain container it does not pass on what changes inside: magicgui takes a click on any
    button for a change, and here a form says itself what counts as one.

    Parameters
    ----------
    *widgets : Widget
        From top to bottom, or from left to right.
    layout : {"vertical", "horizontal"}
        A column or a row.
    **options
        Of every magicgui widget: name, label, tooltip, visible, enabled.
    """

    def __init__(self, *widgets: Widget, layout: str = "vertical", **options: Any) -> None:
        super().__init__(layout=layout, labels=False, **options)
        self.margins = (0, 0, 0, 0)
        self.native.layout().setSpacing(_SPACING)
        self.extend(widgets)

    def insert(self, key: int, widget: Widget) -> None:
        """Insert a widget; in a dock that is open Tab reaches it in its place."""
        self._insert_widget(key, widget)
        if self.native.isVisible():
            order_tabs(self.native)

    def reset_choices(self, *_: Any) -> None:
        """Have layers listed anew; all other choices stay as they are."""
        for widget in self:
            if isinstance(widget, Box):
                widget.reset_choices()

    def add_native(self, widget: QWidget, stretch: int = 0) -> None:
        """Put a widget of Qt's own beneath: a plot, for which magicgui has nothing."""
        self.native.layout().addWidget(widget, stretch)

    def add_stretch(self) -> None:
        """Leave what room there is beneath."""
        self.native.layout().addStretch(1)

    def add_scrolled(self, box: Box) -> QScrollArea:
        """Put a box on top that scrolls up and down, never sideways, and takes the room left."""
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(box.native)
        self.native.layout().insertWidget(0, area, 1)
        return area


def order_tabs(widget: QWidget) -> None:
    """Let Tab go from top to bottom of a dock: what was inserted later would come at its end."""
    root = widget
    while (parent := widget.parentWidget()) is not None:
        widget = parent
        root = widget if isinstance(getattr(widget, "_magic_widget", None), Box) else root
    for first, second in pairwise(_laid_out(root)):
        QWidget.setTabOrder(first, second)


def _laid_out(widget: QWidget) -> Iterator[QWidget]:
    """Yield what Tab reaches within a widget, in the order it is laid out."""
    inside = widget.widget() if isinstance(widget, QScrollArea) else None
    layout = widget.layout()
    if inside is not None:
        yield from _laid_out(inside)
    elif layout is not None:
        items = (layout.itemAt(place) for place in range(layout.count()))
        for each in (item.widget() for item in items if item is not None):
            if each is not None:
                yield from _laid_out(each)
    elif widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
        yield widget


def row_label(text: str, tooltip: str = "") -> Label:
    """Return the name at the left of a row, as wide as in every other row."""
    label = Label(value=text, tooltip=tooltip)
    label.native.setWordWrap(True)
    give_role(label.native, "row")
    return label


def labelled(text: str, *widgets: Widget, tooltip: str = "", **options: Any) -> Box:
    """Return a row of a form: its name, and what is edited."""
    return Box(row_label(text, tooltip), *widgets, layout="horizontal", tooltip=tooltip, **options)


def may_be_narrow(widget: QWidget) -> None:
    """Let a widget share the width of its row, instead of asking for all of its text."""
    widget.setSizePolicy(QSizePolicy.Policy.Ignored, widget.sizePolicy().verticalPolicy())
    widget.setMinimumWidth(48)


class _WheelToScroll(QObject):
    """Leaves the mouse wheel to the scroll area around a form."""

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        """Pass a turn of the wheel on to the parent."""
        del watched
        if event is None or event.type() != QEvent.Type.Wheel:
            return False
        event.ignore()
        return True


def leave_wheel(widget: QWidget) -> None:
    """Keep the wheel, with which one scrolls a form, from changing a value in it."""
    widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    widget.installEventFilter(_WheelToScroll(widget))
