"""The button *Show what the filter sees*."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from magicgui.widgets import PushButton

from napari_diffusion.filters.flows.flow import Flow
from napari_diffusion.widgets.analysis.filter_view import FilterView, show_filter_view
from napari_diffusion.widgets.forms.box import may_be_narrow
from napari_diffusion.widgets.run.run_request import RunError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import napari

    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.widgets.run.runner import Runner
    from napari_diffusion.widgets.source.run_source import RunSource

_ABOUT = (
    "Adds layers for the visible part of the image: the edges that the filter finds, how much it "
    "smooths where, and arrows along which intensity moves. Use it to choose a contrast."
)
_NO_FLUX = "This filter has no flux to show: choose a diffusion filter such as Perona–Malik."


class ViewingDock(Protocol):
    """A dock with a source and a recipe."""

    viewer: napari.Viewer
    runner: Runner

    @property
    def value(self) -> Recipe:
        """The recipe; ValueError says what is wrong with the form."""
        ...

    def run_source(self) -> RunSource:
        """Return the source; `RunError` says what is wrong, or that a run is in progress."""
        ...

    def showing_errors(self) -> AbstractContextManager[None]:
        """Show a `RunError` instead of raising it."""
        ...


class FilterViewButton(PushButton):
    """Shows what the filter of a dock's recipe sees in its source.

    Parameters
    ----------
    dock : ViewingDock
        The dock.
    """

    def __init__(self, dock: ViewingDock) -> None:
        super().__init__(text="Show what the filter sees", tooltip=_ABOUT)
        may_be_narrow(self.native)
        self._dock = dock
        self.changed.connect(self.show_view)

    def show_view(self) -> None:
        """Add the layers; errors are shown, not raised."""
        dock = self._dock
        with dock.showing_errors():
            run_source = dock.run_source()
            try:
                view = FilterView.of_source(run_source, dock.value, dock.viewer)
            except ValueError as error:
                raise RunError("recipe", str(error)) from None
            show_filter_view(view, dock.runner, dock.viewer)

    def set_possible(self, possible: bool, recipe: Recipe | None) -> None:
        """Enable it where there is something to see, or say why there is not."""
        flows = recipe is not None and any(isinstance(each, Flow) for each in recipe.filters)
        self.enabled = possible and flows
        self.tooltip = _ABOUT if flows or recipe is None else f"{_NO_FLUX} {_ABOUT}"
