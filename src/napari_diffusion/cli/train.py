"""Train the weights of a LearnedDiffusion on images."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from napari_diffusion.cli.compiling_note import compiling_note
from napari_diffusion.cli.errors import UsageError
from napari_diffusion.cli.options import add_reading, add_running, add_seed
from napari_diffusion.cli.process import stoppable, threads
from napari_diffusion.cli.source import check_memory, reading
from napari_diffusion.cli.values import count, numbers
from napari_diffusion.engine.threads import Stopped
from napari_diffusion.filters.learned.weights import shipped
from napari_diffusion.io import check_apart
from napari_diffusion.learning.measured_image import Kind
from napari_diffusion.runs import run_input

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator

    from napari_diffusion.core.image import Image
    from napari_diffusion.learning import Score, TrainedWeights


def add_train(parser: ArgumentParser) -> None:
    """Add what can be typed after ``train``."""
    parser.add_argument(
        "inputs", type=Path, nargs="+", metavar="IMAGE", help="images to learn from"
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="FILE.npz", help="file for the weights"
    )
    parser.add_argument(
        "--kind",
        choices=get_args(Kind),
        default="noisy",
        help="noisy images alone, frames of one scene along t or in several files, or clean images "
        "(default: noisy)",
    )
    parser.add_argument(
        "--noise-sigma",
        type=numbers,
        metavar="N[,N…]",
        help="noise sigma of the images, one number or one per channel; of clean ones, of the "
        "noise to add (default: measured; all levels)",
    )
    parser.add_argument(
        "--start",
        default="photographs",
        metavar="NAME|FILE.npz|none",
        help=f"weights to begin with: {', '.join(shipped())}, or a file; none begins from scratch "
        "(default: photographs)",
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=100.0,
        metavar="N",
        help="seconds of the processor, of all threads, at most 480 (default: 100)",
    )
    parser.add_argument(
        "--steps",
        type=count,
        metavar="N",
        help="steps instead of seconds: the same seed then gives the same weights",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with the training of --output, whose state is beside it, until --seconds or "
        "--steps in all",
    )
    add_seed(parser, 0)
    add_reading(parser)
    add_running(parser, "--output file", "print only whether it helped")


def train(arguments: Namespace) -> int:
    """Learn from images, and write the weights and the state of the training."""
    from napari_diffusion import learning

    state = _state(arguments)
    images = [_read(path, arguments) for path in arguments.inputs]
    with (
        threads(arguments.threads),
        compiling_note(arguments.quiet),
        stoppable() as stop,
        _shown(arguments) as progress,
    ):
        made = learning.train(
            images,
            kind=arguments.kind,
            noise_sigma="auto" if arguments.noise_sigma is None else arguments.noise_sigma,
            start=None if arguments.start == "none" else arguments.start,
            seconds=arguments.seconds,
            steps=arguments.steps,
            seed=arguments.seed,
            names=[path.name for path in arguments.inputs],
            progress=progress,
            stop=stop,
            resume=state if arguments.resume else None,
        )
    _write(made, state, arguments)
    if made.ended == "stopped":
        raise Stopped("Training was stopped.")
    return 0


def _state(arguments: Namespace) -> Path:
    """Return where the state of the training stands; refuse files that exist, or do not."""
    output: Path = arguments.output
    if output.suffix.lower() != ".npz":
        raise UsageError(f"--output writes weights: {str(output)!r} must end in .npz.")
    check_apart(output, *arguments.inputs)
    state = output.with_suffix(".training.npz")
    if arguments.resume and not state.exists():
        raise UsageError(f"There is no training to resume: {str(state)!r} does not exist.")
    for path in (output, state):
        if path.exists() and not (arguments.overwrite or arguments.resume):
            raise FileExistsError(
                f"{str(path)!r} exists; --overwrite replaces it, --resume goes on with it."
            )
    return state


def _read(path: Path, arguments: Namespace) -> Image:
    try:
        read = run_input.read_input(path, reading(arguments))
    except run_input.ReadingRefused as error:
        raise UsageError(str(error)) from error
    check_memory(read)
    return read.image


@contextlib.contextmanager
def _shown(arguments: Namespace) -> Iterator[Any]:
    """Yield what shows a score: how far training is, and the error."""
    from tqdm import tqdm

    total, unit = arguments.steps or round(arguments.seconds), "step" if arguments.steps else "s"
    with contextlib.ExitStack() as stack:
        # Only what has begun has a bar: what is refused is one line.
        bars: list[tqdm] = []

        def progress(score: Score) -> None:
            if not bars:
                bar = tqdm(total=total, unit=unit, disable=arguments.quiet, file=sys.stderr)
                bars.append(stack.enter_context(bar))
            done = score.steps if arguments.steps else int(score.seconds)
            bars[0].set_postfix_str(f"error {score.held_out:.3g}", refresh=False)
            bars[0].update(min(done, total) - bars[0].n)

        yield progress


def _write(made: TrainedWeights, state: Path, arguments: Namespace) -> None:
    replace = arguments.overwrite or arguments.resume
    path = made.save(arguments.output, overwrite=replace)
    made.save_state(state, overwrite=replace)
    if not arguments.quiet:
        many = f"{len(arguments.inputs)} images" if arguments.inputs[1:] else arguments.inputs[0]
        print(f"{path}: weights learned from {many}")
    print(made.summary())
