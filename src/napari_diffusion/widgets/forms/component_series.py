"""Several components, one beneath the other, to add to and to take from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from magicgui.widgets import PushButton

from napari_diffusion.widgets.forms.box import Box, labelled
from napari_diffusion.widgets.forms.form_row import problem_of
from napari_diffusion.widgets.forms.units import Units

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_diffusion.core.parameter import Parameter
    from napari_diffusion.widgets.forms.form_row import FormRow, Rows
    from napari_diffusion.widgets.forms.number_text import Value

    class NestedChoice(FormRow, Protocol):
        """A choice of a component with a row of its own."""

        row: Box


class ComponentSeries(Box):
    """A series of components.

    Where one alone is allowed as well, one that was shown alone stays alone until another comes.

    Parameters
    ----------
    parameter : Parameter
        What the series is.
    choice_for : callable
        Makes one choice: of a parameter, what its row is called, and whether "none" can be chosen.
    """

    def __init__(
        self, parameter: Parameter, choice_for: Callable[[Parameter, str, bool], NestedChoice]
    ) -> None:
        self._parameter = parameter
        self._choice_for = choice_for
        self._units = Units()
        self._alone = False
        self.choices: list[NestedChoice] = []
        self.add = _sign("+", f"Add one more {parameter.slot}.")
        head = labelled(parameter.label, self.add, tooltip=parameter.tooltip)
        head.add_stretch()
        super().__init__(head)
        self.add.changed.connect(self._add)

    @property
    def value(self) -> Value:
        """The components as a tuple, or None where there are none and that is allowed."""
        values = tuple(choice.value for choice in self.choices)
        if self._parameter.optional and not values:
            return None
        # How many there must be at least, the component says that they are a parameter of.
        return values[0] if self._alone and len(values) == 1 else values

    @value.setter
    def value(self, value: Value) -> None:
        self._alone = value is not None and not isinstance(value, tuple)
        components = (value,) if self._alone else value or ()
        with self.changed.blocked():
            while len(self.choices) > len(components):
                self._take(self.choices[-1])
            while len(self.choices) < len(components):
                self._append()
            for choice, component in zip(self.choices, components, strict=True):
                choice.value = component
        self.changed.emit(self)

    @property
    def problem(self) -> str | None:
        """The sentence of the first bad row, None where there is none."""
        return problem_of(self)

    def mark(self, sentence: str) -> None:
        """Explain what a sentence is about where components are added; an empty one goes."""
        self.add.tooltip = sentence or f"Add one more {self._parameter.slot}."

    def set_resolved(self, value: Value) -> None:
        """Show the numbers of each component; None forgets them."""
        values = value if isinstance(value, tuple) else (value,) * len(self.choices)
        for choice, each in zip(self.choices, values, strict=False):
            choice.set_resolved(each)

    def set_units(self, units: Units) -> None:
        """Show what the numbers are in, of components to come too."""
        self._units = units
        for choice in self.choices:
            choice.set_units(units)

    def forms(self) -> Iterator[Rows]:
        """Yield the forms of all components in view."""
        for choice in self.choices:
            yield from choice.forms()

    def _add(self) -> None:
        self._append()
        self.changed.emit(self)

    def _append(self) -> None:
        choice = self._choice_for(self._parameter, str(len(self.choices) + 1), False)
        choice.set_units(self._units)
        remove = _sign("−", "Remove this one.")
        remove.changed.connect(lambda: self._remove(choice))
        choice.row.append(remove)
        choice.changed.connect(lambda: self.changed.emit(self))
        self.choices.append(choice)
        self.append(choice)  # type: ignore[arg-type]

    def _remove(self, choice: NestedChoice) -> None:
        self._take(choice)
        self.changed.emit(self)

    def _take(self, choice: NestedChoice) -> None:
        self.choices.remove(choice)
        self.remove(choice)  # type: ignore[arg-type]
        for number, each in enumerate(self.choices, start=1):
            each.row[0].value = str(number)  # type: ignore[attr-defined]


def _sign(text: str, tooltip: str) -> PushButton:
    button = PushButton(text=text, tooltip=tooltip)
    button.native.setFixedWidth(26)
    return button
