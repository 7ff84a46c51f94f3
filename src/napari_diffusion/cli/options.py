"""Options that several commands have."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_diffusion import PRESETS
from napari_diffusion.cli.values import count, numbers, setting

if TYPE_CHECKING:
    from napari_diffusion.core.component import Component


def names(components: tuple[type[Component], ...]) -> str:
    """Return the names of components, for a sentence."""
    return ", ".join(component.__name__ for component in components)


def add_files(add: Any, output: str) -> None:
    """Add INPUT and OUTPUT; `output` says what that may be."""
    add_input(add)
    add("output", type=Path, metavar="OUTPUT", help=output)


def add_input(add: Any) -> None:
    """Add INPUT."""
    add("input", type=Path, metavar="INPUT", help="TIFF, PNG, JPEG, NPY or OME-Zarr")


def add_chosen(add: Any) -> None:
    """Add the options that say which recipe runs."""
    add(
        "--recipe",
        default="explore",
        metavar="FILE_OR_PRESET",
        help=f"{', '.join(PRESETS)}, a JSON file, or a result whose recipe is used again "
        "(default: explore); presets follow the distance of the pixels",
    )
    add_changes(add)


def add_parameters(add: Any, what: str, example: str) -> None:
    """Add the option that sets a parameter of what is applied."""
    _add_settings(add, f"a parameter of the {what}, such as {example}")


def add_reading(add: Any) -> None:
    """Add the options that say how INPUT is read."""
    add("--axes", help="one letter of tczyx per axis of INPUT, such as tyx")
    add(
        "--spacing",
        type=numbers,
        metavar="N[,N…]",
        help="world length of one pixel, one number "
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
        help="an image of INPUT's size: where it is 0, nothing changes",
    )
    add(
        "--missing",
        choices=("refuse", "ignore"),
        default="refuse",
        help="what to do with NaN: refuse them, or leave them as holes",
    )


def add_writing(add: Any) -> None:
    """Add the options that say how OUTPUT is written."""
    add(
        "--dtype",
        choices=("float", "source"),
        default="float",
        help="type of what is written: as computed, or rounded to INPUT's type",
    )
    add_running(add, "OUTPUT")


def add_running(add: Any, output: str, quiet: str = "say nothing but errors") -> None:
    """Add the options that say how it runs; `output` may be replaced."""
    add("--overwrite", action="store_true", help=f"replace {output} if it is there")
    add("--threads", type=count, metavar="N", help="how many threads (default: all)")
    add("--quiet", action="store_true", help=quiet)


def add_changes(add: Any) -> None:
    """Add the options that change a recipe."""
    _add_settings(
        add, "change the recipe, such as diffusion_filter.time=2, schedule=Linear or noise=none"
    )
    add("--steps", type=count, metavar="N", help="number of steps")
    add("--seed", type=int, metavar="N", help="seed of the noise")


def _add_settings(add: Any, what: str) -> None:
    add(
        "--set",
        type=setting,
        action="append",
        default=[],
        dest="settings",
        metavar="NAME=VALUE",
        help=f"{what}; may be given many times",
    )
