"""Options that several commands have."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from napari_diffusion import PRESETS
from napari_diffusion.cli.values import count, keep, memory, numbers, setting, sigma
from napari_diffusion.loop.reverse_step import Update

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterable

    from napari_diffusion.core.component import Component

ONE_FILE = ".tif .tiff .ome.tif, .zarr .ome.zarr, .npy, .mrc, .nii or .nii.gz"

RECIPES = f"{', '.join(PRESETS)}, or a file"


def names(components: Iterable[type[Component]]) -> str:
    """Return the names of components, for a sentence."""
    return ", ".join(component.__name__ for component in components)


def add_files(parser: ArgumentParser, output: str) -> None:
    """Add INPUT and OUTPUT; `output` says what that may be."""
    add_input(parser)
    parser.add_argument("output", type=Path, metavar="OUTPUT", help=output)


def add_input(parser: ArgumentParser) -> None:
    """Add INPUT."""
    parser.add_argument(
        "input",
        type=Path,
        metavar="INPUT",
        help="an image: TIFF, PNG, JPEG, NPY, OME-Zarr, MRC, NIfTI, DICOM, or what bioio reads",
    )


def add_recipe(parser: ArgumentParser) -> None:
    """Add the options that choose the recipe and change it."""
    parser.add_argument(
        "--recipe",
        default="explore",
        metavar="FILE_OR_PRESET",
        help=f"{', '.join(PRESETS)}, a JSON file, or a result whose recipe to use again "
        "(default: explore); presets are scaled to the pixel size",
    )
    add_changes(parser)


def add_reading(parser: ArgumentParser) -> None:
    """Add the options that say how INPUT is read."""
    parser.add_argument("--axes", help="one letter of tczyx per axis of INPUT, such as tyx")
    parser.add_argument(
        "--spacing",
        type=numbers,
        metavar="N[,N…]",
        help="pixel size in world units, one number or one per axis of --along, such as 2,0.5,0.5",
    )
    parser.add_argument(
        "--along", help="axes that filters act along, such as yx (default: all spatial axes)"
    )
    parser.add_argument(
        "--rgb", action=argparse.BooleanOptionalAction, help="whether axis c holds RGB colours"
    )
    parser.add_argument(
        "--joint-channels",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="whether the channels share one edge map (default: yes)",
    )
    parser.add_argument(
        "--mask",
        type=Path,
        metavar="FILE",
        help="a mask of INPUT's size; pixels where it is 0 stay unchanged",
    )
    parser.add_argument(
        "--missing",
        choices=("refuse", "ignore"),
        default="refuse",
        help="reject NaN and infinite pixels, or treat them as missing (default: refuse)",
    )


def add_keep(parser: ArgumentParser) -> None:
    """Add the option that says which steps are written."""
    parser.add_argument(
        "--keep",
        type=keep,
        default=1,
        metavar="all|last|every:N",
        help="steps to write: all of them, the last one, or steps 0, N, 2N … and the last one "
        "(default: all)",
    )


def add_stack(parser: ArgumentParser) -> None:
    """Add the option that makes one image of all steps."""
    parser.add_argument(
        "--stack",
        action="store_true",
        help="write the steps of an image with the axes yx or zyx into an OME-Zarr as one image, "
        "the step being its first axis (default: one image per step)",
    )


def add_writing(parser: ArgumentParser) -> None:
    """Add the options that say how OUTPUT is written."""
    parser.add_argument(
        "--dtype",
        choices=("float", "source"),
        default="float",
        help="data type of OUTPUT: floating point, or INPUT's type, clipped and rounded "
        "(default: float)",
    )
    parser.add_argument(
        "--imagej",
        action="store_true",
        help="write a .tif as a hyperstack of ImageJ and Fiji (8 or 16 bits or float32), with its "
        "record beside it (default: OME-TIFF)",
    )
    add_running(parser, "OUTPUT")


def add_resume(parser: ArgumentParser) -> None:
    """Add the option that goes on with an unfinished output."""
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with the unfinished output of the same run; what is whole stays",
    )


def add_memory(parser: ArgumentParser) -> None:
    """Add the option that limits the memory."""
    parser.add_argument(
        "--memory",
        type=memory,
        metavar="SIZE",
        help="memory to use, such as 2GiB; a larger image is run in tiles, pass by pass (default: "
        "what is free)",
    )


def add_noisy(parser: ArgumentParser) -> None:
    """Add the option that keeps the noisy image of the last step."""
    parser.add_argument(
        "--noisy",
        type=Path,
        metavar="FILE",
        help="also write the noisy image that the last step of reverse updates was made of, which "
        "a longer run is continued from",
    )


def add_large(parser: ArgumentParser) -> None:
    """Add the options of runs that are large, long, or shared among machines."""
    add_memory(parser)
    parser.add_argument(
        "--take-over",
        action="store_true",
        help="take over an output whose owner is on another computer and has ended",
    )
    shared = parser.add_mutually_exclusive_group()
    shared.add_argument(
        "--workers", type=count, metavar="N", help="share the tiles among N processes"
    )
    shared.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="share the tiles among the workers of a dask scheduler, such as tcp://10.0.0.1:8786",
    )


def add_running(parser: ArgumentParser, output: str, quiet: str = "print only errors") -> None:
    """Add the options that say how the command runs; `output` may be replaced."""
    parser.add_argument("--overwrite", action="store_true", help=f"replace an existing {output}")
    parser.add_argument(
        "--threads", type=count, metavar="N", help="number of threads (default: all processors)"
    )
    parser.add_argument("--quiet", action="store_true", help=quiet)


def add_seed(parser: ArgumentParser, default: int | None = None) -> None:
    """Add the random seed; without a default it is the recipe's."""
    shown = "the recipe's" if default is None else default
    parser.add_argument(
        "--seed", type=int, default=default, metavar="N", help=f"random seed (default: {shown})"
    )


def add_code(parser: ArgumentParser) -> None:
    """Add the option that lets a recipe name functions."""
    parser.add_argument(
        "--allow-code",
        action="store_true",
        help="let the recipe run the functions that it names, such as that of a Custom filter; "
        "allow it only for recipes that you know",
    )


def add_changes(parser: ArgumentParser) -> None:
    """Add the options that change a recipe."""
    add_code(parser)
    add_settings(
        parser, "change the recipe, such as diffusion_filter.time=2, schedule=Linear or noise=none"
    )
    parser.add_argument(
        "--steps", type=count, metavar="N", help="number of steps (default: the recipe's)"
    )
    parser.add_argument(
        "--update",
        choices=get_args(Update),
        help="whole: each step adds all its noise and filters all of it; reverse: each step goes "
        "on to less noise, from the image's own, towards one plausible image (default: the "
        "recipe's)",
    )
    parser.add_argument(
        "--strength",
        type=float,
        default=1.0,
        metavar="F",
        help="factor on the noise sigma of a recipe that denoises; larger values smooth more "
        "(default: 1)",
    )
    parser.add_argument(
        "--noise-sigma",
        type=sigma,
        metavar="N[,N…]|FILE",
        help="noise sigma of a recipe that denoises: one number, one per channel, or a .npy or "
        ".tif file with one per pixel (default: the recipe's)",
    )
    add_seed(parser)


def add_settings(parser: ArgumentParser, what: str) -> None:
    """Add the option that sets a value; `what` says of what."""
    parser.add_argument(
        "--set",
        type=setting,
        action="append",
        default=[],
        dest="settings",
        metavar="NAME=VALUE",
        help=f"{what}; can be repeated",
    )
