"""Runs that do not fit into memory go to a folder, and their steps are a layer read from there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.loop.step import Step
from napari_diffusion.runs.file_run import room_of
from napari_diffusion.runs.passes.pass_plan import PassPlan
from napari_diffusion.runs.passes.pass_sequence import Pass
from napari_diffusion.runs.passes.tiling import Tiling
from napari_diffusion.runs.run_input import RunInput
from napari_diffusion.widgets.forms.message import Action
from napari_diffusion.widgets.layers.layer_files import file_of, keep_file
from napari_diffusion.widgets.layers.layer_names import layer_name
from napari_diffusion.widgets.layers.step_layers import Place
from napari_diffusion.widgets.layers.step_records import KEY, MASK_KEY
from napari_diffusion.widgets.results.layer_sink import loop_run_number, related_layers
from napari_diffusion.widgets.run import folder_question, memory
from napari_diffusion.widgets.run.folder_run import (
    FolderRequest,
    StepsWritten,
    folder_work,
    options_of,
)
from napari_diffusion.widgets.run.held_values import source_of
from napari_diffusion.widgets.run.memory_check import need_of, step_type

if TYPE_CHECKING:
    from collections.abc import Callable

    import napari
    from napari.layers import Image

    from napari_diffusion.io import Source
    from napari_diffusion.runs.file_run import FileRun
    from napari_diffusion.widgets.layers.layer_style import LayerStyle
    from napari_diffusion.widgets.layers.step_layers import Titled
    from napari_diffusion.widgets.run.memory import Result
    from napari_diffusion.widgets.run.run_request import Job
    from napari_diffusion.widgets.run.runner import Runner
    from napari_diffusion.widgets.run.worker import News
    from napari_diffusion.widgets.source.run_source import RunSource


@dataclass(eq=False)
class FolderSink:
    """Shows the steps that a run has left in its folder.

    Attributes
    ----------
    viewer : napari.Viewer
        Gets the layer.
    place : Place
        Where in the list of layers.
    style : LayerStyle
        What one step looks like.
    title : callable
        Returns the name of the layer, by the record of its step or by those of its steps.
    folder : str
        What messages call the folder.
    """

    viewer: napari.Viewer
    place: Place
    style: LayerStyle
    title: Callable[[Any], str]
    folder: str
    shown: str = field(default="", init=False)

    def grow(self, what: StepsWritten) -> None:
        """Show the steps."""
        from napari.layers import Image

        kept, many = what.arguments["metadata"], "step" in what.arguments["axis_labels"]
        style = self.style.stacked() if many else self.style
        arguments = {**what.arguments, "name": self.title(kept[KEY])}
        finest = what.data[0] if arguments["multiscale"] else what.data
        if finest.ndim - arguments["rgb"] == len(style.placed["scale"]):
            arguments |= style.arguments()  # unless further axes have been folded into t
        mask = {} if what.mask is None else {MASK_KEY: what.mask}
        layer = Image(what.data, **{**arguments, "metadata": {**kept, **mask}})
        keep_file(layer, what.path)
        self.place.insert(layer)
        count = len(kept[KEY].get("steps", [kept]))
        self.shown = f"{count} step{'s' * (count != 1)} in {str(what.path)!r}"

    def finish(self) -> None:
        """Show the layers beneath again where no step was made."""
        if not self.shown:
            self.place.uncover()

    def words(self) -> str:
        """Return what there is at the end of a run."""
        left = f"the tiles made so far in {self.folder!r}, with which Run goes on, are"
        return self.shown or left


@dataclass(frozen=True, eq=False)
class FolderStart:
    """Starts runs of a dock in a folder where they do not fit into memory.

    Attributes
    ----------
    viewer : napari.Viewer
        Gets the layers.
    runner : Runner
        Of the dock.
    titled : callable, optional
        What a single result is called; without, it is called as a step of a loop.
    found : callable, optional
        Returns the news of what was measured, by default the resolved recipe.
    """

    viewer: napari.Viewer
    runner: Runner
    titled: Titled | None = None
    found: Callable[[FileRun], News] | None = None

    def took(
        self, run_source: RunSource, job: Job, result: Result, title: str, *actions: Action
    ) -> bool:
        """Ask where a run goes that does not fit into memory, and start it there.

        Returns
        -------
        bool
            Whether there is nothing left to do: it was started, or is not wanted. False where it
            fits into memory, or can only be run as one that does.
        """
        kind: Result = "layers" if job.lazy else result
        need, free = need_of(replace(job, lazy=False), kind), memory.free_memory()
        if need.memory <= free or not _can_be_written(job, run_source):
            return False
        (layer,), (style,) = run_source.layers, run_source.styles
        source = source_of(job, style)
        answer = folder_question.folder_for(need.memory, free, _disk(job, source), job.lazy)
        if answer is None:
            return job.lazy
        if answer == "as before":
            return False
        options = {} if self.found is None else {"found": self.found}
        held = isinstance(job.data, np.ndarray)
        request = FolderRequest(
            job, source, answer, None if held else file_of(layer), memory.memory_limit(), **options
        )
        place = Place(self.viewer, related_layers(self.viewer, layer))
        if style.mixes and style.shown.get("visible", True):
            place.cover()
        sink = FolderSink(self.viewer, place, style, self._title(layer, job), str(answer))
        another = Action("Another folder", folder_question.forget)
        self.runner.start(
            folder_work(request), sink, made=sink.words, title=title, actions=(*actions, another)
        )
        return True

    def _title(self, layer: Image, job: Job) -> Callable[[Any], str]:
        run = loop_run_number(self.viewer, [layer], job)

        def title(kept: Any) -> str:
            if self.titled is None or "steps" in kept:
                count = len(kept.get("steps", [kept]))
                return layer_name(f"{count} step{'s' * (count > 1)}", job.source_name, run)
            step = Step(kept["step"], kept["noise_scale"], np.empty(0), kept["is_final"])
            place = Place(self.viewer, [])
            return place.free_name(self.titled(step, kept), job.source_name, 1)

        return title


def _can_be_written(job: Job, run_source: RunSource) -> bool:
    """Say whether a run can go to a folder: one on the whole of one layer, from its beginning."""
    rounded = job.cast is None or job.cast.record()["rounded"]
    whole = job.region is None and job.first_step == 0 and job.origin is None
    return whole and rounded and len(run_source.layers) == 1 and not job.noise_free_run


def _disk(job: Job, source: Source) -> int:
    """Return the most that a run takes on the disk: how many passes it has is known later."""
    read = RunInput(source, options_of(job, None))
    shape = (1, 1, 1, *source.image.shape[:2])
    several = (Pass(0, 0, 1, 1), Pass(1, 0, 1, 1))
    plan = PassPlan(several, Tiling(shape, shape, shape), 1, 1.0, 0.0, 0)
    return room_of(read, plan, job.recipe, len(job.kept), step_type(job).itemsize)
