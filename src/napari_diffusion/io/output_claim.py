"""A run's claim to the name of its output: lock, plan, unfinished output, publishing."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Self

from napari_diffusion.io.durability import sync_file, sync_folder, sync_tree
from napari_diffusion.io.output_lock import OutputInUse, OutputLock
from napari_diffusion.io.output_path import check_free, check_no_links, publish, remove
from napari_diffusion.io.record_reader import beside
from napari_diffusion.io.run_journal import PlanDiffers, RunJournal, check_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

    from pydantic import JsonValue

# What is noted before an output of two files gets its names.
_PUBLISHED = "published"

__all__ = ["OutputClaim", "OutputInUse", "PlanDiffers"]


class OutputClaim:
    """The name of an output, owned by one run; a context that holds the lock.

    Until it is published the output is in a file or folder called "partial", and the plan beside
    it. A run that ends early leaves both, so that it can be gone on with.

    Parameters
    ----------
    path : path
        The name asked for.
    partial : path
        Where the output is written until it is whole.
    apart : bool
        Whether a record stands in a file beside it.
    overwrite : bool
        Whether something of that name may be replaced.
    resume : bool
        Whether an unfinished output is gone on with; without one the run simply starts.
    take_over : bool
        Whether a lock is taken over whose owner cannot be asked.
    plan : mapping, optional
        Everything that the output follows from, as plain JSON. Without a plan a run cannot be gone
        on with. It may be set until the context is entered.
    whole : callable, optional
        Returns in words what is whole in an unfinished output, such as "2 steps are"; an empty text
        stands for nothing. By default notes are counted as steps, and files in `work` as tiles.

    Attributes
    ----------
    work : path
        A folder beside, in which a run may keep what it has made of the next step. It goes with the
        plan.
    resumed : bool
        Whether an unfinished output of this plan stands in `partial`.
    """

    def __init__(
        self,
        path: Path,
        partial: Path,
        *,
        apart: bool = False,
        overwrite: bool = False,
        resume: bool = False,
        take_over: bool = False,
        plan: Mapping[str, JsonValue] | None = None,
        whole: Callable[[], str] | None = None,
    ) -> None:
        self.path, self.partial, self.plan = path, partial, plan
        self.resumed = False
        self._apart, self._overwrite, self._resume = apart, overwrite, resume
        self._whole = whole or self._noted
        name = partial.name
        # Of names that differ in their case the partial ones can be the same.
        lock = partial.with_name(f".{name}.lock")
        self._lock = OutputLock(lock, path, take_over=take_over)
        self._journal = RunJournal(partial.with_name(f"{name}.plan.jsonl"))
        self.work = partial.with_name(f"{name}.passes")

    def check(self) -> None:
        """Refuse what entering would refuse, as far as it is known; nothing is changed.

        Raises
        ------
        OutputInUse
            If another run owns the output, or may own it.
        PlanDiffers
            If the unfinished output has another plan.
        FileExistsError
            If the name is taken, or something unfinished must not be removed.
        """
        self._lock.check()
        self._resumes()

    def standing_plan(self) -> dict[str, JsonValue] | None:
        """Return the plan of the unfinished output; None if none stands."""
        self._journal.read()
        return self._journal.plan if os.path.lexists(self.partial) else None

    @property
    def notes(self) -> list[dict[str, JsonValue]]:
        """What this run and those that it goes on with have noted, in order."""
        return [note for note in self._journal.notes if _PUBLISHED not in note]

    def note(self, entry: Mapping[str, JsonValue]) -> None:
        """Note that something is whole: on the disk, where a plan stands."""
        if self.plan is not None:
            self._journal.note(entry)

    def keep(self, count: int) -> None:
        """Forget the notes behind the first `count`."""
        if count < len(self._journal.notes):
            self._journal.keep(count)

    def __enter__(self) -> Self:
        if self._resume and self.plan is None:
            raise ValueError("To go on with an unfinished output takes the plan of the run.")
        check_free(self.path, overwrite=True)  # its folder is there, before a lock is
        self._lock.acquire()
        try:
            self.resumed = self._resumes()
            if self.resumed and self._half_published():
                with contextlib.suppress(FileNotFoundError):
                    os.replace(beside(self.path), beside(self.partial))
            if not self.resumed:
                self.drop()
                if self.plan is not None:
                    self._journal.begin(self.plan)
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if not os.path.lexists(self.partial):
                self._journal.remove()
        finally:
            self._lock.release()

    def publish(self) -> None:
        """Give the complete output its name, and remove what that replaces and the plan."""
        pieces = self._pieces(self.partial)
        if self.plan is not None:
            for partial in pieces:
                (sync_tree if partial.is_dir() else sync_file)(partial)
        if self._apart:
            self.note({_PUBLISHED: True})
        for partial, path in zip(pieces, self._pieces(self.path), strict=True):
            publish(partial, path, self._overwrite)
        if self.plan is not None:
            sync_folder(self.path.parent)
        self._journal.remove()
        remove(self.work)

    def drop(self) -> None:
        """Remove the unfinished output."""
        # Without a plan nothing that is half removed is gone on with.
        self._journal.remove()
        for path in (*self._pieces(self.partial), self.work):
            remove(path)

    def _resumes(self) -> bool:
        """Return whether the run goes on with what stands; refuse what must not be removed."""
        self._journal.read()
        unfinished = [path for path in self._pieces(self.partial) if os.path.lexists(path)]
        for path in self._pieces(self.path):
            check_free(path, self._overwrite or (self._resume and self._half_published()))
        if self._journal.plan is None and os.path.lexists(self._journal.path):
            check_free(self._journal.path, self._overwrite)
        if self._resume and unfinished and self._goes_on():
            return True
        for path in unfinished:
            check_free(path, self._overwrite or self._journal.plan is not None)
        words = self._whole() if unfinished and self._journal.plan is not None else ""
        if words and not self._overwrite:
            raise FileExistsError(
                f"{str(self.partial)!r} is the output of an unfinished run, of which {words} "
                "whole: --resume goes on with it, --overwrite starts again."
            )
        return False

    def _goes_on(self) -> bool:
        """Return whether the unfinished output has this plan; refuse it if not."""
        standing = self._journal.plan
        if standing is None:
            if self._overwrite:
                return False
            raise FileExistsError(
                f"{str(self.partial)!r} has no plan that can be read, and cannot be gone on with: "
                "--overwrite starts again."
            )
        check_free(self.partial, overwrite=True)  # a folder of other files is none of ours
        check_no_links(self.partial)
        if self.plan is not None:
            check_plan(standing, self.plan)
        return True

    def _half_published(self) -> bool:
        """Return whether a run ended between the names of the record and of the output."""
        notes = self._journal.notes
        begun = bool(notes) and _PUBLISHED in notes[-1]
        return begun and os.path.lexists(self.partial) and not os.path.lexists(self.path)

    def _noted(self) -> str:
        steps, tiles = len(self._journal.notes), sum(1 for _ in self.work.glob("*/c/**/*[0-9]"))
        counts = {"step": steps, "tile": tiles}
        words = [f"{n} {name}{'s' * (n > 1)}" for name, n in counts.items() if n]
        return f"{' and '.join(words)} {'is' if steps + tiles == 1 else 'are'}" if words else ""

    def _pieces(self, path: Path) -> tuple[Path, ...]:
        """Return the path and, for a format without records, first that of the record."""
        return (beside(path), path) if self._apart else (path,)
