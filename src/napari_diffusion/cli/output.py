"""OUTPUT: the steps of a run, written as they are made."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from napari_diffusion.cli.errors import UsageError
from napari_diffusion.cli.options import ONE_FILE
from napari_diffusion.io import check_apart, split_extension

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from napari_diffusion.runs.file_run import FileRun


def check_output(arguments: Namespace, *, one: bool = False) -> None:
    """Refuse an OUTPUT that cannot be written, before anything is read.

    `one` asks for an image file; without it OUTPUT may be a folder of steps.
    """
    path = arguments.output
    if one and not path.suffix:
        raise UsageError(f"{str(path)!r} needs an extension that gives the format: {ONE_FILE}.")
    try:
        split_extension(path)
    except ValueError as error:
        raise UsageError(str(error)) from error
    check_apart(path, *filter(None, (arguments.input, arguments.mask)))


@contextlib.contextmanager
def shown_progress(run: FileRun, quiet: bool) -> Iterator[None]:
    """Show how far a run is: in steps, or in tiles where it is made of them."""
    from tqdm import tqdm

    with contextlib.ExitStack() as stack:
        # Only what has begun has a bar: what is refused is one line.
        bars: list[tqdm] = []

        def progress(done: int, total: int, unit: str) -> None:
            if not bars:
                bar = tqdm(total=total, unit=unit, disable=quiet, file=sys.stderr)
                bars.append(stack.enter_context(bar))
            bars[0].update(done - bars[0].n)

        run.progress = progress
        yield
