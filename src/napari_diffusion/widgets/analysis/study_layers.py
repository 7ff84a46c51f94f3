"""A study of the shown step: made in a thread, its maps shown as layers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.engine.threads import Stopped
from napari_diffusion.records.derived import study_record
from napari_diffusion.widgets.layers.layer_style import LayerStyle
from napari_diffusion.widgets.layers.map_layers import (
    map_layer,
    map_name,
    remove_earlier,
    show_maps,
)
from napari_diffusion.widgets.layers.step_layers import Place
from napari_diffusion.widgets.layers.step_records import KEY, is_stack
from napari_diffusion.widgets.results.layer_sink import related_layers
from napari_diffusion.widgets.results.step_source import arguments_of, rerun_job, source_layers
from napari_diffusion.widgets.run.read_layer import as_run_error
from napari_diffusion.widgets.run.run_request import Begun, Message, Progress, SeedDone

if TYPE_CHECKING:
    import napari
    from napari.layers import Image, Layer
    from numpy.typing import NDArray

    from napari_diffusion.analysis.studies import StudyKind, StudyOptions
    from napari_diffusion.analysis.study_result import StudyResult
    from napari_diffusion.core.results import ResultMap
    from napari_diffusion.records.derived import DerivedRecord
    from napari_diffusion.widgets.results.chosen_step import ChosenStep
    from napari_diffusion.widgets.run.run_request import Job
    from napari_diffusion.widgets.run.worker import Work, Worker

Region = tuple[slice, ...]

#: Reads what a study takes besides, in the axes of the loop; the thread that computes calls it.
ReadOptions = Callable[[], "StudyOptions"]


@dataclass(frozen=True, eq=False)
class StepStudyRun:
    """One study of one step.

    Attributes
    ----------
    kind : StudyKind
        Which one.
    step : ChosenStep
        Of which step.
    job : Job
        The run that the step is of, from its whole source; its region is the part that is studied.
    read_options : callable
        Returns what the study takes besides.
    """

    kind: StudyKind
    step: ChosenStep
    job: Job
    read_options: ReadOptions

    @classmethod
    def of(
        cls,
        kind: StudyKind,
        step: ChosenStep,
        viewer: napari.Viewer,
        part: Callable[[Job, Image], Region | None],
        options: Callable[[Job], ReadOptions],
    ) -> StepStudyRun:
        """Look the step's source up; `RunError` says why it cannot be studied.

        `part` returns the part to study, in the axes of the job, and `options` what reads them.
        """
        job = rerun_job(step, viewer)
        with as_run_error("run"):
            region = part(job, source_layers(step, viewer)[0])
            return cls(kind, step, replace(job, region=region), options(job))

    def compute(self, worker: Worker) -> StudyResult:
        """Make the study, its progress counted in runs of the recipe."""
        record, total = self.step.record, 0

        def progress(done: int, count: int) -> None:
            nonlocal total
            if count != total:
                total = count
                worker.post(Begun(count, "runs"))
            worker.post(Progress(done))
            worker.hold()

        image, options = arguments_of(self.job)
        region = options.pop("region", None)
        try:
            return self.kind.run(
                image, self.job.recipe, self.read_options(), options,  # type: ignore[arg-type]
                step=None if record["is_final"] else record["step"],
                region=region, progress=progress, stop=worker.stop,
            )  # fmt: skip
        except ValueError as error:
            # What a script may say instead, a button cannot.
            raise ValueError(str(error).partition(" If you know the noise")[0]) from None

    # --- maps ---

    def show(self, result: StudyResult, viewer: napari.Viewer) -> list[Image]:
        """Insert the maps above all steps, the first one visible, in place of earlier ones.

        One that the user has locked or named anew stays.
        """
        remove_earlier(viewer, lambda layer: self._made(layer, result.title))
        place = Place(viewer, related_layers(viewer, self.step.layer))
        layers = [
            self._layer(shown, study_record(result, shown, self.step.record, self._part()), viewer)
            for shown in result.maps()
        ]
        show_maps(viewer, layers, place)
        return layers

    def _part(self) -> Region | None:
        region = self.job.region
        return None if region is None else region["channel" in self.step.record :]

    def _layer(self, shown: ResultMap, record: DerivedRecord, viewer: napari.Viewer) -> Image:
        many = "channel" in self.step.record
        source = source_layers(self.step, viewer)[self.step.record["channel"] if many else 0]
        starts = tuple(int(part.start) for part in self._part() or ())
        style = LayerStyle.of(source).moved(starts[: source.ndim] or (0,) * source.ndim)
        name = self._named(shown.name, shown.unit)
        return map_layer(shown, self._in_layer(shown.values), name, style, record)

    def _in_layer(self, values: NDArray[Any]) -> NDArray[Any]:
        record, fold = self.step.record, self.job.fold
        if record["grid"]["rgb"]:
            fold = fold.without("c")
        unfolded = fold.unfolded(np.asarray(values, np.uint8 if values.dtype == bool else None))
        return np.asarray(unfolded[record["channel"]] if "channel" in record else unfolded)

    def _named(self, shown: str, unit: str) -> str:
        record, layer = self.step.record, self.step.layer
        what = map_name(shown, unit)
        if not is_stack(layer):
            return f"{what} · {layer.name}"
        step = "final" if record["is_final"] else f"step {record['step']:02}"
        return f"{what} · {step} · {layer.name}"

    def _made(self, layer: Layer, title: str) -> bool:
        kept = layer.metadata.get(KEY)
        if not isinstance(kept, dict) or kept.get("made") != title.lower():
            return False
        of, own = kept.get("of"), self.step.record
        if not isinstance(of, dict) or any(
            of.get(name) != own.get(name) for name in ("step", "is_final", "source", "recipe")
        ):
            return False
        return bool(layer.name == self._named(str(kept.get("shows")), str(kept.get("map_unit"))))


def study_work(run: StepStudyRun) -> Work:
    """Return the work of a study: `Message`, `Begun`, `Progress` and `SeedDone`."""

    def work(worker: Worker) -> None:
        worker.post(Message(f"{run.kind.title} …"))
        with contextlib.suppress(Stopped), as_run_error("steps"):
            result = run.compute(worker)
            if not worker.stop.is_set():
                worker.post(SeedDone(result, 0), in_turn=True)

    return work


class StudySink:
    """Shows the maps of a study as layers, and hands its result on.

    Parameters
    ----------
    run : StepStudyRun
        The study.
    viewer : napari.Viewer
        Where to.
    done : callable
        Takes the result and the layers.
    """

    def __init__(
        self,
        run: StepStudyRun,
        viewer: napari.Viewer,
        done: Callable[[StudyResult, list[Image]], None],
    ) -> None:
        self._run = run
        self._viewer = viewer
        self._done = done
        self._summary = "nothing"

    def grow(self, result: StudyResult) -> None:
        """Insert the layers."""
        layers = self._run.show(result, self._viewer)
        self._summary = self._run.kind.title.lower()
        self._done(result, layers)

    def summary(self) -> str:
        """Return what there is, in words."""
        return self._summary

    def finish(self) -> None:
        """Nothing is left to be shown."""
