"""Which images a batch is of, and where its outputs go."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from magicgui.widgets import LineEdit, PushButton
from qtpy.QtWidgets import QFileDialog

from napari_diffusion.io.reader import FORMATS
from napari_diffusion.runs.batch.batch_inputs import batch_inputs
from napari_diffusion.widgets.forms.box import Box, labelled, may_be_narrow
from napari_diffusion.widgets.forms.message import text_label

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Generator

    from napari_diffusion.widgets.run.background import Background

_FILES = "Choose images of any format; Ctrl or Shift chooses several."
_FOLDER = "Choose a folder: all images in it, or one .ome.zarr."
_OUTPUT = "Where the outputs and their table, batch.csv, are written."

# What the folder of the outputs is called, beside the images, until another one is chosen.
_NAME = "batch"

_KINDS = " ".join(f"*{ending}" for each in FORMATS for ending in each.endings)


class BatchFiles(Box):
    """The images, chosen as files or as a folder, and the folder of the outputs.

    Parameters
    ----------
    listing : Background
        Looks for the images: a folder may be large, and its disk slow.

    Attributes
    ----------
    paths : list of path
        The images.
    fault : str
        What is wrong with what was chosen, empty where nothing is.
    """

    def __init__(self, listing: Background) -> None:
        self.paths: list[Path] = []
        self.fault = ""
        self._given: list[Path] = []
        self._listing = listing
        self._is_own_output = True
        self.choose_files = _button("Files…", self._ask_files, _FILES)
        self.choose_folder = _button("Folder…", self._ask_folder, _FOLDER)
        self.output = LineEdit(tooltip=_OUTPUT)
        self.choose_output = _button("Choose…", self._ask_output, _OUTPUT)
        self._found = text_label("help")
        may_be_narrow(self.output.native)
        super().__init__(
            labelled("images", self.choose_files, self.choose_folder),
            self._found,
            labelled("output folder", self.output, self.choose_output, tooltip=_OUTPUT),
        )
        row = self[2].native.layout()
        row.setStretch(1, 3)
        row.setStretch(2, 2)
        self._found.visible = False
        self.output.changed.connect(self._typed)

    @property
    def folder(self) -> Path:
        """The folder of the outputs."""
        return Path(str(self.output.value).strip()).expanduser()

    @property
    def problem(self) -> str | None:
        """What is still to be chosen, None where nothing is."""
        if self._listing.is_running:
            return "Looking for images …"
        if self.fault:
            return self.fault
        if not self.paths:
            return "Choose the images: files, or a folder of them."
        if not str(self.output.value).strip():
            return "Choose the folder of the outputs."
        return None

    def give(self, given: list[Path]) -> None:
        """Take files and folders, look for the images in them, and propose a place for outputs."""
        if not given:
            return
        self._given = given
        if self._is_own_output:
            first = given[0]
            self._propose((first if first.is_dir() and not first.suffix else first.parent) / _NAME)
        self._look()

    def _propose(self, folder: Path) -> None:
        with self.output.changed.blocked():
            self.output.value = str(folder)

    def _typed(self) -> None:
        self._is_own_output = False
        if self._given:
            self._look()  # a folder of images is none of outputs
        else:
            self.changed.emit(self)

    def _look(self) -> None:
        given, folder = list(self._given), self.folder

        def work(stop: threading.Event) -> Generator[int, None, list[Path] | str]:
            del stop
            yield 0
            try:
                return batch_inputs(given, folder)
            except (ValueError, OSError) as error:
                return str(error)

        self.paths, self.fault = [], ""
        self._listing.drop()
        self._listing.start(work, lambda _: None, self._listed, "Looking for images")
        self.changed.emit(self)

    def _listed(self, found: list[Path] | str) -> None:
        if isinstance(found, str):
            self.fault = found
            return
        self.paths, given = found, self._given[0]
        count = f"{len(found)} images" if len(found) != 1 else "1 image"
        where = given.name if given.is_dir() and found != [given] else given.parent.name
        self._found.value = f"{count} in {where!r}"
        self._found.visible = True

    def _ask_files(self) -> None:
        kinds = f"Images ({_KINDS});;All files (*)"
        files, _ = QFileDialog.getOpenFileNames(self.native, "Images of the batch", "", kinds)
        self.give([Path(file) for file in files])

    def _ask_folder(self) -> None:
        title = "A folder of images, or one .ome.zarr"
        folder = QFileDialog.getExistingDirectory(self.native, title)
        self.give([Path(folder)] if folder else [])

    def _ask_output(self) -> None:
        start = str(self.folder.parent)
        folder = QFileDialog.getExistingDirectory(self.native, "Folder of the outputs", start)
        if folder:
            self.output.value = folder


def _button(text: str, action: Callable[[], None], tooltip: str) -> PushButton:
    button = PushButton(text=text, tooltip=tooltip)
    may_be_narrow(button.native)
    button.changed.connect(lambda: action())
    return button
