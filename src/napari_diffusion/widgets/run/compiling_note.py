"""Says that kernels are being compiled, and how far that is."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from napari_diffusion.denoising.kernel_warming import kinds_of, scrap_of, warmed
from napari_diffusion.engine import compiling
from napari_diffusion.widgets.run.run_request import Message

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_diffusion.denoising.kernel_warming import Part
    from napari_diffusion.widgets.run.run_request import Job
    from napari_diffusion.widgets.run.worker import Worker


# What this process has compiled or loaded, by what decides on the kernels.
_WARM: set[str] = set()


def warm(image: NDArray[Any], job: Job, mask: NDArray[np.bool_] | None, worker: Worker) -> None:
    """Compile what a run will use on a scrap, so that the run itself is quick and can be timed.

    Parameters
    ----------
    image : array
        The image in the loop's axes.
    job : Job
        The run.
    mask : ndarray or None
        Its mask.
    worker : Worker
        Told which part is being prepared.
    """
    axes, options = job.options["axes"], job.options
    channels = image.shape[axes.index("c")] if "c" in axes else 1
    scrap = scrap_of(axes, image.dtype, channels)
    if mask is not None:
        options = {**options, "mask": np.ones(scrap.shape[: mask.ndim], bool)}
    kinds = _kinds(job, image.dtype, mask is not None)
    if kinds in _WARM:
        return
    # An error of the scrap is one of the image, and reported there.
    with CompilingNote(worker.post) as note, contextlib.suppress(ValueError, TypeError):
        for note.part in warmed(scrap, job.recipe, worker.stop, **options):
            # Where another process compiles what this part needs, no kernel is compiled here.
            worker.post(Message(f"Preparing{part_words(note.part)} …"))
        _WARM.update([kinds] if kinds else [])


def _kinds(job: Job, dtype: np.dtype[Any], masked: bool) -> str:
    """Return what decides on the kernels of a run; of functions of the user's own, nothing."""
    options = {name: each for name, each in job.options.items() if name != "mask"}
    try:
        return kinds_of(job.recipe, job.options["axes"], dtype, {**options, "masked": masked})
    except (TypeError, ValueError):
        return ""


class CompilingNote(contextlib.ExitStack):
    """Posts a message at every kernel that is compiled while it is entered.

    Parameters
    ----------
    post : callable
        ``post(message)`` may be called by any thread.

    Attributes
    ----------
    part : Part or None
        The part of the recipe whose kernels are being compiled, where that is known.
    """

    def __init__(self, post: Callable[[Message], None]) -> None:
        super().__init__()
        self._post = post
        self._count = 0
        self.part: Part | None = None

    def __enter__(self) -> Self:
        """Listen to the compiler."""
        self.enter_context(compiling.watched(self._note))
        return self

    def _note(self, seconds: float) -> None:
        del seconds
        self._count += 1
        self._post(Message(compiling_words(self.part, self._count)))


def compiling_words(part: Part | None, count: int) -> str:
    """Return what is compiled; how many kernels there will be is known of none before."""
    where = "" if part is None else f"{part_words(part)},"
    return f"Compiling, first run only:{where.removeprefix(':')} kernel {count} …"


def part_words(part: Part) -> str:
    """Return which part of a recipe is prepared, after a word such as "Preparing"."""
    return f": part {part.place} of {part.of}, {part.name}"
