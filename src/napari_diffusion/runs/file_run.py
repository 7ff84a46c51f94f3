"""A run from a file to a file: in memory, or in passes where the image is larger than that."""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from napari_diffusion.core.image import is_dask
from napari_diffusion.core.merkle_hash import hash_of
from napari_diffusion.denoising.noise_report import noise_report
from napari_diffusion.denoising.report_text import report_record
from napari_diffusion.engine.slab_reading import slabs_within
from napari_diffusion.engine.threads import num_threads
from napari_diffusion.io import cast_record, memory
from napari_diffusion.io.cast import cast as convert
from napari_diffusion.io.full_disk import check_room
from napari_diffusion.io.step_record import with_output_hash
from napari_diffusion.loop.kept_steps import kept_steps
from napari_diffusion.loop.loop import steps
from napari_diffusion.loop.recipe import Recipe
from napari_diffusion.records.provenance import (
    grid_record,
    next_noise_scale_of,
    plain,
    record,
    versions,
)
from napari_diffusion.runs.fingerprint import check_unchanged, fingerprint
from napari_diffusion.runs.passes.kept_state import kept_state
from napari_diffusion.runs.passes.pass_costs import Costs
from napari_diffusion.runs.passes.pass_plan import PassPlan, arrays_at_once, planned
from napari_diffusion.runs.passes.pass_run import PassRun
from napari_diffusion.runs.passes.plan_text import plan_text
from napari_diffusion.runs.passes.workers import Workers
from napari_diffusion.runs.restored_source import check_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Mapping

    from napari_diffusion.core.function_parameter import AllowCode
    from napari_diffusion.denoising.noise_report import NoiseReport
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.io import Output
    from napari_diffusion.io.step_record import FurtherEntries
    from napari_diffusion.loop.step import Step
    from napari_diffusion.runs.run_input import RunInput

    #: Called with what is done, of how much, and what that is: "step" or "tile".
    Progress = Callable[[int, int, str], object]

# What is left of the memory for the tiles: the rest is for what is read, hashed and encoded.
_SHARE = 0.8

# The coarser levels of an image have at most half as many pixels as it.
_LEVELS = 1.5


