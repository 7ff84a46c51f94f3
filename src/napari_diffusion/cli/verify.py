"""Verify that an output is as it was written, and that its run makes the same again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_diffusion.cli.options import add_code, add_memory
from napari_diffusion.cli.process import stoppable
from napari_diffusion.core.readable_name import readable_text
from napari_diffusion.io import memory

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_verify(parser: ArgumentParser) -> None:
    """Add what can be typed after ``verify``."""
    parser.add_argument(
        "output", type=Path, metavar="OUTPUT", help="a result of run, filter or noise"
    )
    parser.add_argument(
        "--input",
        type=Path,
        metavar="INPUT",
        help="what it was made from: the run is replayed and compared, step by step and chunk by "
        "chunk (default: the file beside OUTPUT that has its name)",
    )
    parser.add_argument(
        "--mask", type=Path, metavar="FILE", help="the mask of the run: a record has only its hash"
    )
    add_memory(parser)
    add_code(parser)
    parser.add_argument("--quiet", action="store_true", help="print only the verdict")


def verify(arguments: Namespace) -> int:
    """Print what was found out about an output; return 0 if all that was checked holds, else 1."""
    from napari_diffusion.runs.verification import verification

    with memory.limited_memory(arguments.memory), stoppable() as stop:
        found = verification.verify(
            arguments.output, arguments.input, arguments.mask, arguments.allow_code, stop
        )
    said = found.text()
    print(readable_text(said.splitlines()[-1] if arguments.quiet else said))
    return 0 if found.holds else 1
