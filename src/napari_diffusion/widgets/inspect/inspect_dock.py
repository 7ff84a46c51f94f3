"""The dock *Inspect image*."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from magicgui.widgets import PushButton
from qtpy.QtCore import QTimer

from napari_diffusion.core.readable_name import readable_name
from napari_diffusion.forensics import catalog
from napari_diffusion.forensics.limits import limits_text
from napari_diffusion.widgets.docks.layer_dock import LayerDock
from napari_diffusion.widgets.forms.box import Box, labelled
from napari_diffusion.widgets.forms.message import text_label
from napari_diffusion.widgets.inspect.contrast_views import (
    VIEWS,
    is_view,
    show_view,
    view_layer,
    view_work,
)
from napari_diffusion.widgets.inspect.inspect_work import TraceRead, applying_work, inspecting_work
from napari_diffusion.widgets.inspect.inspected import Inspected
from napari_diffusion.widgets.inspect.map_pointer import MapPointer
from napari_diffusion.widgets.inspect.reading_layers import ReadingLayers
from napari_diffusion.widgets.inspect.reading_plots import ReadingPlots
from napari_diffusion.widgets.inspect.reference_choice import ReferenceChoice
from napari_diffusion.widgets.inspect.trace_list import TraceList
from napari_diffusion.widgets.inspect.trace_words import details_words
from napari_diffusion.widgets.layers.layer_files import file_of
from napari_diffusion.widgets.layers.map_layers import is_finding
from napari_diffusion.widgets.run.background import Background
from napari_diffusion.widgets.run.run_controls import RunControls
from napari_diffusion.widgets.run.run_request import RunError

if TYPE_CHECKING:
    import napari
    import numpy as np
    from napari.layers import Image
    from numpy.typing import NDArray

    from napari_diffusion.forensics import Reading, TraceMap
    from napari_diffusion.widgets.inspect.contrast_views import ContrastView
    from napari_diffusion.widgets.inspect.inspect_work import Applies

_ABOUT = "Read the ticked traces. What is found is shown with what else looks the same."
_FIRST = "Select a trace to read what it assumes and what else looks the same."

# After the last change the traces are asked so soon whether they apply, in milliseconds.
_SOON = 200


class InspectImage(LayerDock):
    """Shows traces of processing in an image, each with its null and its innocent causes.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer that the dock belongs to.
    """

    takes_masks = False

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        self.traces = tuple(cls() for cls in catalog.traces())
        self.trace_list = TraceList(self.traces)
        super().__init__(napari_viewer, RunControls("Inspect", _ABOUT), single=True)
        self.reference = ReferenceChoice(self.viewer)
        self.file_note, self.limits = text_label("help"), text_label("help")
        self.plots = ReadingPlots()
        self._wrong = ""  # with what is inspected, as its thread has found
        self.readings: dict[int, Reading] = {}
        self._layers = ReadingLayers(self.viewer)
        self._pointer = MapPointer(self.viewer, self._layers, self._pointed)
        self._asking = Background(self._say, self.show_possible, self.native)
        self._viewing = Background(self._say, self._show_viewable, self.native)
        self._inspected: Inspected | None = None
        self._soon = QTimer(self.native)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SOON)
        self._lay_out()
        self._connect()
        self._source_changed()

    def _lay_out(self) -> None:
        self.views = [PushButton(text=each.name, tooltip=each.about) for each in VIEWS]
        row = labelled("view", *self.views, tooltip="Views with another contrast, as new layers.")
        traces = Box()
        traces.add_native(self.trace_list)
        form = [self.source, self.file_note, self.reference, row, traces, self.advanced]
        area = self.lay_out(form, [self.controls, self.limits, self.plots])
        self.limits.value = _FIRST
        for native, stretch in ((area, 3), (self.plots.native, 2)):
            self.native.layout().setStretchFactor(native, stretch)

    def _connect(self) -> None:
        self.reference.changed.connect(self._ask_soon)
        self.trace_list.selected.connect(self.show_trace)
        self.trace_list.ticked.connect(self.show_possible)
        self.controls.run_clicked.connect(self.run)
        self.controls.running.connect(self._ended)
        self._soon.timeout.connect(self._ask)
        for button, view in zip(self.views, VIEWS, strict=True):
            button.changed.connect(partial(self.add_view, view))

    # --- from the form to a run ---

    def run(self) -> None:
        """Read the ticked traces; errors are shown, not raised."""
        with self.showing_errors():
            inspected = self._inspected = self.inspected()
            asked = [(place, self.traces[place]) for place in self.trace_list.asked]
            self.readings = {}
            self._layers.forget()
            self.plots.show_reading(None)
            for place, _ in asked:
                self.trace_list.show_state(place, "")
            work = inspecting_work(inspected, asked)
            self.runner.start(work, self, made=self._made_words, title=inspected.name)

    def inspected(self) -> Inspected:
        """Return what the form asks for; `RunError` says what is wrong."""
        source = self.run_source()
        if len(source.layers) > 1:
            raise RunError("source", "Inspect one layer at a time: choose one above.")
        return Inspected.of(source, self.reference.value)

    def grow(self, read: TraceRead) -> None:
        """Show what a trace has read."""
        place, reading = read.place, read.reading
        if reading is None:
            self.trace_list.show_reason(place, read.why_not)
            return
        assert self._inspected is not None
        self.readings[place] = reading
        self._layers.show(place, reading, self._inspected)
        self.trace_list.show_state(place, next(iter(reading.remarks), "read"))

    def finish(self) -> None:
        """Nothing is left to be shown."""

    def add_view(self, view: ContrastView) -> None:
        """Add a view of the source with another contrast, as a layer."""
        with self.showing_errors():
            inspected = Inspected.of(self.run_source(), None)

            def done(values: NDArray[np.uint8]) -> None:
                with self.source.holding():
                    layer = view_layer(inspected, view, values)
                    show_view(self.viewer, inspected, layer, view)

            work = view_work(inspected, view)
            self._viewing.start(work, lambda _: None, done, f"{view.name} · {inspected.name}")

    def let_go(self, closed: bool) -> None:
        """Stop: the dock is closed, or else the whole window."""
        self._soon.stop()
        for work in (self._asking, self._viewing):
            work.drop()
        if closed:
            self._pointer.close()
        super().let_go(closed)

    # --- what the dock shows ---

    def passes_over(self, layer: Image) -> bool:
        """Say whether a layer is what was found, or a view: those are looked at."""
        return is_finding(layer) or is_view(layer)

    def form_problem(self) -> str | None:
        """Return what is wrong with the form besides its source, None where nothing is."""
        if len(self.source.layers()) > 1:
            return "Inspect one layer at a time: choose one above."
        if self._wrong:
            return self._wrong
        return None if self.trace_list.asked else "Tick a trace that can be read."

    def show_possible(self) -> None:
        """Enable what can be done, here also the views."""
        super().show_possible()
        self._show_viewable()

    def source_changed(self) -> None:
        """Ask the traces anew whether they apply, and say which file is read for those of files."""
        if not hasattr(self, "_soon"):
            return  # the form is still being made
        layer = self.source.layer()
        file = None if layer is None else file_of(layer)
        note = "" if file is None else f"Traces of files read {readable_name(file.name)!r}."
        self.file_note.value = note
        self.file_note.visible = bool(note) and any("file" in each.needs for each in self.traces)
        self._ask_soon()

    def show_trace(self, place: int) -> None:
        """Show a trace: what it read, what it assumes, and what else looks the same."""
        if place < 0:
            return
        self._pointer.place = place
        why, reading = self.trace_list.reasons[place], self.readings.get(place)
        self.limits.value = "\n".join([*[why] * bool(why), limits_text(self.traces[place])])
        self.plots.show_reading(reading)
        if self.controls.is_running or not self.readings:
            return
        words = "" if reading is None else next(iter(reading.remarks), "")
        self.controls.message.say(words, details="" if reading is None else details_words(reading))
        if reading is not None:
            self._layers.show_trace(place)
        shown = self._layers.map_of(place)
        if shown is not None and shown.place == place:
            self.plots.show_map(shown.shown)

    def _ask_soon(self) -> None:
        self._soon.start()

    def _ask(self) -> None:
        """Have a thread ask the traces whether they apply to the source."""
        if self.runner.is_running:
            return
        try:
            inspected = Inspected.of(self.source.value, self.reference.value)
        except ValueError:
            return  # the form says so
        self._asking.drop()
        self._wrong = ""
        work = applying_work(inspected, self.traces)
        self._asking.start(work, self._applies, self._asked, f"Look at {inspected.name!r}")

    def _applies(self, news: Applies) -> None:
        self.trace_list.show_reason(*news)

    def _asked(self, wrong: str) -> None:
        self._wrong = wrong
        self.show_trace(self.trace_list.place)

    def _ended(self, running: bool) -> None:
        """Select the first trace that was read, once all are."""
        if running or not self.readings:
            return
        here = self.trace_list.place
        place = here if here in self.readings else next(iter(self.readings))
        said = self.controls.message.sentence
        self.viewer.layers.selection.active = self.source.layer()
        self.trace_list.select(place)
        self.show_trace(place)
        if said.startswith("Cancelled"):
            self.controls.message.say(said)

    def _pointed(self, place: int, shown: TraceMap, value: float | None) -> None:
        """Mark the value of a map that was clicked in the image."""
        if self.trace_list.place != place:
            self.trace_list.select(place)
        self.plots.show_map(shown, value)

    def _made_words(self) -> str:
        return f"{len(self.readings)} trace{'s' * (len(self.readings) != 1)}"

    def _show_viewable(self) -> None:
        possible = self.source.problem is None and len(self.source.layers()) == 1
        for button in self.views:
            button.enabled = possible and not self._viewing.is_running

    def _say(self, sentence: str, bad: bool) -> None:
        if not self.runner.is_running:
            self.controls.message.say(sentence, "error" if bad else "help")
