"""Components as parameters: a choice with its form, or several of them, within a form."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from psygnal import Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_diffusion.widgets.forms.fields import Field
from napari_diffusion.widgets.forms.form_rows import RowLabel, small_button

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_diffusion.core.parameter import Parameter
    from napari_diffusion.widgets.forms.fields import Check
    from napari_diffusion.widgets.forms.number_text import Value


class NestedChoice(QWidget):
    """A choice of a component within a field: what a field does with it."""

    changed = Signal()

    def value(self) -> Value:
        """Return what is chosen; a ValueError says what is wrong."""
        raise NotImplementedError

    def set_value(self, chosen: Value) -> None:
        """Show a component."""
        raise NotImplementedError

    def problem(self) -> str | None:
        """Return what is wrong with what was typed, None where nothing is."""
        raise NotImplementedError

    def set_resolved(self, chosen: Value) -> None:
        """Show the values that every "auto" stands for; None forgets them."""
        raise NotImplementedError

    def set_unit(self, name: str, unit: str) -> None:
        """Name a unit; see `Field.set_unit`."""
        raise NotImplementedError

    def set_pixel_size(self, length: float) -> None:
        """Say how far apart the pixels are; see `Field.set_sample_length`."""
        raise NotImplementedError

    def set_label(self, text: str) -> None:
        """Call the row by another name."""
        raise NotImplementedError

    def add_beside(self, widget: QWidget) -> None:
        """Put a widget to the right of the choice."""
        raise NotImplementedError

    def forms(self) -> Iterator[Any]:
        """Yield the form in view and those within it."""
        raise NotImplementedError


# Of a parameter, what its row is called, and whether "none" can be chosen.
ChoiceFor = Callable[["Parameter", str, bool], NestedChoice]


class _Nested(Field):
    """A field whose editor has fields itself: they say what is wrong with them."""

    wide = True

    def choices(self) -> list[NestedChoice]:
        """Return the choices in view, from top to bottom."""
        raise NotImplementedError

    def forms(self) -> Iterator[Any]:
        """Yield the forms of the components within."""
        for choice in self.choices():
            yield from choice.forms()

    def set_unit(self, name: str, unit: str) -> None:
        """Name a unit; see `Field.set_unit`."""
        super().set_unit(name, unit)
        for choice in self.choices():
            choice.set_unit(name, unit)

    def set_pixel_size(self, length: float) -> None:
        """Say how far apart the pixels are; see `Field.set_sample_length`."""
        for choice in self.choices():
            choice.set_pixel_size(length)

    def _mark(self, sentence: str) -> None:
        inside = any(choice.problem() for choice in self.choices())
        self._message.say("" if inside else sentence)


class ComponentField(_Nested):
    """One component: a choice, and beneath it the form of what is chosen."""

    def __init__(self, parameter: Parameter, check: Check, choice_for: ChoiceFor) -> None:
        self.choice = choice_for(parameter, parameter.label, parameter.optional)
        super().__init__(parameter, check, self.choice)
        self.choice.changed.connect(self._edited)

    def choices(self) -> list[NestedChoice]:
        """Return the one choice."""
        return [self.choice]

    def set_resolved(self, value: Value) -> None:
        """Show the numbers of the component; see `Field.set_resolved`."""
        self.choice.set_resolved(value)

    def _read(self) -> Value:
        return self.choice.value()

    def _write(self, value: Value) -> None:
        with self.choice.changed.blocked():
            self.choice.set_value(value)


class SeriesField(_Nested):
    """Several components, one beneath the other, to add to and to take from.

    Where one alone is allowed as well, one that was shown alone stays alone until another comes.
    """

    def __init__(self, parameter: Parameter, check: Check, choice_for: ChoiceFor) -> None:
        self.list = _SeriesEditor(parameter, choice_for)
        self._alone = False
        super().__init__(parameter, check, self.list)
        self.list.changed.connect(self._edited)

    def choices(self) -> list[NestedChoice]:
        """Return the choices in view, from top to bottom."""
        return self.list.choices

    def set_resolved(self, value: Value) -> None:
        """Show the numbers of each component; see `Field.set_resolved`."""
        values = value if isinstance(value, tuple) else (value,) * len(self.list.choices)
        for choice, each in zip(self.list.choices, values, strict=False):
            choice.set_resolved(each)

    def set_unit(self, name: str, unit: str) -> None:
        """Name a unit, for components to come too; see `Field.set_unit`."""
        self.list.units[name] = unit
        super().set_unit(name, unit)

    def set_pixel_size(self, length: float) -> None:
        """Set the pixel size, for components to come too."""
        self.list.pixel_size = length
        super().set_pixel_size(length)

    def _read(self) -> Value:
        values = tuple(choice.value() for choice in self.list.choices)
        if self.parameter.optional and not values:
            return None
        return values[0] if self._alone and len(values) == 1 else values

    def _write(self, value: Value) -> None:
        self._alone = value is not None and not isinstance(value, tuple)
        with self.list.changed.blocked():
            self.list.show_components((value,) if self._alone else value or ())


class _SeriesEditor(QWidget):
    """The choices of a series, each with a button to remove it, and a button to add one."""

    changed = Signal()

    def __init__(self, parameter: Parameter, choice_for: ChoiceFor) -> None:
        super().__init__()
        self._parameter = parameter
        self._choice_for = choice_for
        self.choices: list[NestedChoice] = []
        self.removes: list[QPushButton] = []
        self.units: dict[str, str] = {}
        self.pixel_size = 1.0
        self.add = small_button("+")
        self.add.setToolTip(f"Add one more {parameter.slot}.")
        self.add.clicked.connect(self._add_first)
        head = QHBoxLayout()
        head.addWidget(RowLabel(f"<b>{parameter.label}</b>"))
        head.addWidget(self.add)
        head.addStretch(1)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(3)
        self._layout.addLayout(head)

    def show_components(self, components: tuple[Value, ...]) -> None:
        """Show these components, in the choices that there are and in new ones."""
        while len(self.choices) > len(components):
            self._take(len(self.choices) - 1)
        while len(self.choices) < len(components):
            self._append()
        for choice, component in zip(self.choices, components, strict=True):
            choice.set_value(component)

    def _add_first(self) -> None:
        self._append()
        self.changed.emit()

    def _append(self) -> None:
        choice = self._choice_for(self._parameter, str(len(self.choices) + 1), False)
        for name, unit in self.units.items():
            choice.set_unit(name, unit)
        choice.set_pixel_size(self.pixel_size)
        remove = small_button("−")
        remove.setToolTip("Remove this one.")
        remove.clicked.connect(lambda: self._remove(choice))
        choice.add_beside(remove)
        choice.changed.connect(self.changed.emit)
        self.choices.append(choice)
        self.removes.append(remove)
        self._layout.addWidget(choice)

    def _remove(self, choice: NestedChoice) -> None:
        self._take(self.choices.index(choice))
        self.changed.emit()

    def _take(self, index: int) -> None:
        choice = self.choices.pop(index)
        self.removes.pop(index)
        self._layout.removeWidget(choice)
        choice.hide()
        choice.deleteLater()
        for number, each in enumerate(self.choices, start=1):
            each.set_label(str(number))
