"""The parameters of the selected trace, folded until they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from napari_diffusion.widgets.forms.box import Box
from napari_diffusion.widgets.forms.component_choice import row_within
from napari_diffusion.widgets.forms.component_form import ComponentForm
from napari_diffusion.widgets.forms.fold import FoldToggle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_diffusion.forensics import Trace


class TraceParameters(Box):
    """The form of one trace at a time; what was typed for the others stays.

    Parameters
    ----------
    traces : sequence of Trace
        As in the list; a form is made when its trace is first selected.
    """

    def __init__(self, traces: Sequence[Trace]) -> None:
        self._traces = tuple(traces)
        self._forms: dict[int, ComponentForm] = {}
        super().__init__()
        self.margins = (10, 0, 0, 4)
        #: Shows and hides the form; it is gone where a trace has no parameters.
        self.toggle = FoldToggle("Parameters", self, "How the selected trace is read.")
        self.toggle.visible = False

    def show_trace(self, place: int) -> None:
        """Show the form of the trace in a place of the list."""
        has = bool(self._traces[place].parameters())
        if has and place not in self._forms:
            self._make(place)
        for each, form in self._forms.items():
            form.visible = each == place
        self.toggle.visible = has
        self.visible = has and self.toggle.open

    def form(self, place: int) -> ComponentForm | None:
        """Return the form of a trace, None as long as it was not looked at."""
        return self._forms.get(place)

    def traces(self) -> list[Trace]:
        """Return all traces as their forms have them; a form with an error counts as unchanged."""
        traces = list(self._traces)
        for place, form in self._forms.items():
            if form.problem is None:
                traces[place] = cast("Trace", form.value)
        return traces

    def problem(self, place: int) -> str:
        """Return what is wrong with the form of a trace, empty where nothing is."""
        form = self._forms.get(place)
        return "" if form is None else form.problem or ""

    def _make(self, place: int) -> None:
        trace = self._traces[place]
        form = self._forms[place] = ComponentForm(type(trace), row_within)
        form.value = trace
        form.changed.connect(lambda: self.changed.emit(self))
        self.append(form)
