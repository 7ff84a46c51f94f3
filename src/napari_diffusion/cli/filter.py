"""Apply one filter to a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_diffusion import Recipe
from napari_diffusion.cli.component import component
from napari_diffusion.cli.output import check_output
from napari_diffusion.cli.process import stoppable, threads
from napari_diffusion.cli.source import read_input
from napari_diffusion.io import Output
from napari_diffusion.runs.file_run import FileRun

if TYPE_CHECKING:
    from argparse import Namespace


def apply(arguments: Namespace) -> int:
    """Read an image, apply a filter to it, and write the result."""
    component("filter", arguments.filter, arguments)  # wrong ones are said before reading
    check_output(arguments, one=True)
    read = read_input(arguments)
    chosen = component("filter", arguments.filter, arguments, read.pixel_size)
    # One step without noise is the filter itself, and its record a recipe to be used again.
    recipe = Recipe(num_steps=1, noise=None, diffusion_filter=chosen)
    dtype = read.written_type(arguments.dtype)
    output = Output(
        arguments.output, read.source, 1, dtype, arguments.overwrite, imagej=arguments.imagej
    )
    with threads(arguments.threads), stoppable() as stop:
        FileRun(read, recipe, output, [0]).run(stop)
    if not arguments.quiet:
        print(f"{output.path}: {read.source.name} after {arguments.filter}, {output.dtype}")
    return 0
