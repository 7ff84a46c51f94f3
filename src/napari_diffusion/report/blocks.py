"""The parts of a section: text, tables, images, charts. The templates draw each kind one way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from napari_diffusion.report.value_text import cell, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_diffusion.report.chart import Chart
    from napari_diffusion.report.colour_bar import ColourBar
    from napari_diffusion.report.heat_map import HeatMap

_MOST_ROWS = 200

# Longer tables are folded.
_MOST_OPEN = 24


@dataclass(frozen=True)
class Text:
    """Sentences; `role` is "finding", "limits", "note" or "missing"."""

    kind: ClassVar[str] = "text"
    sentences: tuple[str, ...]
    role: str = "finding"
    title: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of text below their names, folded where they are many; `note` says what is left out."""

    kind: ClassVar[str] = "table"
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    @property
    def folded(self) -> bool:
        """Whether only the title is seen at first."""
        return bool(self.title) and len(self.rows) > _MOST_OPEN


@dataclass(frozen=True)
class Figure:
    """An image as a data URI with its caption; `ratio` is its width over its height."""

    kind: ClassVar[str] = "figure"
    uri: str
    ratio: float
    alt: str
    caption: str = ""
    bar: ColourBar | None = None
    sharp: bool = False


@dataclass(frozen=True)
class Comparison:
    """Two images one above the other, with a slider between them."""

    kind: ClassVar[str] = "comparison"
    title: str
    before: Figure
    after: Figure


@dataclass(frozen=True)
class Gallery:
    """Images side by side; `small` ones are thumbnails."""

    kind: ClassVar[str] = "gallery"
    figures: tuple[Figure, ...]
    small: bool = False
    note: str = ""


@dataclass(frozen=True)
class Plots:
    """Charts and heat maps side by side."""

    kind: ClassVar[str] = "plots"
    drawn: tuple[Chart | HeatMap, ...]


@dataclass(frozen=True)
class Verbatim:
    """Text as it is, such as a command or JSON.

    With `folded` only its title is seen at first, and on paper the text if it is `printed`.
    """

    kind: ClassVar[str] = "verbatim"
    text: str
    title: str = ""
    folded: bool = False
    printed: bool = True


Block = Text | Table | Figure | Comparison | Gallery | Plots | Verbatim


@dataclass(frozen=True)
class Section:
    """A part of a report, with the anchor that the contents lead to."""

    anchor: str
    title: str
    blocks: tuple[Block, ...]


def text(sentences: Iterable[str], role: str = "finding", title: str = "") -> tuple[Text, ...]:
    """Return sentences as a block, none without any."""
    said = tuple(shortened(each) for each in sentences if each)
    return (Text(said, role, title),) if said else ()


def table(
    title: str, columns: Iterable[str], rows: Iterable[Iterable[object]], most: int = 200
) -> Table:
    """Return numbers and texts of at most so many characters as a table of at most 200 rows."""
    every = [tuple(cell(each, most) for each in row) for row in rows]
    left = len(every) - _MOST_ROWS
    note = f"{left} further rows are left out." if left > 0 else ""
    return Table(shortened(title), tuple(map(cell, columns)), tuple(every[:_MOST_ROWS]), note)
