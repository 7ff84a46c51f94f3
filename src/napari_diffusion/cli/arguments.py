"""The commands, and what can be typed after each."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, NoReturn

from napari_diffusion import PRESETS, __version__
from napari_diffusion.cli.options import (
    add_changes,
    add_chosen,
    add_files,
    add_input,
    add_parameters,
    add_reading,
    add_running,
    add_writing,
    names,
)
from napari_diffusion.cli.values import keep, numbers, scale
from napari_diffusion.filters import FILTERS
from napari_diffusion.noise import NOISES

#: What `methods` can print.
TEXTS = ("paragraph", "legend", "bibtex", "python", "command")

ONE_FILE = ".tif .tiff .ome.tif, .zarr .ome.zarr or .npy"


class UsageError(Exception):
    """The command line asks for something that there is not; says what there is."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line."""
        print(f"{self.prog}: {message} (see {self.prog} --help)", file=sys.stderr)
        sys.exit(2)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    whole = _Parser(
        prog="napari-diffusion",
        description="Add noise to an image and diffuse it away, step by step.",
        epilog="Exit codes: 0 done, 1 could not, 2 wrong command line, 130 interrupted.",
    )
    whole.add_argument("--version", action="version", version=f"napari-diffusion {__version__}")
    commands = whole.add_subparsers(required=True, metavar="COMMAND")
    _add_run(commands)
    _add_filter(commands)
    _add_noise(commands)
    _add_best(commands)
    _add_recipe(commands)
    _add_inspect(commands)
    _add_methods(commands)
    _add_demo(commands)
    return whole


def _add_run(commands: Any) -> None:
    from napari_diffusion.cli.run import run

    add = _command(commands, "run", run, "run the loop on an image and write its steps")
    add_files(
        add,
        f"its ending chooses the format: {ONE_FILE}; none gives a folder with one OME-TIFF per "
        "step",
    )
    add_chosen(add)
    add_reading(add)
    add(
        "--keep",
        type=keep,
        default=keep("all"),
        metavar="all|last|every:K",
        help="which steps to write; the last one always is",
    )
    add_writing(add)


def _add_filter(commands: Any) -> None:
    from napari_diffusion.cli.filter import apply

    add = _command(commands, "filter", apply, "apply one filter to an image")
    add_files(add, f"its ending chooses the format: {ONE_FILE}")
    add(
        "--filter",
        required=True,
        metavar="NAME",
        help=f"one of {names(FILTERS)}; its defaults follow the distance of the pixels",
    )
    add_parameters(add, "filter", "time=2")
    add_reading(add)
    add_writing(add)


def _add_noise(commands: Any) -> None:
    from napari_diffusion.cli.noise import noise

    add = _command(commands, "noise", noise, "add noise to an image")
    add_files(add, f"its ending chooses the format: {ONE_FILE}")
    add(
        "--noise",
        default="Gaussian",
        metavar="NAME",
        help=f"one of {names(NOISES)} (default: Gaussian)",
    )
    add(
        "--scale",
        type=scale,
        metavar="N[,N…]|auto|own",
        help="standard deviation in intensity units, one number or one per channel; auto: as much "
        "as the image has itself; own: what the parameters of the noise make (default: own where "
        "one of them is set and says how strong it is, else auto)",
    )
    add_parameters(add, "noise", "gain=0.5")
    add("--seed", type=int, default=0, metavar="N", help="other numbers, other noise (default: 0)")
    add_reading(add)
    add_writing(add)


def _add_best(commands: Any) -> None:
    from napari_diffusion.cli.best import best

    add = _command(commands, "best", best, "say which step of a run is nearest to the ground truth")
    add_input(add)
    add_chosen(add)
    add("--reference", type=Path, metavar="FILE", help="the ground truth, of INPUT's size")
    add(
        "--second",
        type=Path,
        metavar="FILE",
        help="another image of the same thing, of INPUT's size, with noise of its own",
    )
    add("--halves", choices=("frames",), help="even and odd frames of INPUT are two such images")
    add(
        "--sigma",
        type=numbers,
        metavar="N[,N…]",
        help="standard deviation of the noise, one number or one per channel (default: measured)",
    )
    add("--curves", type=Path, metavar="FILE.csv", help="write all measures of all steps there")
    add_reading(add)
    add_running(add, "--curves", "print the number of the step alone, −1 for the source")


def _add_methods(commands: Any) -> None:
    from napari_diffusion.cli.methods import methods

    add = _command(commands, "methods", methods, "say what was done to an image, for a paper")
    add("file", type=Path, metavar="FILE", help="what run or filter wrote")
    add("--step", type=int, metavar="K", help="which step (default: the last one)")
    add(
        "--text",
        choices=(*TEXTS, "all"),
        default="all",
        help="a paragraph for the methods section, a sentence for a figure's legend, the works to "
        "cite, or code or a command that makes the step again (default: all)",
    )


def _add_recipe(commands: Any) -> None:
    from napari_diffusion.cli.recipe import recipe

    add = _command(commands, "recipe", recipe, "print a recipe, or list those with a name")
    add("recipe", nargs="?", metavar="PRESET", help=f"{', '.join(PRESETS)}, or a file")
    add_changes(add)


def _add_inspect(commands: Any) -> None:
    from napari_diffusion.cli.inspect import inspect

    add = _command(commands, "inspect", inspect, "say what a file holds and how it was made")
    add("file", type=Path, metavar="FILE", help="an image, or what run wrote")


def _add_demo(commands: Any) -> None:
    from napari_diffusion.cli.demo import demo

    add = _command(commands, "demo", demo, "see the loop run on a face")
    add(
        "--output",
        type=Path,
        default=Path("demo"),
        metavar="FOLDER",
        help="where steps, contact sheet and screenshot go (default: demo)",
    )
    add(
        "--window",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="whether to run in the napari window too (default: yes)",
    )
    add(
        "--stay",
        action=argparse.BooleanOptionalAction,
        help="whether the window stays open (default: where there is a display)",
    )
    add("--quiet", action="store_true", help="say nothing but errors")


def _command(commands: Any, name: str, command: Any, about: str) -> Any:
    one = commands.add_parser(name, help=about, description=f"{about[0].upper()}{about[1:]}.")
    one.set_defaults(command=command)
    return one.add_argument
