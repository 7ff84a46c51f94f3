"""Writes a report as one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import functools
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_diffusion.io.durability import write_durably
from napari_diffusion.io.full_disk import full_disk_named
from napari_diffusion.report.blocks import Section, text
from napari_diffusion.report.image_sections import before_and_after, every_step, residual_blocks
from napari_diffusion.report.inspection_report import InspectionReport
from napari_diffusion.report.noise_section import noise_section
from napari_diffusion.report.palette import stops
from napari_diffusion.report.record_sections import (
    methods_section,
    record_section,
    summary,
    verify_section,
    versions_section,
)
from napari_diffusion.report.shown_part import LONGEST_SIDE, shown_part
from napari_diffusion.report.study_sections import (
    further_sections,
    studies_of,
    study_blocks,
    study_section,
)
from napari_diffusion.report.trace_sections import inspection_sections, traces_section
from napari_diffusion.report.value_text import shortened

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

    from jinja2 import Environment

    from napari_diffusion.report.report import Report
    from napari_diffusion.report.shown_part import ShownPart

#: The largest report in bytes.
MOST_BYTES = 20_000_000

# The studies that have a place of their own, by the name of their class.
_REMOVED, _SURVIVAL, _NULL = "RemovedStructure", "FeatureSurvival", "NullTest"


def write_report(
    path: str | PathLike[str], report: Report | InspectionReport, *, overwrite: bool = False
) -> Path:
    """Write a report as one HTML file, which no other file and no network is needed for.

    Parameters
    ----------
    path : path
        Ends in .html or .htm; it is there whole or not at all.
    report : Report
        See `report_of_result` and `report_of_steps`; or an `InspectionReport`.
    overwrite : bool
        Replace a file that is there.

    Returns
    -------
    Path
        Of the file.

    Raises
    ------
    ValueError
        If the name does not end in .html or .htm.
    FileExistsError
        If there is a file, and `overwrite` is off.
    """
    path = check_page(path, overwrite=overwrite)
    page = page_of(report).encode("utf-8", errors="replace")
    check_page(path, overwrite=overwrite)
    with full_disk_named(path.parent):
        write_durably(path, page)
    return path


def check_page(path: str | PathLike[str], *, overwrite: bool = False) -> Path:
    """Return where a report is written, or refuse the name, before anything is computed."""
    path = Path(path)
    if path.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"A report is an HTML file: {str(path)!r} must end in .html.")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"The output folder {str(path.parent)!r} does not exist.")
    if path.is_dir():
        raise FileExistsError(f"{str(path)!r} is a folder: choose another name.")
    if path.exists() and not overwrite:
        raise FileExistsError(f"{str(path)!r} exists; --overwrite replaces it.")
    return path


def page_of(report: Report | InspectionReport) -> str:
    """Return a report as HTML of at most 20 MB: images are reduced until it fits."""
    title, sections_at = _parts(report)
    longest = LONGEST_SIDE
    while True:
        page = _rendered(title, sections_at(longest))
        if len(page.encode("utf-8", errors="replace")) <= MOST_BYTES or longest <= 128:
            return page
        longest //= 2


def _parts(report: Report | InspectionReport) -> tuple[str, Callable[[int], list[Section]]]:
    """Return the title, and a function that makes the sections for a longest side."""
    if isinstance(report, InspectionReport):
        return report.title, lambda longest: inspection_sections(report, longest)
    part = shown_part(report.grid, report.source, report.result.values)
    title = report.name or report.source_name
    return title, lambda longest: sections(report, part.with_longest(longest))


def sections(report: Report, part: ShownPart) -> list[Section]:
    """Return all sections in order."""
    removed = [*residual_blocks(report, part)]
    for study in studies_of(report, _REMOVED):
        removed += study_blocks(study, part)
    removed += text([report.missing.get("removed", "")], "missing")
    return [
        summary(report),
        before_and_after(report, part),
        every_step(report, part),
        Section("removed", "What was removed", tuple(removed)),
        noise_section(report),
        study_section(report, _SURVIVAL, "survives", "What survives", part),
        study_section(report, _NULL, "null", "Null test: what noise alone becomes", part),
        *further_sections(report, (_REMOVED, _SURVIVAL, _NULL), part),
        traces_section(report, part.longest),
        methods_section(report),
        record_section(report),
        verify_section(report),
        versions_section(report),
    ]


def _rendered(title: str, made: list[Section]) -> str:
    script = _resource("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return str(
        _environment()
        .get_template("page.html")
        .render(
            title=shortened(title, 200),
            sections=made,
            style=_resource("page.css"),
            script=script,
            script_hash=digest,
            amounts=stops(False),
            two_sides=stops(True),
        )
    )


@functools.cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # Every text is escaped, whatever the template is called.
    return Environment(
        loader=PackageLoader("napari_diffusion.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _resource(name: str) -> Any:
    """Return a file of the templates that is inserted as it is, safe because it is our own."""
    from importlib.resources import files

    from markupsafe import Markup

    folder = files("napari_diffusion.report").joinpath("templates")
    return Markup(folder.joinpath(name).read_text("utf-8"))
