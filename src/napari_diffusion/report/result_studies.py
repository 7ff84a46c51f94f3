"""Runs the studies of a result on its source, or on the middle of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from napari_diffusion.core.function_parameter import CodeRefused
from napari_diffusion.records.provenance import recipe_of
from napari_diffusion.report.middle import middle_image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.analysis.studies import StudyKind
    from napari_diffusion.analysis.study_result import StudyResult
    from napari_diffusion.core.function_parameter import AllowCode
    from napari_diffusion.core.grid import GridOptions
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.io.step_record import StepRecord

#: Takes the name of a study, how many runs of the recipe are done, and how many there are.
StudyProgress = Callable[[str, int, int], None]

#: The sections of the studies that a report runs, by the keys of `analysis.studies.STUDIES`.
SECTIONS = {"removed": "removed", "survival": "survives", "null": "null"}


@dataclass(frozen=True, eq=False)
class Studies:
    """What was studied; for the other sections why it was not; and on which part."""

    results: tuple[StudyResult, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def result_studies(
    source: NDArray[Any],
    options: GridOptions,
    record: StepRecord,
    allow_code: AllowCode = False,
    progress: StudyProgress | None = None,
    stop: StopToken | None = None,
) -> Studies:
    """Run the studies of a step on its source.

    Parameters
    ----------
    source : array
        What the run started from, of numpy or dask.
    options : GridOptions
        ``axes, spacing, along, joint_channels, rgb, mask, missing``.
    record : mapping
        Of the step.
    allow_code : bool
        Whether functions that the recipe names may run.
    progress : callable, optional
        See `StudyProgress`.
    stop : StopToken, optional
        Once set, `Stopped` is raised.
    """
    try:
        if "recipe" not in record:
            raise ValueError("a noisy copy was made without a recipe.")
        recipe = recipe_of(record, allow_code)
        image, where = middle_image(source, options)
    except CodeRefused as error:
        return _none(f"the recipe runs the function {error.function!r}: --allow-code allows it.")
    except (ValueError, TypeError) as error:
        return _none(str(error))
    results, missing = [], {}
    step = None if record.get("is_final") else record["step"]
    for kind in _kinds():
        told = None if progress is None else _told(progress, kind.title)
        try:
            results.append(kind.function(image, recipe, step=step, progress=told, stop=stop))
        except (ValueError, TypeError) as error:
            missing[SECTIONS[kind.key]] = f"Not studied: {error}"
    return Studies(tuple(results), missing, _notes(source.shape, where))


def _none(why: str) -> Studies:
    return Studies(missing=dict.fromkeys(SECTIONS.values(), f"Not studied: {why}"))


def _kinds() -> list[StudyKind]:
    """Return the studies in the order of their sections."""
    from napari_diffusion.analysis.studies import STUDIES

    found = {kind.key: kind for kind in STUDIES}
    return [found[key] for key in SECTIONS]


def _told(progress: StudyProgress, title: str) -> Callable[[int, int], None]:
    def told(done: int, total: int) -> None:
        progress(title, done, total)

    return told


def _notes(shape: tuple[int, ...], where: tuple[slice, ...]) -> tuple[str, ...]:
    sizes = [len(range(*part.indices(n))) for part, n in zip(where, shape, strict=True)]
    if sizes == list(shape):
        return ()
    studied = " × ".join(map(str, sizes))
    whole = " × ".join(map(str, shape))
    return (
        f"What survives, what noise alone becomes and what was removed were studied on the middle "
        f"{studied} of {whole} pixels.",
    )
