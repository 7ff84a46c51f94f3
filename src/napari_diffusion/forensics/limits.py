"""What a trace is compared with, what it assumes, how often it errs, and what looks the same."""

from __future__ import annotations

import functools
import itertools
import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_diffusion.forensics.trace_facts import Null, TraceFacts

#: What the values of a trace are compared with, by its null.
NULL_WORDS: dict[Null, str] = {
    "a-contrario": "Compared with chance: the number of false alarms says how many such places "
    "chance gives in an image of this size.",
    "reference": "Compared with the reference.",
    "same image": "Compared with the rest of the same image: values are ranks in it, and no "
    "probabilities.",
    "none": "Compared with nothing: it shows what is there.",
}

_SAME = "What else looks the same: "

_NOT_MEASURED = "How often untouched images show the same has not been measured."


def limit_sentences(trace: TraceFacts | type[TraceFacts]) -> tuple[str, ...]:
    """Return the limits of a reading of this trace, which stand beside it wherever it is shown."""
    same = (f"{_SAME}{each}" for each in trace.misleads)
    return (*_basis(trace), *_measured_words(trace), *same)


def limits_text(trace: TraceFacts | type[TraceFacts]) -> str:
    """Return them in two paragraphs, for where there is little room; of changes nothing."""
    same = f"\n{_SAME}{' '.join(trace.misleads)}" if trace.misleads else ""
    return " ".join((*_basis(trace), *_measured_words(trace)[:1])) + same


def measured(trace: TraceFacts | type[TraceFacts]) -> dict[str, list[dict[str, Any]]]:
    """Return what was measured of a trace: "untouched" and "changed" images, each with figures.

    A figure has ``what, saved, photographs, low, high, version``, and ``found`` and ``of``, whose
    share the interval of 95 % is of, or ``value``. Empty where nothing was measured.
    """
    cls = trace if isinstance(trace, type) else type(trace)
    return _table().get(cls.__name__, {})


def _basis(trace: TraceFacts | type[TraceFacts]) -> tuple[str, ...]:
    """Return what a trace is compared with, and what it assumes."""
    assumed = (f"Assumed: {trace.assumes}",) if trace.assumes else ()
    return (NULL_WORDS[trace.null], *assumed)


def _measured_words(trace: TraceFacts | type[TraceFacts]) -> tuple[str, ...]:
    """Return sentences on untouched images first, then on changed ones."""
    found = measured(trace)
    if not found and trace.null == "none":
        return ()
    untouched, changed = found.get("untouched"), found.get("changed")
    said = [_untouched_words(untouched) if untouched else _NOT_MEASURED]
    if changed:
        seen = _all(changed)
        chance = " An AUC of 1 tells all apart, and 0.5 is chance." if "AUC" in seen else ""
        said.append(f"Measured on known changes. {seen}{chance}")
    return tuple(said)


def _untouched_words(figures: Sequence[dict[str, Any]]) -> str:
    count = max(each["photographs"] for each in figures)
    versions = ", ".join(dict.fromkeys(each["version"] for each in figures))
    return (
        f"Measured with version {versions} and default settings on {count} untouched photographs; "
        f"in brackets intervals of 95 %. {_all(figures)}"
    )


def _all(figures: Sequence[dict[str, Any]]) -> str:
    groups = itertools.groupby(figures, lambda each: each["what"])
    return " ".join(f"{what}: {', '.join(map(_one, some))}." for what, some in groups)


def _one(figure: dict[str, Any]) -> str:
    low, high, saved = figure["low"], figure["high"], figure["saved"]
    if "of" in figure:
        share = f"{100 * low:.0f} … {100 * high:.0f} %"
        return f"{figure['found']} of {figure['of']} as {saved} ({share})"
    return f"{figure['value']:.2f} as {saved} ({low:.2f} … {high:.2f})"


@functools.cache
def _table() -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Return what `benchmarks.traces` measured; it writes the file."""
    text = files("napari_diffusion.forensics").joinpath("measured.json").read_text("utf-8")
    found: dict[str, dict[str, list[dict[str, Any]]]] = json.loads(text)
    return found
