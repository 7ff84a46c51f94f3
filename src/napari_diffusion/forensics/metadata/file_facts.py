"""Facts that a file states, as text that every screen can show."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_diffusion.core.readable_name import readable_name

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Fact = tuple[str, str]

#: Stands behind the name of what should not be published.
PRIVATE = " (private)"

#: Longer files are no photos: their metadata are not read.
LONGEST = 1 << 30

# So many characters of a text, and so many facts of one kind, are shown.
_CHARACTERS, _FACTS = 200, 100


@dataclass(frozen=True, eq=False)
class FileFacts:
    """What one kind of metadata states.

    Attributes
    ----------
    facts : tuple of (str, str)
        Name and text.
    remarks : tuple of str
        Sentences on them.
    hints : tuple of str
        What was not read, and how it could be.
    thumbnail : ndarray or None
        Brightness of an embedded small image, upright.
    """

    facts: tuple[Fact, ...] = ()
    remarks: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    thumbnail: NDArray[np.float64] | None = None

    def __add__(self, other: FileFacts) -> FileFacts:
        first = other.thumbnail if self.thumbnail is None else self.thumbnail
        hints = self.hints + other.hints
        return FileFacts(self.facts + other.facts, self.remarks + other.remarks, hints, first)


def plain_text(value: Any, most: int = _CHARACTERS) -> str:
    """Return a value of a file as one short line, without control and direction characters."""
    if isinstance(value, bytes):
        value = value[: 4 * most].decode("utf-8", "replace")
    text = value[: 4 * most] if isinstance(value, str) else str(value)[: 4 * most]
    text = "".join(each for each in readable_name(text) if unicodedata.category(each) != "Cf")
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"


def listed(kind: str, found: list[Fact]) -> tuple[Fact, ...]:
    """Return named facts that have a text, with their kind before the name; the first of many."""
    known = [(f"{kind}: {plain_text(name)}", text) for name, text in found[:_FACTS] if text]
    rest = len(found) - _FACTS
    return (*known, *([(kind, f"{rest} more")] if rest > 0 else []))
