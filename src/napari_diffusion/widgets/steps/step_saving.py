"""A run on disk with its curves and marks, and back again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QPushButton

from napari_diffusion.engine.threads import Stopped
from napari_diffusion.widgets.forms.save_dialog import asked_for
from napari_diffusion.widgets.results.saved_run import OpenedStep, open_run, save_run, show_run
from napari_diffusion.widgets.steps.steps_tab import NO_RUN, StepPart, enable_unless

if TYPE_CHECKING:
    import threading
    from collections.abc import Generator

    import napari

_SAVE = (
    "Save all steps with their records, measures and recommendation as OME-Zarr or as a "
    "folder of OME-TIFF files."
)
_OPEN = "Open the steps of a saved run as layers, with their measures and recommendation."


class StepSaving(StepPart):
    """Saves a run and opens it again."""

    def __init__(self, viewer: napari.Viewer) -> None:
        super().__init__(viewer)
        self.save = QPushButton("Save run …")
        self.open = QPushButton("Open run …")
        row = QHBoxLayout()
        row.addWidget(self.save)
        row.addWidget(self.open)
        self.rows.setContentsMargins(0, 0, 0, 0)
        self.rows.addLayout(row)
        self.save.clicked.connect(self._save)
        self.open.clicked.connect(self._open)

    def refresh(self) -> None:
        """Disable the buttons that can do nothing, with the reason as tooltip."""
        busy = "A run is being written or read." if self.work.is_running else ""
        enable_unless(self.save, ("" if self.run is not None else NO_RUN) or busy, _SAVE)
        enable_unless(self.open, busy, _OPEN)

    def _save(self) -> None:
        name = f"{self.run.record['source']}-steps" if self.run is not None else "steps"
        path = asked_for(self, "Save the run", name, {"ome.zarr": "OME-Zarr", "": "OME-TIFF files"})
        if path is not None:
            self.save_run(path)

    def _open(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Open a saved run")
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

        self.start(work, "Writing step", len(run.steps), lambda done: f"Written to {path.name}.")

    def open_run(self, path: Path) -> None:
        """Read the steps of a saved run as layers, in the background."""

        def work(token: threading.Event) -> Generator[int, None, list[OpenedStep]]:
            found: list[OpenedStep] = []
            for each in open_run(path):
                found.append(each)
                yield len(found)
                if token.is_set():
                    raise Stopped
            return found

        def opened(found: list[OpenedStep]) -> str:
            show_run(self.viewer, found)
            return f"{len(found)} steps read from {path.name}."

        self.start(work, "Reading step", 0, opened)
