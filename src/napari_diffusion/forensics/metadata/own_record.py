"""The record of this program: how an image was made, and whether it still holds."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from napari_diffusion.forensics.metadata.file_facts import Fact, FileFacts, listed, plain_text

if TYPE_CHECKING:
    from pathlib import Path

    from napari_diffusion.io.step_record import StepRecord

# Characters of the sentence on what was done; those of several steps in series are long.
_MOST = 1000


def record_facts(path: Path) -> FileFacts:
    """Return what the record in or beside a file states; nothing where there is none."""
    from napari_diffusion.io import read_record

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            record = read_record(path)
        except Exception as error:  # whatever a damaged file makes of its reader
            return FileFacts(remarks=(f"A record cannot be read: {plain_text(error)}.",))
    doubts = tuple(plain_text(each.message) for each in said)
    if record is None:
        return FileFacts(remarks=doubts)
    words = f"A record of this program says: {_words(record)}"
    return FileFacts(_facts(record), (words, *_held(path, record), *doubts))


def _facts(record: StepRecord) -> tuple[Fact, ...]:
    found: list[Fact] = [
        ("processed", _words(record)),
        ("source", plain_text(record.get("source", ""))),
        ("step", plain_text(record.get("step", ""))),
        *((f"version of {name}", plain_text(v)) for name, v in record.get("versions", {}).items()),
        *(
            (f"SHA-256 of the {name}", plain_text(v))
            for name, v in record.get("hashes", {}).items()
        ),
    ]
    return listed("record", found)


def _words(record: StepRecord) -> str:
    return plain_text(record.get("processed", "it was processed."), _MOST)


def _held(path: Path, record: StepRecord) -> list[str]:
    """Return sentences on whether record and values are as they were written."""
    from napari_diffusion.io.step_record import seal_holds

    said = []
    if seal_holds(record) is False:
        said.append("The record itself was changed after it was written.")
    written = record.get("hashes", {}).get("output")
    if written is not None and len(record.get("steps", ())) < 2:
        found = _hash(path)
        if found == written:
            said.append("The values are those that the record was written for, by their SHA-256.")
        elif found:
            said.append("The values are not those that the record was written for.")
    return said


def _hash(path: Path) -> str:
    from napari_diffusion.core.merkle_hash import hash_of
    from napari_diffusion.io import read_image

    try:
        source = read_image(path, lazy=True)
        return hash_of(source.image if source.stored is None else source.stored)
    except (OSError, ValueError):
        return ""
