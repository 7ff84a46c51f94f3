"""What can be typed."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from napari_diffusion import PRESETS, __version__
from napari_diffusion.filters import FILTERS
from napari_diffusion.noise import NOISES

if TYPE_CHECKING:
    from napari_diffusion.member import Member

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
        description="Add noise to a picture and diffuse it away, step by step.",
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

    add = _command(commands, "run", run, "run the loop on a picture and write its steps")
    _add_files(
        add,
        f"its ending chooses the format: {ONE_FILE}; none gives a folder with one OME-TIFF per "
        "step",
    )
    _add_chosen(add)
    _add_reading(add)
    add(
        "--keep",
        type=keep,
        default=keep("all"),
        metavar="all|last|every:K",
        help="which steps to write; the last one always is",
    )
    _add_writing(add)


def _add_filter(commands: Any) -> None:
    from napari_diffusion.cli.filter import apply

    add = _command(commands, "filter", apply, "apply one filter to a picture")
    _add_files(add, f"its ending chooses the format: {ONE_FILE}")
    add(
        "--filter",
        required=True,
        metavar="NAME",
        help=f"one of {_names(FILTERS)}; its defaults follow the distance of the samples",
    )
    _add_parameters(add, "filter", "time=2")
    _add_reading(add)
    _add_writing(add)


def _add_noise(commands: Any) -> None:
    from napari_diffusion.cli.noise import noise

    add = _command(commands, "noise", noise, "add noise to a picture")
    _add_files(add, f"its ending chooses the format: {ONE_FILE}")
    add(
        "--noise",
        default="Gaussian",
        metavar="NAME",
        help=f"one of {_names(NOISES)} (default: Gaussian)",
    )
    add(
        "--scale",
        type=scale,
        metavar="N[,N…]|auto|own",
        help="standard deviation in intensity units, one number or one per channel; auto: as much "
        "as the picture has itself; own: what the parameters of the noise make (default: own where "
        "one of them is set and says how strong it is, else auto)",
    )
    _add_parameters(add, "noise", "gain=0.5")
    add("--seed", type=int, default=0, metavar="N", help="other numbers, other noise (default: 0)")
    _add_reading(add)
    _add_writing(add)


def _names(members: tuple[type[Member], ...]) -> str:
    return ", ".join(member.__name__ for member in members)


def _add_files(add: Any, output: str) -> None:
    _add_input(add)
    add("output", type=Path, metavar="OUTPUT", help=output)


def _add_input(add: Any) -> None:
    add("input", type=Path, metavar="INPUT", help="TIFF, PNG, JPEG, NPY or OME-Zarr")


def _add_chosen(add: Any) -> None:
    """Add the options that say which recipe runs."""
    add(
        "--recipe",
        default="explore",
        metavar="FILE_OR_PRESET",
        help=f"{', '.join(PRESETS)}, a JSON file, or a result whose recipe is used again "
        "(default: explore); presets follow the distance of the samples",
    )
    _add_changes(add)


def _add_parameters(add: Any, what: str, example: str) -> None:
    add(
        "--set",
        type=setting,
        action="append",
        default=[],
        dest="settings",
        metavar="NAME=VALUE",
        help=f"a parameter of the {what}, such as {example}; may be given many times",
    )


def _add_reading(add: Any) -> None:
    """Add the options that say how INPUT is read."""
    add("--axes", help="one letter of tczyx per axis of INPUT, such as tyx")
    add(
        "--spacing",
        type=numbers,
        metavar="N[,N…]",
        help="world length of one sample, one number "
        "or one per axis that diffuses, such as 2,0.5,0.5",
    )
    add("--along", help="the axes that diffuse (default: the spatial ones)")
    add("--rgb", action=argparse.BooleanOptionalAction, help="whether c holds colours")
    add(
        "--joint-channels",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="whether the channels share one edge map (default: yes)",
    )
    add(
        "--mask",
        type=Path,
        metavar="FILE",
        help="a picture of INPUT's size: where it is 0, nothing changes",
    )
    add(
        "--missing",
        choices=("refuse", "ignore"),
        default="refuse",
        help="what to do with NaN: refuse them, or leave them as holes",
    )


def _add_writing(add: Any) -> None:
    """Add the options that say how OUTPUT is written."""
    add(
        "--dtype",
        choices=("float", "source"),
        default="float",
        help="type of what is written: as computed, or rounded to INPUT's type",
    )
    _add_running(add, "OUTPUT")


def _add_running(add: Any, output: str, quiet: str = "say nothing but errors") -> None:
    add("--overwrite", action="store_true", help=f"replace {output} if it is there")
    add("--threads", type=count, metavar="N", help="how many threads (default: all)")
    add("--quiet", action="store_true", help=quiet)


def _add_best(commands: Any) -> None:
    from napari_diffusion.cli.best import best

    add = _command(commands, "best", best, "say which step of a run is nearest to the truth")
    _add_input(add)
    _add_chosen(add)
    add("--reference", type=Path, metavar="FILE", help="the truth, of INPUT's size")
    add(
        "--second",
        type=Path,
        metavar="FILE",
        help="another picture of the same thing, of INPUT's size, with noise of its own",
    )
    add("--halves", choices=("frames",), help="even and odd frames of INPUT are two such pictures")
    add(
        "--sigma",
        type=numbers,
        metavar="N[,N…]",
        help="standard deviation of the noise, one number or one per channel (default: measured)",
    )
    add("--curves", type=Path, metavar="FILE.csv", help="write all measures of all steps there")
    _add_reading(add)
    _add_running(add, "--curves", "print the number of the step alone, −1 for the source")


def _add_methods(commands: Any) -> None:
    from napari_diffusion.cli.methods import methods

    add = _command(commands, "methods", methods, "say what was done to a picture, for a paper")
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
    _add_changes(add)


def _add_inspect(commands: Any) -> None:
    from napari_diffusion.cli.inspect import inspect

    add = _command(commands, "inspect", inspect, "say what a file holds and how it was made")
    add("file", type=Path, metavar="FILE", help="a picture, or what run wrote")


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


def _add_changes(add: Any) -> None:
    add(
        "--set",
        type=setting,
        action="append",
        default=[],
        dest="settings",
        metavar="NAME=VALUE",
        help="change the recipe, such as diffusion_filter.time=2, schedule=Linear or noise=none; "
        "may be given many times",
    )
    add("--steps", type=count, metavar="N", help="number of steps")
    add("--seed", type=int, metavar="N", help="seed of the noise")


def setting(text: str) -> tuple[str, Any]:
    """Read ``name=value``; the value is JSON where it can be, else text."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(
            f"{text!r} must be NAME=VALUE, such as diffusion_filter.time=2"
        )
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def count(text: str) -> int:
    """Read a whole number from 1 up."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 up (got {text!r})")
    return int(text)


def numbers(text: str) -> float | tuple[float, ...]:
    """Read one number, or several with commas between them."""
    try:
        values = tuple(float(each) for each in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be numbers with commas between them, such as 2,0.5,0.5 (got {text!r})"
        ) from None
    return values[0] if len(values) == 1 else values


def scale(text: str) -> float | tuple[float, ...] | str:
    """Read a noise scale: numbers, or a word that stands for one."""
    return text if text in ("auto", "own") else numbers(text)


def keep(text: str) -> int:
    """Read which steps to keep: every k-th, 0 being the last one alone."""
    word, _, every = text.partition(":")
    if text in ("all", "last"):
        return {"all": 1, "last": 0}[text]
    if word != "every" or not every.isdecimal() or int(every) < 1:
        raise argparse.ArgumentTypeError(f"must be all, last or every:K with K ≥ 1 (got {text!r})")
    return int(every)
