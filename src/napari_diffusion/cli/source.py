"""INPUT, read the way the command line says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_diffusion.cli.errors import UsageError
from napari_diffusion.io import memory
from napari_diffusion.runs import run_input
from napari_diffusion.runs.run_input import Reading, ReadingRefused, RunInput

if TYPE_CHECKING:
    from argparse import Namespace


def read_input(arguments: Namespace, *, lazy: bool | None = None) -> RunInput:
    """Read INPUT and the mask; refuse what the options do not fit."""
    try:
        return run_input.read_input(arguments.input, reading(arguments), lazy=lazy)
    except ReadingRefused as error:
        raise UsageError(str(error)) from error


def reading(arguments: Namespace) -> Reading:
    """Return how the command line says that an image is read."""
    return Reading(
        axes=arguments.axes,
        spacing=arguments.spacing,
        along=arguments.along,
        rgb=arguments.rgb,
        joint_channels=arguments.joint_channels,
        mask=arguments.mask,
        missing=arguments.missing,
    )


def check_memory(read: RunInput) -> None:
    """Refuse an image that a command which needs all of it at once cannot hold."""
    source = read.source
    needed = memory.working_memory(source.image.shape, source.image.dtype)
    free = memory.free_memory()
    if needed > free:
        raise MemoryError(
            f"{source.name!r} needs {memory.written_bytes(needed)} of memory at once, and "
            f"{memory.written_bytes(free)} are free: cut out a part of it."
        )
