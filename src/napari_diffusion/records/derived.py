"""Records of images that describe a run without being steps: ensembles, local error, studies.

The run is described under "of", so that such an image is not mistaken for a step to continue from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, Unpack

from napari_diffusion.loop.step import Step
from napari_diffusion.records.provenance import SCHEMA, number_words, plain, record, versions

if TYPE_CHECKING:
    from napari_diffusion.analysis.ensemble import Ensemble, EnsembleStep
    from napari_diffusion.analysis.local_error import LocalError
    from napari_diffusion.analysis.study_result import StudyResult
    from napari_diffusion.core.results import ResultMap
    from napari_diffusion.io.step_record import FurtherEntries, StepRecord
    from napari_diffusion.records.provenance import GridKeywords


class About(TypedDict, total=False):
    """What is particular to one kind of derived image."""

    shows: str
    seeds: list[int]
    tile: int
    noise_sigma: float | list[float]
    map_unit: str
    findings: list[str]
    limits: list[str]
    studied_region: list[list[int]]


class DerivedRecord(About, total=False):
    """What an image is that describes a run, and is no step of it."""

    schema: int
    made: str
    of: StepRecord
    source: str
    versions: dict[str, str]
    processed: str


def ensemble_record(
    ensemble: Ensemble,
    shows: str,
    grid_options: GridKeywords,
    source_name: str,
    step: EnsembleStep | None = None,
    **more: Unpack[FurtherEntries],
) -> DerivedRecord:
    """Return everything needed to reproduce the mean or the sensitivity of an ensemble.

    Parameters
    ----------
    ensemble : Ensemble
        What was made.
    shows : {"mean", "sensitivity"}
        Which image of it.
    grid_options : mapping
        The keywords that it was made with.
    source_name : str
        Name of the layer or file.
    step : EnsembleStep, optional
        Which step; the last one without.
    **more
        Further plain values, such as ``region``; None is left out.
    """
    shown = ensemble.steps[-1] if step is None else step
    one = Step(shown.index, shown.noise_scale, shown.mean, shown.is_final)
    of = record(ensemble.recipe, one, grid_options, source_name, **more)
    seeds = ensemble.seeds
    listed = f"{seeds[0]} … {seeds[-1]}" if len(seeds) > 2 else " and ".join(map(str, seeds))
    what = {"mean": "Mean", "sensitivity": "Standard deviation"}[shows]
    words = f"{what} over {len(seeds)} runs (random seeds {listed}) of the processing below. "
    if shows == "sensitivity":
        words += "It shows how strongly the result depends on the added noise; it is not an error. "
    return _derived("ensemble", of, words, shows=shows, seeds=plain(seeds))


def local_error_record(local_error: LocalError, of: StepRecord) -> DerivedRecord:
    """Return the record of an estimated local error; `of` is the record of its step."""
    words = (
        "Estimated local error (Stein's estimate, averaged over tiles of "
        f"{local_error.tile} pixels, in intensity units) of the processing below, minus that of "
        f"the source, {number_words(local_error.noise_sigma)}. "
    )
    return _derived(
        "estimated local error",
        of,
        words,
        tile=local_error.tile,
        noise_sigma=plain(local_error.noise_sigma),
    )


def study_record(
    result: StudyResult,
    shown: ResultMap,
    of: StepRecord,
    region: tuple[slice, ...] | None = None,
) -> DerivedRecord:
    """Return the record of a map that a study made; `of` is the record of its step.

    `region` is the part that was studied, in the axes of the layer, where it is not all of it.
    """
    unit = f" ({shown.unit})" if shown.unit else ""
    words = f"{result.title}, {shown.name}{unit}, of the processing below. "
    part = None if region is None else [[int(each.start), int(each.stop)] for each in region]
    about = About(
        shows=shown.name,
        map_unit=shown.unit,
        findings=list(result.sentences()),
        limits=list(result.limits()),
    )
    if part is not None:
        about["studied_region"] = part
    return _derived(result.title.lower(), of, words, **about)


def _derived(made: str, of: StepRecord, words: str, **about: Unpack[About]) -> DerivedRecord:
    return {
        "schema": SCHEMA,
        "made": made,
        **about,
        "of": of,
        "source": of["source"],
        "versions": dict(versions()),
        "processed": words + str(of["processed"]),
    }
