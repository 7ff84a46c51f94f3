"""What can be measured of the steps of a run, from the steps alone or by running it again."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_diffusion.analysis.step_selection import BestStep, Curve, best_step, curves
from napari_diffusion.core.grid import Grid
from napari_diffusion.core.image import canonical_mask
from napari_diffusion.metrics import Metric, Score, View
from napari_diffusion.records.provenance import unmasked_grid_of
from napari_diffusion.widgets.layers.layer_axes import FURTHER, Fold
from napari_diffusion.widgets.layers.layer_values import values
from napari_diffusion.widgets.layers.mask import KeptMask
from napari_diffusion.widgets.layers.step_records import MASK_KEY, MEASURES, RECOMMENDED, letters_of
from napari_diffusion.widgets.results.step_run import StepRun, keep_value
from napari_diffusion.widgets.results.step_source import arguments_of, cut_to_region, on_source_grid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from napari.layers import Layer
    from numpy.typing import NDArray

    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.widgets.layers.step_records import GridKeywords
    from napari_diffusion.widgets.run.run_request import Job


# The place of a step, and what was measured of it.
Scores = tuple[int, dict[str, Score]]


def measured(
    run: StepRun, metrics: dict[str, Metric], reference: NDArray[Any] | None = None
) -> Iterator[Scores]:
    """Yield the place of each step and what is not known of it yet; any thread may call it."""
    data = run.source_data()
    source = run.folded(run.steps[0].data if data is None else data)
    there = None if reference is None else run.cut(reference)
    truth = None if there is None else run.folded(there)
    known_of_all: dict[Any, Any] = {}
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
            known=known_of_all,
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


class Others(NamedTuple):
    """Further layers that the steps of a run can be judged by.

    Attributes
    ----------
    reference : Image or None
        The ground truth.
    second : Image or None
        An independent acquisition of the same scene.
    frames : bool
        Whether odd and even frames of the source are two such images.
    """

    reference: Layer | None = None
    second: Layer | None = None
    frames: bool = False

    def arguments(self, job: Job) -> dict[str, Any]:
        """Return them as arguments of `curves` and `best_step`."""
        found: dict[str, Any] = {"halves": "frames"} if self.frames else {}
        for name, layer in (("reference", self.reference), ("second", self.second)):
            if layer is not None:
                found[name] = on_source_grid(job, values(layer), layer.name)
        return found

    def named(self, reason: str) -> str:
        """Return a reason with the names of the layers."""
        if self.reference is not None:
            reason = reason.replace("the reference", f"the reference {self.reference.name!r}", 1)
        half = "odd and even frames" if self.second is None else repr(self.second.name)
        return reason.replace("the other half", f"the other half ({half})", 1)


def rerun(
    job: Job, metrics: Sequence[Metric], stop: StopToken | None, others: Others
) -> list[Curve]:
    """Run the recipe again on slightly changed sources, or on a second acquisition."""
    image, options = arguments_of(job)
    if others.frames and not _has_frames(job):
        raise ValueError(
            f"{job.source_name!r} has no frames to split into odd and even ones: choose "
            "another layer as the second half."
        )
    more = others.arguments(job)
    return curves(image, job.recipe, metrics, stop=stop, **options, **more)


def is_rerun(metric: Metric) -> bool:
    """Say whether a metric needs more than the steps and their source."""
    return bool(metric.probe or metric.needs_halves or metric.needs_noise == "model")


def best(job: Job, stop: StopToken | None, others: Others) -> BestStep:
    """Run the recipe again on slightly changed sources; see `best_step`."""
    image, options = arguments_of(job)
    others = others._replace(frames=others.frames and _has_frames(job))
    return best_step(image, job.recipe, stop=stop, **options, **others.arguments(job))


def reason_for(found: BestStep, recipe: Recipe, others: Others) -> str:
    """Return why a step is recommended, with the names of the layers."""
    total, reason = recipe.total_steps, others.named(found.reason)
    if found.index == total - 1 and recipe.final_filter is None:
        # Then a longer run may be better.
        return f"{reason} It is the last one: more steps may be better still."
    return f"{reason} Step {total} is the final result." if found.index == total else reason


def _has_frames(job: Job) -> bool:
    sizes = dict(zip(job.fold.letters, job.fold.shape, strict=True))
    return math.prod(size for letter, size in sizes.items() if letter in ("t", FURTHER)) > 1


def keep_best(run: StepRun, found: BestStep, reason: str, label: Callable[[Metric], str]) -> None:
    """Put the recommended step, the reason, and its curves by their labels, into the records."""
    for step in run.steps:
        step.record[RECOMMENDED] = {"index": found.index, "reason": reason}
    keep_curves(run, {label(curve.metric): curve for curve in found.curves})


def keep_curves(run: StepRun, found: dict[str, Curve]) -> None:
    """Put the values of each step from another run of the recipe into the records, by label."""
    for step in run.steps:
        place = step.record["step"] + 1
        for name, curve in found.items():
            if place < len(curve.values):
                keep_value(step, name, curve.values[place], curve.why)


def _options(run: StepRun) -> GridKeywords:
    record = run.record
    options = unmasked_grid_of(record)
    if "channel" in record:
        options["axes"] = options["axes"].replace("c", "")
    return options


def _grid(run: StepRun, shape: tuple[int, ...]) -> Grid:
    options = {name: each for name, each in _options(run).items() if name != "missing"}
    return Grid.of(shape, **options)


def _mask(run: StepRun, grid: Grid) -> NDArray[np.bool_] | None:
    """Return the mask of the run where the steps are; without one all is measured."""
    kept, record = run.step.layer.metadata.get(MASK_KEY), run.record
    if kept is None:
        return None
    letters = letters_of(record)
    if "region" in record:
        (cut, *_), _ = cut_to_region((KeptMask("", kept),), None, record, letters)
        kept = cut.folded(Fold(letters, ()), grid.rgb)
    if "channel" in record:
        kept = kept.take(record["channel"], axis=Fold(letters, ()).axes.index("c"))
    try:
        return np.asarray(canonical_mask(kept, grid))
    except ValueError:
        return None


def _noise_of(source: NDArray[Any], grid: Grid) -> float | tuple[float, ...]:
    from napari_diffusion.core.image import Image
    from napari_diffusion.estimate.noise_sigma import noise_sigma_of

    values = np.ascontiguousarray(grid.canonical(source), np.float32)
    if not np.isfinite(values).all():
        return 0.0
    found = tuple(noise_sigma_of(each) for each in Image(values, grid).channels())
    return found if found[1:] else found[0]
