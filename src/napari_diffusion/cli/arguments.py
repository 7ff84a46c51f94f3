"""The commands, and what can be typed after each."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from napari_diffusion import __version__
from napari_diffusion.cli.batch import add_batch, batch
from napari_diffusion.cli.best import best
from napari_diffusion.cli.demo import DEMOS, demo
from napari_diffusion.cli.filter import apply
from napari_diffusion.cli.inspect import add_inspect, inspect
from napari_diffusion.cli.methods import TEXTS, methods
from napari_diffusion.cli.noise import noise
from napari_diffusion.cli.options import (
    ONE_FILE,
    RECIPES,
    add_changes,
    add_code,
    add_files,
    add_input,
    add_keep,
    add_large,
    add_noisy,
    add_reading,
    add_recipe,
    add_resume,
    add_running,
    add_seed,
    add_settings,
    add_stack,
    add_writing,
    names,
)
from napari_diffusion.cli.recipe import recipe
from napari_diffusion.cli.report import add_report, report
from napari_diffusion.cli.run import run
from napari_diffusion.cli.study import add_study, study
from napari_diffusion.cli.train import add_train, train
from napari_diffusion.cli.values import scale, sigma
from napari_diffusion.cli.verify import add_verify, verify
from napari_diffusion.filters import FILTERS
from napari_diffusion.noise import NOISES

if TYPE_CHECKING:
    from collections.abc import Callable

    Command = Callable[[argparse.Namespace], int]

_FORMAT = f"its extension chooses the format: {ONE_FILE}"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Print what is wrong in one line, and exit."""
        print(f"{self.prog}: {message} (see {self.prog} --help)", file=sys.stderr)
        sys.exit(2)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    whole = _Parser(
        prog="napari-diffusion",
        description="Add noise to an image and diffuse it away, step by step.",
        epilog="Exit codes: 0 success, 1 failure, 2 invalid command line, 130 interrupted.",
    )
    whole.add_argument("--version", action="version", version=f"napari-diffusion {__version__}")
    commands = whole.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, does: Command, about: str) -> argparse.ArgumentParser:
        description = f"{about[0].upper()}{about[1:]}."
        added: argparse.ArgumentParser = commands.add_parser(
            name, help=about, description=description
        )
        added.set_defaults(command=does)
        return added

    _add_run(command("run", run, "run the loop on an image and write its steps"))
    add_batch(command("batch", batch, "run the loop on many images, each to an output"))
    _add_filter(command("filter", apply, "apply one filter to an image"))
    _add_noise(command("noise", noise, "add noise to an image"))
    _add_best(command("best", best, "report the step closest to the ground truth"))
    _add_recipe(command("recipe", recipe, "print a recipe, or list the presets"))
    add_inspect(command("inspect", inspect, "show what files hold, how they were made, and traces"))
    add_verify(command("verify", verify, "verify an output, and that its run makes the same again"))
    add_study(command("study", study, "study what a recipe leaves and removes on an image"))
    add_report(command("report", report, "write one HTML page on a result: what was done and lost"))
    add_train(command("train", train, "learn weights for LearnedDiffusion from your own images"))
    _add_methods(command("methods", methods, "describe the processing of an image for a paper"))
    _add_demo(command("demo", demo, "watch the loop run on a photo of a face, or restore one"))
    return whole


def _add_run(parser: argparse.ArgumentParser) -> None:
    add_files(parser, f"{_FORMAT}; none gives a folder with one OME-TIFF per step")
    add_recipe(parser)
    add_reading(parser)
    add_keep(parser)
    add_stack(parser)
    add_noisy(parser)
    add_resume(parser)
    add_large(parser)
    parser.add_argument(
        "--plan",
        action="store_true",
        help="only print what the run takes: passes, tiles, memory, disk and time",
    )
    add_writing(parser)


def _add_filter(parser: argparse.ArgumentParser) -> None:
    add_files(parser, _FORMAT)
    parser.add_argument(
        "--filter",
        required=True,
        metavar="NAME",
        help=f"one of {names(FILTERS)}; its defaults are scaled to the pixel size",
    )
    add_settings(parser, "a parameter of the filter, such as time=2")
    add_code(parser)
    add_reading(parser)
    add_writing(parser)


def _add_noise(parser: argparse.ArgumentParser) -> None:
    add_files(parser, _FORMAT)
    parser.add_argument(
        "--noise",
        default="Gaussian",
        metavar="NAME",
        help=f"one of {names(NOISES)} (default: Gaussian)",
    )
    parser.add_argument(
        "--scale",
        type=scale,
        metavar="SCALE",
        help="standard deviation in intensity units, one number or one per channel; '5 %% of "
        "range': that share of the image's maximum minus its minimum; auto: that of the image's "
        "own noise; own: as the parameters of the noise give it (default: own if "
        "such a parameter is set, else auto)",
    )
    add_settings(parser, "a parameter of the noise, such as gain=0.5")
    add_code(parser)
    add_seed(parser, 0)
    add_reading(parser)
    add_writing(parser)


def _add_best(parser: argparse.ArgumentParser) -> None:
    add_input(parser)
    add_recipe(parser)
    parser.add_argument(
        "--reference", type=Path, metavar="FILE", help="the ground truth, of INPUT's size"
    )
    parser.add_argument(
        "--second",
        type=Path,
        metavar="FILE",
        help="an independent noisy acquisition of the same scene, of INPUT's size",
    )
    parser.add_argument(
        "--halves",
        choices=("frames",),
        help="take the even and the odd frames of INPUT as two independent acquisitions",
    )
    parser.add_argument(
        "--sigma",
        type=sigma,
        metavar="N[,N…]|FILE",
        help="standard deviation of the noise, one number, one per channel, or a .npy or .tif file "
        "with one per pixel (default: measured)",
    )
    parser.add_argument(
        "--curves", type=Path, metavar="FILE.csv", help="write every metric of every step to a CSV"
    )
    add_reading(parser)
    add_running(parser, "--curves file", "print only the number of the step, −1 for the source")


def _add_recipe(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe", nargs="?", metavar="PRESET", help=RECIPES)
    add_changes(parser)


def _add_methods(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="a result of run, filter or noise")
    parser.add_argument("--step", type=int, metavar="K", help="which step (default: the last one)")
    texts = parser.add_mutually_exclusive_group()
    texts.add_argument(
        "--text",
        choices=(*TEXTS, "all"),
        help="a paragraph for the methods section, a sentence for a figure legend, the references "
        "as text or as BibTeX, Python code or a command that reproduces the step, or the "
        "supplement as JSON (default: paragraph)",
    )
    texts.add_argument(
        "--all", dest="text", action="store_const", const="all", help="print all of these"
    )


def _add_demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what",
        nargs="?",
        choices=tuple(DEMOS),
        default="loop",
        help="the loop on a degraded face, or a dark and noisy face with holes, restored step by "
        "step (default: loop)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("demo"),
        metavar="FOLDER",
        help="folder for steps, contact sheet and screenshot (default: demo)",
    )
    parser.add_argument(
        "--window",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="whether to run in a napari window too (default: yes)",
    )
    parser.add_argument(
        "--stay",
        action=argparse.BooleanOptionalAction,
        help="whether the window stays open (default: if there is a display)",
    )
    parser.add_argument("--quiet", action="store_true", help="print only errors")
