"""Reads traces from the source and the result of a run, for its report."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.image import Image
from napari_diffusion.forensics.base import Evidence
from napari_diffusion.forensics.inspection import inspect
from napari_diffusion.report.middle import middle_image

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_diffusion.core.grid import GridOptions
    from napari_diffusion.core.merkle_hash import Sliceable
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.forensics.base import Trace
    from napari_diffusion.forensics.inspection import Inspection
    from napari_diffusion.report.report import Report

# The most pixels of each channel that are read: a trace takes seconds for so many.
_MOST_PIXELS = 1 << 22


def with_traces(
    report: Report,
    traces: Sequence[Trace],
    source_file: Path | None = None,
    result_file: Path | None = None,
    stop: StopToken | None = None,
) -> Report:
    """Return a report with the traces of its source, and of its result beside the source.

    Parameters
    ----------
    report : Report
        Its source may be missing: then the result alone is read.
    traces : sequence of Trace
    source_file, result_file : path, optional
        Where both are.
    stop : StopToken, optional
        Once set, `Stopped` is raised.
    """
    result = _evidence(report.result.values, report.options, result_file, stop)
    result_name = f"{report.name}, the result"
    if report.source is None:
        found: tuple[Inspection, ...] = (inspect(result, traces, result_name),)
    else:
        source = _evidence(report.source, report.options, source_file, stop)
        beside = dataclasses.replace(result, reference=source.image, reference_file=source.file)
        name = f"{report.source_name}, the source"
        found = (inspect(source, traces, name), inspect(beside, traces, result_name, name))
    return dataclasses.replace(report, inspections=found)


def _evidence(
    values: Sliceable, options: GridOptions, file: Path | None, stop: StopToken | None
) -> Evidence:
    """Return an image, or the middle of it where it is large, which is in no file."""
    given: Any = {**options, "missing": "ignore"}
    if math.prod(values.shape) <= _MOST_PIXELS:
        whole = tuple(slice(0, size) for size in values.shape)
        image = Image.of(np.array(values[whole]), **given)
        return Evidence(image, np.dtype(values.dtype), file=file, stop=stop)
    middle: Any = values
    image, _ = middle_image(middle, given, _MOST_PIXELS)
    return Evidence(image, np.dtype(values.dtype), stop=stop)
