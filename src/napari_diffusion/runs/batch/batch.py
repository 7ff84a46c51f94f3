"""A batch: the runs of many files, one after the other, of which each may fail alone."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

from napari_diffusion.denoising.report_text import report_record
from napari_diffusion.engine.threads import Stopped, stoppable
from napari_diffusion.io import Output
from napari_diffusion.io.output_claim import PlanDiffers
from napari_diffusion.io.output_format import OutputFormat
from napari_diffusion.io.reader import STORES
from napari_diffusion.loop.kept_steps import kept_steps
from napari_diffusion.runs.batch.batch_outputs import check_outputs, named_outputs
from napari_diffusion.runs.batch.batch_plan import (
    BatchOptions,
    batch_entry,
    differing,
    standing_entry,
)
from napari_diffusion.runs.batch.batch_recipe import BatchRecipe
from napari_diffusion.runs.batch.batch_row import BatchRow, State, reason
from napari_diffusion.runs.batch.batch_table import BatchTable
from napari_diffusion.runs.file_run import FileRun
from napari_diffusion.runs.restored_source import restored_source
from napari_diffusion.runs.run_input import read_input
from napari_diffusion.runs.written_steps import written

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from pathlib import Path

    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.io.step_record import BatchEntry, FurtherEntries
    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.runs.batch.batch_recipe import FileRecipe
    from napari_diffusion.runs.file_run import Progress
    from napari_diffusion.runs.passes.workers import Workers
    from napari_diffusion.runs.run_input import RunInput

_THERE = "Its output is there already, of the same recipe and input."


@dataclass(eq=False)
class Batch:
    """The runs of many files.

    Parameters
    ----------
    inputs : sequence of path
        The images; `batch_inputs` finds them in folders.
    folder : path
        Of the outputs and of their table, batch.csv; it is made if need be.
    recipe : callable
        Returns the recipe asked for, for an image.
    options : BatchOptions
        How the files are read and written.
    workers : Workers, optional
        Worker processes; without them threads of this one.
    progress : callable, optional
        Called with how much of the file at work is done, of how much, and what that is.

    Attributes
    ----------
    rows : list of BatchRow
        What has become of each file.

    Raises
    ------
    FileExistsError
        If one output would replace another, or an input.
    """

    inputs: Sequence[Path]
    folder: Path
    recipe: Callable[[RunInput], Recipe]
    options: BatchOptions = field(default_factory=BatchOptions)
    workers: Workers | None = None
    progress: Progress | None = None

    def __post_init__(self) -> None:
        _check_folder(self.folder)
        outputs = named_outputs(self.inputs, self.folder, self.options.ending)
        mask = self.options.reading.mask
        check_outputs(self.inputs, outputs, *(() if mask is None else (mask,)))
        self.rows = list(map(BatchRow, self.inputs, outputs))
        self.table = BatchTable(self.folder)
        self._recipes = BatchRecipe(self.recipe, self.options.resolve)

    def run(self, stop: StopToken | None = None) -> Generator[BatchRow, None, None]:
        """Run file after file, and yield each row when it begins and when it has ended.

        An output that is there already, of the same recipe and the same input, is left as it is;
        an unfinished one is gone on with.

        Raises
        ------
        Stopped
            Once `stop` is set. The table holds what has become of the files so far.
        OutputInUse
            If another batch runs into the folder.
        """
        self.folder.mkdir(exist_ok=True)
        with self.table.owned(self.options.take_over):
            try:
                for place, row in enumerate(self.rows):
                    if stop is not None and stop.is_set():
                        raise Stopped("The batch was stopped between two files.")
                    self.rows[place] = replace(row, state="running")
                    yield self.rows[place]
                    self.rows[place] = self._ended(place, stop)
                    yield self.rows[place]
                    if self.rows[place].state == "stopped":
                        raise Stopped("The batch was stopped in a file, which is gone on with.")
            finally:
                self.table.write(self.rows)

    def _ended(self, place: int, stop: StopToken | None) -> BatchRow:
        """Run a file, and return its row, whatever has become of it."""
        begun = time.monotonic()
        state: State = "refused"
        try:
            with stoppable(stop):
                run = self._prepared(place)
                if run is None:
                    return self._skipped(self.rows[place])
                state = "failed"
                self.table.write(self.rows)
                run.run(stop)
                row = _done(self.rows[place], run)
        except Stopped as error:
            said = " ".join(["Stopped.", *getattr(error, "__notes__", ())])
            row = replace(self.rows[place], state="stopped", sentence=said)
        except Exception as error:  # whatever is wrong with a file, the others are run
            if isinstance(error, FileExistsError | PlanDiffers):
                state = "refused"
            row = replace(self.rows[place], state=state, sentence=reason(error))
        self.rows[place] = row = replace(row, seconds=time.monotonic() - begun)
        self.table.write(self.rows)
        return row

    def _prepared(self, place: int) -> FileRun | None:
        """Return the run of a file, None if its output is there; errors say why there is none."""
        row, options = self.rows[place], self.options
        read = read_input(row.file, options.reading, lazy=True if self.workers else None)
        found = self._recipes.on(read, read.source.name)
        kept = kept_steps(found.recipe, options.keep_every)
        form = OutputFormat.of(row.output, read.source, len(kept), imagej=options.imagej)
        sigma = None if found.report is None else found.report.sigma
        row = replace(row, output=form.path, resolved_on=found.resolved_on, noise_sigma=sigma)
        self.rows[place] = row
        entry = batch_entry(read, found.recipe, kept, options, found.resolved_on)
        if _is_there(row.output, entry, options.overwrite):
            return None
        return self._file_run(row.output, read, found, kept, entry)

    def _file_run(
        self, output: Path, read: RunInput, found: FileRecipe, kept: list[int], entry: BatchEntry
    ) -> FileRun:
        options = self.options
        made = Output(
            output,
            restored_source(read, found.recipe),
            len(kept),
            read.written_type(options.dtype),
            options.overwrite,
            stack=options.stack,
            imagej=options.imagej,
            resume=not options.overwrite,
            take_over=options.take_over,
        )
        further = cast("FurtherEntries", {**report_record(found.report), "batch": entry})
        run = FileRun(read, found.recipe, made, kept, self.workers, options.allow_code)
        run.progress, run.further = self.progress, further
        return run

    def _skipped(self, row: BatchRow) -> BatchRow:
        """Return the row of an output that is there, with what the table says of it."""
        said = self.table.before(row)
        return replace(
            row,
            state="skipped",
            sentence=_THERE,
            seconds=_number(said["seconds"]),
            noise_sigma=_number(said["noise_sigma"]),
            noise_found=said["noise_found"],
        )


def _done(row: BatchRow, run: FileRun) -> BatchRow:
    record = run.output.record
    found, warnings = record.get("noise_found", ""), record.get("noise_warnings", [])
    said = f"{written(run.output)}. {found} {' '.join(warnings[:1])}"
    sigma = row.noise_sigma if run.report is None else run.report.sigma
    done = replace(row, output=run.output.path, state="done", sentence=" ".join(said.split()))
    return replace(done, noise_sigma=sigma, noise_found=found)


def _is_there(output: Path, entry: BatchEntry, overwrite: bool) -> bool:
    """Say whether an output is of the run that would be made; refuse one of another run."""
    if overwrite or not output.exists():
        return False
    standing = standing_entry(output)
    if standing is None:
        return False  # whoever opens the output refuses it
    differs = differing(standing, entry)
    if differs:
        raise FileExistsError(
            f"{output.name!r} exists, of another {differs}: --overwrite replaces it."
        )
    return True


def _check_folder(folder: Path) -> None:
    """Refuse a folder of outputs that is none, or a store."""
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{str(folder)!r} is a file: outputs need a folder.")
    if any((folder / name).exists() for name in STORES):
        raise FileExistsError(f"{str(folder)!r} is a zarr store: choose another folder.")
    if not folder.absolute().parent.is_dir():
        raise FileNotFoundError(f"The folder {str(folder.absolute().parent)!r} does not exist.")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
