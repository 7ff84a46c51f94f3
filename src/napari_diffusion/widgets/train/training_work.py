"""Training as the work of a thread: what is learned from is read, and scores are posted."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from napari_diffusion.engine.threads import Stopped
from napari_diffusion.learning import train
from napari_diffusion.widgets.run.compiling_note import CompilingNote
from napari_diffusion.widgets.run.read_layer import as_run_error, read_layer
from napari_diffusion.widgets.run.run_request import Begun, Message, SeedDone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_diffusion.core.noise_scale import NoiseScale
    from napari_diffusion.learning import Score, TrainedWeights
    from napari_diffusion.learning.measured_image import Kind
    from napari_diffusion.widgets.run.run_request import Job
    from napari_diffusion.widgets.run.worker import Work, Worker

#: What a training's progress is counted in: it has no pieces.
WHOLE = 100


class TrainingChoice(NamedTuple):
    """What `nd.learning.train` is asked for besides the image, by its keywords."""

    kind: Kind = "noisy"
    start: str | None = "photographs"
    seconds: float = 40.0
    noise_sigma: NoiseScale | Literal["auto"] = "auto"


def training_work(job: Job, choice: TrainingChoice, made: list[TrainedWeights]) -> Work:
    """Return the work of training, which puts its weights into a list, also when it is stopped.

    It posts a `SeedDone` for each score.
    """

    def work(worker: Worker) -> None:
        with contextlib.suppress(Stopped), CompilingNote(worker.post):
            made.append(_train(job, choice, worker))

    return work


def _train(job: Job, choice: TrainingChoice, worker: Worker) -> TrainedWeights:
    image = read_layer(job, job.options, worker)
    if job.region is not None:
        image = image[job.fold.region(job.region)]

    def heard(score: Score) -> None:
        if not score.steps:
            worker.post(Begun(WHOLE, "percent"))
        worker.post(SeedDone(score, percent(score.seconds, choice)))

    worker.post(Message("Measuring the noise …"))
    asked: dict[str, Any] = choice._asdict()
    with as_run_error("source"), _in_words():
        return train(
            image,
            **asked,
            names=(job.source_name,),
            progress=heard,
            stop=worker.stop,
            **job.options,
        )


@contextlib.contextmanager
def _in_words() -> Iterator[None]:
    """Leave out of a refusal what only those who write code can do."""
    try:
        yield
    except ValueError as error:
        words = re.sub(r" \(kind=\W\w+\W\)", "", str(error))
        words = re.sub(r"noise_sigma=\W(\w+)\W", r"noise σ \1", words)
        words = words.replace("noise_sigma", "noise σ")
        raise ValueError(words) from error


def percent(seconds: float, choice: TrainingChoice) -> int:
    """Return how much of a training is done after so many seconds; never quite all."""
    return min(int(WHOLE * seconds / choice.seconds), WHOLE - 1)
