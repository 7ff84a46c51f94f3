"""Replays the run of a layer from its source layer, and says where the two differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.merkle_hash import chunks_of, hash_of
from napari_diffusion.io import NotReadable
from napari_diffusion.io.memory import working_memory
from napari_diffusion.loop.step import Step
from napari_diffusion.records.provenance import versions
from napari_diffusion.runs.verification.comparison import difference
from napari_diffusion.runs.verification.replay import replayed
from napari_diffusion.runs.verification.step_values import StepValues
from napari_diffusion.runs.verification.verdict import Verdict
from napari_diffusion.widgets.layers.layer_axes import FURTHER
from napari_diffusion.widgets.layers.layer_values import values
from napari_diffusion.widgets.layers.step_records import is_stack, layer_letters, records_of
from napari_diffusion.widgets.results.chosen_step import ChosenStep
from napari_diffusion.widgets.results.step_source import rerun_job
from napari_diffusion.widgets.run import memory
from napari_diffusion.widgets.run.held_values import HeldValues, in_parts
from napari_diffusion.widgets.run.loop_run import finished
from napari_diffusion.widgets.run.read_layer import read_mask, with_mask
from napari_diffusion.widgets.run.run_request import Message, RunError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import napari
    from napari.layers import Image

    from napari_diffusion.io.step_record import StepRecord
    from napari_diffusion.runs.verification.comparison import Difference
    from napari_diffusion.runs.verification.replay import Values
    from napari_diffusion.widgets.run.run_request import Job
    from napari_diffusion.widgets.run.worker import Worker

    Result = tuple[Verdict, list[str]]

# Names of axes that a layer has beside t, c, z, y and x.
_BESIDE = "uvwabdefgh"


@dataclass(frozen=True, eq=False)
class LayerReplay:
    """A replay of the steps in a layer.

    Attributes
    ----------
    job : Job
        Their run, from its whole source.
    records : list of dict
        Of the steps.
    steps : list of array
        Their values.
    """

    job: Job
    records: list[StepRecord]
    steps: list[Any]

    @classmethod
    def of(cls, layer: Image, viewer: napari.Viewer) -> LayerReplay:
        """Find the source of a layer among the others.

        Raises
        ------
        RunError
            If it cannot be replayed from them.
        """
        records = records_of(layer)
        if records[0].get("started_from_rounded"):
            raise RunError("steps", "The run went on from a step that had been rounded.")
        job = rerun_job(ChosenStep(layer, 0), viewer)
        whole = values(layer)
        return cls(job, records, list(whole) if is_stack(layer) else [whole])

    def compared(self, worker: Worker) -> Result:
        """Replay the run until a step differs; any thread may call it."""
        name, written = self.job.source_name, self.records[0].get("hashes", {}).get("input")
        source = self._source()
        if written is not None and hash_of(HeldValues(source, worker.stop)) != written:
            said = f"{name!r} is not the image that the run started from: its hash differs."
            return Verdict.DIFFERENT, [said]
        lenient = self.records[0]["versions"] != dict(versions())
        greatest = 0.0
        for record, step, image in self._made(source, worker):
            saved = _step_values(step, layer_letters(record))
            if saved.shape != tuple(image.shape) or saved.dtype != image.dtype:
                return Verdict.DIFFERENT, [_unlike(record, saved, image)]
            try:
                found = difference(saved, image)
            except (NotReadable, OSError) as error:
                return Verdict.BROKEN, [f"{_named(record)} cannot be read: {error}"]
            if found is not None and not (lenient and found.within):
                return Verdict.DIFFERENT, [_words(record, found, saved, image)]
            greatest = max(greatest, 0.0 if found is None else found.greatest)
        count = f"{len(self.steps)} step{'s' * (len(self.steps) > 1)}"
        begin = f"Replayed from the layer {name!r}: {count} made again"
        if not greatest:
            return Verdict.IDENTICAL, [f"{begin} with the same bits."]
        return Verdict.WITHIN, [
            f"{begin} with other versions or another processor; the greatest difference is "
            f"{greatest:.3g}."
        ]

    def _source(self) -> Values:
        """Return the source in the loop's axes; in parts where memory has no room for the run."""
        job = self.job
        if working_memory(job.fold.shape, job.data.dtype) <= memory.free_memory():
            return np.asarray(job.fold.folded(np.asarray(job.data)))
        lazy: Values = in_parts(job.data, job.fold)[0]
        return lazy

    def _made(self, source: Values, worker: Worker) -> Iterator[tuple[StepRecord, Any, Values]]:
        job = self.job
        options: Any = with_mask(job, read_mask(job))
        region = None if job.region is None else job.fold.region(job.region)
        wanted = [record["step"] for record in self.records]
        again = replayed(source, options, job.recipe, wanted, region=region, stop=worker.stop)
        for done, (index, image) in enumerate(again):
            worker.post(Message(f"Comparing step {done + 1} of {len(wanted)} …"))
            place = wanted.index(index)
            made: Values = finished(Step(index, 0.0, image, False), job).image
            record = self.records[place]
            yield (
                record,
                self.steps[place],
                made[record["channel"]] if "channel" in record else made,
            )


def _step_values(step: Any, letters: str) -> StepValues:
    # Each axis by one letter, those that are further ones too.
    beside = iter(_BESIDE)
    named = "".join(next(beside) if each == FURTHER else each for each in letters)
    # Planes of what is stored in chunks would have each of these read many times.
    chunks = None if isinstance(step, np.ndarray) else chunks_of(step)
    return StepValues(step, named, named, chunks=chunks)


def _named(record: StepRecord) -> str:
    return "the final result" if record["is_final"] else f"step {record['step']}"


def _unlike(record: StepRecord, saved: StepValues, made: Values) -> str:
    return (
        f"Replayed: {_named(record)} has the shape {saved.shape} and type {saved.dtype}, and made "
        f"again {tuple(made.shape)} and {made.dtype}."
    )


def _words(record: StepRecord, found: Difference, saved: StepValues, made: Values) -> str:
    return (
        f"Replayed: different from {_named(record)}, pixel {_first(saved, made)} on; the greatest "
        f"difference is {found.greatest:.3g}."
    )


def _first(saved: StepValues, made: Values) -> tuple[int, ...]:
    """Return where the first pixel lies that differs."""
    for _, region in saved.regions():
        one, other = saved[region], np.asarray(made[region])
        unlike = (one != other) & ~(np.isnan(one) & np.isnan(other))
        if unlike.any():
            inside = np.argwhere(unlike)[0]
            return tuple(int(part.start + k) for part, k in zip(region, inside, strict=True))
    return (0,) * len(saved.shape)
