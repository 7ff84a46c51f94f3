"""A button that puts what was done on the clipboard, in words or in code."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from psygnal import Signal
from qtpy.QtWidgets import QApplication, QMenu, QPushButton, QWidget

from napari_diffusion.records.methods_paragraph import legend, paragraph
from napari_diffusion.records.provenance import recipe_of
from napari_diffusion.records.references import bibtex
from napari_diffusion.records.reproduce import command, python
from napari_diffusion.records.supplement import supplement

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_diffusion.io.step_record import StepRecord

COPIES: dict[str, Callable[[StepRecord], str]] = {
    "Methods paragraph": paragraph,
    "References (BibTeX)": bibtex,
    "Figure legend": legend,
    "Supplement (JSON)": supplement,
    "Recipe (JSON)": lambda record: recipe_of(record).to_json(),
    "Python": python,
    "Command line": command,
}


class CopyButton(QPushButton):
    """Offers all forms in which a step can be written about."""

    #: Which of them was asked for.
    asked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        menu = QMenu(self)
        for name in COPIES:
            action: Any = menu.addAction(name)
            action.triggered.connect(partial(self._ask, name))
        self.setText("Copy …")
        self.setToolTip("Copy how this step was made to the clipboard.")
        self.setMenu(menu)

    def _ask(self, name: str, checked: bool = False) -> None:
        del checked
        self.asked.emit(name)

    def copy(self, name: str, record: StepRecord) -> str:
        """Put one form of a step's record on the clipboard, and return it."""
        text = COPIES[name](record)
        clipboard: Any = QApplication.clipboard()
        clipboard.setText(text)
        return text
