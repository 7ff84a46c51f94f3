"""How the values of options are read."""

from __future__ import annotations

import argparse
import json
from typing import TypeAlias

from napari_diffusion.core.noise_scale import share_of_range
from napari_diffusion.io.memory import bytes_of

#: What JSON can hold.
Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

#: The name and the value of ``--set``.
Setting: TypeAlias = "tuple[str, Json]"


def setting(text: str) -> Setting:
    """Read ``name=value``; the value is JSON where it can be, else text."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(
            f"must be NAME=VALUE, such as diffusion_filter.time=2 (got {text!r})"
        )
    try:
        return name, json.loads(value)
    except (json.JSONDecodeError, RecursionError):
        return name, value


def count(text: str) -> int:
    """Read a whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number, at least 1 (got {text!r})")
    return int(text)


def memory(text: str) -> int:
    """Read a number of bytes with its unit."""
    try:
        return bytes_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def numbers(text: str) -> float | tuple[float, ...]:
    """Read one number, or several separated by commas."""
    try:
        values = tuple(float(each) for each in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be numbers separated by commas, such as 2,0.5,0.5 (got {text!r})"
        ) from None
    return values[0] if len(values) == 1 else values


def sigma(text: str) -> float | tuple[float, ...] | str:
    """Read a noise sigma: numbers, or the name of a .npy or .tif file with one per pixel."""
    if text.lower().endswith((".npy", ".tif", ".tiff")):
        return text
    try:
        return numbers(text)
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(
            f"must be numbers separated by commas, or a .npy or .tif file (got {text!r})"
        ) from None


def scale(text: str) -> float | tuple[float, ...] | str:
    """Read a noise scale: numbers, a share of the range, or a word that stands for one."""
    return text if text in ("auto", "own") or share_of_range(text) is not None else numbers(text)


def keep(text: str) -> int | None:
    """Read which steps to keep: every n-th, or None for the last one alone."""
    if text == "last":
        return None
    word, _, every = text.partition(":")
    if text == "all":
        return 1
    if word != "every" or not every.isdecimal() or int(every) < 1:
        raise argparse.ArgumentTypeError(
            f"must be all, last or every:N with N at least 1 (got {text!r})"
        )
    return int(every)


def parts(text: str) -> tuple[slice, ...]:
    """Read one part for each axis, such as ``0:256,:``."""
    found = []
    for part in text.split(","):
        first, colon, last = (each.strip() for each in part.partition(":"))
        if not colon or any(end and not end.isdecimal() for end in (first, last)):
            raise argparse.ArgumentTypeError(
                f"must be first and last + 1 for each axis, such as 0:256,0:256 (got {text!r})"
            )
        found.append(slice(int(first) if first else None, int(last) if last else None))
    return tuple(found)
