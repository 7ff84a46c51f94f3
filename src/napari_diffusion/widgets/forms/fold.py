"""What is shown on demand: a line to click, or a small arrow beside a choice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magicgui.widgets import PushButton
from psygnal import Signal

from napari_diffusion.widgets.forms.box import Box
from napari_diffusion.widgets.forms.theme import give_role

if TYPE_CHECKING:
    from magicgui.widgets.bases import Widget

_CLOSED, _OPEN = "▸", "▾"


class FoldToggle(PushButton):
    """Shows and hides a widget, which is hidden at first.

    Parameters
    ----------
    title : str
        What is folded; nothing for a small arrow at the end of a row.
    body : Widget
        What is shown and hidden, wherever it stands.
    tooltip : str
        What it is for.
    """

    toggled = Signal(bool)

    def __init__(self, title: str, body: Widget, tooltip: str = "") -> None:
        super().__init__(text=_CLOSED, tooltip=tooltip)
        self._title = title
        self._body = body
        self._open = True
        self.native.setFlat(True)
        give_role(self.native, "fold")
        if not title:
            self.native.setFixedWidth(24)
        self.changed.connect(lambda: setattr(self, "open", not self.open))
        self.open = False

    @property
    def open(self) -> bool:
        """Whether the widget is shown."""
        return self._open

    @open.setter
    def open(self, on: bool) -> None:
        if on == self._open:
            return
        self._open = on
        self.text = f"{_OPEN if on else _CLOSED} {self._title}".rstrip()
        self._body.visible = on
        self.toggled.emit(on)


class Fold(Box):
    """A line to click, with what it shows beneath.

    Parameters
    ----------
    title : str
        What is folded.
    *widgets : Widget
        What is shown on demand.
    tooltip : str
        What it is for.
    """

    def __init__(self, title: str, *widgets: Widget, tooltip: str = "") -> None:
        self.body = Box(*widgets)
        self.toggle = FoldToggle(title, self.body, tooltip)
        super().__init__(self.toggle, self.body)

    @property
    def open(self) -> bool:
        """Whether the widgets are shown."""
        return self.toggle.open

    @open.setter
    def open(self, on: bool) -> None:
        self.toggle.open = on
