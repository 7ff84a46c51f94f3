"""The sections of traces: what was read from an image, with its limits beside it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from napari_diffusion.forensics.inspection import ASK, reading_values
from napari_diffusion.forensics.limits import limit_sentences
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
from napari_diffusion.report.image_sections import MOST_CHANNELS, grey_figure
from napari_diffusion.report.shown_part import shown_part
from napari_diffusion.report.study_sections import map_gallery, values_block
from napari_diffusion.report.trace_figures import curve_charts, places_figure
from napari_diffusion.report.value_text import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_diffusion.forensics.inspection import Inspection
    from napari_diffusion.forensics.reading import Reading
    from napari_diffusion.report.inspection_report import InspectionReport
    from napari_diffusion.report.report import Report
    from napari_diffusion.report.shown_part import ShownPart

_NOT_READ = "No traces were read: report --trace all reads them."

_LIMITS = "What it is compared with, what it assumes, and what else looks the same"


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
        found.append(Section("pairs", "Image with image", (rows,)))
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
    blocks: list[Block] = [*text(reading.sentences(), title=reading.title)]
    placed = [places_figure(found.values, reading.places, part)] if reading.places else []
    blocks += map_gallery(reading.maps, part, placed)
    if reading.curves:
        blocks.append(Plots(curve_charts(reading.title, reading.curves)))
    blocks += [table(each.title, each.columns, each.rows) for each in reading.tables()]
    blocks += text(limit_sentences(reading.trace), "limits", _LIMITS)
    said = json.dumps(reading_values(reading), indent=1, ensure_ascii=False)
    return [*blocks, values_block(reading.title, said)]


def _summary(report: InspectionReport) -> Section:
    rows = [
        (each.name, reading.title, *reading.sentences()[:1])
        for each in report.inspections
        for reading in each.readings
    ]
    blocks: list[Block] = [*text([ASK], "limits")]
    if rows:
        blocks.append(table("", ("image", "trace", "what was read"), rows))
    return Section("summary", "In short", tuple(blocks))


def _image(found: Inspection, longest: int) -> list[Block]:
    """Return the image that was inspected, channel by channel."""
    values = found.values
    part = shown_part(found.image.grid, None, values, longest)
    figures: list[Figure] = [
        grey_figure(values, part, channel) for channel in range(min(part.channels, MOST_CHANNELS))
    ]
    return [*text([part.in_words()], "note"), Gallery(tuple(figures))]


def _hashes(found: Iterable[Inspection]) -> Block:
    every = [each for one in found for each in (one.inspected, one.reference) if each is not None]
    rows = [(each.name, each.of, each.sha256) for each in dict.fromkeys(every)]
    return table("Hashes (SHA-256)", ("image", "of", "hash"), rows)
