"""What leaves the window: words on what was done, a movie, a sheet of all steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QCheckBox, QDoubleSpinBox, QGridLayout, QPushButton

from napari_diffusion.engine.threads import Stopped
from napari_diffusion.io.contact_sheet import Panel, contact_sheet
from napari_diffusion.widgets.forms.form_rows import GREY, Combo, MessageLabel
from napari_diffusion.widgets.forms.save_dialog import asked_for
from napari_diffusion.widgets.steps.copy_button import COPIES, CopyButton
from napari_diffusion.widgets.steps.movie_export import ENDINGS, missing, write_movie
from napari_diffusion.widgets.steps.step_images import StepImages
from napari_diffusion.widgets.steps.step_saving import StepSaving
from napari_diffusion.widgets.steps.steps_tab import NO_RUN, StepPart, enable_unless

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Generator
    from pathlib import Path

    import napari

    from napari_diffusion.widgets.results.step_run import StepRun

_MOVIE = (
    "Write the steps as an 8-bit movie, with the colours of the layer and the step numbers beneath."
)
_SHEET = "Write all steps side by side into one image (PNG), with the colours of the layer."


Made = TypeVar("Made")


class StepExport(StepPart):
    """Copies of what was done, and files of the steps."""

    def __init__(self, viewer: napari.Viewer) -> None:
        super().__init__(viewer)
        self.copy = CopyButton()
        self.kind = Combo()
        self.pace = QDoubleSpinBox()
        self.source = QCheckBox("source first")
        self.movie = QPushButton("Movie …")
        self.sheet = QPushButton("Contact sheet …")
        self.saving = StepSaving(viewer)
        self.stop = QPushButton("Stop")
        self._lay_out()
        self.copy.asked.connect(self.copy_text)
        self.movie.clicked.connect(self._movie)
        self.sheet.clicked.connect(self._sheet)
        self.saving.reported.connect(self.reported)
        self.stop.clicked.connect(self.work.stop)

    def _lay_out(self) -> None:
        for ending, name in ENDINGS.items():
            self.kind.addItem(name, ending)
            why = missing(ending)
            if why:
                item: Any = self.kind.model()
                item = item.item(self.kind.count() - 1)
                item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEnabled)
                item.setText(f"{name} (needs imageio-ffmpeg)")
            self.kind.setItemData(self.kind.count() - 1, why, Qt.ItemDataRole.ToolTipRole)
        self.pace.setRange(0.2, 50.0)
        self.pace.setValue(4.0)
        self.pace.setDecimals(1)
        self.pace.setSuffix(" steps a second")
        self.source.setChecked(True)
        self.source.setToolTip("Start with the source, in the same colours.")
        grid = QGridLayout()
        grid.setSpacing(4)
        rows = (
            (_heading("methods"), self.copy),
            (_heading("movie and contact sheet"), self.source),
            (self.kind, self.pace),
            (self.movie, self.sheet),
            (_heading("steps, measures and recommendation"), None),
        )
        for row, pair in enumerate(rows):
            for column, widget in enumerate(pair):
                if widget is not None:
                    grid.addWidget(widget, row, column)
        self.rows.addLayout(grid)
        self.rows.addWidget(self.saving)
        self.rows.addWidget(self.stop)
        self.rows.addStretch(1)

    def refresh(self) -> None:
        """Disable the buttons that can do nothing, with the reason as tooltip."""
        none = "" if self.run is not None else NO_RUN
        busy = "A file is being written." if self.work.is_running else ""
        enable_unless(self.copy, none, "Copy how the shown step was made to the clipboard.")
        enable_unless(self.movie, none or busy, _MOVIE)
        enable_unless(self.sheet, none or busy, _SHEET)
        self.stop.setVisible(self.work.is_running)

    def follow(self, run: StepRun | None) -> None:
        """Show a run, or another step of the same one."""
        super().follow(run)
        self.saving.follow(run)

    def run_changed(self) -> None:
        """Say whether there is a source to begin with."""
        there = self.run is not None and self.run.source_data() is not None
        self.source.setEnabled(there)

    def copy_text(self, name: str) -> None:
        """Copy how the shown step was made to the clipboard."""
        if self.run is not None and name in COPIES:
            self.copy.copy(name, self.run.record)
            self.say(f"Copied to the clipboard: {name}.")

    def wait(self, seconds: float) -> None:
        """Wait until the threads have ended."""
        super().wait(seconds)
        self.saving.wait(seconds)

    def drop(self) -> None:
        """Ask the work to end: the dock goes."""
        super().drop()
        self.saving.drop()

    # --- files ---

    def _movie(self) -> None:
        ending = self.kind.currentData()
        path = asked_for(self, "Write the steps as a movie", "steps", {ending: ENDINGS[ending]})
        if path is not None:
            self.write_movie(path)

    def _sheet(self) -> None:
        path = asked_for(self, "Write a contact sheet", "contact-sheet", {"png": "Image"})
        if path is not None:
            self.write_sheet(path)

    def write_movie(self, path: Path) -> None:
        """Write the steps one after the other, in the background."""
        per_second = self.pace.value()
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
        images = StepImages.of(self.viewer, self.run, self.source.isChecked())
        count = len(images.names)

        def work(token: threading.Event) -> Generator[int, None, None]:
            found = []
            for place in range(count):
                if token.is_set():
                    raise Stopped
                found.append(made(images, place))
                yield place + 1
            written(found)

        self.start(work, "Drawing image", count, lambda result: f"Written to {path.name}.")


def _heading(text: str) -> MessageLabel:
    heading = MessageLabel(GREY)
    heading.say(text)
    return heading
