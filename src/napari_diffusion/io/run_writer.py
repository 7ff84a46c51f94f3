"""Writes the steps of a run; an incomplete output never gets the name asked for."""

from __future__ import annotations

import contextlib
import datetime
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from typing import cast as cast_type

import numpy as np

from napari_diffusion.core.image import is_dask
from napari_diffusion.core.merkle_hash import hash_of
from napari_diffusion.io.cast import cast
from napari_diffusion.io.output_claim import OutputClaim
from napari_diffusion.io.output_format import OutputFormat
from napari_diffusion.io.output_path import remove
from napari_diffusion.io.record_reader import step_entry
from napari_diffusion.io.step_record import (
    StepEntry,
    StepRecord,
    checked_record,
    with_output_hash,
)
from napari_diffusion.io.step_writer import RunWriter, step_writer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

    from numpy.typing import NDArray
    from pydantic import JsonValue

    from napari_diffusion.io.file_image import Source
    from napari_diffusion.io.ome_zarr.pyramid import Run
    from napari_diffusion.io.ome_zarr.writer import ZarrRunWriter, ZarrWriter

# What a note on a whole step holds.
_RECORD = "record"


@dataclass(eq=False)
class Output:
    """The output of a run; a context that publishes the steps when all are written.

    Until then they are in a file called "partial". If the run is interrupted, the steps made so
    far stay there, and the exception gets a note that says so; with a plan, another run can go on
    behind them.

    Parameters
    ----------
    path : path
        The name asked for; its extension chooses the format.
    source : Source
        Axes, pixel sizes and unit of the steps.
    count : int
        How many steps are to come.
    dtype : dtype
        Type of the values written.
    overwrite : bool
        Whether something of that name may be replaced.
    stack : bool
        Whether the steps in an OME-Zarr are one image, the step being its first axis.
    imagej : bool
        Whether a .tif is a hyperstack of ImageJ instead of an OME-TIFF.
    resume : bool
        Whether the run goes on behind the steps that an earlier one has written; without any it
        simply starts.
    take_over : bool
        Whether an output is taken over whose owner cannot be asked, as it is on another host.
    plan : mapping, optional
        Everything that the steps follow from, as plain JSON; it can be set until the context is
        entered. Only the same plan goes on.

    Attributes
    ----------
    claim : OutputClaim
        The lock, and the plan that stands.

    Raises
    ------
    ValueError
        If the format cannot hold that many steps, or not as a stack.
    FileExistsError
        If the name is taken, another run owns it, or an unfinished output must not be removed.
    """

    path: Path
    source: Source
    count: int
    dtype: np.dtype[Any]
    overwrite: bool = False
    stack: bool = False
    imagej: bool = False
    resume: bool = False
    take_over: bool = False
    plan: Mapping[str, JsonValue] | None = None
    steps: list[StepEntry] = field(default_factory=list)
    record: StepRecord = field(default_factory=StepRecord)

    def __post_init__(self) -> None:
        form = OutputFormat.of(self.path, self.source, self.count, imagej=self.imagej)
        form.check_count(self.source, self.count, stack=self.stack)
        self.path, self.partial, self.ending = form.path, form.partial, form.ending
        self._form = form
        self.claim = OutputClaim(
            self.path,
            self.partial,
            apart=form.apart,
            overwrite=self.overwrite,
            resume=self.resume,
            take_over=self.take_over,
            plan=self.plan,
        )
        self.claim.check()

    def __enter__(self) -> Self:
        self.claim.plan = self.plan
        self.claim.__enter__()
        try:
            self._start()
        except BaseException as error:
            if not self.claim.resumed:
                self.claim.drop()
            self.claim.__exit__(type(error), error, error.__traceback__)
            raise
        self._form.warn_of_sizes(self.source)
        return self

    def write(self, image: NDArray[Any], record: StepRecord, sha256: str | None = None) -> None:
        """Write the next step and its record; one that is whole already is left out."""
        if record.get("step") in self.whole:
            return
        values = cast(image, self.dtype)
        if record:
            if sha256 is None and not is_dask(values):
                sha256 = hash_of(values)
            record = with_output_hash(record, sha256)
        self._writer.write(values, record)
        self._wrote(record)

    def write_array(self, folder: Path, record: StepRecord, run: Run) -> None:
        """Write the next step from a zarr array, in whose place its files are linked.

        Parameters
        ----------
        folder : path
            The array, in the type and the order of axes of the file; see `takes_arrays`.
        record : mapping
            As for `write`.
        run : callable
            ``run(function, items)`` calls a function with each item, in any order.
        """
        if record.get("step") in self.whole:
            return
        cast_type("ZarrRunWriter | ZarrWriter", self._writer).write_array(folder, record, run)
        self._wrote(record)

    @property
    def takes_arrays(self) -> bool:
        """Whether `write_array` can be used for values of the type written."""
        return self.ending.endswith("zarr") and not (self.stack and self.count > 1)

    def _wrote(self, record: StepRecord) -> None:
        self._add(record)
        if self.count > 1:
            self.claim.note({_RECORD: cast_type("JsonValue", record)})

    @property
    def whole(self) -> list[int]:
        """The steps that an earlier run has written, in order."""
        return [record["step"] for record in self._whole]

    def last_whole(self) -> tuple[int, NDArray[Any], StepRecord] | None:
        """Return the last of these, in the type written; its values are lazy if the source's are.

        Returns
        -------
        tuple or None
            Index, values in the order of the source's axes, and record; None if there is no step.
        """
        if not self._whole:
            return None
        index, record = len(self._whole) - 1, self._whole[-1]
        found: Any = cast_type("RunWriter", self._writer).image(index)
        if found.shape != self.source.image.shape or found.dtype != self.dtype:
            raise ValueError(
                f"{str(self.partial)!r} holds {found.dtype} of shape {found.shape}, and not what "
                "its plan says: --overwrite without --resume starts again."
            )
        if not is_dask(self.source.image):
            return record["step"], np.array(found), record
        import dask.array as da

        chunks = da.asarray(self.source.image).chunks
        lazy = found if is_dask(found) else da.from_array(found, chunks=chunks, name=False)
        return record["step"], lazy.rechunk(chunks), record

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._finish()
                self._publish()
            else:
                self._break_off(error)
        finally:
            self.claim.__exit__(kind, error, trace)

    def _start(self) -> None:
        """Begin the file, or go on behind the steps that it holds."""
        # Of one step nothing is whole but the output.
        several = self.claim.resumed and self.count > 1
        noted = _records(self.claim.notes) if several else []
        if self.claim.resumed and not several:
            remove(self.partial)
        self._images = 0
        self._whole: list[StepRecord] = []
        self._writer = step_writer(
            self.partial,
            self.ending,
            self.source,
            self.dtype,
            self.count,
            stack=self.stack,
            imagej=self.imagej,
            whole=noted,
            durable=self.plan is not None,
        )
        if several:
            kept = cast_type("RunWriter", self._writer).kept
            self.claim.keep(kept)
            for record in noted[:kept]:
                self._add(record)
            self._whole = noted[:kept]

    def _add(self, record: StepRecord) -> None:
        self.record = record
        self._images += 1
        if "step" in record:  # an image that nothing was done to has none
            self.steps.append(step_entry(record))

    def _break_off(self, error: BaseException) -> None:
        """Keep the steps that are whole, and add to the error where they are."""
        kept = self._images > 0
        if kept:
            try:
                self._writer.finish(self._whole_record())
            except OSError:
                # What cannot be read without a last word can still be gone on with.
                kept = self._writer.separate or (self.plan is not None and self.count > 1)
        if kept:
            error.add_note(f"The {_counted(self._images)} saved in {str(self.partial)!r}.")
            return
        if self.plan is not None and self.claim.work.exists():
            with contextlib.suppress(OSError):
                self._writer.close()
            error.add_note("--resume goes on with the tiles made so far.")
            return
        with contextlib.suppress(Exception):
            self._writer.close()
        self.claim.drop()
        error.add_note(f"Nothing was written to {str(self.path)!r}.")

    def _whole_record(self) -> StepRecord:
        return {**self.record, "steps": self.steps} if self.steps else self.record

    def _finish(self) -> None:
        try:
            self._writer.finish(self._whole_record())
            if self.ending.endswith("zarr") and "processed" in self.record:
                from napari_diffusion.io.ome_zarr.ro_crate import write_crate

                ended = datetime.datetime.now(datetime.UTC)
                write_crate(self.partial, self._whole_record(), ended=ended, name=self.path.name)
        except OSError as error:
            error.add_note(f"What was written stays in {str(self.partial)!r}.")
            raise

    def _publish(self) -> None:
        try:
            self.claim.publish()
        except OSError as error:
            error.add_note(f"The complete output is saved in {str(self.partial)!r}.")
            raise


def _records(notes: list[dict[str, JsonValue]]) -> list[StepRecord]:
    """Return the records of whole steps, up to the first that is none."""
    found: list[StepRecord] = []
    for note in notes:
        record = note.get(_RECORD)
        try:
            checked = checked_record(record if isinstance(record, dict) else {})
            step_entry(checked)
        except (ValueError, KeyError):
            break
        if checked != record:
            break
        # As it was written: the check orders its entries in another way.
        found.append(record)
    return found


def _counted(steps: int) -> str:
    return "first step is" if steps == 1 else f"{steps} steps made are"
