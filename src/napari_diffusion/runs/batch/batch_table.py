"""The table of a batch: batch.csv in the folder of its outputs."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import stat
from typing import TYPE_CHECKING, get_args

from napari_diffusion.io.durability import write_durably
from napari_diffusion.io.output_lock import OutputLock
from napari_diffusion.runs.batch.batch_row import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from napari_diffusion.runs.batch.batch_row import BatchRow

#: The name of the table.
NAME = "batch.csv"

COLUMNS = (
    "file", "state", "output", "sentence", "seconds", "noise_sigma", "noise_found", "resolved_on",
)  # fmt: skip

# More rows than anybody has files.
_MOST_BYTES = 1 << 28


class BatchTable:
    """Keeps what became of each file; rows of other batches into the folder stay.

    Parameters
    ----------
    folder : path
        Of the outputs.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self._before: dict[str, dict[str, str]] = {}

    @contextlib.contextmanager
    def owned(self, take_over: bool = False) -> Iterator[None]:
        """Read what stands there, and let no other batch write to it meanwhile.

        Raises
        ------
        OutputInUse
            If another batch runs into this folder.
        FileExistsError
            If the file of that name is none of ours.
        """
        lock = OutputLock(self.path.with_name(f".{NAME}.lock"), self.path, take_over=take_over)
        lock.acquire()
        try:
            self._before = {row["output"]: row for row in self._read()}
            yield
        finally:
            lock.release()

    def before(self, row: BatchRow) -> dict[str, str]:
        """Return what the table said of an output when it was read; empty texts if nothing."""
        return self._before.get(_name(row.output.name), dict.fromkeys(COLUMNS, ""))

    def write(self, rows: Iterable[BatchRow]) -> None:
        """Write the table, whole or not at all."""
        own = {_name(row.output.name): _cells(row) for row in rows}
        text = io.StringIO()
        table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows({**self._before, **own}.values())
        # Names in any bytes come back as they are.
        write_durably(self.path, text.getvalue().encode("utf-8", "surrogateescape"))

    def _read(self) -> list[dict[str, str]]:
        if not os.path.lexists(self.path):
            return []
        found = self.path.lstat()
        if stat.S_ISREG(found.st_mode) and found.st_size <= _MOST_BYTES:
            text = self.path.read_bytes().decode("utf-8", "surrogateescape")
            with contextlib.suppress(csv.Error):
                table = csv.DictReader(io.StringIO(text, newline=""), restval="", restkey="more")
                rows = list(table)
                if tuple(table.fieldnames or ()) == COLUMNS and all(map(_is_ours, rows)):
                    return rows
        raise FileExistsError(
            f"{str(self.path)!r} is no table of a batch, and is not replaced: rename it, or choose "
            "another folder for the outputs."
        )


def _is_ours(row: dict[str, str]) -> bool:
    return "more" not in row and row["state"] in get_args(State)


def _cells(row: BatchRow) -> dict[str, str]:
    cells = (
        _name(str(row.file)), row.state, _name(row.output.name), row.sentence,
        _number(row.seconds, ".1f"), _number(row.noise_sigma, ".6g"), row.noise_found,
        _name(row.resolved_on),
    )  # fmt: skip
    return dict(zip(COLUMNS, cells, strict=True))


def _name(path: str) -> str:
    """Return a path that no spreadsheet takes for a formula."""
    return f"./{path}" if path.startswith(("=", "+", "-", "@", "\t", "\r")) else path


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
