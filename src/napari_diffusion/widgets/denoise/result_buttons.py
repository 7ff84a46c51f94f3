"""What can be done with a denoised layer: its methods copied, a file written and opened again."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from magicgui.widgets import PushButton
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_diffusion.engine.threads import Stopped
from napari_diffusion.records.methods_paragraph import paragraph
from napari_diffusion.widgets.denoise.result_file import (
    FORMATS,
    files_for,
    save_layers,
)
from napari_diffusion.widgets.forms.box import Box
from napari_diffusion.widgets.forms.save_dialog import asked_for
from napari_diffusion.widgets.layers.step_records import is_stack, records_of
from napari_diffusion.widgets.results.saved_run import open_result, show_result
from napari_diffusion.widgets.run.background import Background

if TYPE_CHECKING:
    import threading
    from collections.abc import Generator

    import napari
    from napari.layers import Image, Layer

    from napari_diffusion.widgets.forms.message import Message

_COPY = "Copy a paragraph for the methods section to the clipboard."
_SAVE = "Write the denoised layer with its pixel size and its record, as OME-TIFF or OME-Zarr."
_OPEN = "Open a saved result as a layer, with its pixel size and its record."
_NOTHING = "Denoise an image first, or select a denoised layer."
_OPENABLE = "Results (*.ome.tif *.tif *.tiff zarr.json);;All files (*)"


class ResultButtons(Box):
    """Acts on the denoised layer that is selected, else on the one that was made last.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose layers.
    message : Message
        Where it is said what was done.
    known : set of Image
        Gets the layers that are opened.
    """

    def __init__(
        self, viewer: napari.Viewer, message: Message, known: weakref.WeakSet[Image]
    ) -> None:
        self._viewer = viewer
        self._known = known
        self._message = message
        self._made: list[weakref.ref[Image]] = []
        self._busy = False
        self.copy = PushButton(text="Copy methods")
        self.save = PushButton(text="Save…")
        self.open = PushButton(text="Open…", tooltip=_OPEN)
        super().__init__(self.copy, self.save, self.open, layout="horizontal")
        self._work = Background(self._say, self._show, self.native)
        self.copy.changed.connect(self.copy_methods)
        self.save.changed.connect(self._ask_and_save)
        self.open.changed.connect(self._ask_and_open)
        viewer.layers.selection.events.active.connect(self._show)
        viewer.layers.events.removed.connect(self._show)
        self._show()

    @property
    def is_working(self) -> bool:
        """Whether a file is being written or read."""
        return self._work.is_running

    def results(self) -> list[Image]:
        """Return the layers that are acted on: one, or the channels of one image."""
        active = self._viewer.layers.selection.active
        made = [layer for ref in self._made if (layer := ref()) in self._viewer.layers and layer]
        if active is not None and _is_result(active) and active not in made:
            return [active]
        return made

    def begin(self) -> None:
        """Forget the layers made before: a run begins."""
        self._made = []

    def show_made(self, layer: Image) -> None:
        """Act on a layer that was made, and on those made in the same run."""
        self._made.append(weakref.ref(layer))
        self._show()

    def set_busy(self, on: bool) -> None:
        """Say whether a run is in progress."""
        if on:
            self.begin()
        self._busy = on
        self._show()

    def copy_methods(self) -> None:
        """Copy the methods paragraph of the result to the clipboard."""
        text = paragraph(records_of(self.results()[0])[0])
        clipboard = QApplication.clipboard()
        assert clipboard is not None
        clipboard.setText(text)
        words = len(text.split())
        self._message.say(f"Copied a methods paragraph of {words} words.", details=text)

    def save_to(self, path: Path) -> None:
        """Write the result in the background; what goes wrong is said."""
        layers = self.results()
        try:
            files = files_for(path, layers)
        except (OSError, ValueError) as error:
            self._say(str(error), True)
            return
        names = ", ".join(file.name for file in files)

        def work(stop: threading.Event) -> Generator[int, None, None]:
            for count in save_layers(path, layers):
                yield count
                if stop.is_set():
                    raise Stopped

        self._message.say(f"Writing {names} …")
        done = f"Saved {names} with pixel size and record."
        self._work.start(work, _ignore, lambda _: self._say(done, False), "Saving", len(layers), "")

    def open_from(self, path: Path) -> None:
        """Open a file as a layer, in the background; what goes wrong is said."""

        def work(stop: threading.Event) -> Generator[int, None, list[Layer]]:
            del stop
            yield 0
            return open_result(path)

        def done(layers: list[Layer]) -> None:
            self._known.update(layers)
            show_result(self._viewer, layers)
            self._say(f"Opened {path.name} with pixel size and record.", False)

        self._message.say(f"Reading {path.name} …")
        self._work.start(work, _ignore, done, "Opening")

    def let_go(self, closed: bool) -> None:
        """Stop writing and reading: the dock is closed, or else the whole window."""
        self._work.drop()
        if closed:
            self._viewer.layers.selection.events.active.disconnect(self._show)
            self._viewer.layers.events.removed.disconnect(self._show)

    def _ask_and_save(self) -> None:
        name = self.results()[0].name.replace(" · ", " ").replace("/", "-")
        path = asked_for(self.native, "Save the denoised layer", name, FORMATS)
        if path is not None:
            self.save_to(path)

    def _ask_and_open(self) -> None:
        title = "Open a denoised layer"
        file, _ = QFileDialog.getOpenFileName(self.native, title, "", _OPENABLE)
        if file:
            # A store is a folder, which this dialog cannot choose: its description stands for it.
            path = Path(file)
            self.open_from(path.parent if path.name == "zarr.json" else path)

    def _say(self, sentence: str, bad: bool) -> None:
        self._message.say(sentence, "error" if bad else "good")

    def _show(self, event: object = None) -> None:
        del event
        busy = self._busy or self.is_working
        there = bool(self.results()) and not busy
        for button, about in ((self.copy, _COPY), (self.save, _SAVE)):
            button.enabled = there
            button.tooltip = about if there or busy else f"{about} {_NOTHING}"
        self.open.enabled = not busy


def _is_result(layer: Layer) -> bool:
    return bool(records_of(layer)) and not is_stack(layer)


def _ignore(_: object) -> None:
    """Take no notice of how much is done: napari's activity area shows it."""
