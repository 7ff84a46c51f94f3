"""All docks of ours as tabs in one place: one beneath the other, none would show its form."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

from napari_diffusion.widgets.forms.box import Box
from napari_diffusion.widgets.run.preferences import PLUGIN

if TYPE_CHECKING:
    import napari

AnyDock = TypeVar("AnyDock", bound=Box)


def join_tabs(widget: QWidget) -> None:
    """Put a docked widget into one row of tabs with the other docks of ours, in front."""
    own = _dock_of(widget)
    window = None if own is None else own.parent()
    if own is None or own.isFloating() or not isinstance(window, QMainWindow):
        return
    for other in window.findChildren(QDockWidget):
        ours = isinstance(getattr(other.widget(), "_magic_widget", None), Box)
        same = window.dockWidgetArea(other) == window.dockWidgetArea(own)
        if other is not own and ours and same and not other.isFloating() and other.isVisible():
            window.tabifyDockWidget(other, own)
            break
    # The name of the plugin behind each of five tabs would leave no room for theirs.
    own.setWindowTitle(own.windowTitle().removesuffix(f" ({PLUGIN})"))
    own.show()
    own.raise_()


def open_dock(viewer: napari.Viewer, name: str, kind: type[AnyDock]) -> AnyDock:
    """Open a dock by its name in the manifest, or bring it to the front, and return it."""
    dock, widget = viewer.window.add_plugin_dock_widget(PLUGIN, name)
    dock.show()
    dock.raise_()
    assert isinstance(widget, kind)
    return widget


def opened_dock(viewer: napari.Viewer, kind: type[AnyDock]) -> AnyDock | None:
    """Return the dock of a kind that is open in a viewer, None where there is none."""
    for widget in viewer.window.dock_widgets.values():
        if isinstance(widget, kind):
            return widget
    return None


def _dock_of(widget: QWidget) -> QDockWidget | None:
    parent = widget.parent()
    while parent is not None and not isinstance(parent, QDockWidget):
        parent = parent.parent()
    return parent
