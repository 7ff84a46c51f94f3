"""Records of images that describe a run and are no steps: ensembles, estimated local error.

What was run stands under "of", so that nobody takes such an image for a step and goes on from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, Unpack

from napari_diffusion.loop.recipe import Step
from napari_diffusion.records.provenance import SCHEMA, number_words, plain, record, versions

if TYPE_CHECKING:
    from napari_diffusion.analysis.ensemble import Ensemble, EnsembleStep
    from napari_diffusion.analysis.local_error import LocalError
    from napari_diffusion.io.step_record import FurtherEntries, StepRecord
    from napari_diffusion.records.provenance import GridKeywords


class About(TypedDict, total=False):
    """What is particular to one kind of derived image."""

    shows: str
    seeds: list[int]
    tile: int
    noise_sigma: float | list[float]


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
    """Return everything it takes to make the mean or the sensitivity of an ensemble again.

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
    what = {"mean": "mean", "sensitivity": "standard deviation"}[shows]
    words = f"The {what} over {len(seeds)} runs with the seeds {listed} of what follows. "
    if shows == "sensitivity":
        words += "It shows how much the result depends on the added noise, and is no error. "
    return _derived("ensemble", of, words, shows=shows, seeds=plain(seeds))


def risk_record(local_error: LocalError, of: StepRecord) -> DerivedRecord:
    """Return what an image of estimated local error is, made of a step with a record of its own."""
    words = (
        "The expected error (Stein's estimate, averaged over tiles of "
        f"{local_error.tile} pixels; intensity units) of what follows, less that of its source, "
        f"{number_words(local_error.noise_sigma)}. "
    )
    return _derived(
        "estimated local error",
        of,
        words,
        tile=local_error.tile,
        noise_sigma=plain(local_error.noise_sigma),
    )


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
