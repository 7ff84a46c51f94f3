"""Run the loop on a file and write its steps."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from napari_diffusion.cli.compiling_note import compiling_note
from napari_diffusion.cli.output import check_output, write_steps, written
from napari_diffusion.cli.process import threads
from napari_diffusion.cli.recipe import chosen
from napari_diffusion.cli.source import read_input
from napari_diffusion.denoising.noise_report import noise_report
from napari_diffusion.denoising.report_text import found_text, report_record, warning_texts
from napari_diffusion.io import Output
from napari_diffusion.loop.kept_steps import kept_steps

if TYPE_CHECKING:
    from argparse import Namespace


def run(arguments: Namespace) -> int:
    """Read an image, run the loop on it, and write each step as it is made."""
    chosen(arguments)  # what is wrong with it can be said before anything is read
    check_output(arguments)
    read = read_input(arguments)
    recipe = chosen(arguments, read)
    kept = kept_steps(recipe, arguments.keep)
    output = Output(
        arguments.output,
        read.source,
        len(kept),
        read.written_type(arguments.dtype),
        arguments.overwrite,
        stack=arguments.stack,
        imagej=arguments.imagej,
    )
    with threads(arguments.threads), compiling_note(arguments.quiet):
        resolved = recipe.resolved_on(read.image)
        report = noise_report(read.image, recipe, resolved)
        entries = report_record(report)
        write_steps(output, read, resolved, kept, quiet=arguments.quiet, **entries)
    if report is not None and not arguments.quiet:
        print(found_text(report), *warning_texts(report), sep="\n", file=sys.stderr)
    if not arguments.quiet:
        print(f"{output.path}: {written(output)}")
    return 0
