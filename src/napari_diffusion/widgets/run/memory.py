"""How much memory a run needs, how much is free, and what to do where it does not fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from napari_diffusion.io import memory
from napari_diffusion.io.memory import written_bytes
from napari_diffusion.widgets.run.preferences import preferences

__all__ = [
    "RESULTS",
    "Need",
    "Result",
    "chosen_result",
    "free_disk",
    "free_memory",
    "ordinal",
    "written_bytes",
]

Result = Literal["auto", "layers", "stack", "stack on disk"]

RESULTS: tuple[Result, ...] = ("auto", "layers", "stack", "stack on disk")

# An offer leaves this part of what is free to everything else.
_FILL = 0.8


@dataclass(frozen=True)
class Need:
    """What a run takes.

    Attributes
    ----------
    step_bytes : int
        Size of one step as it is kept.
    work_bytes : int
        Size of what the loop works in.
    num_kept : int
        How many steps are kept.
    on_disk : bool
        Whether the steps go to a file.
    """

    step_bytes: int
    work_bytes: int
    num_kept: int
    on_disk: bool

    @property
    def memory(self) -> int:
        """Bytes of memory."""
        return self.work_bytes + (0 if self.on_disk else self.step_bytes * self.num_kept)

    @property
    def disk(self) -> int:
        """Bytes on disk."""
        return self.step_bytes * self.num_kept if self.on_disk else 0

    def steps_that_fit(self, free: int) -> int:
        """Return how many steps fit into what is free."""
        room = _FILL * free - self.work_bytes
        return max(int(room // max(self.step_bytes, 1)), 0)


def free_memory() -> int:
    """Return how many bytes a run may take: those that are free, up to the preferences' limit."""
    limit, free = memory_limit(), memory.free_memory()
    return free if limit is None else min(free, limit)


def memory_limit() -> int | None:
    """Return how many bytes the preferences let a run take; None where they set no limit."""
    limit = preferences().memory_limit
    return int(limit * 1e9) if limit else None


def free_disk() -> int:
    """Return how many bytes the folder for temporary files has room for."""
    import shutil
    import tempfile

    return shutil.disk_usage(tempfile.gettempdir()).free


def chosen_result(result: Result, num_kept: int) -> Result:
    """Return what "auto" stands for."""
    if result != "auto":
        return result
    return "layers" if num_kept <= preferences().most_layers else "stack"


def ordinal(number: int) -> str:
    """Return a number as it counts places: 1st, 2nd, 3rd."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if 10 <= number % 100 <= 20 else ending}"
