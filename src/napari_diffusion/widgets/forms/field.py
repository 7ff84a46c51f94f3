"""One parameter, one row: its name, what it is edited in, and a note of what the number means."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from magicgui.widgets import Label
from qtpy.QtWidgets import QSizePolicy

from napari_diffusion.widgets.forms import number_text
from napari_diffusion.widgets.forms.box import Box, row_label
from napari_diffusion.widgets.forms.editors import NumberEdit
from napari_diffusion.widgets.forms.form_row import problem_of
from napari_diffusion.widgets.forms.number_text import Value
from napari_diffusion.widgets.forms.parameter_editors import ArrayEdit, editor_for
from napari_diffusion.widgets.forms.theme import give_role
from napari_diffusion.widgets.forms.units import Units

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_diffusion.core.parameter import Parameter
    from napari_diffusion.widgets.forms.form_row import Rows

#: Returns a value as the recipe stores it, or raises ValueError or TypeError with a sentence.
Check = Callable[[Value], Value]


class Field(Box):
    """A row of a form: a view of one value.

    The note beside the editor says what an "auto" stands for, once that was found, and what a
    length is in pixels.

    Parameters
    ----------
    parameter : Parameter
        Its label, unit, tooltip and kind.
    check : callable
        See `Check`.
    label : str
        What the row is called, the name of the parameter if not given.
    """

    def __init__(self, parameter: Parameter, check: Check, label: str = "") -> None:
        self.parameter = parameter
        self._check = check
        self._units = Units()
        self.resolved: Value = None
        self._asked: Value = None
        self.editor = editor_for(parameter)
        self.note = Label(value="")
        self._label = row_label(label or parameter.label, parameter.tooltip)
        self.note.native.setWordWrap(True)
        self.note.native.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        give_role(self.note.native, "help")
        # What is mostly measured stands deep within other filters, where there is no room.
        has_room = not parameter.factor
        browse = (self.editor.browse,) if isinstance(self.editor, ArrayEdit) and has_room else ()
        super().__init__(
            self._label, self.editor, *browse, self.note,
            layout="horizontal", tooltip=parameter.tooltip,
        )  # fmt: skip
        self.native.layout().setStretch(1, 1)
        self.editor.tooltip = parameter.tooltip
        self.editor.changed.connect(self._edited)
        self._show()

    @property
    def value(self) -> Value:
        """The value; ValueError says in one sentence what is wrong with what was typed."""
        try:
            return self._check(self.editor.value)
        except TypeError as error:
            raise ValueError(str(error)) from None

    @value.setter
    def value(self, value: Value) -> None:
        with self.editor.changed.blocked():
            self.editor.value = value
        self._edited()

    @property
    def problem(self) -> str | None:
        """What is wrong with what was typed, None where nothing is."""
        return problem_of(self)

    def mark(self, sentence: str) -> None:
        """Mark the field as the one that a sentence is about until the next edit; "" unmarks it."""
        if isinstance(self.editor, NumberEdit):
            give_role(self.editor.native, "error" if sentence else "")
        self.editor.tooltip = sentence or self.parameter.tooltip

    def set_resolved(self, value: Value) -> None:
        """Show the number that a word such as "auto" stands for; None forgets it."""
        self.resolved = None if isinstance(value, str) else value
        self._asked = self.editor.value
        self._show()

    def set_units(self, units: Units) -> None:
        """Show what the number is in, and what it is in pixels."""
        self._units = units
        self._show()

    def forms(self) -> Iterator[Rows]:
        """Yield the forms of the components within."""
        yield from ()

    def _edited(self) -> None:
        self._show()
        self.changed.emit(self)

    def _show(self) -> None:
        sentence = problem_of(self)
        self.mark(sentence or "")
        unit = self._units.named(self.parameter.unit)
        words = "" if sentence else self._meaning(unit)
        self.note.value = words
        self.note.visible = bool(words)

    def _meaning(self, unit: str) -> str:
        """Return the number behind a word with its unit, and a length in pixels."""
        number, found = self.value, ""
        known = self.resolved is not None and self.editor.value == self._asked
        if isinstance(number, str) and known:
            number = self.resolved
            found = f"= {number_text.rounded(number)} "
            # There is hardly room for the word beside both, and it says the least.
            unit = "" if unit == "intensity" else unit.replace("intensity/", "per ")
        pixels = self._units.in_pixels(number, self.parameter.unit)
        pixels = pixels.replace("intensity/", "per ")
        return f"{found}{unit}{' = ' * bool(unit and pixels)}{pixels}".strip()