@dataclass(eq=False)
class FileRun:
    """A run whose steps are written as they are made.

    Parameters
    ----------
    read : RunInput
        The source; lazy ones are run in passes.
    recipe : Recipe
        As asked for.
    output : Output
        Where the steps go; with its plan a run that ended early can be gone on with.
    kept : collection of int
        The steps to write.
    workers : Workers, optional
        Worker processes; without them threads of this one.
    allow_code : bool or collection of str
        Whether the recipe of an unfinished run may name functions.
    progress : callable, optional
        Called with how much is done, and of how much.
    seen : callable, optional
        Called with every step.
    further : mapping, optional
        What all records say beside.
    noisy : Output, optional
        Where the noisy image of the last step of reverse updates goes, which a longer run is
        continued from.
    """

    read: RunInput
    recipe: Recipe
    output: Output
    kept: Collection[int]
    workers: Workers | None = None
    allow_code: AllowCode = False
    progress: Progress | None = None
    seen: Callable[[Step], None] | None = None
    further: FurtherEntries | None = None
    noisy: Output | None = None
    report: NoiseReport | None = field(default=None, init=False)
    resolved: Recipe = field(init=False)
    passes: PassRun | None = field(default=None, init=False)

    def run(self, stop: StopToken | None = None) -> None:
        """Run, and write the steps.

        Raises
        ------
        Stopped
            Once `stop` is set: what is whole can be gone on with.
        InputChanged
            If the source was written to meanwhile.
        """
        check_memory(self.read, self.recipe, self._is_large)
        if self.noisy is not None and self.recipe.update == "whole":
            raise ValueError(
                'A noisy image is left by reverse updates alone (got update="whole"): leave out '
                f"{self.noisy.path.name!r}."
            )
        before = None if self.read.path is None else fingerprint(self.read.path)
        if self.workers is not None:
            self.workers.warn_of_others()
        if self._is_large and not self.output.claim.work.exists():
            self._check_fits()
        with slabs_within(memory.free_memory()):
            self.output.plan = self._plan(before)
        with self.output, contextlib.closing(self._made(stop)) as made:
            for step in made:
                if self.seen is not None:
                    self.seen(step)
                if step.index in self.kept:
                    self._write(step, stop)
                if self.noisy is not None and step.noisy is not None and not step.is_final:
                    with self.noisy as written:
                        written.write(step.noisy, self._noisy_record(step))
                del step  # one image less while the next step is made
            if self.read.path is not None and before is not None:
                check_unchanged(self.read.path, before)

    def _write(self, step: Step, stop: StopToken | None) -> None:
        kept, sha256 = self._record(step), None
        if is_dask(step.image):  # it lies on the disk
            sha256 = hash_of(convert(step.image, self.output.dtype), _hash_bytes())
        if self.passes is None or not self._links:
            self.output.write(step.image, kept, sha256)
            return
        kept = with_output_hash(kept, sha256)
        workers = self.passes.workers
        self.output.write_array(
            self.passes.array.path, kept, lambda f, each: workers.results(f, each, stop)
        )

    @property
    def _links(self) -> bool:
        """Whether what a pass makes is what is written."""
        return self.output.takes_arrays and self.output.dtype == self.read.computing_type

    def _plan(self, before: Mapping[str, Any] | None) -> dict[str, Any]:
        """Resolve the recipe, and return all that the output follows from.

        What an unfinished run of this recipe has measured is not measured again.
        """
        standing: Any = self.output.claim.standing_plan() if self.output.resume else None
        asked = plain(self.recipe.to_dict())
        measured = {"recipe", "found", "entries"}
        if standing and measured <= standing.keys() and _is_of(standing, asked, before):
            resolved = Recipe.from_dict(standing["recipe"], allow_code=self.allow_code)
            self.resolved = resolved.replaced(asked=standing["found"])
            found = standing["entries"]
        else:
            self.resolved = self.recipe.resolved_on(self.read.image)
            self.report = noise_report(self.read.image, self.recipe, self.resolved)
            found = {
                **report_record(self.report),
                **({} if "hashes" in (self.further or {}) else hash_entry(self.read)),
                "kept_every": _interval(self.resolved, self.kept),
            }
        self._entries = cast("FurtherEntries", {**found, **(self.further or {})})
        source = self.read.source
        grid = grid_record(source.image.shape, self.read.options, source.unit)
        self._options = {**self.read.options, "mask": grid.get("mask")}
        # What differs first is what is told.
        return {
            "input": before and dict(before),
            "asked": asked,
            "recipe": plain(self.resolved.to_dict()),
            "found": dict(self.resolved.asked),
            "entries": plain(dict(self._entries)),
            "grid": plain(dict(grid)),
            "kept": sorted(self.kept),
            "dtype": str(self.output.dtype),
            "versions": dict(versions()),
        }

    def _record(self, step: Step) -> Any:
        entries: FurtherEntries = {
            **source_entries(self.output, self.read),
            **self._entries,
        }
        name = self.read.source.name
        return record(self.resolved, step, self._options, name, **entries)

    def _noisy_record(self, step: Step) -> Any:
        record = self._record(step)
        record["processed"] += " This is the noisy image that the filter of this step got."
        return record

    def _made(self, stop: StopToken | None) -> Generator[Step, None, None]:
        """Return the steps, after those that an unfinished run has left."""
        last = self.output.last_whole()
        if last is not None and self.output.dtype != self.read.computing_type:
            last = None  # rounded values are not what the next step would have taken
        if self._is_large:
            return self._in_passes(last, stop)
        return self._in_memory(last, stop)

    @functools.cached_property
    def _is_large(self) -> bool:
        image = self.read.source.image
        in_parts = is_dask(image) or self.workers is not None
        return in_parts or not memory.fits(image.shape, image.dtype)

    def _in_memory(self, last: Any, stop: StopToken | None) -> Generator[Step, None, None]:
        count = self.resolved.total_steps + (self.resolved.final_filter is not None)
        first, made = 0, steps(self.read.image, self.resolved, stop=stop)
        # Reverse updates go on from the noisy image, which is made again.
        if last is not None and self.recipe.update == "whole":
            index, image, kept = last
            first, scale = index + 1, next_noise_scale_of(kept)
            options = self.read.options
            made = steps(
                image, self.resolved, first_step=first, noise_scale=scale, stop=stop, **options
            )
        for done, step in enumerate(itertools.islice(made, count - first), first + 1):
            yield step
            if self.progress is not None:
                self.progress(done, count, "step")
            del step

    def _check_fits(self) -> None:
        """Refuse what no memory or disk holds, before anything is read."""
        with contextlib.suppress(ValueError, TypeError):  # what is measured is not known yet
            plan = self.pass_plan(self.recipe, Costs.unknown(self.recipe))
            self._check_room(plan)

    def _check_room(self, plan: PassPlan) -> None:
        count, itemsize = len(self.kept), self.output.dtype.itemsize
        needed = room_of(self.read, plan, self.recipe, count, itemsize)
        check_room(self.output.claim.work, needed, "the run")

    def pass_plan(self, recipe: Recipe, costs: Costs | None = None) -> PassPlan:
        """Return the plan of passes for a recipe, as it is now; see `planned`."""
        read, at_once = self.read, None if self.workers is None else self.workers.count
        limit = int(_SHARE * memory.free_memory())
        itemsize = read.computing_type.itemsize
        grid = read.image.grid
        return planned(recipe, grid, itemsize, limit, at_once, num_threads(), costs)

    def _in_passes(self, last: Any, stop: StopToken | None) -> Generator[Step, None, None]:
        folder = self.output.claim.work
        kept = kept_state(folder)
        with contextlib.ExitStack() as stack:
            workers = self.workers
            if kept is None:
                plan = self.pass_plan(self.resolved)
                self._check_room(plan)
            else:
                plan = PassPlan.of_kept(
                    kept["plan"], self.read.image.grid.shape, memory.free_memory()
                )
            if workers is None:
                workers = stack.enter_context(Workers.local(plan.at_once))
            linked = self.kept if self._links else ()
            run = PassRun(self.read, self.resolved, plan, folder, workers, linked, self.progress)
            self.passes = run
            begin = None
            if last is not None and self.recipe.update == "whole":
                index, image, entry = last
                begin = run.after(index, image, next_noise_scale_of(entry))
            yield from run.steps(begin, stop)


