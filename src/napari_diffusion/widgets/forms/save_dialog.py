"""Asks for the name of a file; one that exists is replaced only when the user says so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QFileDialog

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qtpy.QtWidgets import QWidget


def asked_for(parent: QWidget, title: str, name: str, endings: Mapping[str, str]) -> Path | None:
    """Return the file that the user names, None where the user changed their mind.

    Parameters
    ----------
    parent : QWidget
        Whose dialog it is.
    title : str
        What is to be written.
    name : str
        A first guess, without its ending.
    endings : mapping of str to str
        What each ending stands for, such as ``{"csv": "Table"}``; an empty one is a folder.
    """
    filters = {
        f"{words} (*.{ending})" if ending else f"{words} (*)": ending
        for ending, words in endings.items()
    }
    dialog: Any = QFileDialog(parent, title)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setNameFilters(list(filters))
    # The ending must be there before the dialog asks whether to replace the file of that name.
    dialog.filterSelected.connect(lambda chosen: dialog.setDefaultSuffix(filters[chosen]))
    dialog.setDefaultSuffix(next(iter(endings)))
    dialog.selectFile(name)
    if not dialog.exec():
        return None
    return Path(dialog.selectedFiles()[0])
