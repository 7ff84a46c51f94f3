"""A form made from the parameters of a filter, a noise or a schedule."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_diffusion.widgets.forms.form_rows import MessageLabel, problem_of
from napari_diffusion.widgets.forms.parameter_field import field_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_diffusion.core.component import Component
    from napari_diffusion.widgets.forms.fields import Field
    from napari_diffusion.widgets.forms.nested import ChoiceFor


class ParameterForm(QWidget):
    """One field for each parameter of a component class: add a field to the class and it is here.

    Parameters
    ----------
    cls : type of Component
        A frozen dataclass; its defaults are shown first.
    choice_for : callable
        Makes the choice of a component within a field.

    Attributes
    ----------
    component : str
        Name of the class.
    fields : dict of str to Field
        The fields by the names of their parameters.
    """

    changed = Signal()

    def __init__(
        self, cls: type[Component], choice_for: ChoiceFor, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._cls = cls
        self.component = cls.__name__
        self.fields: dict[str, Field] = {}
        self._message = MessageLabel()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        for parameter in cls.parameters():
            field = field_for(parameter, partial(parameter.checked, owner=cls.__name__), choice_for)
            if parameter.default is dataclasses.MISSING:
                field.say("")
            else:
                field.set_value(parameter.default)
            field.changed.connect(partial(self._edited, parameter.name))
            self.fields[parameter.name] = field
            layout.addWidget(field)
        layout.addWidget(self._message)

    def value(self) -> Component:
        """Return the component; ValueError says in one sentence what is wrong."""
        values = {name: field.value() for name, field in self.fields.items()}
        try:
            return self._cls(**values)
        except (TypeError, ArithmeticError) as error:
            raise ValueError(str(error)) from None

    def set_value(self, component: Component) -> None:
        """Show a component's parameters; the same ones come back from `value`, bit by bit."""
        with self.changed.blocked():
            for name, field in self.fields.items():
                field.set_value(getattr(component, name))
        self.changed.emit()

    def problem(self) -> str | None:
        """Return the sentence of the first bad field, or of fields that do not go together."""
        return problem_of(self.value)

    def focusable(self) -> list[QWidget]:
        """Return what the tab key visits, from top to bottom."""
        return [
            widget
            for field in self.fields.values()
            for widget in field.findChildren(QWidget)
            if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
            # The list that a choice opens is a window of its own.
            and widget.window() is field.window()
        ]

    def set_resolved(self, component: Component | None) -> None:
        """Show the values that every "auto" stands for; None forgets them."""
        for name, field in self.fields.items():
            found = None if component is None else getattr(component, name)
            field.set_resolved(None if found == "auto" else found)

    def set_unit(self, name: str, unit: str) -> None:
        """Name a unit; see `Field.set_unit`."""
        for field in self.fields.values():
            field.set_unit(name, unit)

    def set_world_unit(self, unit: str) -> None:
        """Name the unit of length, such as "µm"; an empty text goes back to "world"."""
        self.set_unit("world", unit)

    def set_pixel_size(self, length: float) -> None:
        """Set the pixel size, for components that are chosen within."""
        for field in self.fields.values():
            field.set_pixel_size(length)

    def forms(self) -> Iterator[ParameterForm]:
        """Yield this form and those within it."""
        yield self
        for field in self.fields.values():
            yield from field.forms()

    def _edited(self, edited: str) -> None:
        # What "auto" was may have depended on the field that is another now.
        for name, field in self.fields.items():
            if name != edited:
                field.set_resolved(None)
        alone = any(field.problem() for field in self.fields.values())
        self._message.say("" if alone else self.problem() or "")
        self.changed.emit()
