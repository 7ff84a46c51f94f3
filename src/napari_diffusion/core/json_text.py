"""JSON text from files: an object, or one sentence on what is wrong with it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

# Recipes and records are a few kilobytes, those with long lists of values a few hundred.
_MOST_CHARACTERS = 50_000_000

_MOST_DIGITS = 40


def text_of(path: Path, what: str) -> str:
    """Return the text of a file; refuse pipes and devices, which may have no end, and long ones.

    Raises
    ------
    OSError
        If it is not there, or must not be read.
    ValueError
        If it is no file, longer than any recipe or record, or no text in UTF-8.
    """
    if path.exists() and not path.is_file():
        raise ValueError(f"{str(path)!r} is no file: a {what} is read from files only.")
    if path.stat().st_size > _MOST_CHARACTERS:
        raise ValueError(
            f"{str(path)!r} has {path.stat().st_size} bytes: a {what} has at most "
            f"{_MOST_CHARACTERS}."
        )
    return path.read_text("utf-8-sig")


def json_object(text: str, what: str) -> dict[str, Any]:
    """Return the object that a JSON text holds.

    Parameters
    ----------
    text : str
        Of a file or a tag, from anyone.
    what : str
        What it should be, for the message: "recipe", "record".

    Raises
    ------
    ValueError
        If it is no JSON, no object, nested too deep or too long.
    """
    if len(text) > _MOST_CHARACTERS:
        raise ValueError(
            f"A {what} has at most {_MOST_CHARACTERS} characters of JSON (got {len(text)})."
        )
    try:
        values = json.loads(text, parse_int=_whole)
    except RecursionError:
        raise ValueError(f"The JSON of this {what} is nested too deep.") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"A {what} must be JSON text: {error}.") from None
    except OverflowError as error:
        raise ValueError(f"A {what} holds a number of {error} digits: the most are 40.") from None
    if not isinstance(values, dict):
        raise ValueError(f"A {what} must be a JSON object (got {type(values).__name__}).")
    return values


def _whole(digits: str) -> int:
    # Whole numbers without an end could be no float, and take minutes to be read.
    if len(digits) > _MOST_DIGITS:
        raise OverflowError(len(digits))
    return int(digits)
