"""All steps as a movie, or side by side on a contact sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from magicgui.widgets import CheckBox, FloatSpinBox

from napari_diffusion.engine.threads import Stopped
from napari_diffusion.io.contact_sheet import Panel, contact_sheet
from napari_diffusion.widgets.forms.box import labelled, leave_wheel, may_be_narrow
from napari_diffusion.widgets.forms.editors import Choice
from napari_diffusion.widgets.forms.save_dialog import asked_for
from napari_diffusion.widgets.steps.movie_export import ENDINGS, missing, write_movie
from napari_diffusion.widgets.steps.step_images import StepImages
from napari_diffusion.widgets.steps.steps_tab import StepsTab, button, buttons, enable_unless

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Generator
    from pathlib import Path

    import napari

    from napari_diffusion.widgets.steps.tasks import Tasks

_MOVIE = (
    "Write the steps as an 8-bit movie, with the colours of the layer and the step numbers beneath."
)
_SHEET = "Write all steps side by side into one image (PNG), with the colours of the layer."
_FIRST = "Start with the source, in the same colours."

Made = TypeVar("Made")


class MovieForm(StepsTab):
    """Files of the steps as they look in the window."""

    def __init__(self, viewer: napari.Viewer, tasks: Tasks) -> None:
        super().__init__(viewer, tasks)
        offered = {name: ending for ending, name in ENDINGS.items()}
        self.kind = Choice(offered, {name: missing(each) for name, each in offered.items()})
        self.pace = FloatSpinBox(
            value=4.0, min=0.2, max=50.0, step=0.5, tooltip="Steps shown in a second."
        )
        self.source_first = CheckBox(value=True, text="with the source")
        self.movie = button("Movie…")
        self.sheet = button("Contact sheet…")
        self.margins = (0, 0, 0, 0)
        self._lay_out()
        self.movie.changed.connect(self._movie)
        self.sheet.changed.connect(self._sheet)

    def _lay_out(self) -> None:
        for widget in (self.kind, self.pace):
            may_be_narrow(widget.native)
            leave_wheel(widget.native)
        may_be_narrow(self.source_first.native)
        self.pace.native.setSuffix(" /s")
        self.pace.native.setDecimals(1)
        rows = (
            buttons(self.movie, self.sheet),
            labelled("movie", self.kind, self.pace),
            labelled("begin", self.source_first),
        )
        for row in rows[1:]:
            row.native.layout().setStretch(1, 2)
        rows[1].native.layout().setStretch(2, 3)
        self.extend(rows)

    def refresh(self) -> None:
        """Disable the buttons that can do nothing, with the reason as tooltip."""
        enable_unless(self.movie, self.why_no_run, _MOVIE)
        enable_unless(self.sheet, self.why_no_run, _SHEET)
        there = self.run is not None and self.run.source_data() is not None
        why = "" if there else "The source layer is not there."
        enable_unless(self.source_first, why, _FIRST)

    def _movie(self) -> None:
        ending = str(self.kind.value)
        if missing(ending):
            self.say(missing(ending), "error")
            return
        endings = {ending: ENDINGS[ending]}
        path = asked_for(self.native, "Write the steps as a movie", "steps", endings)
        if path is not None:
            self.write_movie(path)

    def _sheet(self) -> None:
        endings = {"png": "Image"}
        path = asked_for(self.native, "Write a contact sheet", "contact-sheet", endings)
        if path is not None:
            self.write_sheet(path)

    def write_movie(self, path: Path) -> None:
        """Write the steps one after the other, in the background."""
        per_second = float(self.pace.value)
        self._write(path, StepImages.frame, lambda made: write_movie(path, made, per_second))

    def write_sheet(self, path: Path) -> None:
        """Write the steps side by side, in the background."""

        def panel(images: StepImages, place: int) -> Panel:
            return Panel(images.names[place], images.colours(place))

        def written(made: list[Panel]) -> None:
            contact_sheet(made, (0.0, 255.0)).save(path)

        self._write(path, panel, written)

    def _write(
        self,
        path: Path,
        made: Callable[[StepImages, int], Made],
        written: Callable[[list[Made]], None],
    ) -> None:
        if self.run is None:
            return
        images = StepImages.of(self.viewer, self.run, bool(self.source_first.value))
        count = len(images.names)

        def work(token: threading.Event) -> Generator[int, None, None]:
            found = []
            for place in range(count):
                if token.is_set():
                    raise Stopped
                found.append(made(images, place))
                yield place + 1
            written(found)

        done = f"Written to {path.name}."
        self.tasks.start(work, "Drawing …", count, "images", lambda result: done)
