"""What the values of options are read as."""

from __future__ import annotations

import argparse
import json
from typing import Any


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
