"""Asks once which folder runs go to that do not fit into memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QFileDialog, QMessageBox

from napari_diffusion.io import NotReadable
from napari_diffusion.io.full_disk import check_room
from napari_diffusion.io.memory import written_bytes
from napari_diffusion.io.ome_zarr.store import has_metadata
from napari_diffusion.widgets.run.run_request import RunError

if TYPE_CHECKING:
    #: Into a folder; as it would be without one; or not at all.
    Answer = Path | Literal["as before"] | None

# What was answered in this session.
_CHOSEN: list[Path] = []

_TITLE = "Larger than the memory"


def folder_for(needed: int, free: int, disk: int, lazy: bool) -> Answer:
    """Return the folder that a run goes to; it is asked for unless it is known, and has room.

    Parameters
    ----------
    needed, free : int
        Bytes of memory.
    disk : int
        Bytes that the run takes in the folder.
    lazy : bool
        Whether the run can do without, each step being computed where it is looked at.

    Raises
    ------
    RunError
        If the folder that was chosen has no room, or is itself an image.
    """
    if _CHOSEN and _problem(_CHOSEN[0], disk) is None:
        return _CHOSEN[0]
    sentence = (
        f"The run needs {written_bytes(needed)} of memory and {written_bytes(free)} are free. It "
        f"can be written to a folder instead, step by step: it needs {written_bytes(disk)} of disk."
    )
    answer = asked(sentence, lazy)
    if isinstance(answer, Path):
        if problem := _problem(answer, disk):
            raise RunError("run", problem)
        _CHOSEN[:] = [answer]
    return answer


def forget() -> None:
    """Ask again before the next run."""
    _CHOSEN.clear()


def asked(sentence: str, lazy: bool) -> Answer:
    """Ask with a sentence, and return the answer."""
    window = QApplication.activeWindow()
    box = QMessageBox(window)
    box.setWindowTitle(_TITLE)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(sentence)
    box.setInformativeText("The folder is remembered for this session.")
    choose = box.addButton("Choose folder…", QMessageBox.ButtonRole.AcceptRole)
    beside = "Compute what is looked at" if lazy else ""
    without = box.addButton(beside, QMessageBox.ButtonRole.AcceptRole) if lazy else None
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(choose)
    box.exec()
    clicked = box.clickedButton()
    if clicked is choose:
        folder = QFileDialog.getExistingDirectory(window, "Folder for runs larger than the memory")
        return Path(folder) if folder else None
    return "as before" if clicked is without and without is not None else None


def _problem(folder: Path, disk: int) -> str | None:
    """Return why a run cannot go to a folder."""
    if not folder.is_dir():
        return f"The folder {str(folder)!r} does not exist: choose another one."
    try:
        for each in (folder, *folder.absolute().parents):
            if has_metadata(each):
                return f"{str(each)!r} is itself an image: choose the folder that it lies in."
        check_room(folder, disk, "the run")
    except (OSError, NotReadable) as error:
        return str(error)
    return None
