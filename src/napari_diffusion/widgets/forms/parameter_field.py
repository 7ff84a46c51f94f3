"""The field that fits a parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_diffusion.widgets.forms.array_fields import ArrayField, FunctionField
from napari_diffusion.widgets.forms.fields import ComboField, FlagField, LineField, automatic_of
from napari_diffusion.widgets.forms.lists import ListField
from napari_diffusion.widgets.forms.nested import ComponentField, SeriesField

if TYPE_CHECKING:
    from napari_diffusion.core.parameter import Parameter
    from napari_diffusion.widgets.forms.fields import Check, Field
    from napari_diffusion.widgets.forms.nested import ChoiceFor


def field_for(parameter: Parameter, check: Check, choice_for: ChoiceFor) -> Field:
    """Return the field that fits a parameter, empty or at its first choice.

    Parameters
    ----------
    parameter : Parameter
        What is edited.
    check : callable
        See `Field`.
    choice_for : callable
        Makes the choice of a component within the field.
    """
    others = (*("auto",) * parameter.auto, *(None,) * parameter.optional)
    if parameter.kind == "choice":
        return ComboField(parameter, check, (*others, *parameter.choices))
    if parameter.kind == "bool" and others:
        return ComboField(parameter, check, (*others, True, False))
    if parameter.kind == "bool":
        return FlagField(parameter, check)
    if parameter.kind == "component":
        return (SeriesField if parameter.many else ComponentField)(parameter, check, choice_for)
    if parameter.mapped:
        return ArrayField(parameter, check, automatic_of(parameter))
    if parameter.kind == "function":
        return FunctionField(parameter, check, automatic_of(parameter))
    if parameter.many and not parameter.single:
        return ListField(parameter, check)
    return LineField(parameter, check, automatic_of(parameter))
