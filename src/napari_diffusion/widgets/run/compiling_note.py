"""Says that kernels are being compiled, and how far that is."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Self

from napari_diffusion.engine import compiling
from napari_diffusion.widgets.run.run_request import Message

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_diffusion.denoising.kernel_warming import Part


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
    where = "" if part is None else f" part {part.place} of {part.of}, {part.name},"
    return f"Compiling, first run only:{where} kernel {count} …"
