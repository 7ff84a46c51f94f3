"""Files of studies: what was found as JSON, the maps as images, and a report."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.cli.errors import UsageError
from napari_diffusion.io import Output, check_apart

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_diffusion.analysis.study_result import StudyResult
    from napari_diffusion.core.results import ResultMap
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.io import Source
    from napari_diffusion.io.step_record import StepRecord
    from napari_diffusion.runs.run_input import RunInput

    Region = tuple[slice, ...] | None

# A report shows about so many steps.
_STEPS = 8


def check_files(arguments: Namespace) -> None:
    """Refuse what cannot be written, before anything is read."""
    read = (arguments.input, arguments.mask, arguments.background, arguments.second)
    for path in filter(None, (arguments.json, arguments.maps, arguments.report)):
        check_apart(path, *filter(None, read))
    if arguments.json is not None:
        check_json(arguments.json, arguments.overwrite)
    folder: Path | None = arguments.maps
    if folder is not None and folder.exists():
        taken = not folder.is_dir() or (any(folder.iterdir()) and not arguments.overwrite)
        if taken:
            raise FileExistsError(f"{str(folder)!r} exists; --overwrite writes into a folder.")
    if arguments.report is not None:
        from napari_diffusion.report.page import check_page

        try:
            check_page(arguments.report, overwrite=arguments.overwrite)
        except ValueError as error:
            raise UsageError(str(error)) from error


def check_json(path: Path, overwrite: bool) -> None:
    """Refuse a file of JSON that cannot be written."""
    if path.suffix.lower() != ".json":
        raise UsageError(f"--json writes JSON: {str(path)!r} must end in .json.")
    if path.exists() and not overwrite:
        raise FileExistsError(f"{str(path)!r} exists; --overwrite replaces it.")


def write_json(arguments: Namespace, results: Sequence[StudyResult]) -> None:
    """Write what each study found, in words and in numbers."""
    if arguments.json is None:
        return
    found = [
        {
            "study": result.title,
            "findings": list(result.sentences()),
            "limits": list(result.limits()),
            **result.to_dict(),
        }
        for result in results
    ]
    text = json.dumps(found, indent=2, allow_nan=False, ensure_ascii=False)
    arguments.json.write_text(f"{text}\n", encoding="utf-8")


def write_maps(
    arguments: Namespace, read: RunInput, region: Region, results: Sequence[StudyResult]
) -> None:
    """Write each map with its record as an OME-TIFF."""
    folder: Path | None = arguments.maps
    if folder is None:
        return
    from napari_diffusion.records.derived import study_record

    folder.mkdir(parents=True, exist_ok=True)
    for result in results:
        of = _step_record(read, region, result)
        for shown in result.maps():
            kept: Any = study_record(result, shown, of, region)
            words = f"{result.title} {shown.name}".lower()
            path = folder / f"{re.sub(r'[^a-z0-9]+', '-', words).strip('-')}.ome.tif"
            values = _written(shown.values)
            source = _source_of(read, region, shown, values)
            with Output(path, source, 1, values.dtype, arguments.overwrite) as output:
                output.write(values, kept)


def _written(values: NDArray[Any]) -> NDArray[Any]:
    return values.astype(np.uint8) if values.dtype == bool else values


def _source_of(read: RunInput, region: Region, shown: ResultMap, values: NDArray[Any]) -> Source:
    """Return the axes, pixel sizes and position of a map, as its file has them."""
    source = read.source
    axes = source.axes or ""
    place = dict(source.place)
    for axis, part in zip(axes, region or (), strict=False):
        place[axis] = place.get(axis, 0.0) + part.start * source.lengths.get(axis, 1.0)
    if len(axes) > values.ndim:
        axes = axes.replace("c", "")
    return source.replaced(
        image=values, axes=axes, place=place, rgb=False, channels=(), resolution=None,
        valid=None, record=None, header={}, name=shown.name,
    )  # fmt: skip


def _step_record(read: RunInput, region: Region, result: StudyResult) -> StepRecord:
    """Return how the step was made that a study is of; its image and noise scale are not kept."""
    from napari_diffusion.loop.step import Step
    from napari_diffusion.records.provenance import record

    recipe = result.recipe
    step = Step(result.step, 0.0, read.source.image, result.step == recipe.total_steps)
    kept: Any = record(recipe, step, read.options, read.source.name, unit=read.source.unit)
    if region is not None:
        kept["region"] = [[part.start, part.stop] for part in region]
    return kept if recipe.noise is None else _without_scale(kept)


def _without_scale(kept: Any) -> Any:
    return {name: each for name, each in kept.items() if not name.endswith("noise_scale")}


def write_page(
    arguments: Namespace,
    read: RunInput,
    region: Region,
    results: Sequence[StudyResult],
    stop: StopToken,
) -> None:
    """Write the report of the steps up to the studied one."""
    if arguments.report is None:
        return
    from napari_diffusion.loop.kept_steps import kept_steps
    from napari_diffusion.loop.loop import steps
    from napari_diffusion.records.provenance import record
    from napari_diffusion.report import report_of_steps, write_report

    recipe = results[0].recipe
    kept = kept_steps(recipe, math.ceil(recipe.total_steps / _STEPS))
    ends = None if region is None else [[part.start, part.stop] for part in region]
    name, unit = read.source.name, read.source.unit
    entries: Any = {"unit": unit} if ends is None else {"unit": unit, "region": ends}
    source = np.asarray(read.source.image)
    made = [
        (record(recipe, step, read.options, name, **entries), step.image)
        for step in steps(source, recipe, region=region, stop=stop, **read.options)
        if step.index in kept
    ]
    report = report_of_steps(source, made, read.options, name, results)
    write_report(arguments.report, report, overwrite=arguments.overwrite)
