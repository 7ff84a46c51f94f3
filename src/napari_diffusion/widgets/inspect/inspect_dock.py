"""The dock *Inspect image*."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QPoint, QTimer

from napari_diffusion.core.readable_name import readable_name
from napari_diffusion.forensics import catalog
from napari_diffusion.forensics.limits import limits_text
from napari_diffusion.forensics.reading import NOTHING, TraceMap
from napari_diffusion.widgets.docks.layer_dock import LayerDock
from napari_diffusion.widgets.forms.box import Box
from napari_diffusion.widgets.forms.message import text_label
from napari_diffusion.widgets.inspect.contrast_views import is_view
from napari_diffusion.widgets.inspect.inspect_work import TraceRead, inspecting_work
from napari_diffusion.widgets.inspect.inspected import Inspected
from napari_diffusion.widgets.inspect.map_pointer import MapPointer
from napari_diffusion.widgets.inspect.reading_layers import ReadingLayers
from napari_diffusion.widgets.inspect.reading_plots import ReadingPlots
from napari_diffusion.widgets.inspect.reference_choice import ReferenceChoice
from napari_diffusion.widgets.inspect.scrolled_text import ScrolledText
from napari_diffusion.widgets.inspect.trace_asking import TraceAsking
from napari_diffusion.widgets.inspect.trace_list import TraceList
from napari_diffusion.widgets.inspect.trace_parameters import TraceParameters
from napari_diffusion.widgets.inspect.trace_words import details_words
from napari_diffusion.widgets.inspect.view_buttons import ViewButtons
from napari_diffusion.widgets.layers.layer_files import file_of
from napari_diffusion.widgets.layers.map_layers import is_finding
from napari_diffusion.widgets.run.run_controls import RunControls
from napari_diffusion.widgets.run.run_request import RunError

if TYPE_CHECKING:
    import napari
    from napari.layers import Image

    from napari_diffusion.forensics import Reading
    from napari_diffusion.widgets.inspect.inspect_work import Applies

_ABOUT = "Read the ticked traces. What is found is shown with what else looks the same."
_FIRST = "Select a trace to read what it assumes and what else looks the same."

# So many lines of the limits stay in sight in a low window; so much of the form does, and above
# and beneath the selected trace, in pixels.
_LINES, _FORM, _MARGIN = 7, 112, 44


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
        self.parameters = TraceParameters(self.traces)
        self.file_note, self.limits = text_label("help"), ScrolledText(_LINES)
        self.plots = ReadingPlots()
        self.readings: dict[int, Reading] = {}
        self._layers = ReadingLayers(self.viewer)
        self._pointer = MapPointer(self.viewer, self._layers, self._pointed)
        self._asking = TraceAsking(
            self._now, self.parameters.traces, self._applies, self._asked, self._say, self.native
        )
        self.views = ViewButtons(
            self.viewer, self.source, self._now, self._say, self._show_again, self.native
        )
        self._inspected: Inspected | None = None
        self._laid_out = QTimer(self.native)
        self._laid_out.setSingleShot(True)
        self._lay_out()
        self._connect()
        self._source_changed()

    def _lay_out(self) -> None:
        traces, limits = Box(), Box()
        traces.add_native(self.trace_list)
        limits.add_native(self.limits)
        folds = Box(self.parameters.toggle, self.advanced.toggle, layout="horizontal")
        folded = [self.parameters, self.advanced.body]
        form = [self.source, self.file_note, self.reference, self.views, traces, folds, *folded]
        self._area = self.lay_out(form, [self.controls, limits, self.plots])
        self._area.setMinimumHeight(_FORM)
        self.limits.value = _FIRST
        self.native.layout().setStretchFactor(self._area, 3)

    def _connect(self) -> None:
        for changed in (self.reference.changed, self.parameters.changed):
            changed.connect(self._asking.ask_soon)
        self.parameters.changed.connect(self.show_possible)
        self.trace_list.selected.connect(self.show_trace)
        self.trace_list.ticked.connect(self.show_possible)
        self.controls.run_clicked.connect(self.run)
        self.controls.running.connect(self._ended)
        self.plots.turned.connect(self._turned)
        self._laid_out.timeout.connect(self._see_selected)

    # --- from the form to a run ---

    def run(self) -> None:
        """Read the ticked traces; errors are shown, not raised."""
        with self.showing_errors():
            inspected = self._inspected = self.inspected()
            traces = self.parameters.traces()
            asked = [(place, traces[place]) for place in self.trace_list.asked]
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

    def let_go(self, closed: bool) -> None:
        """Stop: the dock is closed, or else the whole window."""
        self._laid_out.stop()
        self._asking.drop()
        self.views.work.drop()
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
        if self._asking.wrong:
            return self._asking.wrong
        if not self.trace_list.asked:
            return "Tick a trace that can be read."
        problems = (self.parameters.problem(place) for place in self.trace_list.asked)
        return next((each for each in problems if each), None)

    def show_possible(self) -> None:
        """Enable what can be done, here also the views."""
        super().show_possible()
        self.views.show_possible()

    def source_changed(self) -> None:
        """Ask the traces anew whether they apply, and say which file is read for those of files."""
        if not hasattr(self, "_asking"):
            return  # the form is still being made
        layer = self.source.layer()
        file = None if layer is None else file_of(layer)
        note = "" if file is None else f"Its file is read too: {readable_name(file.name)!r}."
        self.file_note.value = note
        self.file_note.visible = bool(note) and any("file" in each.needs for each in self.traces)
        self._asking.ask_soon()

    def show_trace(self, place: int) -> None:
        """Show a trace: what it read, what it assumes, and what else looks the same."""
        if place < 0:
            return
        self._pointer.place = place
        self._laid_out.start(0)
        self.parameters.show_trace(place)
        self._show_limits(place)
        reading = self.readings.get(place)
        self.plots.show_reading(reading)
        if self.controls.is_running or not self.readings:
            return
        words = "" if reading is None else next(iter(reading.remarks), "")
        self.controls.message.say(words, details="" if reading is None else details_words(reading))
        if reading is not None and not isinstance(self.plots.drawn, (TraceMap, tuple)):
            self._layers.show_trace(place, None)

    def _show_limits(self, place: int) -> None:
        if place >= 0:
            why = self.trace_list.reasons[place]
            self.limits.value = "\n".join([*[why] * bool(why), limits_text(self.traces[place])])

    def _see_selected(self) -> None:
        """Scroll to the selected trace: there is less room for the list beside a reading."""
        # The layout keeps the height of a text that wraps while a plot is made beside it.
        self.controls.native.updateGeometry()
        self.native.layout().activate()
        rows = self.trace_list
        at = rows.mapTo(self._form.native, QPoint(0, rows.height_of_selected))
        self._area.ensureVisible(0, at.y(), 0, _MARGIN)

    def _turned(self, shown: object) -> None:
        """Show on the image what stands beneath the limits: a map, or else the places."""
        # Text needs no more room than its lines.
        stretch = 0 if isinstance(shown, tuple) else 2
        self.native.layout().setStretchFactor(self.plots.native, stretch)
        if not self.controls.is_running and not isinstance(shown, list):
            found = shown if isinstance(shown, TraceMap) else None
            self._layers.show_trace(self.trace_list.place, found)

    def _show_again(self) -> None:
        if self.plots.drawn is not None:
            self._turned(self.plots.drawn)

    def _applies(self, news: Applies) -> None:
        self.trace_list.show_reason(*news)

    def _asked(self) -> None:
        self.trace_list.put_greyed_last()
        self._show_limits(self.trace_list.place)
        self.show_possible()

    def _now(self) -> Inspected:
        """Return what would be inspected; ValueError says what is wrong, and is shown anyhow."""
        return Inspected.of(self.source.value, self.reference.value)

    def _ended(self, running: bool) -> None:
        """Turn to a trace that has something to show, once all are read."""
        if running or not self.readings:
            return
        said = self.controls.message.sentence
        place = self._telling()
        self.trace_list.select(place)
        self.show_trace(place)
        if said.startswith("Cancelled"):
            self.controls.message.say(said)

    def _telling(self) -> int:
        """Return the place of the selected trace if it was read, else the first with a finding."""
        here = self.trace_list.place
        if here in self.readings:
            return here
        nothing = NOTHING.removesuffix(".")
        for place, reading in sorted(self.readings.items()):
            if not next(iter(reading.remarks), nothing).startswith(nothing):
                return place
        return min(self.readings)

    def _pointed(self, place: int, shown: TraceMap, value: float | None) -> None:
        """Mark the value of a map that was clicked in the image."""
        # While traces are read every new layer is selected for a moment.
        if self.controls.is_running:
            return
        if self.trace_list.place != place:
            self.trace_list.select(place)
        self.plots.show_map(shown, value)

    def _made_words(self) -> str:
        return f"{len(self.readings)} trace{'s' * (len(self.readings) != 1)}"

    def _say(self, sentence: str, bad: bool) -> None:
        if not self.runner.is_running:
            self.controls.message.say(sentence, "error" if bad else "help")
