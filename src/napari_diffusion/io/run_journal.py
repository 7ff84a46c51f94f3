"""The plan of a run and what it has made so far, in a file that outlives the run."""

from __future__ import annotations

import json
import os
import stat
from typing import TYPE_CHECKING

from napari_diffusion.core.json_text import json_object
from napari_diffusion.io.durability import write_durably
from napari_diffusion.io.full_disk import full_disk_named

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pydantic import JsonValue

    Entry = dict[str, JsonValue]

_PLAN, _NOTE = "plan", "note"

# Some ten thousand steps with long records.
_MOST_BYTES = 1 << 28

# More of a value is not shown.
_MOST_CHARACTERS = 80


class PlanDiffers(ValueError):  # noqa: N818 - it describes the plan
    """A run is to go on with an output that was begun with another plan."""


class RunJournal:
    """A file of lines: the plan, then a note on each thing that is whole.

    A line that is broken, and all behind it, do not count: what they told of is made again.

    Parameters
    ----------
    path : path
        Of the file, which need not be there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.plan: Entry | None = None
        self.notes: list[Entry] = []
        # Where the plan ends, and each note.
        self._ends: list[int] = []

    def read(self) -> None:
        """Read what stands in the file; nothing, if it is none of ours."""
        self.plan, self.notes, self._ends = None, [], []
        for key, entry, end in _lines(self.path):
            if key == _PLAN:
                self.plan = entry
            else:
                self.notes.append(entry)
            self._ends.append(end)

    def begin(self, plan: Mapping[str, JsonValue]) -> None:
        """Write a new file with the plan."""
        line = _line(_PLAN, plan)
        with full_disk_named(self.path.parent):
            write_durably(self.path, line)
        self.plan, self.notes, self._ends = plain(plan), [], [len(line)]

    def note(self, entry: Mapping[str, JsonValue]) -> None:
        """Append a note; it is on the disk when this returns."""
        line = _line(_NOTE, entry)
        start = self._ends[-1]
        with full_disk_named(self.path.parent), self.path.open("r+b") as file:
            file.truncate(start)
            file.seek(start)
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        self.notes.append(plain(entry))
        self._ends.append(start + len(line))

    def keep(self, count: int) -> None:
        """Remove the notes behind the first `count`."""
        del self.notes[count:], self._ends[count + 1 :]
        with self.path.open("r+b") as file:
            file.truncate(self._ends[-1])
            os.fsync(file.fileno())

    def remove(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)
        self.plan, self.notes, self._ends = None, [], []


def check_plan(standing: Mapping[str, JsonValue], plan: Mapping[str, JsonValue]) -> None:
    """Refuse a plan that is not the one of an unfinished run, and name the first difference.

    Raises
    ------
    PlanDiffers
        With the path of the value, what it was and what it is now.
    """
    found = list(_differences(dict(standing), plain(plan), ""))
    if not found:
        return
    more = f" ({len(found) - 1} more differ)" if len(found) > 1 else ""
    raise PlanDiffers(
        f"{found[0]}{more}: run it as before to go on, or --overwrite without --resume starts "
        "again."
    )


def plain(entry: Mapping[str, JsonValue]) -> Entry:
    """Return an entry as it will be read again: tuples are lists then."""
    return dict(json.loads(json.dumps(entry, allow_nan=False)))


def _line(key: str, entry: Mapping[str, JsonValue]) -> bytes:
    return json.dumps({key: entry}, allow_nan=False).encode() + b"\n"


def _lines(path: Path) -> Iterator[tuple[str, Entry, int]]:
    """Yield the whole lines of a journal: plan or note, what it says, and where it ends."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISREG(found.st_mode) or found.st_size > _MOST_BYTES:
        return
    end = 0
    # What stands behind the last end of a line was not written whole.
    for line in path.read_bytes().split(b"\n")[:-1]:
        key = _NOTE if end else _PLAN
        try:
            entry = json_object(line.decode(), "plan").get(key)
        except ValueError:
            return
        if not isinstance(entry, dict):
            return
        end += len(line) + 1
        yield key, entry, end


def _differences(old: JsonValue, new: JsonValue, path: str) -> Iterator[str]:
    """Yield a sentence on each value that differs, by its path."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in {**old, **new}:
            # What is not given stands for nothing.
            yield from _differences(old.get(name), new.get(name), f"{path}.{name}".lstrip("."))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (before, now) in enumerate(zip(old, new, strict=True)):
            yield from _differences(before, now, f"{path}[{index}]")
    elif old != new or isinstance(old, bool) != isinstance(new, bool):
        yield f"{_shown(path)[1:-1]} is {_shown(old)} in the unfinished run and {_shown(new)} now"


def _shown(value: JsonValue) -> str:
    """Return a value in a few characters; JSON shows control characters as numbers."""
    try:
        text = json.dumps(value)
    except RecursionError:
        return "too deep to be shown"
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}…"
