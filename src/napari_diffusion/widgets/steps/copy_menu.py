"""A button that puts what was done on the clipboard, in words or in code."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from magicgui.widgets import PushButton
from psygnal import Signal
from qtpy.QtWidgets import QApplication, QMenu

from napari_diffusion.records.methods_paragraph import legend, paragraph
from napari_diffusion.records.provenance import described_recipe
from napari_diffusion.records.references import bibtex
from napari_diffusion.records.reproduce import command, python
from napari_diffusion.records.supplement import supplement
from napari_diffusion.widgets.forms.box import may_be_narrow

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_diffusion.io.step_record import StepRecord

METHODS = "Methods paragraph"

COPIES: dict[str, Callable[[StepRecord], str]] = {
    METHODS: paragraph,
    "References (BibTeX)": bibtex,
    "Figure legend": legend,
    "Supplement (JSON)": supplement,
    "Recipe (JSON)": lambda record: described_recipe(record).to_json(),
    "Python": python,
    "Command line": command,
}


class CopyMenu(PushButton):
    """Offers all other forms in which a step can be written about.

    Parameters
    ----------
    names : list of str
        Which of `COPIES` are offered.
    """

    #: Which of them was asked for.
    asked = Signal(str)

    def __init__(self, names: list[str]) -> None:
        super().__init__(text="Copy…")
        menu = QMenu(self.native)
        for name in names:
            action: Any = menu.addAction(name)
            action.triggered.connect(partial(self._ask, name))
        self.native.setMenu(menu)
        may_be_narrow(self.native)

    def _ask(self, name: str, checked: bool = False) -> None:
        del checked
        self.asked.emit(name)


def copy(name: str, record: StepRecord) -> str:
    """Put one form of a step's record on the clipboard, and return it."""
    text = COPIES[name](record)
    clipboard: Any = QApplication.clipboard()
    clipboard.setText(text)
    return text
