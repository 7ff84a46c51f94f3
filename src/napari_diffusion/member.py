"""What filters, noises and schedules have in common: frozen parameters that check themselves."""

from __future__ import annotations

import dataclasses
import functools
import math
import numbers
import types
import typing
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self, Union, get_args, get_origin

Kind = Literal["float", "int", "bool", "choice", "text"]

# How often a length enters a unit.
_LENGTHS = {"world": 1, "world²": 2, "intensity/world": -1}


@dataclass(frozen=True)
class Parameter:
    """One field of a member, as forms, the command line, JSON and the docs need to know it.

    Attributes
    ----------
    name : str
        Name of the dataclass field.
    kind : {"float", "int", "bool", "choice", "text"}
        What a single value is.
    default : object
        The value a new member has; `dataclasses.MISSING` where one must be given.
    minimum, above, maximum : float or None
        Inclusive lower, exclusive lower and inclusive upper bound.
    unit : str
        Unit of the value: ``"intensity"``, ``"world"``, ``"world²"``, …; empty for a pure number.
    tooltip : str
        What the parameter does to the picture, in one sentence.
    choices : tuple of str
        The values allowed when kind is ``"choice"``.
    auto : bool
        Whether ``"auto"`` may stand in place of the number.
    many : bool
        Whether a tuple of numbers, one per channel, may stand in place of the number.
    """

    name: str
    kind: Kind
    default: Any
    minimum: float | None = None
    above: float | None = None
    maximum: float | None = None
    unit: str = ""
    tooltip: str = ""
    choices: tuple[str, ...] = ()
    auto: bool = False
    many: bool = False

    @property
    def label(self) -> str:
        """Name for people: underscores become spaces."""
        return self.name.replace("_", " ")

    def checked(self, value: Any, owner: str) -> Any:
        """Return `value` as this parameter stores it, or raise and say what is allowed."""
        if self.auto and isinstance(value, str) and value == "auto":
            return value
        if self.kind == "choice":
            if value not in self.choices:
                raise ValueError(self._refusal(owner, value, f"one of {_listed(self.choices)}"))
            return value
        if self.kind == "bool":
            if not isinstance(value, bool):
                raise TypeError(self._refusal(owner, value, "True or False"))
            return value
        if self.kind == "text":
            if not isinstance(value, str):
                raise TypeError(self._refusal(owner, value, "text"))
            return value
        if getattr(value, "ndim", None) == 0 and not isinstance(value, numbers.Number):
            value = value.item()
        if self.many and _is_sequence(value):
            if not len(value):
                raise ValueError(self._refusal(owner, value, "at least one number"))
            return tuple(self._number(each, owner) for each in value)
        return self._number(value, owner)

    def _number(self, value: Any, owner: str) -> float | int:
        whole = self.kind == "int"
        wanted = numbers.Integral if whole else numbers.Real
        if isinstance(value, bool) or not isinstance(value, wanted):
            allowed = "a whole number" if whole else "a number"
            raise TypeError(self._refusal(owner, value, allowed + (' or "auto"' * self.auto)))
        number = int(value) if whole else float(value)  # type: ignore[call-overload]
        if not math.isfinite(number) or not self._in_range(number):
            raise ValueError(self._refusal(owner, value, self.range_text()))
        return number

    def _in_range(self, number: float) -> bool:
        return (
            (self.minimum is None or number >= self.minimum)
            and (self.above is None or number > self.above)
            and (self.maximum is None or number <= self.maximum)
        )

    def range_text(self) -> str:
        """Say the allowed numbers in words, for errors and docs."""
        parts = []
        if self.minimum is not None:
            parts.append(f"at least {self.minimum:g}")
        if self.above is not None:
            parts.append(f"greater than {self.above:g}")
        if self.maximum is not None:
            parts.append(f"at most {self.maximum:g}")
        text = "a finite number" + (" " + " and ".join(parts) if parts else "")
        return text + (' or "auto"' if self.auto else "")

    def _refusal(self, owner: str, value: Any, allowed: str) -> str:
        return f"{owner}: {self.name} must be {allowed} (got {value!r})."


