"""The noise-free run of a run that was made before, and how far its steps are from it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from napari_diffusion.widgets.layers.layer_names import run_number
from napari_diffusion.widgets.layers.step_records import MEASURES
from napari_diffusion.widgets.results.continued_run import channels_of
from napari_diffusion.widgets.results.noise_free_layers import with_noise_free_runs
from napari_diffusion.widgets.results.step_source import rerun_job, source_layers, source_styles
from napari_diffusion.widgets.run.noise_free_runs import EFFECT

if TYPE_CHECKING:
    import napari
    import numpy as np
    from numpy.typing import NDArray

    from napari_diffusion.io.step_record import StepRecord
    from napari_diffusion.loop.step import Step
    from napari_diffusion.widgets.layers.step_layers import LayerSink
    from napari_diffusion.widgets.results.step_run import StepRun
    from napari_diffusion.widgets.run.run_request import Job


class MeasuredSteps:
    """Takes steps that are made once more, and keeps their distance from the noise-free run.

    Parameters
    ----------
    records : dict
        The records of the steps, of every channel, by number and whether the step is final.
    """

    in_turn = False

    def __init__(self, records: dict[tuple[int, bool], list[StepRecord]]) -> None:
        self._records = records
        self.mask: NDArray[np.bool_] | None = None

    def keep(self, step: Step) -> Step:
        """Return the step as it is."""
        return step

    def show(self, step: Step, record: StepRecord) -> None:
        """Write the distance into the records of the same step."""
        for known in self._records[step.index, step.is_final]:
            known.setdefault(MEASURES, {}).update({EFFECT: record[MEASURES][EFFECT]})

    def finish(self) -> None:
        """Nothing is left to be shown."""


def noise_free_study(run: StepRun, viewer: napari.Viewer) -> tuple[Job, LayerSink]:
    """Return the run once more beside its noise-free run, and where that goes: hidden layers.

    The distances are those of the steps as they were computed, before any rounding.
    """
    step = run.steps[-1]
    records = {
        (each.record["step"], each.record["is_final"]): [
            channel.record for channel in channels_of(each, viewer)
        ]
        for each in run.steps
    }
    job = replace(
        rerun_job(step, viewer), only=frozenset(run.numbers), noise_free_run=True
    )  # fmt: skip
    layers, styles = source_layers(step, viewer), source_styles(step, viewer)
    number = run_number(step.layer.name)
    made = MeasuredSteps(records)
    return job, with_noise_free_runs(made, viewer, layers, job, styles, "auto", number)
