"""The sections of traces: what was read from an image, with its limits beside it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from napari_diffusion.forensics.inspection import ASK, first_remarks, reading_values
from napari_diffusion.forensics.limits import limit_sentences
from napari_diffusion.forensics.reading import NOTHING
from napari_diffusion.records.provenance import versions
from napari_diffusion.report.blocks import (
    Block,
    Figure,
    Gallery,
    Plots,
    Section,
    table,
    text,
)
from napari_diffusion.report.image_sections import MOST_CHANNELS, grey_figure, left_channels
from napari_diffusion.report.shown_part import shown_part
from napari_diffusion.report.study_sections import map_gallery, values_block
from napari_diffusion.report.trace_figures import curve_charts, places_figure, shared_figures
from napari_diffusion.report.value_text import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_diffusion.forensics.inspection import Inspection
    from napari_diffusion.forensics.reading import Reading
    from napari_diffusion.report.inspection_report import InspectionReport
    from napari_diffusion.report.report import Report
    from napari_diffusion.report.shown_part import ShownPart

# Characters of a remark in the table, and the most pairs of images that are drawn.
_MOST_IN_SHORT, _MOST_SHARED = 500, 6

_NOT_READ = "No traces were read: report --trace all reads them."

_LIMITS = (
    "What it is compared with, what it assumes, what was measured, and what else looks the same"
)


def traces_section(report: Report, longest: int) -> Section:
    """Return the section of traces of the report of a run."""
    blocks: list[Block] = []
    for each in report.inspections:
        blocks += [*text([f"Read from {each.name}."], "note"), *inspection_blocks(each, longest)]
    if not blocks:
        blocks += text([report.missing.get("traces", _NOT_READ)], "missing")
    else:
        blocks += [*text([ASK], "limits"), _hashes(report.inspections)]
    return Section("traces", "Traces", tuple(blocks))


def inspection_sections(report: InspectionReport, longest: int) -> list[Section]:
    """Return all sections of the report of images without a run."""
    found = [_summary(report)]
    if report.pairs is not None:
        rows = table(report.pairs.title, report.pairs.columns, report.pairs.rows)
        drawn = _shared(report, longest)
        found.append(Section("pairs", "Image with image", (rows, *drawn)))
    for k, each in enumerate(report.inspections):
        title = f"Traces in {shortened(each.name, 100)}"
        shown = _image(each, longest)
        found.append(Section(f"traces-{k}", title, (*shown, *inspection_blocks(each, longest))))
    rows = table("", ("", "of this report"), versions().items())
    found.append(Section("hashes", "What was inspected", (_hashes(report.inspections),)))
    found.append(Section("versions", "Versions", (rows,)))
    return found


def inspection_blocks(found: Inspection, longest: int) -> list[Block]:
    """Return every reading with its limits, and what could not be read."""
    part = shown_part(found.image.grid, None, found.values, longest)
    blocks: list[Block] = []
    for reading in found.readings:
        blocks += _reading_blocks(found, reading, part)
    left = [(each.trace.display_name, each.why) for each in found.not_read]
    return blocks + [table("Not read", ("trace", "why"), left)] * bool(left)


def _reading_blocks(found: Inspection, reading: Reading, part: ShownPart) -> list[Block]:
    blocks: list[Block] = [*text(first_remarks(reading), title=reading.title)]
    placed = [places_figure(found.values, reading.places, part)] if reading.places else []
    blocks += map_gallery(reading.maps, part, placed)
    if reading.curves:
        blocks.append(Plots(curve_charts(reading.title, reading.curves)))
    blocks += [table(each.title, each.columns, each.rows) for each in reading.tables()]
    blocks += text(limit_sentences(reading.trace), "limits", _LIMITS)
    said = json.dumps(reading_values(reading), indent=1, ensure_ascii=False)
    return [*blocks, values_block(reading.title, said)]


def _summary(report: InspectionReport) -> Section:
    """Return what was read in short: findings in rows, and one row for all that saw nothing."""
    rows = []
    for each in report.inspections:
        said = {reading.title: reading.sentences()[:1] for reading in each.readings}
        nothing = [title for title, first in said.items() if first == (NOTHING,)]
        rows += [(each.name, t, *first) for t, first in said.items() if t not in nothing]
        if nothing:
            rows.append((each.name, ", ".join(nothing), NOTHING))
    blocks: list[Block] = [*text([ASK], "limits")]
    if rows:
        alone = len(report.inspections) == 1
        columns = ("image", "trace", "what was read")[alone:]
        blocks.append(table("", columns, [row[alone:] for row in rows], _MOST_IN_SHORT))
    return Section("summary", "In short", tuple(blocks))


def _shared(report: InspectionReport, longest: int) -> list[Block]:
    """Return pairs of images with the parts that they share, the first ones."""
    named = {each.name: each for each in report.inspections}
    if len(named) < len(report.inspections):  # two files have one name
        return []
    blocks: list[Block] = []
    for each in report.shared[:_MOST_SHARED]:
        both = shared_figures(each, named[each.first], named[each.second], longest)
        blocks.append(Gallery(both, note=f"The part that both share: {each.place.words}."))
    return blocks


def _image(found: Inspection, longest: int) -> list[Block]:
    """Return what was inspected, and the image, channel by channel."""
    values = found.values
    part = shown_part(found.image.grid, None, values, longest)
    figures: list[Figure] = [
        grey_figure(values, part, channel) for channel in range(min(part.channels, MOST_CHANNELS))
    ]
    said = [f"{found.what}.", part.in_words(), *left_channels(part)]
    return [*text([" ".join(filter(None, said))], "note"), Gallery(tuple(figures))]


def _hashes(found: Iterable[Inspection]) -> Block:
    every = [each for one in found for each in (one.inspected, one.reference) if each is not None]
    rows = [(each.name, each.of, each.sha256) for each in dict.fromkeys(every)]
    return table("Hashes (SHA-256)", ("image", "of", "hash"), rows)