@dataclass(frozen=True)
class Member:
    """A frozen dataclass whose annotated fields are its parameters; checked when made.

    A field is declared as ``name: Annotated[type, {"min": …, "above": …, "max": …, "unit": …,
    "tooltip": …}] = default``. The type is a float, an int, a bool, a str or a Literal of choices;
    ``| Literal["auto"]`` and ``| tuple[float, ...]`` allow an automatic value and one per channel.
    """

    slot: ClassVar[str] = ""

    def __post_init__(self) -> None:
        owner = type(self).__name__
        for parameter in self.parameters():
            value = parameter.checked(getattr(self, parameter.name), owner)
            object.__setattr__(self, parameter.name, value)

    @classmethod
    def parameters(cls) -> tuple[Parameter, ...]:
        """Return the parameters in the order of the fields."""
        return _parameters(cls)  # type: ignore[arg-type]

    @classmethod
    def summary(cls) -> str:
        """Return the first line of the docstring: what the member is, in one sentence."""
        return (cls.__doc__ or "").strip().splitlines()[0]

    def replaced(self, **changes: Any) -> Self:
        """Return a copy with some parameters changed, checked again."""
        return dataclasses.replace(self, **changes)

    def scaled(self, length: float, digits: int = 17) -> Self:
        """Return this member for a picture whose samples are `length` times as far apart.

        Lengths are multiplied by `length`, times by its square, gradients divided by it: on the
        same samples the result is the same. Fewer `digits` make numbers to be read.
        """
        changes: dict[str, Any] = {}
        for parameter in self.parameters():
            value, power = getattr(self, parameter.name), _LENGTHS.get(parameter.unit, 0)
            if not power or length == 1 or isinstance(value, str):
                continue
            factor = length**power
            many = isinstance(value, tuple)
            products = [float(f"{v * factor:.{digits}g}") for v in (value if many else (value,))]
            changes[parameter.name] = tuple(products) if many else products[0]
        return self.replaced(**changes) if changes else self

    def autos(self) -> tuple[str, ...]:
        """Return the names of the parameters that still say ``"auto"``."""
        names = (p.name for p in self.parameters() if p.auto)
        return tuple(name for name in names if getattr(self, name) == "auto")


@functools.cache
def _parameters(cls: Any) -> tuple[Parameter, ...]:
    hints = typing.get_type_hints(cls, include_extras=True)
    return tuple(_parameter(field, hints[field.name]) for field in dataclasses.fields(cls))


def _parameter(field: dataclasses.Field[Any], hint: Any) -> Parameter:
    options: dict[str, Any] = {}
    if get_origin(hint) is typing.Annotated:
        hint, options = get_args(hint)[0], dict(get_args(hint)[1])
    kind: Kind = "float"
    auto = many = False
    choices: tuple[str, ...] = ()
    parts = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    for part in parts:
        if get_origin(part) is Literal and get_args(part) == ("auto",):
            auto = True
        elif get_origin(part) is Literal:
            kind, choices = "choice", get_args(part)
        elif get_origin(part) is tuple:
            many = True
        elif part in (float, int, bool, str):
            kind = {float: "float", int: "int", bool: "bool", str: "text"}[part]  # type: ignore[assignment]
        else:
            raise TypeError(f"Field {field.name!r} has a type that no form knows: {part!r}.")
    return Parameter(
        name=field.name,
        kind=kind,
        default=field.default,
        minimum=options.pop("min", None),
        above=options.pop("above", None),
        maximum=options.pop("max", None),
        unit=options.pop("unit", ""),
        tooltip=options.pop("tooltip", ""),
        choices=choices,
        auto=auto,
        many=many,
    )


def _is_sequence(value: Any) -> bool:
    return isinstance(value, tuple | list) or getattr(value, "ndim", 0) == 1


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(repr(word) for word in words)
