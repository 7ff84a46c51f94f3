"""What was read from an image, as a terminal shows it: each reading with its limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_diffusion.cli.study_text import sentence_lines, table_lines
from napari_diffusion.forensics.inspection import first_remarks
from napari_diffusion.forensics.limits import limit_sentences

if TYPE_CHECKING:
    from napari_diffusion.forensics.inspection import Inspection
    from napari_diffusion.forensics.reading import Reading


def inspection_text(found: Inspection, short: bool = False) -> str:
    """Return what was read; `short` leaves out the tables, but never the limits."""
    lines = [found.name, f"  {found.what}", f"  SHA-256 of the {_hash(found)}"]
    for reading in found.readings:
        lines += ["", *_reading(reading, short)]
    if found.not_read:
        why = [f"{each.trace.display_name}: {each.why}" for each in found.not_read]
        lines += ["", "Not read", *sentence_lines(why)]
    return "\n".join(lines)


def _hash(found: Inspection) -> str:
    return f"{found.inspected.of} {found.inspected.sha256}"


def _reading(reading: Reading, short: bool) -> list[str]:
    lines = [reading.title, *sentence_lines(first_remarks(reading))]
    for table in () if short else reading.tables():
        lines += ["", *table_lines(table), ""]
    return lines + sentence_lines(limit_sentences(reading.trace))
