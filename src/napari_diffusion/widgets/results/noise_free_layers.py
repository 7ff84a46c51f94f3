"""The noise-free runs of a run's steps: the same recipe without its noise, each a hidden layer."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from napari_diffusion.widgets.layers.layer_names import noise_free_name
from napari_diffusion.widgets.results.layer_sink import layer_sink_for, loop_run_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    import napari
    import numpy as np
    from napari.layers import Image
    from numpy.typing import NDArray

    from napari_diffusion.io.step_record import StepRecord
    from napari_diffusion.loop.step import Step
    from napari_diffusion.widgets.layers.layer_style import LayerStyle
    from napari_diffusion.widgets.layers.step_layers import LayerSink
    from napari_diffusion.widgets.run.memory import Result
    from napari_diffusion.widgets.run.run_request import Job


class NoiseFreeLayerSink:
    """Send steps and their noise-free runs to layer sinks of their own; the step stays active.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose layers.
    steps, noise_free_runs : LayerSink
        Where they become visible.
    """

    def __init__(self, viewer: napari.Viewer, steps: LayerSink, noise_free_runs: LayerSink) -> None:
        self._layers = viewer.layers
        self._steps = steps
        self._noise_free_runs = noise_free_runs
        self._kept: deque[tuple[Step, StepRecord]] = deque()

    @property
    def mask(self) -> NDArray[np.bool_] | None:
        """The mask of the run."""
        return self._steps.mask

    @mask.setter
    def mask(self, mask: NDArray[np.bool_] | None) -> None:
        self._steps.mask = self._noise_free_runs.mask = mask

    @property
    def in_turn(self) -> bool:
        """Whether a step must be shown before the next one is made."""
        return self._steps.in_turn or self._noise_free_runs.in_turn

    def keep_noise_free_run(self, noise_free_run: Step, record: StepRecord) -> None:
        """Put the noise-free run of the next step away; called by the thread that computes."""
        self._kept.append((self._noise_free_runs.keep(noise_free_run), record))

    def keep(self, step: Step) -> Step:
        """Put a step away."""
        return self._steps.keep(step)

    def show(self, step: Step, record: StepRecord) -> None:
        """Show a step, and add its noise-free run beneath all steps."""
        self._steps.show(step, record)
        chosen = set(self._layers.selection)
        self._noise_free_runs.show(*self._kept.popleft())
        self._layers.selection = chosen

    def finish(self) -> None:
        """Show what is still to be shown."""
        self._steps.finish()
        chosen = set(self._layers.selection)
        self._noise_free_runs.finish()
        self._layers.selection = chosen & set(self._layers)


def with_noise_free_runs(
    layer_sink: LayerSink,
    viewer: napari.Viewer,
    layers: Sequence[Image],
    job: Job,
    styles: Sequence[LayerStyle],
    result: Result,
    run: int | None = None,
) -> LayerSink:
    """Return a layer sink for steps and their noise-free runs; see `layer_sink_for`.

    Without a number they are those of the next run on the source.
    """

    def titled(step: Step, record: StepRecord) -> str:
        del record
        return noise_free_name(step, job.recipe.total_steps)

    hidden = [style.hidden() for style in styles]
    run = run or loop_run_number(viewer, layers, job)
    many = "noise-free steps"
    noise_free_runs = layer_sink_for(viewer, layers, job, hidden, result, titled, many, run)
    return NoiseFreeLayerSink(viewer, layer_sink, noise_free_runs)
