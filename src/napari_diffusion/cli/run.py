"""Run the loop on a file and write its steps."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from napari_diffusion.cli.compiling_note import compiling_note
from napari_diffusion.cli.output import check_output, shown_progress
from napari_diffusion.cli.process import stoppable, threads
from napari_diffusion.cli.recipe import chosen
from napari_diffusion.cli.source import read_input
from napari_diffusion.denoising.report_text import found_text, warning_texts
from napari_diffusion.io import Output, check_apart, memory
from napari_diffusion.loop.kept_steps import kept_steps
from napari_diffusion.loop.sampling import sampling_note
from napari_diffusion.runs.file_run import FileRun, foreseen
from napari_diffusion.runs.passes.workers import cluster
from napari_diffusion.runs.restored_source import restored_source
from napari_diffusion.runs.written_steps import written

if TYPE_CHECKING:
    from argparse import Namespace

    from napari_diffusion.runs.run_input import RunInput


def run(arguments: Namespace) -> int:
    """Read an image, run the loop on it, and write each step as it is made."""
    chosen(arguments)  # what is wrong with it can be said before anything is read
    check_output(arguments)
    with threads(arguments.threads), memory.limited_memory(arguments.memory):
        distributed = arguments.workers is not None or arguments.scheduler is not None
        read = read_input(arguments, lazy=True if distributed or arguments.plan else None)
        made = _run_of(arguments, read)
        if arguments.plan:
            print(foreseen(made))
            return 0
        limit = memory.free_memory()
        with cluster(arguments.workers, arguments.scheduler, limit) as workers:
            made.workers = workers
            with (
                compiling_note(arguments.quiet),
                shown_progress(made, arguments.quiet),
                stoppable() as stop,
            ):
                made.run(stop)
    if not arguments.quiet:
        if made.report is not None:
            texts = (found_text(made.report), *warning_texts(made.report))
            print(*texts, sep="\n", file=sys.stderr)
        if note := sampling_note(made.recipe):
            print(note, file=sys.stderr)
        print(f"{made.output.path}: {written(made.output)}")
    return 0


def _run_of(arguments: Namespace, read: RunInput) -> FileRun:
    recipe = chosen(arguments, read)
    kept = kept_steps(recipe, arguments.keep)
    output = Output(
        arguments.output,
        restored_source(read, recipe),
        len(kept),
        read.written_type(arguments.dtype),
        arguments.overwrite,
        stack=arguments.stack,
        imagej=arguments.imagej,
        resume=arguments.resume,
        take_over=arguments.take_over,
    )
    made = FileRun(read, recipe, output, kept, allow_code=arguments.allow_code)
    if arguments.noisy is not None:
        check_apart(arguments.noisy, arguments.input, arguments.output)
        again = arguments.overwrite or arguments.resume
        made.noisy = Output(arguments.noisy, output.source, 1, read.computing_type, again)
    return made
