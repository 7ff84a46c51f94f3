"""One parameter of a component: its type, range, unit and description."""

from __future__ import annotations

import collections.abc
import dataclasses
import math
import numbers
import types
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from napari_diffusion.core.array_parameter import ArrayParameter
from napari_diffusion.core.function_parameter import is_name
from napari_diffusion.core.noise_scale import factor_on, times

Kind = Literal["float", "int", "bool", "choice", "text", "component", "function"]

#: Power of the length in a unit.
LENGTH_POWERS = {"world": 1, "world²": 2, "intensity/world": -1, "intensity·world": 1}

_PLAIN = {float: "float", int: "int", bool: "bool", str: "text"}


@dataclass(frozen=True)
class Parameter:
    """One field of a component, as forms, the command line, JSON and the docs use it.

    Attributes
    ----------
    name : str
        Name of the dataclass field.
    kind : {"float", "int", "bool", "choice", "text", "component", "function"}
        Type of a single value.
    default : object
        Default value; `dataclasses.MISSING` where a value is required.
    minimum, above, maximum : float or None
        Inclusive lower, exclusive lower and inclusive upper bound.
    unit : str
        Unit of the value: ``"intensity"``, ``"world"``, ``"world²"``, …; empty for a pure number.
    tooltip : str
        The effect of the parameter on the image, in one sentence.
    choices : tuple of str
        The values allowed when kind is ``"choice"``.
    slot : str
        Which components are allowed when kind is ``"component"``.
    auto : bool
        Whether ``"auto"`` is allowed in place of a number.
    step : bool
        Whether ``"step"``, the noise scale of a step of the loop, is allowed.
    factor : bool
        Whether a factor on "auto" and "step" is allowed, such as ``"1.5 × auto"``.
    optional : bool
        Whether None is allowed.
    single : bool
        Whether a single value is allowed.
    many : bool
        Whether a tuple of values is allowed; for numbers, one per channel if `single` too.
    mapped : bool
        Whether an `ArrayParameter` is allowed: one value per pixel, or the name of its file.
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
    slot: str = ""
    auto: bool = False
    step: bool = False
    factor: bool = False
    optional: bool = False
    single: bool = True
    many: bool = False
    mapped: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """The words that may stand for a number: "auto", "step"."""
        return ("auto",) * self.auto + ("step",) * self.step

    @property
    def label(self) -> str:
        """Name for labels: underscores become spaces."""
        return self.name.replace("_", " ")

    def checked(self, value: Any, owner: str) -> Any:
        """Return `value` in the type of this parameter; raise if it is not allowed."""
        for word in self.words:
            factor = factor_on(word, value)
            if factor is not None and (self.factor or value == word):
                return times(word, factor)
        if self.optional and value is None:
            return None
        if self.mapped and _is_map(value, self.many):
            return self._map(value, owner)
        if getattr(value, "ndim", None) == 0 and not isinstance(value, numbers.Number):
            value = value.item()
        if not self.many:
            return self._checked_one(value, owner)
        if _is_sequence(value):
            if not len(value):
                raise ValueError(self._refusal(owner, value, f"at least one {self._noun()}"))
            return tuple(self._checked_one(each, owner) for each in value)
        if not self.single:
            raise TypeError(self._refusal(owner, value, f"a list, each {self.range_text()}"))
        return self._checked_one(value, owner)

    def _checked_one(self, value: Any, owner: str) -> Any:
        if self.kind == "choice":
            if value not in self.choices:
                raise ValueError(self._refusal(owner, value, f"one of {_listed(self.choices)}"))
        elif self.kind == "bool":
            if not isinstance(value, bool):
                raise TypeError(self._refusal(owner, value, "True or False"))
        elif self.kind == "text":
            if not isinstance(value, str):
                raise TypeError(self._refusal(owner, value, "text"))
        elif self.kind == "component":
            if getattr(value, "slot", None) != self.slot or isinstance(value, type):
                hint = " object, with brackets" * isinstance(value, type)
                raise TypeError(self._refusal(owner, value, self.range_text() + hint))
        elif self.kind == "function":
            if not (callable(value) or (isinstance(value, str) and is_name(value))):
                raise TypeError(self._refusal(owner, value, self.range_text()))
        else:
            return self._number(value, owner)
        return value

    def _map(self, value: Any, owner: str) -> ArrayParameter:
        try:
            found = value if isinstance(value, ArrayParameter) else ArrayParameter(value)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{owner}: {self.name}: {error}") from None
        for extreme in found.extremes:
            if not self._in_range(extreme):
                raise ValueError(self._refusal(owner, extreme, self.range_text()))
        return found

    def _number(self, value: Any, owner: str) -> float | int:
        whole = self.kind == "int"
        wanted = numbers.Integral if whole else numbers.Real
        if not self.single and not self.many:
            raise TypeError(self._refusal(owner, value, "an array or the name of its file"))
        if isinstance(value, bool) or not isinstance(value, wanted):
            allowed = "a whole number" if whole else "a number"
            raise TypeError(self._refusal(owner, value, allowed + self._or_words()))
        try:
            number = int(value) if whole else float(value)  # type: ignore[call-overload]
        except OverflowError:
            number = math.inf
        if not math.isfinite(number) or not self._in_range(number):
            raise ValueError(self._refusal(owner, value, self.range_text()))
        return number

    def _in_range(self, number: float) -> bool:
        return (
            (self.minimum is None or number >= self.minimum)
            and (self.above is None or number > self.above)
            and (self.maximum is None or number <= self.maximum)
        )

    def _noun(self) -> str:
        return self.slot if self.kind == "component" else "number"

    def range_text(self) -> str:
        """Return the allowed values in words, for errors and docs."""
        if self.kind == "component":
            return f"a {self.slot}" + " or None" * self.optional
        if self.kind == "function":
            return 'a function or its name as "package.module:function"'
        parts = []
        if self.minimum is not None:
            parts.append(f"of at least {self.minimum:g}")
        if self.above is not None:
            parts.append(f"greater than {self.above:g}")
        if self.maximum is not None:
            parts.append(f"{'' if parts else 'of '}at most {self.maximum:g}")
        kind = "a whole number" if self.kind == "int" else "a finite number"
        text = kind + (" " + " and ".join(parts) if parts else "")
        return text + self._or_words() + " or None" * self.optional

    def _or_words(self) -> str:
        return "".join(f' or "{word}"' for word in self.words)

    def _refusal(self, owner: str, value: Any, allowed: str) -> str:
        shown = repr(value)
        shown = shown if len(shown) <= 60 else shown[:57] + "…"
        return f"{owner}: {self.name} must be {allowed} (got {shown})."


def parameter_of(field: dataclasses.Field[Any], hint: Any) -> Parameter:
    """Read a dataclass field and its annotation.

    Parameters
    ----------
    field : dataclasses.Field
        Its name and default.
    hint : type
        ``Annotated[type, {"min": …, "above": …, "max": …, "unit": …, "tooltip": …}]``.
    """
    options: dict[str, Any] = {}
    if get_origin(hint) is typing.Annotated:
        hint, options = get_args(hint)[0], dict(get_args(hint)[1])
    found: dict[str, Any] = {"kind": "float", "single": False}
    parts = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    for part in parts:
        facts = _part(field.name, part)
        # Text beside a function is the function's name.
        found |= {k: v for k, v in facts.items() if k != "kind" or found["kind"] != "function"}
    return Parameter(
        name=field.name,
        default=field.default,
        minimum=options.pop("min", None),
        above=options.pop("above", None),
        maximum=options.pop("max", None),
        unit=options.pop("unit", ""),
        tooltip=options.pop("tooltip", ""),
        factor=options.pop("factor", False),
        **found,
    )


def _part(name: str, part: Any) -> dict[str, Any]:
    """Return what one alternative of a type implies for the parameter."""
    origin = get_origin(part)
    if origin is Literal and set(get_args(part)) <= {"auto", "step"}:
        return dict.fromkeys(get_args(part), True)
    if origin is Literal:
        return {"kind": "choice", "choices": get_args(part), "single": True}
    if origin is tuple:
        each = _part(name, get_args(part)[0])
        return {key: value for key, value in each.items() if key != "single"} | {"many": True}
    if part is types.NoneType:
        return {"optional": True}
    if part is ArrayParameter:
        return {"mapped": True}
    if origin is collections.abc.Callable:
        return {"kind": "function", "single": True}
    if part in _PLAIN:
        return {"kind": _PLAIN[part], "single": True}
    if isinstance(part, type) and hasattr(part, "slot"):
        return {"kind": "component", "slot": part.slot, "single": True}
    raise TypeError(f"Field {name!r} has an unsupported type: {part!r}.")


def _is_map(value: Any, many: bool) -> bool:
    if isinstance(value, ArrayParameter | str | Path):
        return True
    if many:
        # A flat list has one number for each channel.
        nested = isinstance(value, list | tuple) and any(hasattr(v, "__len__") for v in value)
        return nested or getattr(value, "ndim", 0) > 1
    return isinstance(value, list | tuple) or getattr(value, "ndim", 0) > 0


def _is_sequence(value: Any) -> bool:
    return isinstance(value, tuple | list) or getattr(value, "ndim", 0) == 1


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(repr(word) for word in words)
