"""A row of a batch: a file, and what has become of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pathlib import Path

#: "skipped": its output was there, of the same run. "refused": nothing of it was begun.
State = Literal["waiting", "running", "done", "skipped", "refused", "failed", "stopped"]

#: The states of files that have no whole output for all that was tried.
BAD: tuple[State, ...] = ("refused", "failed")


@dataclass(frozen=True)
class BatchRow:
    """A file, and what has become of it.

    Attributes
    ----------
    file, output : path
        What is read, and what is written.
    state : str
        "waiting", "running", "done", "skipped", "refused", "failed" or "stopped".
    sentence : str
        What became of it, or why nothing did.
    seconds : float or None
        How long that took.
    noise_sigma : float or None
        Standard deviation of the noise that was measured.
    noise_found : str
        What was found of the noise, in a sentence.
    resolved_on : str
        The name of the file that the recipe was measured on.
    """

    file: Path
    output: Path
    state: State = "waiting"
    sentence: str = ""
    seconds: float | None = None
    noise_sigma: float | None = None
    noise_found: str = ""
    resolved_on: str = ""


def counted(rows: list[BatchRow]) -> str:
    """Return how many rows are in which state, such as "3 done, 1 refused"."""
    states = [row.state for row in rows]
    return ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))


def reason(error: BaseException) -> str:
    """Return what an error says, in one line, with what was noted of it."""
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename!r}: " if error.filename else ""
        text = f"{where}{error.strerror}"
    notes: list[Any] = getattr(error, "__notes__", [])
    return " ".join([text if text.endswith((".", "?", "!")) else f"{text}.", *map(str, notes)])
