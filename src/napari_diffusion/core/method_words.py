"""How a methods section writes a component: its name and parameters, and what was measured."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from napari_diffusion.core.array_parameter import ArrayParameter
from napari_diffusion.core.citation import Estimate
from napari_diffusion.core.function_parameter import spoken
from napari_diffusion.core.noise_scale import factor_on_auto, factor_on_step
from napari_diffusion.core.parameter import LENGTH_POWERS

if TYPE_CHECKING:
    from napari_diffusion.core.parameter import Parameter

#: Words for a parameter, with {} for its value, or words for each of its values.
Term = str | Mapping[Any, str]

PIXEL = "pixel"

#: What intensities are counted in: arbitrary units.
ARBITRARY = "a.u."

#: Digits of numbers that were typed, and of those that were measured.
DIGITS, MEASURED_DIGITS = 4, 3

# A list of more numbers is given by its ends.
MOST_LISTED = 4

_PLURALS = re.compile(r"((?<![\d.])1 (?:look|pixel|plane|scale))s\b")

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Described(Protocol):
    """What the words need to know of a component."""

    method_name: ClassVar[str]
    estimates: ClassVar[Mapping[str, Estimate]]

    @classmethod
    def parameters(cls) -> tuple[Parameter, ...]:
        """Return the parameters, in the order of the fields."""

    def method_terms(self) -> Mapping[str, Term]:
        """Return the words of the parameters."""

    def method(self, words: MethodWords) -> str:
        """Return the component in words."""


@dataclass(frozen=True)
class MethodWords:
    """Units of an image and what was measured on it, to describe one component.

    Attributes
    ----------
    length : str
        Unit of lengths in the text, such as "µm"; "pixel" where none is known.
    per_length : float
        How many of that unit a length of 1 in the recipe is.
    intensity : str
        What intensities are counted in.
    measured : dict
        What was measured on the image: parameters of the component, nested ones with a dot, and
        what they were asked for as, such as "auto" or "1.5 × auto".
    conditions : frozenset of str
        What holds for the image: see `napari_diffusion.core.citation`.
    once : bool
        Whether the component acts once, and not in every step.
    short : bool
        Leave out how values were measured.
    brief : bool
        Leave the parameters out.
    """

    length: str = PIXEL
    per_length: float = 1.0
    intensity: str = ARBITRARY
    measured: Mapping[str, str] = field(default_factory=dict)
    conditions: frozenset[str] = frozenset()
    once: bool = False
    short: bool = False
    brief: bool = False

    def within(self, name: str, *, brief: bool = False) -> MethodWords:
        """Return the same for the component that a parameter holds."""
        prefix = f"{name}."
        inner = {
            path.removeprefix(prefix): asked
            for path, asked in self.measured.items()
            if path.startswith(prefix)
        }
        return dataclasses.replace(self, measured=inner, brief=self.brief or brief)

    def asked(self, name: str) -> str | None:
        """Return what a parameter, also of a component within, was asked for as, if measured."""
        found = (a for path, a in self.measured.items() if f".{path}".endswith(f".{name}"))
        return next(found, None)

    def noted(self, text: str, estimate: Estimate, several: str = "", asked: str = "auto") -> str:
        """Return words on a measured value and how it was measured, if there is room."""
        how, factor = estimate.how, factor_on_auto(asked)
        if factor not in (None, 1.0):
            return f"{text}, {number(factor)} times that {'estimated' if self.short else how}"
        if self.short and how.startswith("estimated"):
            return f"estimated {text}"
        if not how:
            return text
        return f"{text}{how}" if how.startswith(",") else f"{text}{several} {how}"

    def quantity(self, value: Any, unit: str = "", digits: int = DIGITS) -> str:
        """Return a value with its unit: one number, one per channel, or one per pixel."""
        if (factor := factor_on_step(value)) is not None:
            return f"{number(factor)} times that of the step" if factor != 1 else "that of the step"
        if isinstance(value, ArrayParameter):
            mean = MethodWords.quantity(self, float(value.values.mean()), unit, digits)
            return f"given for each pixel with mean {mean}"
        values = value if isinstance(value, tuple) else (value,)
        power = LENGTH_POWERS.get(unit, 0)
        numbers = [
            number(each * self.per_length**power if power else each, digits) for each in values
        ]
        text = "/".join(numbers)
        if len(numbers) > MOST_LISTED:
            text = f"{numbers[0]} to {numbers[-1]}"
        said = self._unit(unit, one=len(values) == 1 and numbers[0] == "1")
        return f"{text}{'' if said == '°' else ' '}{said}".rstrip()

    def _unit(self, unit: str, *, one: bool) -> str:
        length, intensity = self.length, self.intensity
        return {
            "world": f"{length}s" if length == PIXEL and not one else length,
            "world²": f"{length}²",
            "intensity": intensity,
            "intensity/world": f"{intensity}/{length}",
            "intensity·world": f"{intensity}·{length}",
            "intensity/photon": f"{intensity} per photon",
        }.get(unit, unit)

    def described(self, component: Described) -> str:
        """Return the name of a component with its parameters in brackets."""
        known = {p.name: p for p in component.parameters()}
        inline = re.findall(r"{(\w+)(?::%)?}", component.method_name)
        name = component.method_name
        for each in inline:
            name = name.replace(f"{{{each}}}", self._value(component, known[each]))
            if f"{{{each}:%}}" in name:
                percent = number(100.0 * getattr(component, each))
                name = name.replace(f"{{{each}:%}}", f"{percent}%")
        if self.brief:
            return name
        terms = component.method_terms()
        order = dict.fromkeys(n for n in (*terms, *known) if n in known and n not in inline)
        said = {n: self._term(component, known[n], terms.get(n)) for n in order}
        shown = {n: t.removesuffix(" per step" * self.once) for n, t in said.items() if t}
        return in_brackets(name, self._with_estimates(component, shown))

    def _term(self, component: Described, parameter: Parameter, term: Term | None) -> str:
        """Return a parameter and its value in words, nothing where it has no say."""
        value = getattr(component, parameter.name)
        if isinstance(term, Mapping):
            return term.get(value, "")
        nothing = value is None or value is False or (parameter.unit == "world" and value == 0)
        if term == "" or nothing:
            return ""
        if parameter.kind == "component":
            inner = self.within(parameter.name, brief=True)
            parts = value if isinstance(value, tuple) else (value,)
            words = listed([each.method(inner) for each in parts])
            return (term or f"{parameter.label}: {{}}").format(words)
        if term is None and parameter.kind == "choice":
            return f"{value} {parameter.label}"
        if parameter.kind == "bool":
            return term or parameter.label
        words = (term or f"{parameter.label} {{}}").format(self._value(component, parameter))
        return _PLURALS.sub(r"\1", words)

    def _value(self, component: Described, parameter: Parameter) -> str:
        value = getattr(component, parameter.name)
        if parameter.kind == "function":
            return spoken(value)
        digits = MEASURED_DIGITS if parameter.name in self.measured else DIGITS
        number_kind = parameter.kind not in ("choice", "text")
        return self.quantity(value, parameter.unit, digits) if number_kind else str(value)

    def _with_estimates(self, component: Described, said: dict[str, str]) -> list[str]:
        """Return the words of the parameters, and after them how they were measured."""
        how = {n: component.estimates.get(n, Estimate()) for n in said if n in self.measured}
        words = []
        for name, text in said.items():
            same = [each for each in how if how[each] == how.get(name)]
            last = bool(same) and name == same[-1]
            several = {1: "", 2: ", both"}.get(len(same), ", all")
            noted = last or (name in how and self.short)
            asked = self.measured.get(name, "auto")
            words.append(self.noted(text, how[name], several, asked) if noted else text)
        return words


def in_terms(**words: Term) -> Mapping[str, Term]:
    """Return the words of parameters, for the `terms` of a component."""
    return words


def measured(**how: Estimate) -> Mapping[str, Estimate]:
    """Return how parameters are measured, for the `estimates` of a component."""
    return how


def in_brackets(name: str, terms: list[str]) -> str:
    """Return a name with terms in brackets, within the brackets it may end with."""
    inside = ", ".join(terms)
    if not inside:
        return name
    return f"{name[:-1]}; {inside})" if name.endswith(")") else f"{name} ({inside})"


def number(value: Any, digits: int = DIGITS) -> str:
    """Return a number to some digits, with powers of ten as journals print them."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int) or not math.isfinite(value):
        return str(value).replace("-", "−")
    text = f"{value:.{digits}g}".replace("-", "−")
    mantissa, _, exponent = text.partition("e")
    if not exponent:
        return text
    power = str(int(exponent.replace("−", "-"))).translate(_SUPERSCRIPTS)
    return f"{mantissa} × 10{power}"


def listed(words: list[str]) -> str:
    """Return words as a list: "a, b and c"."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""
