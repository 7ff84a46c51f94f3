"""What can be measured of the steps of a run: beside each other, or by running it again."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.choose import BestStep, Curve, best_step, curves
from napari_diffusion.grid import Grid
from napari_diffusion.metrics import Metric, Score, View
from napari_diffusion.provenance import grid_of, recipe_of
from napari_diffusion.widgets.layers import MASK_KEY
from napari_diffusion.widgets.step_run import MEASURES, RECOMMENDED, StepRun, keep_value

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray


def measured(
    run: StepRun, metrics: dict[str, Metric], reference: Any = None
) -> Iterator[tuple[int, dict[str, Score]]]:
    """Yield the place of each step and what is not known of it yet; any thread may call it."""
    data = run.source_data()
    source = run.folded(run.steps[0].data if data is None else data)
    truth = None if reference is None else run.folded(reference)
    grid = _grid(run, source.shape)
    mask = _mask(run, grid)
    wanted = any(metric.needs_noise for metric in metrics.values())
    sigma = _noise_of(source, grid) if wanted else 0.0
    for place, step in enumerate(run.steps):
        known = step.record.get(MEASURES, {})
        missing = {name: metric for name, metric in metrics.items() if name not in known}
        if not missing:
            continue
        view = View(
            source=grid.canonical(source),
            image=grid.canonical(run.folded(step.data)),
            grid=grid,
            mask=mask,
            noise_sigma=sigma,
            reference=None if truth is None else grid.canonical(truth),
        )
        yield place, {name: _score(metric, view) for name, metric in missing.items()}


def _score(metric: Metric, view: View) -> Score:
    """Return what a metric says; where it fails, why, so that the others are still measured."""
    try:
        return metric.score(view)
    # A function of the user's own may raise anything.
    except Exception as error:
        return Score(math.nan, False, f"{error}" or type(error).__name__)


def keep_scores(run: StepRun, place: int, scores: dict[str, Score]) -> None:
    """Put what was measured of a step into its record."""
    for name, score in scores.items():
        keep_value(run.steps[place], name, score.value, "" if score.valid else score.why)


def rerun(
    run: StepRun, metrics: Sequence[Metric], stop: threading.Event, halves: dict[str, Any]
) -> list[Curve]:
    """Run the recipe again beside small changes of the source, or on another picture of it."""
    return curves(
        _whole_source(run), recipe_of(run.record), metrics, stop=stop, **_more(run, halves)
    )


def is_rerun(metric: Metric) -> bool:
    """Say whether a metric asks for more than the steps and their source."""
    return bool(metric.probe or metric.needs_halves or metric.needs_noise == "model")


def best(run: StepRun, stop: threading.Event | None, halves: dict[str, Any]) -> BestStep:
    """Run the recipe again beside small changes of the source; see `choose.best_step`."""
    return best_step(_whole_source(run), recipe_of(run.record), stop=stop, **_more(run, halves))


def _more(run: StepRun, halves: dict[str, Any]) -> dict[str, Any]:
    second = {"second": run.folded(halves["second"])} if "second" in halves else {}
    return {**_options(run), **halves, **second}


def keep_best(run: StepRun, found: BestStep) -> None:
    """Put the recommended step, and its curves, into the records."""
    for step in run.steps:
        step.record[RECOMMENDED] = {"index": found.index, "reason": found.reason}
    keep_curves(run, {curve.name: curve for curve in found.curves})


def keep_curves(run: StepRun, found: dict[str, Curve]) -> None:
    """Put what another run of the recipe said of each step into the records, by its label."""
    for step in run.steps:
        place = step.record["step"] + 1
        for name, curve in found.items():
            if place < len(curve.values):
                keep_value(step, name, curve.values[place], curve.why)


def _whole_source(run: StepRun) -> NDArray[Any]:
    if run.source is None:
        raise ValueError(
            f"The source {run.record['source']!r} is not among the layers any more: open it "
            "again, with that name."
        )
    if {"region", "mask", "channel"} & {*run.record, *run.record["grid"]}:
        raise ValueError(
            "A step can be recommended for runs on one whole layer without a mask: run the "
            "recipe on all of it."
        )
    return run.folded(np.asarray(run.source.data))


def _options(run: StepRun) -> dict[str, Any]:
    record = run.record
    options = grid_of({**record, "grid": {**record["grid"], "mask": None}})
    if "channel" in record:
        options["axes"] = options["axes"].replace("c", "")
    return options


def _grid(run: StepRun, shape: tuple[int, ...]) -> Grid:
    options = {name: each for name, each in _options(run).items() if name != "missing"}
    return Grid.of(shape, **options)


def _mask(run: StepRun, grid: Grid) -> NDArray[np.bool_] | None:
    """Return the mask of the run where it is as large as the steps; else all is measured."""
    kept = run.step.layer.metadata.get(MASK_KEY)
    if kept is None or np.shape(kept) != np.shape(grid.restored(np.empty(grid.shape, bool))):
        return None
    return np.asarray(grid.canonical(np.asarray(kept, bool)))


def _noise_of(source: NDArray[Any], grid: Grid) -> float | tuple[float, ...]:
    from napari_diffusion.estimate.noise_sigma import noise_sigma_of
    from napari_diffusion.picture import Picture

    values = np.ascontiguousarray(grid.canonical(source), np.float32)
    if not np.isfinite(values).all():
        return 0.0
    found = tuple(noise_sigma_of(each) for each in Picture(values, grid).channels())
    return found if found[1:] else found[0]
