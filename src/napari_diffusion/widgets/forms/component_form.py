"""A form made from the parameters of a component: add one to the class and it is here."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import TYPE_CHECKING

from napari_diffusion.widgets.forms.box import Box
from napari_diffusion.widgets.forms.field import Field
from napari_diffusion.widgets.forms.form_row import problem_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_diffusion.core.component import Component
    from napari_diffusion.core.parameter import Parameter
    from napari_diffusion.widgets.forms.form_row import FormRow, Rows
    from napari_diffusion.widgets.forms.units import Units


class ComponentForm(Box):
    """One row for each parameter of a component class.

    Parameters
    ----------
    cls : type of Component
        A frozen dataclass; its defaults are shown first.
    row_for : callable
        Makes the row of a parameter that is a component itself.

    Attributes
    ----------
    component : str
        Name of the class.
    rows : dict of str to FormRow
        The rows by the names of their parameters.
    """

    def __init__(self, cls: type[Component], row_for: Callable[[Parameter], FormRow]) -> None:
        self._cls = cls
        self.component = cls.__name__
        self.rows: dict[str, FormRow] = {}
        for parameter in cls.parameters():
            if parameter.kind == "component":
                row = row_for(parameter)
            else:
                row = Field(parameter, partial(parameter.checked, owner=cls.__name__))
            if parameter.default is not dataclasses.MISSING:
                row.value = parameter.default
            row.changed.connect(partial(self._edited, parameter.name))
            self.rows[parameter.name] = row
        super().__init__(*self.rows.values())  # type: ignore[arg-type]

    @property
    def value(self) -> Component:
        """The component; ValueError says in one sentence what is wrong."""
        values = {name: row.value for name, row in self.rows.items()}
        try:
            return self._cls(**values)
        except (TypeError, ArithmeticError) as error:
            raise ValueError(str(error)) from None

    @value.setter
    def value(self, component: Component) -> None:
        with self.changed.blocked():
            for name, row in self.rows.items():
                row.value = getattr(component, name)
        self.changed.emit(self)

    @property
    def problem(self) -> str | None:
        """The sentence of the first bad row, or of rows that do not go together."""
        return problem_of(self)

    def set_resolved(self, component: Component | None) -> None:
        """Show the values that every "auto" stands for; None forgets them."""
        for name, row in self.rows.items():
            row.set_resolved(None if component is None else getattr(component, name))

    def set_units(self, units: Units) -> None:
        """Show what the numbers are in."""
        for row in self.rows.values():
            row.set_units(units)

    def forms(self) -> Iterator[Rows]:
        """Yield this form and those within it."""
        yield self
        for row in self.rows.values():
            yield from row.forms()

    def _edited(self, edited: str) -> None:
        # What "auto" was may have depended on the parameter that is another now.
        for name, row in self.rows.items():
            if name != edited:
                row.set_resolved(None)
        self.changed.emit(self)
