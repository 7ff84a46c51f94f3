"""Whole numbers as they are given: checked before any work."""

from __future__ import annotations

from typing import Any


def checked_whole(name: str, value: Any, low: int, end: int | None = None) -> int | None:
    """Return a whole number, or None for None; raise for any other value.

    Parameters
    ----------
    name : str
        What it is called.
    value : int or None
        As given.
    low : int
        The smallest that is allowed.
    end : int, optional
        The first that is too large.

    Raises
    ------
    TypeError
        If it is no whole number; True and False are none.
    ValueError
        If it is too small or too large.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} must be a whole number (got {value!r}).")
    if value < low or (end is not None and value >= end):
        most = "" if end is None else f" and less than {end}"
        raise ValueError(f"{name} must be {low} or more{most} (got {value!r}).")
    return int(value)
