"""The works to cite for a record, as text and as BibTeX."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass, fields
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from napari_diffusion.core.citation import NOISE
from napari_diffusion.records.bibtex import entry
from napari_diffusion.records.methods_paragraph import noise_was_measured, parts_used, words_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_diffusion.io.step_record import StepRecord

#: Fields that an entry must have, by its type.
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "article": ("authors", "title", "journal", "year"),
    "inproceedings": ("authors", "title", "booktitle", "year"),
    "incollection": ("authors", "title", "booktitle", "publisher", "year"),
    "book": ("title", "publisher", "year"),
    "phdthesis": ("authors", "title", "school", "year"),
    "misc": ("title",),
}


@dataclass(frozen=True, kw_only=True)
class Work:
    """A published work; what could not be confirmed is empty.

    Attributes
    ----------
    key : str
        Of its BibTeX entry.
    type : str
        BibTeX's type, such as "article".
    authors, editors : tuple of str
        "Family name, given names" each.
    """

    key: str
    type: str
    title: str
    authors: tuple[str, ...] = ()
    editors: tuple[str, ...] = ()
    year: int = 0
    journal: str = ""
    booktitle: str = ""
    school: str = ""
    series: str = ""
    volume: str = ""
    number: str = ""
    pages: str = ""
    publisher: str = ""
    doi: str = ""
    eprint: str = ""
    archive: str = ""
    url: str = ""
    note: str = ""

    def text(self) -> str:
        """Return the reference as a list of references prints it."""
        names = " and ".join(filter(None, (", ".join(_short(self)[:-1]), _short(self)[-1])))
        numbers = self.volume + (f"({self.number})" if self.number else "")
        numbers = f"{self.series} {numbers}".strip()
        where = ", ".join(
            filter(None, (self.journal or self.booktitle or self.school, numbers, self.pages))
        )
        where = (
            where
            or self.publisher
            or self.url
            or self.note
            or f"{self.archive}:{self.eprint}".strip(":")
        )
        link = f" doi:{self.doi}." if self.doi else ""
        year = f" ({self.year})" if self.year else ""
        return f"{names}{year}. {self.title}. {where}.{link}".replace(". .", ".")


@functools.cache
def works() -> Mapping[str, Work]:
    """Return all works that are named anywhere in napari-diffusion, by their keys."""
    text = files("napari_diffusion.records").joinpath("works.toml").read_text("utf-8")
    tables: dict[str, dict[str, Any]] = tomllib.loads(text)
    lists = ("authors", "editors")
    for kept in tables.values():
        kept.update({name: tuple(kept[name]) for name in lists if name in kept})
    return {key: Work(key=key, **kept) for key, kept in tables.items()}


def references(record: StepRecord) -> tuple[Work, ...]:
    """Return the works behind what was used to make the image of a record.

    Each is tied to the option that uses it: a conductance, a solver, an estimate, colours.
    """
    keys: list[str] = []
    for place, component in parts_used(record):
        keys += component.works(words_for(record, place))
    if noise_was_measured(record):
        keys += NOISE.cites
    return tuple(works()[key] for key in dict.fromkeys(keys))


def software(record: StepRecord) -> Work:
    """Return the entry of napari-diffusion itself."""
    return Work(
        key="napari_diffusion",
        type="misc",
        authors=("{The napari-diffusion developers}",),
        title="napari-diffusion",
        note=f"Version {record['versions']['napari-diffusion']}",
    )


def bibtex(record: StepRecord) -> str:
    """Return the references of a record, and napari-diffusion itself, as BibTeX."""
    return "\n".join(entry(each.type, each.key, _entries(each)) for each in cited(record))


def cited(record: StepRecord) -> tuple[Work, ...]:
    """Return napari-diffusion and the references of a record."""
    return (software(record), *references(record))


def _entries(work: Work) -> dict[str, str]:
    """Return the fields of a BibTeX entry by their names there."""
    named = {"authors": "author", "editors": "editor", "archive": "archiveprefix"}
    found: dict[str, str] = {}
    for each in fields(work):
        value = getattr(work, each.name)
        if each.name not in ("key", "type") and value:
            text = " and ".join(value) if isinstance(value, tuple) else str(value)
            found[named.get(each.name, each.name)] = text
    return found


def _short(work: Work) -> list[str]:
    """Return the names of the authors with initials."""
    short = []
    for name in work.authors or work.editors:
        family, _, given = name.partition(", ")
        initials = "".join(part[0] for part in given.replace("-", " ").split())
        short.append(f"{family.strip('{}')} {initials}".strip())
    return short
