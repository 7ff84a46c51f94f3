"""A recipe with one of its numbers a little larger or smaller."""

from __future__ import annotations

import numbers
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_diffusion.core.array_parameter import ArrayParameter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_diffusion.core.component import Component
    from napari_diffusion.core.image import Image
    from napari_diffusion.core.parameter import Parameter
    from napari_diffusion.filters import Filter
    from napari_diffusion.loop.recipe import Recipe


@dataclass(frozen=True, eq=False)
class ParameterChange:
    """One number of a recipe, and the recipe with a smaller and a larger one.

    Attributes
    ----------
    name : str
        Of the parameter; of a filter, wherever it occurs in the filters.
    value : float
        In the recipe; of several, the first.
    recipes : dict
        By the changed value, recipes that differ in this parameter alone; none where it refuses
        other values.
    """

    name: str
    value: float
    recipes: dict[float, Recipe]


def parameter_changes(
    recipe: Recipe, image: Image, change: float, names: Sequence[str] | None
) -> list[ParameterChange]:
    """Return the numeric parameters of a recipe, each with changes up and down by a share.

    The recipe is resolved on the image. Whole numbers change by 1 or more; numbers that are 0 have
    no share, and are left out.

    Raises
    ------
    ValueError
        For a name that is no numeric parameter of the recipe.
    """
    known = list(dict.fromkeys(name for each in _all_filters(recipe) for name in _names(each)))
    if recipe.noise is not None:
        known.append("starting_noise_scale")
    known.append("num_steps")
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise ValueError(
            f"The recipe has no numeric parameter {', '.join(map(repr, unknown))} to change; it "
            f"has {', '.join(known)}."
        )
    chosen = known if names is None else [name for name in known if name in names]
    return [_changed(recipe, image, name, change) for name in chosen]


def _all_filters(recipe: Recipe) -> tuple[Filter, ...]:
    return recipe.filters + (() if recipe.final_filter is None else (recipe.final_filter,))


def _changed(recipe: Recipe, image: Image, name: str, change: float) -> ParameterChange:
    found = {}
    for share in (-change, change):
        try:
            made = _with_share(recipe, name, share)
            made.resolved_on(image)
        except ValueError:
            # Out of the range of the parameter, or at odds with another one.
            continue
        if _value(made, name) != _value(recipe, name):
            found[_value(made, name)] = made
    return ParameterChange(name, _value(recipe, name), found)


def _with_share(recipe: Recipe, name: str, share: float) -> Recipe:
    if name == "num_steps":
        return recipe.replaced(num_steps=_number(recipe.num_steps, share))
    if name == "starting_noise_scale":
        return recipe.replaced(starting_noise_scale=_number(recipe.starting_noise_scale, share))
    return recipe.with_filters(lambda each: _component(each, name, share))


def _component(component: Any, name: str, share: float) -> Any:
    """Return a component with the parameter of a name changed, wherever it occurs in it."""
    component = component.with_components(lambda each: _component(each, name, share))
    if name not in (parameter.name for parameter in _numeric(component)):
        return component
    return component.replaced(**{name: _number(getattr(component, name), share)})


def _number(value: Any, share: float) -> Any:
    if isinstance(value, tuple):
        return tuple(_number(each, share) for each in value)
    if isinstance(value, ArrayParameter):
        return ArrayParameter(value.values * (1 + share))
    if isinstance(value, numbers.Integral):
        by = max(round(abs(share * int(value))), 1)
        return int(value) + (by if share > 0 else -by)
    return value * (1 + share)


def _numeric(component: Component) -> Iterator[Parameter]:
    """Yield the parameters whose values are numbers; lists of numbers are none."""
    for parameter in component.parameters():
        value = getattr(component, parameter.name)
        first = value[0] if isinstance(value, tuple) and value else value
        number = isinstance(first, numbers.Real | ArrayParameter) and parameter.single
        if parameter.kind in ("float", "int") and number:
            yield parameter


def _names(component: Component) -> Iterator[str]:
    for parameter in _numeric(component):
        if _first(getattr(component, parameter.name)) != 0:
            yield parameter.name
    for inner in component.components_in():
        yield from _names(inner)


def _value(recipe: Recipe, name: str) -> float:
    if name in ("num_steps", "starting_noise_scale"):
        return _first(getattr(recipe, name))
    return next(found for each in _all_filters(recipe) for found in _values(each, name))


def _values(component: Component, name: str) -> Iterator[float]:
    if name in (parameter.name for parameter in _numeric(component)):
        yield _first(getattr(component, name))
    for inner in component.components_in():
        yield from _values(inner, name)


def _first(value: Any) -> float:
    if isinstance(value, tuple):
        return float(value[0])
    if isinstance(value, ArrayParameter):
        return float(value.values.mean())
    return float(value)
