"""A numpydoc docstring, taken apart for a page."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field

_HEADING = re.compile(r"^(?P<title>[A-Z][A-Za-z ]+)\n-{3,}\n", re.MULTILINE)
_TABLE = re.compile(
    r"^(?P<rule>=+(?: +=+)+)\n(?P<head>.+)\n(?P=rule)\n(?P<rows>(?:.+\n)+?)(?P=rule)$", re.M
)
_ENTRY = re.compile(r"^(?P<names>[\w*]+(?:, [\w*]+)*)(?: : (?P<type>.+))?$")


@dataclass(frozen=True)
class Docstring:
    """The parts of a docstring.

    Attributes
    ----------
    summary : str
        Its first sentence.
    body : str
        What follows, up to the first section.
    sections : dict of str to str
        The text under each underlined heading.
    """

    summary: str
    body: str
    sections: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, documented: object) -> Docstring:
        """Take the docstring of a class or function apart."""
        text = inspect.cleandoc(getattr(documented, "__doc__", None) or "") + "\n"
        pieces = _HEADING.split(text)
        summary, _, body = pieces[0].partition("\n")
        titles, texts = pieces[1::2], pieces[2::2]
        sections = {t: x.strip() for t, x in zip(titles, texts, strict=True)}
        return cls(summary.strip(), body.strip(), sections)

    @property
    def text(self) -> str:
        """The body with its tables as Markdown."""
        return _TABLE.sub(_markdown_table, self.body)

    @property
    def formula(self) -> str:
        """The formula: the first piece of code of the body, or nothing."""
        found = re.search(r"``(.+?)``", self.body, re.DOTALL)
        return " ".join(found[1].split()) if found else ""

    def entries(self, title: str) -> dict[str, str]:
        """Return the texts under the names that a section such as Parameters lists."""
        found: dict[str, list[str]] = {}
        names: list[str] = []
        for line in self.sections.get(title, "").splitlines():
            entry = None if line.startswith(" ") else _ENTRY.match(line)
            if entry:
                names = entry["names"].split(", ")
                found.update((name, []) for name in names)
            else:
                for name in names:
                    found[name].append(line.strip())
        return {name: " ".join(lines).strip() for name, lines in found.items()}

    def references(self) -> list[str]:
        """Return the references, each of which ends with a full stop at a line's end."""
        lines = self.sections.get("References", "").split("\n")
        found, current = [], ""
        for line in lines:
            current = f"{current} {line}".strip()
            if line.endswith("."):
                found.append(current)
                current = ""
        return found + [current] * bool(current)


def _markdown_table(found: re.Match[str]) -> str:
    """Turn a table drawn with lines of = into one drawn with bars."""
    columns = [part.span() for part in re.finditer("=+", found["rule"])]
    edges = [
        (a, columns[i + 1][0] if i + 1 < len(columns) else None) for i, (a, _) in enumerate(columns)
    ]
    lines = [found["head"], *found["rows"].splitlines()]
    cells = [[line[a:b].strip().replace("|", "&#124;") for a, b in edges] for line in lines]
    cells.insert(1, ["---"] * len(columns))
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)
