"""What a trace reads from an image: maps, curves, places, numbers and remarks, and no verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_diffusion.core.results import ResultMap, ResultTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.forensics.trace_facts import TraceFacts

#: The remark of a reading that shows nothing.
NOTHING = "Nothing that this method can see."


@dataclass(frozen=True, eq=False)
class TraceMap(ResultMap):
    """A map, and values of the same kind where the trace is known or assumed to be absent.

    Attributes
    ----------
    null : ndarray or None
        Such values, flat; the histogram that a value of the map is compared with.
    null_words : str
        Where they come from, such as "the same image" or "the reference".
    """

    null: NDArray[Any] | None = None
    null_words: str = ""


@dataclass(frozen=True)
class Curve:
    """One line of a plot.

    Attributes
    ----------
    name, x_label, y_label : str
        What is shown, and the labels of the axes with units. Curves with equal labels share a plot.
    x, y : tuple of float
    is_null : bool
        Whether it shows what is expected where the trace is absent.
    """

    name: str
    x_label: str
    y_label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    is_null: bool = False


@dataclass(frozen=True, eq=False)
class Place:
    """A part of an image where a trace is, or two parts that belong together.

    Attributes
    ----------
    outline : ndarray, shape (corners, 2)
        Polygon in the plane, y and x in pixels.
    plane : tuple of int
        Index of the plane along the axes before y and x; empty for a single plane.
    log10_nfa : float or None
        Logarithm of the number of false alarms: how many such places chance gives in this image.
        Only where the null of the trace is a-contrario.
    words : str
        What is there, such as "mirrored, turned by 90°".
    partner : ndarray or None
        Polygon of the other part, of a pair.
    partner_image : str
        Where the partner lies: empty for the same image, "reference" for the reference.
    partner_plane : tuple of int
        As `plane`, of the partner.
    """

    outline: NDArray[Any]
    plane: tuple[int, ...] = ()
    log10_nfa: float | None = None
    words: str = ""
    partner: NDArray[Any] | None = None
    partner_image: str = ""
    partner_plane: tuple[int, ...] = ()


@dataclass(frozen=True)
class Number:
    """A measured number with its 95 % interval; NaN where there is none.

    Attributes
    ----------
    name : str
        With its unit, such as "diffusion time (pixels²)".
    value, low, high : float
    words : str
        What it is compared with, such as "untouched images have 0 to 0.4".
    """

    name: str
    value: float
    low: float = math.nan
    high: float = math.nan
    words: str = ""


@dataclass(frozen=True, eq=False)
class Reading:
    """What a trace read from one image. It has no field for a verdict.

    Attributes
    ----------
    trace : Trace
        What was read.
    maps : tuple of TraceMap
        The most telling first.
    curves : tuple of Curve
    places : tuple of Place
    numbers : tuple of Number
    facts : tuple of (str, str)
        What a file says, by name, such as ("EXIF: Software", "GIMP 2.10"); not measured.
    remarks : tuple of str
        Findings in careful sentences, the most telling first; "Nothing that this method can see."
        where there is nothing.
    """

    trace: TraceFacts
    maps: tuple[TraceMap, ...] = ()
    curves: tuple[Curve, ...] = ()
    places: tuple[Place, ...] = ()
    numbers: tuple[Number, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Name of the trace."""
        return self.trace.display_name

    def sentences(self) -> tuple[str, ...]:
        """Return the remarks."""
        return self.remarks

    def limits(self) -> tuple[str, ...]:
        """Return what the trace assumes, and what else looks the same."""
        return (self.trace.assumes, *self.trace.misleads)

    def tables(self) -> tuple[ResultTable, ...]:
        """Return the numbers, the places and the facts."""
        found = []
        if self.numbers:
            rows = tuple((n.name, n.value, n.low, n.high, n.words) for n in self.numbers)
            columns = ("number", "value", "95 % from", "to", "compared with")
            found.append(ResultTable("Numbers", columns, rows))
        if self.places:
            found.append(ResultTable("Places", ("place", "centre (y, x)", "log₁₀ of the number of "
                                     "false alarms"), tuple(map(_row, self.places))))  # fmt: skip
        if self.facts:
            found.append(ResultTable("Facts", ("fact", "in the file"), self.facts))
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; no NaN, no maps."""
        return {
            "trace": type(self.trace).__name__,
            "null": self.trace.null,
            "remarks": list(self.remarks),
            "limits": list(self.limits()),
            "numbers": [
                {"name": n.name, "words": n.words}
                | {k: _plain(getattr(n, k)) for k in ("value", "low", "high")}
                for n in self.numbers
            ],
            "places": [_place(each) for each in self.places],
            "facts": [{"name": name, "text": text} for name, text in self.facts],
        }


def _row(place: Place) -> tuple[str, str, float]:
    y, x = place.outline.mean(axis=0)
    nfa = math.nan if place.log10_nfa is None else place.log10_nfa
    return place.words, f"{y:.0f}, {x:.0f}", nfa


def _plain(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _place(place: Place) -> dict[str, Any]:
    return {
        "outline": place.outline.tolist(),
        "plane": list(place.plane),
        "log10_nfa": None if place.log10_nfa is None else _plain(place.log10_nfa),
        "words": place.words,
        "partner": None if place.partner is None else place.partner.tolist(),
        "partner_image": place.partner_image,
        "partner_plane": list(place.partner_plane),
    }
