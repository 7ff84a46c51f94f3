"""Read traces from files, print what was read, and write it."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from napari_diffusion.cli.errors import UsageError, one_line
from napari_diffusion.cli.process import stoppable, threads
from napari_diffusion.cli.source import check_memory
from napari_diffusion.cli.study_text import table_lines
from napari_diffusion.cli.traces.shared_parts import asked, shared_parts, shared_table
from napari_diffusion.cli.traces.trace_files import check_files, write_files
from napari_diffusion.cli.traces.trace_text import inspection_text
from napari_diffusion.core.readable_name import readable_text
from napari_diffusion.forensics.base import Evidence
from napari_diffusion.forensics.catalog import chosen_traces
from napari_diffusion.forensics.inspection import ASK, inspect
from napari_diffusion.io import step_paths
from napari_diffusion.runs.batch.batch_inputs import images_of
from napari_diffusion.runs.run_input import Reading, ReadingRefused, read_input

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.forensics.base import Trace
    from napari_diffusion.forensics.inspection import Inspection
    from napari_diffusion.runs.run_input import RunInput


def inspect_traces(arguments: Namespace) -> int:
    """Print what the traces read from each file; the exit code says nothing of it."""
    try:
        traces = chosen_traces(arguments.trace, arguments.settings)
    except (ValueError, TypeError) as error:
        raise UsageError(str(error)) from error
    arguments.files = _files(arguments.files)
    check_files(arguments)
    reference = None
    if arguments.reference is not None:
        reference = _read(arguments.reference, arguments.axes)
    with threads(arguments.threads), stoppable() as stop:
        found = _all_inspected(arguments, traces, reference, stop)
        images = [(str(each.name), each.image) for each in found]
        shared = shared_parts(images, stop) if asked(traces, images) else None
    if found:
        pairs = None if shared is None else shared_table(shared, images)
        if pairs is not None:
            lines = table_lines(pairs) if pairs.rows else [pairs.title]
            print(readable_text("\n".join(lines)), end="\n\n")
        print(ASK)
        write_files(arguments, found, shared, pairs)
    return int(len(found) < len(arguments.files))


def _all_inspected(
    arguments: Namespace, traces: Sequence[Trace], reference: RunInput | None, stop: StopToken
) -> list[Inspection]:
    """Print what is read from each file; of several, those that cannot be read are named."""
    found: list[Inspection] = []
    for path in arguments.files:
        try:
            made = _inspected(path, arguments, traces, reference, stop)
        except (OSError, ValueError, MemoryError) as error:
            if len(arguments.files) == 1:
                raise
            print(readable_text(f"napari-diffusion: {one_line(error)}"), file=sys.stderr)
            continue
        if any(made.name == each.name for each in found):
            made = made.named(str(path))
        print(readable_text(inspection_text(made, arguments.quiet)), end="\n\n")
        found.append(made)
    return found


def _files(given: Sequence[Path]) -> list[Path]:
    """Return the files that folders and patterns stand for; a run stays one."""
    found = [[path] if step_paths(path) else images_of([path]) for path in given]
    return list(dict.fromkeys(path for some in found for path in some))


def _inspected(
    path: Path,
    arguments: Namespace,
    traces: Sequence[Trace],
    reference: RunInput | None,
    stop: StopToken,
) -> Inspection:
    read = _read(path, arguments.axes)
    other = None if reference is None else reference.image
    other_file = None if reference is None else reference.path
    evidence = Evidence(read.image, read.source.image.dtype, other, read.path, other_file, stop)
    name = "" if reference is None else reference.source.name
    with _shown(len(traces), arguments.quiet) as progress:
        return inspect(evidence, traces, read.source.name, name, progress)


def _read(path: Path, axes: str | None) -> RunInput:
    """Return an image in memory; of the steps of a run the last one."""
    steps = step_paths(path)
    try:
        read = read_input(steps[-1] if steps else path, Reading(axes=axes), lazy=False)
    except ReadingRefused as error:
        raise UsageError(str(error)) from error
    check_memory(read)
    return read


@contextlib.contextmanager
def _shown(total: int, quiet: bool) -> Iterator[Callable[[Trace], None]]:
    """Show which trace is read."""
    from tqdm import tqdm

    with tqdm(total=total, unit="trace", disable=quiet, file=sys.stderr, leave=False) as bar:

        def progress(trace: Trace) -> None:
            bar.set_description(trace.display_name)
            bar.update(1)

        yield progress
