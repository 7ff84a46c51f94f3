"""The sections that say how a result was made, and how that can be checked."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from napari_diffusion.core.units import symbol, unit_name
from napari_diffusion.records.methods_paragraph import legend, paragraph
from napari_diffusion.records.provenance import versions
from napari_diffusion.records.references import cited
from napari_diffusion.report.blocks import (
    Block,
    Section,
    Verbatim,
    table,
    text,
)
from napari_diffusion.report.image_sections import step_words
from napari_diffusion.report.value_text import cell, shortened

if TYPE_CHECKING:
    from napari_diffusion.io.step_record import StepRecord
    from napari_diffusion.report.report import Report

_LONGEST_RECORD = 400_000

_SAVE_FIRST = (
    "The steps of this report were layers in napari. Save them as OME-Zarr or OME-TIFF: the files "
    "hold their records and hashes, and this command checks them and replays the run."
)
_REPLAYS = (
    "This command checks every hash of the result, runs the recipe again on the source, and says "
    "whether it makes the same steps, bit for bit."
)


def summary(report: Report) -> Section:
    """Return what was done in a few lines."""
    record, grid = report.result.record, report.grid
    sizes = " × ".join(str(size) for size in report.result.values.shape)
    spacing = " × ".join(cell(length) for length in grid.spacing)
    unit = symbol(unit_name(record.get("grid", {}).get("unit")))
    rows = [
        ("source", report.source_name),
        ("result", report.name),
        ("image", f"{sizes} pixels ({grid.axes}{', colours' if grid.rgb else ''})"),
        ("pixel size", f"{spacing} {unit} ({grid.along})"),
        ("shown", step_words(record)),
    ]
    if ends := record.get("region"):
        where = ", ".join(f"{start}:{stop}" for start, stop in ends)
        rows.append(("region of the source", where))
    blocks: list[Block] = [
        *text([record.get("processed", "")]),
        table("", ("", ""), rows),
        *text(report.notes, "note"),
        *text(
            f"{each.title}: {first}" for each in report.studies for first in each.sentences()[:1]
        ),
    ]
    return Section("summary", "In short", tuple(blocks))


def methods_section(report: Report) -> Section:
    """Return the paragraph for a methods section, the legend and the references."""
    try:
        said = paragraph(report.result.record)
        figure = legend(report.result.record)
        works = tuple(each.text() for each in cited(report.result.record))
    except (ValueError, TypeError, KeyError) as error:
        missing = text([f"The record cannot be put into words: {error}"], "missing")
        return Section("methods", "For the methods section of a paper", missing)
    blocks = (
        *text([said], "quotation"),
        *text([figure], "quotation", "For a figure legend"),
        *text(works, "references", "References"),
    )
    return Section("methods", "For the methods section of a paper", blocks)


def record_section(report: Report) -> Section:
    """Return the record of the result as JSON, and a table of the kept steps."""
    record = report.result.record
    try:
        said = json.dumps(record, indent=1, ensure_ascii=False, default=str)
    except RecursionError:
        said = "The record is nested too deep to be shown."
    blocks: list[Block] = []
    if len(said) > _LONGEST_RECORD:
        said = shortened(said, _LONGEST_RECORD)
        blocks += text(["The record is too long for a page; the rest is in the result."], "note")
    blocks.append(Verbatim(said, "The record of the result (JSON)", folded=True))
    return Section("record", "The record", tuple(blocks))


def verify_section(report: Report) -> Section:
    """Return how the result can be checked, and the hashes."""
    record = report.result.record
    name = report.name if report.in_files else "RESULT.ome.zarr"
    source = report.source_name if report.in_files else "SOURCE"
    command = f"napari-diffusion verify {_word(name)} --input {_word(source)}"
    return Section(
        "verify",
        "Check it yourself",
        (
            *text([_REPLAYS if report.in_files else _SAVE_FIRST]),
            Verbatim(command),
            *text(report.checks),
            *_hashes(report, record),
        ),
    )


def versions_section(report: Report) -> Section:
    """Return the versions that the bits depend on, of the run and of this report."""
    made, now = report.result.record.get("versions", {}), versions()
    names = dict.fromkeys([*made, *now])
    rows = [(name, made.get(name, "–"), now.get(name, "–")) for name in names]
    columns = ("", "of the run", "of this report")
    return Section("versions", "Versions", (table("", columns, rows),))


def _hashes(report: Report, record: StepRecord) -> list[Block]:
    """Return the hashes of the source, the steps and the record."""
    rows = [("source", record.get("hashes", {}).get("input"))]
    rows += [
        (step_words(step.record), step.record.get("hashes", {}).get("output"))
        for step in report.steps
    ]
    rows.append(("record of the result", record.get("record_sha256")))
    known = [row for row in rows if row[1]]
    return [table("Hashes (SHA-256)", ("of", "hash"), known)] if known else []


def _word(name: str) -> str:
    """Return a file name as one word of a command."""
    # A name that begins with a minus would be an option.
    said = shortened(name, 200)
    return shlex.quote(f"./{said}" if said.startswith("-") else said)
