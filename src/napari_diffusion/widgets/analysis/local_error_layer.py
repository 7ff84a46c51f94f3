"""Estimated local error of a step as a layer: where it is closer to ground truth."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.analysis.local_error import LocalError, local_error
from napari_diffusion.engine.threads import Stopped
from napari_diffusion.records.derived import local_error_record
from napari_diffusion.widgets.layers.step_layers import Place
from napari_diffusion.widgets.layers.step_records import KEY
from napari_diffusion.widgets.results.layer_sink import related_layers
from napari_diffusion.widgets.results.step_source import arguments_of, rerun_job
from napari_diffusion.widgets.run.read_layer import as_run_error
from napari_diffusion.widgets.run.run_request import Message, SeedDone

if TYPE_CHECKING:
    import napari
    from napari.layers import Image
    from napari.utils.colormaps import Colormap
    from numpy.typing import NDArray

    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.io.step_record import StepRecord
    from napari_diffusion.widgets.results.chosen_step import ChosenStep
    from napari_diffusion.widgets.run.run_request import Job
    from napari_diffusion.widgets.run.worker import Work, Worker


@dataclass(frozen=True, eq=False)
class StepLocalError:
    """The estimated local error of one step: computed in any thread, shown in the window's.

    Attributes
    ----------
    step : ChosenStep
        The step.
    job : Job
        The run that it is of, from its whole source.
    record : dict
        The step's own record.
    """

    step: ChosenStep
    job: Job
    record: StepRecord

    @classmethod
    def of(cls, step: ChosenStep, viewer: napari.Viewer) -> StepLocalError:
        """Look the step's source up; `RunError` says why its error cannot be estimated."""
        return cls(step, rerun_job(step, viewer), step.record)

    def compute(self, stop: StopToken | None = None) -> LocalError:
        """Run the recipe again on a slightly changed source; ValueError says why it cannot."""
        record = self.record
        image, options = arguments_of(self.job)
        try:
            return local_error(
                image,
                self.job.recipe,
                step=None if record["is_final"] else record["step"],
                stop=stop,
                **options,
            )
        except ValueError as error:
            # What a script may say instead, a button cannot.
            raise ValueError(str(error).partition(" If you know the noise")[0]) from None

    def show(self, local_error: LocalError, viewer: napari.Viewer) -> Image:
        """Insert a layer above all steps: green where closer to ground truth, pink where not."""
        from napari.layers import Image

        values, sigma = self._of_layer(local_error)
        layer = Image(
            values,
            name=f"estimated local error · {self.step.layer.name}",
            metadata={KEY: local_error_record(local_error, self.record)},
            **{
                **self.step.style.arguments(),
                "rgb": False,
                "blending": "translucent",
                "colormap": _colours(),
                "contrast_limits": (-sigma, sigma),
            },
        )
        Place(viewer, related_layers(viewer, self.step.layer)).insert(layer)
        return layer

    def summary(self, layer: Image) -> str:
        """Say what a layer that `show` has inserted is, without a full stop."""
        noise = float(layer.contrast_limits[1])
        share = 100 * float(np.mean(layer.data < 0))
        return (
            f"estimated local error of {self.step.title}. Green ({share:.0f} % of the "
            "pixels): closer to the ground truth than the source; pink: farther "
            f"(expected error minus that of the source, ±{noise:.3g}, in intensity units)"
        )

    def _of_layer(self, local_error: LocalError) -> tuple[NDArray[Any], float]:
        """Return the values in the axes of the step's layer, and the noise: of its own channel."""
        fold, record = self.job.fold, self.record
        if record["grid"]["rgb"]:
            fold = fold.without("c")
        values, sigma = fold.unfolded(local_error.values), local_error.noise_sigma
        if "channel" not in record:
            return values, float(np.max(sigma))
        channel = record["channel"]
        return values[channel], float(np.broadcast_to(sigma, self.job.fold.shape[:1])[channel])


def local_error_work(local_error: StepLocalError) -> Work:
    """Return the work that estimates a step's local error: it posts `Message` and `SeedDone`."""

    def work(worker: Worker) -> None:
        worker.post(Message("Running the recipe on a slightly changed source …"))
        with contextlib.suppress(Stopped), as_run_error("steps"):
            worker.post(SeedDone(local_error.compute(worker.stop), 1))

    return work


class LocalErrorLayerSink:
    """Shows estimated local error as a layer.

    Parameters
    ----------
    local_error : StepLocalError
        Of which step.
    viewer : napari.Viewer
        Where to.
    """

    def __init__(self, local_error: StepLocalError, viewer: napari.Viewer) -> None:
        self._local_error = local_error
        self._viewer = viewer
        self._summary = "nothing"

    def grow(self, found: LocalError) -> None:
        """Insert the layer."""
        self._summary = self._local_error.summary(self._local_error.show(found, self._viewer))

    def summary(self) -> str:
        """Return what there is, in words."""
        return self._summary

    def finish(self) -> None:
        """Nothing is left to be shown."""


def _colours() -> Colormap:
    """Return PiYG the other way round: what lies below 0 is good."""
    from napari.utils.colormaps import Colormap, ensure_colormap

    return Colormap(ensure_colormap("PiYG").colors[::-1], name="PiYG reversed")
