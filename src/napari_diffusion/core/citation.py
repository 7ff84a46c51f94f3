"""The works a component cites, each tied to the option that uses it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

#: Options of `Cite` that an image decides: it has red, green and blue, or a mask.
COLOUR, MASKED = "colour", "masked"


@dataclass(frozen=True)
class Cite:
    """A work, and when it counts.

    Attributes
    ----------
    key : str
        Of the work in the table of references.
    option : str
        Parameter that decides, `COLOUR` or `MASKED`; empty: always.
    values : tuple
        Values of the parameter that use the work; empty: any but None, False and 0.
    """

    key: str
    option: str = ""
    values: tuple[Any, ...] = ()

    def holds(self, component: object, conditions: frozenset[str]) -> bool:
        """Return whether a component uses the work on an image that meets some conditions."""
        if not self.option:
            return True
        if self.option in (COLOUR, MASKED):
            return self.option in conditions
        value = getattr(component, self.option)
        return value in self.values if self.values else bool(value)


@dataclass(frozen=True)
class Estimate:
    """How an automatic value is measured on an image.

    Attributes
    ----------
    how : str
        A few words that go on after the value; empty where it is not measured but chosen.
    cites : tuple of str
        Keys of the works that describe it.
    """

    how: str = "estimated from the image"
    cites: tuple[str, ...] = ()


NOISE = Estimate("estimated from the smoothest 8×8 windows", ("ponomarenko2007",))
FROM_NOISE = Estimate("estimated from the image noise", NOISE.cites)
CONTRAST = Estimate("estimated from the image gradients", ("black1998",))
MEAN = Estimate(", the mean")
EXTREME = Estimate("taken from the extremes of the image")
CHOSEN = Estimate("")
