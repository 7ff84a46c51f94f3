"""What a trace is compared with, what it assumes, and what else looks the same, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_diffusion.forensics.trace_facts import Null, TraceFacts

#: What the values of a trace are compared with, by its null.
NULL_WORDS: dict[Null, str] = {
    "a-contrario": "Compared with chance: the number of false alarms says how many such places "
    "chance gives in an image of this size.",
    "reference": "Compared with the reference.",
    "same image": "Compared with the rest of the same image: values are ranks in it, and no "
    "probabilities.",
    "none": "Compared with nothing: it is a view of the image.",
}

_SAME = "What else looks the same: "


def limit_sentences(trace: TraceFacts | type[TraceFacts]) -> tuple[str, ...]:
    """Return the limits of a reading of this trace, which stand beside it wherever it is shown."""
    return (*_basis(trace), *(f"{_SAME}{each}" for each in trace.misleads))


def limits_text(trace: TraceFacts | type[TraceFacts]) -> str:
    """Return the same as `limit_sentences` in two paragraphs, for where there is little room."""
    same = f"\n{_SAME}{' '.join(trace.misleads)}" if trace.misleads else ""
    return " ".join(_basis(trace)) + same


def _basis(trace: TraceFacts | type[TraceFacts]) -> tuple[str, ...]:
    """Return what a trace is compared with, and what it assumes."""
    assumed = (f"Assumed: {trace.assumes}",) if trace.assumes else ()
    return (NULL_WORDS[trace.null], *assumed)
