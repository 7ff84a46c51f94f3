"""The report of the run that is shown, with the studies of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.widgets.layers.layer_axes import Fold
from napari_diffusion.widgets.layers.step_records import letters_of
from napari_diffusion.widgets.results.continued_run import channels_of
from napari_diffusion.widgets.results.step_source import arguments_of, rerun_job

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Generator, Sequence
    from pathlib import Path

    import napari

    from napari_diffusion.analysis.study_result import StudyResult
    from napari_diffusion.widgets.results.step_run import StepRun


def report_work(
    run: StepRun, viewer: napari.Viewer, studies: Sequence[StudyResult], path: Path
) -> Callable[[threading.Event], Generator[int, None, Path]]:
    """Return work that writes a report; `RunError` says why there is none.

    The user has agreed to replace a file of that name.
    """
    job = rerun_job(run.step, viewer)
    # Up to the step that is shown: that is the result.
    steps = [channels_of(step, viewer) for step in run.steps[: run.shown + 1]]

    def work(token: threading.Event) -> Generator[int, None, Path]:
        from napari_diffusion.report import report_of_steps, write_report

        yield 0
        source, options = arguments_of(job)
        options.pop("region", None)
        kept = []
        for channels in steps:
            record = channels[0].record
            parts = [np.asarray(each.data) for each in channels]
            data = np.stack(parts) if "channel" in record else parts[0]
            kept.append((record, Fold(letters_of(record), data.shape).folded(data)))
        report = report_of_steps(source, kept, options, job.source_name, studies)  # type: ignore[arg-type]
        yield 0
        return path if token.is_set() else write_report(path, report, overwrite=True)

    return work
