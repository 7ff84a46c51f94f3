"""Run the loop on many files, and say of each what became of it."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from napari_diffusion.cli.compiling_note import compiling_note
from napari_diffusion.cli.errors import UsageError, as_typed
from napari_diffusion.cli.options import (
    add_keep,
    add_large,
    add_reading,
    add_recipe,
    add_stack,
    add_writing,
)
from napari_diffusion.cli.process import stoppable, threads
from napari_diffusion.cli.recipe import chosen
from napari_diffusion.cli.source import reading
from napari_diffusion.core.readable_name import readable_text
from napari_diffusion.io import memory
from napari_diffusion.runs.batch.batch import Batch
from napari_diffusion.runs.batch.batch_inputs import batch_inputs
from napari_diffusion.runs.batch.batch_outputs import OUTPUT_FORMATS
from napari_diffusion.runs.batch.batch_plan import BatchOptions
from napari_diffusion.runs.batch.batch_row import BAD, counted
from napari_diffusion.runs.passes.workers import cluster

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from tqdm import tqdm

    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.runs.batch.batch_row import BatchRow


def add_batch(parser: ArgumentParser) -> None:
    """Add what can be typed after ``batch``."""
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUTS",
        help="images, folders of images, and patterns such as 'day*/*.tif'",
    )
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="folder of the outputs and of their table, batch.csv; outputs that are there already, "
        "of the same recipe and input, stay, and unfinished ones are gone on with",
    )
    parser.add_argument(
        "--format",
        choices=tuple(OUTPUT_FORMATS),
        default="ome.zarr",
        help="format of the outputs; folder is one OME-TIFF per step (default: ome.zarr)",
    )
    add_recipe(parser)
    parser.add_argument(
        "--resolve",
        choices=("each", "first"),
        default="each",
        help="measure what the recipe leaves open on each image, or on the first one for all "
        "(default: each)",
    )
    add_reading(parser)
    add_keep(parser)
    add_stack(parser)
    add_large(parser)
    add_writing(parser)


def batch(arguments: Namespace) -> int:
    """Run file after file; return 1 if one of them has no output then."""
    chosen(arguments)  # what is wrong with it is wrong for all
    ending = OUTPUT_FORMATS[arguments.format]
    if arguments.imagej and ending not in (".tif", ".tiff"):
        raise UsageError("A hyperstack of ImageJ is a .tif: add --format tif.")
    with threads(arguments.threads), memory.limited_memory(arguments.memory):
        made = _batch_of(arguments, ending)
        limit = memory.free_memory()
        with cluster(arguments.workers, arguments.scheduler, limit) as workers:
            made.workers = workers
            with compiling_note(arguments.quiet), stoppable() as stop:
                _run(made, stop, arguments.quiet)
    if not arguments.quiet:
        print(f"{made.table.path}: {counted(made.rows)}")
    return 1 if any(row.state in BAD for row in made.rows) else 0


def _batch_of(arguments: Namespace, ending: str) -> Batch:
    options = BatchOptions(
        reading=reading(arguments),
        ending=ending,
        keep_every=arguments.keep,
        dtype=arguments.dtype,
        stack=arguments.stack,
        imagej=arguments.imagej,
        resolve=arguments.resolve,
        overwrite=arguments.overwrite,
        take_over=arguments.take_over,
        allow_code=arguments.allow_code,
    )
    inputs = batch_inputs(arguments.inputs, arguments.output)
    return Batch(inputs, arguments.output, lambda read: chosen(arguments, read), options)


def _run(made: Batch, stop: StopToken, quiet: bool) -> None:
    """Run a batch with a bar over its files, and print a line for each."""
    from tqdm import tqdm

    # Its lock and its table are not left to whoever clears away what was not run to its end.
    with (
        contextlib.closing(made.run(stop)) as rows,
        tqdm(total=len(made.rows), unit="file", disable=quiet, file=sys.stderr) as bar,
    ):
        made.progress = lambda done, total, unit: bar.set_postfix_str(f"{unit} {done} of {total}")
        for row in rows:
            if row.state == "running":
                bar.set_postfix_str("")
                continue
            bar.update()
            if row.state in BAD or not quiet:
                _say(row, bar)


def _say(row: BatchRow, bar: tqdm) -> None:
    words = f"{row.file}: {row.state}: {as_typed(row.sentence)}"
    bar.write(readable_text(words), file=sys.stderr)