def _is_of(plan: Mapping[str, Any], asked: Any, before: Mapping[str, Any] | None) -> bool:
    """Return whether a plan is of a recipe as it was asked for, and of a source."""
    return bool(plan.get("asked") == asked and plan.get("input") == (before and dict(before)))


def foreseen(run: FileRun) -> str:
    """Return what a run in passes would take, in words; nothing is written."""
    with slabs_within(memory.free_memory()):
        plan = run.pass_plan(run.recipe.resolved_on(run.read.image))
    room = room_of(run.read, plan, run.recipe, len(run.kept), run.output.dtype.itemsize)
    return plan_text(plan, run.read, room, shutil.disk_usage(run.output.path.parent).free)


def room_of(read: RunInput, plan: PassPlan, recipe: Recipe, kept: int, itemsize: int) -> int:
    """Return the bytes of disk that a run in passes takes, before anything is compressed.

    The steps that are kept with their coarser levels, and what two passes make.
    """
    pixels = math.prod(read.source.image.shape)
    passes = arrays_at_once(plan, recipe) * pixels * read.computing_type.itemsize
    return passes + math.ceil(kept * pixels * itemsize * _LEVELS)


def hash_entry(read: RunInput) -> FurtherEntries:
    """Return what the records of all steps say of the source's values."""
    return {"hashes": {"input": hash_of(read.source.image, _hash_bytes())}}


def _hash_bytes() -> int:
    """Return the bytes that a hash may take: no tile is at work meanwhile."""
    return max(int(_SHARE * memory.free_memory()) // 2, 1 << 27)


def _interval(recipe: Recipe, kept: Collection[int]) -> int | None:
    """Return every how many steps are kept, 0 for the last one alone; None for other choices."""
    wanted = sorted(kept)
    every = wanted[1] - wanted[0] if len(wanted) > 1 else 0
    return every if kept_steps(recipe, every or None) == wanted else None


def source_entries(output: Output, read: RunInput) -> FurtherEntries:
    """Return what the records of all steps say of the type written and of the source."""
    kept = read.source.record
    return {
        "unit": read.source.unit,
        "cast": cast_record(read.computing_type, output.dtype),
        "source_processed": None if kept is None else kept.get("processed"),
        "source_remarks": list(read.source.remarks) or None,
    }
