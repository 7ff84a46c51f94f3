"""Says why a first run takes longer."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Seconds of compiling that are worth a line.
NOTICEABLE = 1.0


@contextlib.contextmanager
def compiling_note(quiet: bool) -> Iterator[None]:
    """Write a line once compiling takes noticeably long, and how much was compiled at the end."""
    from napari_diffusion.engine import compiling

    count, said = 0, False

    def note(seconds: float) -> None:
        nonlocal count, said
        count += 1
        if seconds >= NOTICEABLE and not said and not quiet:
            said = True
            print("Compiling (first run only) …", file=sys.stderr, flush=True)

    with compiling.watched(note):
        yield
    if said:
        print(f"Compiled {count} kernels; the next run starts at once.", file=sys.stderr)
