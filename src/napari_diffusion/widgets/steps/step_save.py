"""What leaves the window: words on what was done, the run on disk, a movie, a contact sheet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFileDialog

from napari_diffusion.engine.threads import Stopped
from napari_diffusion.widgets.forms.save_dialog import asked_for
from napari_diffusion.widgets.layers.step_records import records_of
from napari_diffusion.widgets.results.saved_run import open_result, save_run, show_result
from napari_diffusion.widgets.steps.copy_menu import COPIES, METHODS, CopyMenu, copy
from napari_diffusion.widgets.steps.movie_form import MovieForm
from napari_diffusion.widgets.steps.steps_tab import (
    NO_RUN,
    StepsTab,
    button,
    buttons,
    enable_unless,
)

if TYPE_CHECKING:
    import threading
    from collections.abc import Generator

    import napari
    from napari.layers import Layer

    from napari_diffusion.widgets.results.step_run import StepRun
    from napari_diffusion.widgets.steps.tasks import Tasks

_COPY_METHODS = "Copy a paragraph on how the shown step was made, for the methods of a paper."
_COPY = "Copy how the shown step was made: references, the recipe, Python, the command line."
_SAVE = (
    "Save all steps with their records, measures and recommendation as OME-Zarr or as a "
    "folder of OME-TIFF files."
)
_OPEN = "Open the steps of a saved run as layers, with their measures and recommendation."


class StepSave(StepsTab):
    """Copies of what was done, the run on disk and back again, and images of all steps."""

    def __init__(self, viewer: napari.Viewer, tasks: Tasks) -> None:
        super().__init__(viewer, tasks)
        self.methods = button("Copy methods")
        self.more = CopyMenu([name for name in COPIES if name != METHODS])
        self.save_button = button("Save run…")
        self.open_button = button("Open run…")
        self.movie = MovieForm(viewer, tasks)
        self.movie.reported.connect(self.reported)
        words = buttons(self.methods, self.more)
        self.extend([words, buttons(self.save_button, self.open_button), self.movie])
        self.add_stretch()
        self.methods.changed.connect(lambda: self.copy_text(METHODS))
        self.more.asked.connect(self.copy_text)
        self.save_button.changed.connect(self._save)
        self.open_button.changed.connect(self.ask_open)

    def follow(self, run: StepRun | None) -> None:
        """Show a run, or another step of the same one."""
        super().follow(run)
        self.movie.follow(run)

    def refresh(self) -> None:
        """Disable the buttons that can do nothing, with the reason as tooltip."""
        none = "" if self.run is not None else NO_RUN
        enable_unless(self.methods, none, _COPY_METHODS)
        enable_unless(self.more, none, _COPY)
        enable_unless(self.save_button, self.why_no_run, _SAVE)
        enable_unless(self.open_button, self.tasks.why_not, _OPEN)
        self.movie.refresh()

    def copy_text(self, name: str) -> None:
        """Copy how the shown step was made to the clipboard."""
        if self.run is not None and name in COPIES:
            copy(name, self.run.record)
            self.reported.emit(f"Copied to the clipboard: {name}.", "good")

    # --- files ---

    def _save(self) -> None:
        name = f"{self.run.record['source']}-steps" if self.run is not None else "steps"
        endings = {"ome.zarr": "OME-Zarr", "": "OME-TIFF files"}
        path = asked_for(self.native, "Save the run", name, endings)
        if path is not None:
            self.save_run(path)

    def ask_open(self) -> None:
        """Ask for the folder of a saved run, and open it."""
        folder = QFileDialog.getExistingDirectory(self.native, "Open a saved run")
        if folder:
            self.open_run(Path(folder))

    def save_run(self, path: Path) -> None:
        """Write all steps with their records, in the background."""
        run = self.run
        if run is None:
            return

        def work(token: threading.Event) -> Generator[int, None, None]:
            for count in save_run(path, run):
                yield count
                if token.is_set():
                    raise Stopped

        count = len(run.steps)
        self.tasks.start(work, "Writing …", count, "steps", lambda done: f"Written to {path.name}.")

    def open_run(self, path: Path) -> None:
        """Read the steps of a saved run as layers, in the background."""

        def work(token: threading.Event) -> Generator[int, None, list[Layer]]:
            yield 0
            layers = open_result(path)
            if token.is_set():
                raise Stopped
            return layers

        def opened(layers: list[Layer]) -> str:
            show_result(self.viewer, layers)
            count = sum(len(records_of(layer)) for layer in layers)
            return f"{count} steps read from {path.name}."

        self.tasks.start(work, f"Reading {path.name} …", 0, "", opened)
