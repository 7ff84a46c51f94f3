"""What a row of a form can do, be it one number or a component with a form of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from psygnal import SignalInstance

    from napari_diffusion.widgets.forms.number_text import Value
    from napari_diffusion.widgets.forms.units import Units


class View(Protocol):
    """Anything that shows a value."""

    @property
    def value(self) -> Value:
        """The value; ValueError says in one sentence what is wrong."""
        ...


class FormRow(View, Protocol):
    """A field, a choice of a component, or a series of components."""

    @property
    def value(self) -> Value:
        """The value; ValueError says in one sentence what is wrong."""
        ...

    @value.setter
    def value(self, value: Value) -> None: ...

    @property
    def changed(self) -> SignalInstance:
        """Emitted after every edit."""
        ...

    @property
    def problem(self) -> str | None:
        """What is wrong, None where nothing is."""
        ...

    def mark(self, sentence: str) -> None:
        """Mark the row as what a sentence is about; an empty one unmarks it."""

    def set_resolved(self, value: Value) -> None:
        """Show what every "auto" stands for; None forgets it."""

    def set_units(self, units: Units) -> None:
        """Show what numbers are in."""

    def forms(self) -> Iterator[Rows]:
        """Yield the forms of the components in view, from top to bottom."""
        ...


class Rows(Protocol):
    """The form of a component: its class, and its rows by the names of the parameters."""

    component: str

    @property
    def rows(self) -> Mapping[str, FormRow]:
        """The rows."""
        ...


def problem_of(view: View) -> str | None:
    """Return the error of a view's value, None where it has none."""
    try:
        view.value  # noqa: B018
    except ValueError as error:
        return str(error)
    return None
