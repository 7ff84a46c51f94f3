"""Files of an inspection: what was read as JSON, and as a page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from napari_diffusion.cli.errors import UsageError
from napari_diffusion.cli.study_files import check_json
from napari_diffusion.cli.traces.shared_parts import shared_values
from napari_diffusion.io import check_apart

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from napari_diffusion.core.results import ResultTable
    from napari_diffusion.forensics.copying.panels import SharedPart
    from napari_diffusion.forensics.inspection import Inspection


def check_files(arguments: Namespace) -> None:
    """Refuse what cannot be written, before anything is read."""
    for path in filter(None, (arguments.json, arguments.report)):
        check_apart(path, *arguments.files, *filter(None, [arguments.reference]))
    if arguments.json is not None:
        check_json(arguments.json, arguments.overwrite)
    if arguments.report is not None:
        from napari_diffusion.report.page import check_page

        try:
            check_page(arguments.report, overwrite=arguments.overwrite)
        except ValueError as error:
            raise UsageError(str(error)) from error


def write_files(
    arguments: Namespace,
    found: Sequence[Inspection],
    shared: Sequence[SharedPart] | None = None,
    pairs: ResultTable | None = None,
) -> None:
    """Write the JSON and the page that are asked for; `shared` and `pairs` say the same."""
    if arguments.json is not None:
        from napari_diffusion.records.provenance import versions

        values = {"versions": versions(), "files": [each.to_dict() for each in found]}
        if shared is not None:
            values["shared_parts"] = shared_values(shared)
        text = json.dumps(values, indent=2, allow_nan=False, ensure_ascii=False)
        arguments.json.write_text(f"{text}\n", encoding="utf-8")
    if arguments.report is not None:
        from napari_diffusion.report import InspectionReport, write_report

        made = InspectionReport(tuple(found), pairs, tuple(shared or ()))
        write_report(arguments.report, made, overwrite=arguments.overwrite)
