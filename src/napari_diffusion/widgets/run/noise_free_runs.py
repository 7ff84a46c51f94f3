"""The same recipe without its noise, step by step along with a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_diffusion.analysis.noise_free_run import noise_effect, without_noise
from napari_diffusion.core.image import is_dask
from napari_diffusion.loop.loop import steps
from napari_diffusion.records.provenance import record
from napari_diffusion.widgets.layers.step_records import MEASURES

if TYPE_CHECKING:
    import numpy as np
    from napari.layers import Image
    from numpy.typing import NDArray

    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.io.step_record import StepRecord
    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.loop.step import Step
    from napari_diffusion.widgets.run.run_request import Job

# The measure of a step in its record: the root mean square of the step minus its noise-free run.
EFFECT = "Noise effect"


class NoiseFreeRuns:
    """The steps of a run without noise, one after the other; see `steps` for the parameters."""

    def __init__(
        self,
        image: Image,
        recipe: Recipe,
        job: Job,
        mask: NDArray[np.bool_] | None,
        region: tuple[slice, ...] | None,
        stop: StopToken,
    ) -> None:
        self._recipe = without_noise(recipe)
        self._job = job
        self._mask = mask if region is None else None
        self._made = steps(image, self._recipe, region=region, stop=stop)
        self.step: Step

    def advance(self) -> None:
        """Make the next step without noise."""
        self.step = next(self._made)

    def measures(self, step: Step) -> StepRecord:
        """Return what the record of a step says of its noise-free run: what the noise did."""
        if is_dask(step.image):
            return {}
        return {MEASURES: {EFFECT: noise_effect(step, self.step, self._inside(step))}}

    def record(self, kept: StepRecord, **more: Any) -> StepRecord:
        """Return the record of the noise-free run, which makes it again as any other step."""
        job = self._job
        own = record(
            self._recipe, self.step, job.options, job.source_name, noise_free_run=True, **more
        )
        own["grid"] = kept["grid"]
        return own

    def _inside(self, step: Step) -> NDArray[np.bool_] | None:
        mask = self._mask
        return mask if mask is None or mask.shape == step.image.shape else None
