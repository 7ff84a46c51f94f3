"""What a study found, as a terminal shows it: sentences, tables, and limits."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from napari_diffusion.core.readable_name import readable_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_diffusion.analysis.study_result import StudyResult
    from napari_diffusion.core.results import ResultTable

_WIDTH, _LONGEST = 100, 200


def study_text(result: StudyResult, short: bool = False) -> str:
    """Return what a study found; `short` leaves out the tables and the limits."""
    heading = f"{result.title}, step {result.step}"
    parts = [heading, *sentence_lines(result.sentences())]
    if not short:
        for table in result.tables():
            parts += ["", *table_lines(table)]
        parts += ["", *sentence_lines(result.limits())]
    return "\n".join(parts)


def sentence_lines(sentences: Sequence[str]) -> list[str]:
    """Return sentences in lines that are not too long."""
    return [
        line
        for sentence in sentences
        for line in textwrap.wrap(sentence, _WIDTH, initial_indent="  ", subsequent_indent="    ")
    ]


def table_lines(table: ResultTable) -> list[str]:
    """Return the rows beneath the names of the columns, numbers to the right."""
    cells = [[_cell(value) for value in row] for row in table.rows]
    widths = [max(map(len, column)) for column in zip(table.columns, *cells, strict=True)]
    numbers = [
        not any(isinstance(row[place], str) for row in table.rows) for place in range(len(widths))
    ]

    def line(row: Sequence[str]) -> str:
        padded = (
            text.rjust(width) if number else text.ljust(width)
            for text, width, number in zip(row, widths, numbers, strict=True)
        )
        return f"  {'  '.join(padded)}".rstrip()

    return [f"  {table.title}", *map(line, [table.columns, *cells])]


def _cell(value: str | float) -> str:
    if isinstance(value, str):
        # What a file says may be as long as somebody wanted, and have lines of its own.
        return readable_name(value if len(value) <= _LONGEST else f"{value[: _LONGEST - 1]}…")
    return "–" if value != value else f"{value:.4g}"
