"""The supplement to a methods section: everything that the paragraph leaves out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from napari_diffusion.records.methods_paragraph import legend, paragraph
from napari_diffusion.records.references import cited

if TYPE_CHECKING:
    from napari_diffusion.io.step_record import StepRecord


def supplement(record: StepRecord) -> str:
    """Return the whole record with its texts and references, as JSON.

    The record has the full recipe, the grid, hashes, versions, the noise report and warnings, and
    what was done to the source before.
    """
    whole = {
        "methods": paragraph(record),
        "legend": legend(record),
        "references": [each.text() for each in cited(record)],
        "record": record,
    }
    return json.dumps(whole, indent=2, ensure_ascii=False)
