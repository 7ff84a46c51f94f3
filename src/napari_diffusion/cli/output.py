"""OUTPUT: the steps of a run, written as they are made."""

from __future__ import annotations

import contextlib
import itertools
import sys
from typing import TYPE_CHECKING, Unpack

from napari_diffusion import steps
from napari_diffusion.cli.errors import UsageError
from napari_diffusion.cli.options import ONE_FILE
from napari_diffusion.cli.process import stoppable
from napari_diffusion.core.image import is_dask
from napari_diffusion.io import cast_record, check_apart, split_extension

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Collection, Generator
    from threading import Event

    from napari_diffusion import Recipe, Step
    from napari_diffusion.runs.run_input import RunInput
    from napari_diffusion.io import Output
    from napari_diffusion.io.step_record import FurtherEntries


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


def write_steps(
    output: Output,
    read: RunInput,
    recipe: Recipe,
    kept: Collection[int],
    *,
    quiet: bool,
    seen: Callable[[Step], None] | None = None,
    **entries: Unpack[FurtherEntries],
) -> None:
    """Run the loop and write the steps to keep; `seen` is called with every step.

    Further keywords are entries of the records.
    """
    from tqdm import tqdm

    from napari_diffusion.records.provenance import record

    entries = {**source_entries(output, read), **entries}
    total = recipe.total_steps + (recipe.final_filter is not None)
    with (
        output,
        stoppable() as stop,
        tqdm(total=total, unit="step", disable=quiet, file=sys.stderr) as bar,
        contextlib.closing(_made(output, read, recipe, stop)) as made,
    ):
        for step in itertools.islice(made, total):
            if seen is not None:
                seen(step)
            if step.index in kept:
                output.write(
                    step.image, record(recipe, step, read.options, read.source.name, **entries)
                )
            bar.update()
            del step  # one image less while the next step is made


def source_entries(output: Output, read: RunInput) -> FurtherEntries:
    """Return what the records of all steps say of the type written and of the source."""
    record = read.source.record
    return {
        "unit": read.source.unit,
        "cast": cast_record(read.computing_type, output.dtype),
        "source_processed": None if record is None else record.get("processed"),
        "source_remarks": list(read.source.remarks) or None,
    }


def _made(
    output: Output, read: RunInput, recipe: Recipe, stop: Event
) -> Generator[Step, None, None]:
    if not is_dask(read.source.image):
        return steps(read.image, recipe, stop=stop)
    from napari_diffusion.io.scratch import steps_by_disk

    return steps_by_disk(read.source.image, recipe, output.path.parent, stop, **read.options)


def written(output: Output) -> str:
    """Return what was written, in words."""
    steps = [step["step"] for step in output.steps if not step["is_final"]]
    words = [f"step {steps[0]}" if len(steps) == 1 else f"{len(steps)} steps"] if steps else []
    if len(steps) < len(output.steps):
        words.append("the final filter's result")
    return f"{' and '.join(words)}, {output.dtype}"
