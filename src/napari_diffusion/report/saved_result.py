"""The report of a result on disk: its records, its steps, its source, and studies of it."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_diffusion.core.merkle_hash import hash_of
from napari_diffusion.io import NotReadable
from napari_diffusion.io.step_record import seal_holds
from napari_diffusion.records.provenance import unmasked_grid_of
from napari_diffusion.report.report import Report, ReportStep, part_of
from napari_diffusion.report.result_studies import SECTIONS, Studies, result_studies
from napari_diffusion.report.source_noise import measured_noise
from napari_diffusion.runs.verification.replayed_run import (
    of_one_run,
    read_source,
    source_beside,
    why_not_replayable,
    wrong_input,
)
from napari_diffusion.runs.verification.saved_run import saved_run

if TYPE_CHECKING:
    from os import PathLike

    from napari_diffusion.core.function_parameter import AllowCode
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.io.step_record import StepRecord
    from napari_diffusion.report.result_studies import StudyProgress
    from napari_diffusion.runs.run_input import RunInput
    from napari_diffusion.runs.verification.saved_run import SavedRun, SavedStep

# Larger results are not hashed again: verify does it.
_MOST_HASHED = 1 << 30


@dataclass(frozen=True, eq=False)
class _Source:
    """The source of a result, or why it is not at hand; and why it cannot be studied."""

    read: RunInput | None = None
    why: str = ""
    not_studied: str = ""
    checked: str = ""


def report_of_result(
    path: str | PathLike[str],
    source: str | PathLike[str] | None = None,
    studies: bool = True,
    *,
    step: int | None = None,
    mask: str | PathLike[str] | None = None,
    allow_code: AllowCode = False,
    progress: StudyProgress | None = None,
    stop: StopToken | None = None,
) -> Report:
    """Read a result and its source, and study what the run did.

    Parameters
    ----------
    path : path
        What a run, a filter or a noise was written to: OME-Zarr, OME-TIFF, or a folder of steps.
    source : path, optional
        What it was made from; by default the file beside the result that has its name.
    studies : bool
        Run the studies: what survives, what noise alone becomes, what structure was removed. Of
        images with more than 2²⁰ pixels the middle is studied.
    step : int, optional
        Index of the step that is the result; by default the last one.
    mask : path, optional
        The mask of the run: a record has only its hash.
    allow_code : bool
        Whether functions that the recipe names may run. Without it such a run is not studied.
    progress : callable, optional
        Takes the title of a study, how many runs of the recipe are done, and how many there are.
    stop : StopToken, optional
        Once set, `Stopped` is raised.

    Raises
    ------
    FileNotFoundError
        If there is no such result.
    ValueError
        If it is no result of this program or has no such step, and for a given source that is not
        the one that the run started from.
    """
    path = Path(path)
    run = saved_run(path)
    kept = _steps(run, step)
    record = kept[-1].record
    given = None if source is None else Path(source)
    found = _source(path, record, given, None if mask is None else Path(mask))
    steps = tuple(ReportStep(each.record, each.values) for each in kept)
    options: Any = unmasked_grid_of(record)
    holds = _hash_holds(kept[-1])
    plain = Report(
        name=path.name or path.absolute().name,
        steps=steps,
        options=options,
        source_name=record.get("source", ""),
        missing={"source": found.why, **_without(found.why)},
        notes=(*run.faults, *_faults(run, holds)),
        checks=tuple(filter(None, (found.checked, *_checks(run, holds)))),
        in_files=True,
    )
    if found.read is None:
        return plain
    part = part_of(found.read.source.image, record)
    if tuple(part.shape) != tuple(plain.result.values.shape):
        why = f"The source has the shape {tuple(part.shape)}, and the result another one."
        return dataclasses.replace(plain, missing={"source": why, **_without(why)})
    noise, why = measured_noise(part, options | {"missing": "ignore"})
    made = Studies(missing=_without("this was not asked for."))
    if studies:
        made = _studied(found, part, record, allow_code, progress, stop)
    return dataclasses.replace(
        plain,
        source=part,
        source_name=found.read.path.name if found.read.path else plain.source_name,
        studies=made.results,
        noise=noise,
        missing={"noise": why, **made.missing},
        notes=(*plain.notes, *made.notes),
    )


def _steps(run: SavedRun, step: int | None) -> list[SavedStep]:
    """Return the steps of one run up to the one that is asked for."""
    there = [each for each in run.steps if "grid" in each.record]
    kept = of_one_run(there[::-1])[::-1] if there else []
    if not kept:
        why = f" {run.faults[0]}" if run.faults else ""
        raise ValueError(f"{str(run.path)!r} holds no step that can be shown.{why}")
    if step is None:
        return kept
    up_to = [each for each in kept if each.record.get("step", 0) <= step]
    if not up_to or up_to[-1].record.get("step") != step:
        there_are = ", ".join(str(each.record.get("step")) for each in kept)
        raise ValueError(f"{str(run.path)!r} has no step {step}; it has {there_are}.")
    return up_to


def _source(path: Path, record: StepRecord, given: Path | None, mask: Path | None) -> _Source:
    """Return the source of a record, if it is the one that the run started from."""
    if why := why_not_replayable(record):
        return _Source(why=f"The source cannot be shown beside the result: {why}.")
    place = given or source_beside(path, record)
    if place is None:
        return _Source(why="The source was not found beside the result: give it with --source.")
    try:
        read = read_source(place, record, mask)
        refused = wrong_input(read, record, place)
    except (ValueError, OSError) as error:
        if given is not None:
            raise
        return _Source(why=f"{place.name!r}, beside the result, is not the source: {error}")
    if refused is not None and refused[0] is not None:
        if given is not None:
            raise ValueError(" ".join(refused[1]))
        return _Source(why=" ".join(refused[1]))
    masked = "The run had a mask, and its record has only its hash: give it with --mask."
    hashed = record.get("hashes", {}).get("input") is not None
    checked = (
        f"{place.name!r} has the hash of the image that the run started from."
        if hashed
        else f"The record has no hash of its source: whether it is {place.name!r} is unknown."
    )
    return _Source(read, not_studied=masked if refused else "", checked=checked)


def _studied(
    found: _Source,
    part: Any,
    record: StepRecord,
    allow_code: AllowCode,
    progress: StudyProgress | None,
    stop: StopToken | None,
) -> Studies:
    if found.read is None or found.not_studied:
        return Studies(missing=_without(found.not_studied))
    options = found.read.options
    mask = options.get("mask")
    if mask is not None and "region" in record:
        return Studies(missing=_without("A region of a run with a mask is not studied."))
    return result_studies(part, options, record, allow_code, progress, stop)


def _without(why: str) -> dict[str, str]:
    return {anchor: f"Not studied: {why}" for anchor in SECTIONS.values() if why}


def _faults(run: SavedRun, holds: bool | None) -> list[str]:
    """Return what the hashes say against the records and the result."""
    said = [
        f"{name} is not as it was written: its hash differs."
        for name, record in run.records.items()
        if seal_holds(record) is False
    ]
    if holds is False:
        said.append("The values of the result are not as they were written: their hash differs.")
    return said


def _checks(run: SavedRun, holds: bool | None) -> list[str]:
    """Return what the hashes say for the records and the result."""
    sealed = all(seal_holds(record) for record in run.records.values())
    said = ["The hashes of all records hold."] if sealed else []
    if holds:
        said.append("The values of the result have the hash in its record.")
    return said


def _hash_holds(step: SavedStep) -> bool | None:
    """Return whether a step has the hash in its record; None if it has none, or is too large."""
    size = math.prod(step.values.shape) * step.values.dtype.itemsize
    if step.sha256 is None or size > _MOST_HASHED:
        return None
    try:
        return hash_of(step.values) == step.sha256
    except (NotReadable, OSError):
        return False
