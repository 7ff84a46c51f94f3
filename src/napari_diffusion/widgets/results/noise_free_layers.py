"""The noise-free runs of a run's steps: the same recipe without its noise, each a hidden layer."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from napari_diffusion.analysis.noise_free_run import noise_effect, without_noise
from napari_diffusion.core.image import is_dask
from napari_diffusion.loop.loop import steps
from napari_diffusion.records.provenance import record
from napari_diffusion.widgets.results.layer_sink import layer_sink_for
from napari_diffusion.widgets.results.step_run import MEASURES

if TYPE_CHECKING:
    from collections.abc import Sequence

    import napari
    from napari.layers import Image

    from napari_diffusion.loop.recipe import Recipe, Step
    from napari_diffusion.widgets.layers.layer_style import LayerStyle
    from napari_diffusion.widgets.layers.memory import Result
    from napari_diffusion.widgets.layers.step_layers import LayerSink
    from napari_diffusion.widgets.run.run_request import Job

# The measure of a step in its record: the root mean square of the step less its noise-free run.
EFFECT = "NoiseEffect"


class NoiseFreeRuns:
    """The steps of a run without noise, one after the other; see `steps` for the parameters."""

    def __init__(self, image: Any, recipe: Recipe, job: Job, mask: Any, **options: Any) -> None:
        self._recipe = without_noise(recipe)
        self._job = job
        self._mask = mask if options.get("region") is None else None
        self._made = steps(image, self._recipe, **options)
        self.step: Any = None

    def advance(self) -> None:
        """Make the next step without noise."""
        self.step = next(self._made)

    def measures(self, step: Step) -> dict[str, Any]:
        """Return what the record of a step says of its noise-free run: what the noise did."""
        if is_dask(step.image):
            return {}
        return {MEASURES: {EFFECT: noise_effect(step, self.step, self._inside(step))}}

    def record(self, kept: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Return the record of the noise-free run, which makes it again as any other step."""
        job = self._job
        own = record(
            self._recipe, self.step, job.options, job.source_name, noise_free_run=True, **more
        )
        own["grid"] = kept["grid"]
        return own

    def _inside(self, step: Step) -> Any:
        mask = self._mask
        return mask if mask is None or mask.shape == step.image.shape else None


class NoiseFreeLayerSink:
    """Send steps and their noise-free runs to layer sinks of their own; the step stays active.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose layers.
    steps, noise-free runs : Outlet
        Where they become visible.
    """

    def __init__(self, viewer: napari.Viewer, steps: LayerSink, noise_free_runs: LayerSink) -> None:
        self._layers = viewer.layers
        self._steps = steps
        self._noise_free_runs = noise_free_runs
        self._kept: deque[tuple[Step, dict[str, Any]]] = deque()

    @property
    def mask(self) -> Any:
        """The mask of the run."""
        return self._steps.mask

    @mask.setter
    def mask(self, mask: Any) -> None:
        self._steps.mask = self._noise_free_runs.mask = mask

    @property
    def in_turn(self) -> bool:
        """Whether a step must be shown before the next one is made."""
        return self._steps.in_turn or self._noise_free_runs.in_turn

    def keep_noise_free_run(self, noise_free_run: Step, record: dict[str, Any]) -> None:
        """Put the noise-free run of the next step away; called by the thread that computes."""
        self._kept.append((self._noise_free_runs.keep(noise_free_run), record))

    def keep(self, step: Step) -> Step:
        """Put a step away."""
        return self._steps.keep(step)

    def show(self, step: Step, record: dict[str, Any]) -> None:
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
    looks: Sequence[LayerStyle],
    result: Result,
) -> LayerSink:
    """Return an outlet for steps and their noise-free runs; see `outlet_for` for the parameters."""
    width = max(2, len(str(job.recipe.total_steps - 1)))

    def titled(step: Step, record: dict[str, Any]) -> str:
        del record
        return "noise-free run final" if step.is_final else f"noise-free run {step.index:0{width}}"

    hidden = [style.hidden() for style in looks]
    noise_free_runs = layer_sink_for(viewer, layers, job, hidden, result, titled, "noise-free")
    return NoiseFreeLayerSink(viewer, layer_sink, noise_free_runs)
