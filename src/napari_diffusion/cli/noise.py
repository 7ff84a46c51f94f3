"""Add noise to a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_diffusion.cli.component import component
from napari_diffusion.cli.errors import UsageError
from napari_diffusion.cli.output import check_output
from napari_diffusion.cli.process import stoppable, threads
from napari_diffusion.cli.source import check_memory, read_input
from napari_diffusion.core.noise_scale import asked_scale
from napari_diffusion.io import Output
from napari_diffusion.runs.file_run import hash_entry, source_entries

if TYPE_CHECKING:
    from argparse import Namespace

    from napari_diffusion.core.noise_scale import AskedScale
    from napari_diffusion.io.step_record import FurtherEntries
    from napari_diffusion.noise import Noise


def noise(arguments: Namespace) -> int:
    """Read an image, add noise to it, and write the noisy copy."""
    from napari_diffusion.records.noisy_copy import noise_record, noisy_copy

    _scale(arguments, component("noise", arguments.noise, arguments))
    check_output(arguments, one=True)
    read = read_input(arguments)
    check_memory(read)
    chosen = component("noise", arguments.noise, arguments, read.pixel_size)
    dtype = read.written_type(arguments.dtype)
    output = Output(
        arguments.output, read.source, 1, dtype, arguments.overwrite, imagej=arguments.imagej
    )
    with threads(arguments.threads), output, stoppable() as stop:
        scale = _scale(arguments, chosen)
        made = noisy_copy(read.image, chosen, scale, arguments.seed, stop=stop)
        entries: FurtherEntries = {**source_entries(output, read), **hash_entry(read)}
        output.write(made.image, noise_record(made, read.options, read.source.name, **entries))
    if not arguments.quiet:
        print(f"{output.path}: {read.source.name} with {arguments.noise} noise, {output.dtype}")
    return 0


def _scale(arguments: Namespace, chosen: Noise) -> AskedScale:
    """Return the noise scale as `noisy_copy` takes it."""
    natural = "natural" in chosen.claims
    if arguments.scale == "own" and not natural:
        raise UsageError(
            f"--scale own needs a parameter that sets the strength of the noise, and "
            f"{arguments.noise} has none: give --scale a number, or auto."
        )
    if arguments.scale is None:
        return None if natural and arguments.settings else "auto"
    if arguments.scale == "own":
        return None
    try:
        return asked_scale(arguments.scale, "--scale")
    except ValueError as error:
        raise UsageError(str(error)) from error
