"""The base class of all components: frozen parameters with checks."""

from __future__ import annotations

import dataclasses
import functools
import re
import typing
from collections.abc import Mapping  # noqa: TC003 - types of fields are read
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from napari_diffusion.core.citation import Cite, Estimate  # noqa: TC001 - as above
from napari_diffusion.core.method_words import MethodWords, Term  # noqa: TC001 - as above
from napari_diffusion.core.noise_scale import factor_on_auto, factor_on_step
from napari_diffusion.core.parameter import LENGTH_POWERS, Parameter, parameter_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_diffusion.core.grid import Grid


@dataclass(frozen=True)
class Component:
    """A frozen dataclass whose annotated fields are its parameters; checked when made.

    A field is declared as ``name: Annotated[type, {"min": …, "above": …, "max": …, "unit": …,
    "tooltip": …}] = default``. The type is

    - a float, an int, a bool, a str or a Literal of choices;
    - ``Filter`` or ``Noise``: another component, resolved and scaled together with this one;
    - ``Callable[..., Any] | str``: a function or its name, ``"package.module:function"``;
    - ``tuple[float, ...]``, ``tuple[Filter, ...]``: several;
    - ``ArrayParameter``: an array of one value per pixel.

    ``| Literal["auto"]`` allows an automatic value, ``| None`` none at all, ``| tuple[float, ...]``
    one number per channel and ``| ArrayParameter`` an array in place of a number.

    `display_name` is the name that menus, layers, methods text and docs show; by default the name
    of the class as words. A `building_block` mainly serves other components and is listed last.

    A methods section calls it `method_name`, where ``{time}`` stands for the value of that
    parameter, and lists the other parameters in brackets: in the words of `terms`, with ``{}`` for
    the value, or by their names. `estimates` says how automatic values are measured, `cites` what a
    paper refers to; see `napari_diffusion.core.citation`.
    """

    slot: ClassVar[str] = ""
    display_name: ClassVar[str] = ""
    building_block: ClassVar[bool] = False
    method_name: ClassVar[str] = ""
    terms: ClassVar[Mapping[str, Term]] = {}
    estimates: ClassVar[Mapping[str, Estimate]] = {}
    cites: ClassVar[tuple[Cite, ...]] = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "display_name" not in vars(cls):
            cls.display_name = re.sub(
                r"(?<=[a-z])[A-Z]", lambda capital: f" {capital[0].lower()}", cls.__name__
            )
        if "method_name" not in vars(cls):
            cls.method_name = f"{cls.display_name} {cls.slot}"

    def __post_init__(self) -> None:
        owner = type(self).__name__
        for parameter in self.parameters():
            value = parameter.checked(getattr(self, parameter.name), owner)
            object.__setattr__(self, parameter.name, value)

    @classmethod
    def parameters(cls) -> tuple[Parameter, ...]:
        """Return the parameters, in the order of the fields."""
        return _parameters(cls)  # type: ignore[arg-type]

    @classmethod
    def summary(cls) -> str:
        """Return the first line of the docstring, which describes the component in one sentence."""
        return (cls.__doc__ or "").strip().splitlines()[0]

    def method_terms(self) -> Mapping[str, Term]:
        """Return the words of the parameters; "" leaves one out. See `terms`."""
        return self.terms

    def method(self, words: MethodWords) -> str:
        """Return this component as the methods section of a paper describes it."""
        return words.described(self)

    def works(self, words: MethodWords) -> tuple[str, ...]:
        """Return the keys of the works to cite for what is used of this component."""
        found = [each.key for each in self.cites if each.holds(self, words.conditions)]
        for name, estimate in self.estimates.items():
            found += estimate.cites if words.asked(name) else ()
        for name, value in self._values():
            for component in _components_in(value):
                found += component.works(words.within(name))
        return tuple(dict.fromkeys(found))

    def replaced(self, **changes: Any) -> Self:
        """Return a copy with some parameters changed and checked."""
        return dataclasses.replace(self, **changes)

    def scaled(self, length: float, digits: int = 17) -> Self:
        """Return this component for an image whose pixel size is `length` times as large.

        Lengths are multiplied by `length`, times by its square, gradients divided by it: the
        result for the same intensities does not change. `digits` rounds the new values.
        """
        changes: dict[str, Any] = {}
        for parameter in self.parameters():
            value, power = getattr(self, parameter.name), LENGTH_POWERS.get(parameter.unit, 0)
            if not power or length == 1 or value is None or isinstance(value, str):
                continue
            factor = length**power
            many = isinstance(value, tuple)
            products = [float(f"{v * factor:.{digits}g}") for v in (value if many else (value,))]
            changes[parameter.name] = tuple(products) if many else products[0]
        scaled = self.replaced(**changes) if changes else self
        return scaled.with_components(lambda component: component.scaled(length, digits))

    def autos(self) -> tuple[str, ...]:
        """Return the names of the parameters that are ``"auto"``, nested ones with a dot."""
        return tuple(self.asked())

    def asked(self) -> dict[str, str]:
        """Return ``"auto"``, or a factor on it, of each parameter that is measured, by its name."""
        return self._texts(lambda p, value: p.auto and factor_on_auto(value) is not None)

    def set_by_step(self) -> tuple[str, ...]:
        """Return the names of the parameters that are ``"step"``, nested ones with a dot."""
        return tuple(self._texts(lambda p, value: p.step and factor_on_step(value) is not None))

    def _texts(self, chosen: Callable[[Parameter, Any], bool]) -> dict[str, str]:
        found: dict[str, str] = {}
        for parameter, (name, value) in zip(self.parameters(), self._values(), strict=True):
            if chosen(parameter, value):
                found[name] = value
            for component in _components_in(value):
                found |= {f"{name}.{n}": text for n, text in component._texts(chosen).items()}
        return found

    def number(self, name: str) -> float:
        """Return a parameter that is one number; raise if it is still "auto"."""
        value = getattr(self, name)
        if factor_on_step(value) is not None:
            raise ValueError(only_in_the_loop(type(self).__name__, name))
        if isinstance(value, str):
            raise ValueError(
                f'{type(self).__name__}: {name} is still "auto", which is measured on an image: '
                "set a number, or use recipe.resolved(image)."
            )
        return float(value)

    def number_per_channel(self, name: str, grid: Grid) -> tuple[float, ...]:
        """Return a parameter's number for each channel; raise for a list of another length."""
        value, channels = getattr(self, name), grid.shape[1]
        if not isinstance(value, tuple):
            return (self.number(name),) * channels
        if len(value) != channels:
            raise ValueError(
                f"{type(self).__name__}: {name} lists {len(value)} values, but the image has "
                f"{channels} channels."
            )
        return value

    def with_components(self, change: Callable[[Any], Any]) -> Self:
        """Return a copy whose inner components are changed by a function."""
        changes: dict[str, Any] = {}
        for name, value in self._values():
            if _components_in(value):
                many = isinstance(value, tuple)
                changes[name] = tuple(change(each) for each in value) if many else change(value)
        return self.replaced(**changes) if changes else self

    def components_in(self) -> tuple[Component, ...]:
        """Return the components that are parameters of this one."""
        return tuple(each for _, value in self._values() for each in _components_in(value))

    def _values(self) -> list[tuple[str, Any]]:
        return [(p.name, getattr(self, p.name)) for p in self.parameters()]


def only_in_the_loop(owner: str, name: str) -> str:
    """Return why a parameter that is "step" has no number, and the cure."""
    return (
        f'{owner}: {name}="step" is the noise scale of a step of the loop, and there is no loop '
        f'here: set a number or "auto", or use the filter in a recipe.'
    )


@functools.cache
def _parameters(cls: Any) -> tuple[Parameter, ...]:
    hints = typing.get_type_hints(cls, include_extras=True)
    return tuple(parameter_of(field, hints[field.name]) for field in dataclasses.fields(cls))


def _components_in(value: Any) -> tuple[Any, ...]:
    values = value if isinstance(value, tuple) else (value,)
    return tuple(each for each in values if isinstance(each, Component))
