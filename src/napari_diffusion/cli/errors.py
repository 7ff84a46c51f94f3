"""What a command refuses, in the words of the command line."""

from __future__ import annotations

import re

_KEYWORD = re.compile(
    r"\b(axes|along|spacing|rgb|missing|joint_channels|allow_code|kind)="
    r"(True|False|'?([^' ,.;]+)'?)"
)


class UsageError(Exception):
    """The command line asks for something that does not exist; the message says what does."""


def as_typed(text: str) -> str:
    """Return a message about keywords of Python with the options of the command line instead."""
    return _KEYWORD.sub(_option, text)


def one_line(error: BaseException) -> str:
    """Return what is wrong as one sentence."""
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename!r}: " if error.filename else ""
        return f"{where}{error.strerror}."
    text = as_typed(" ".join(str(error).split())) or type(error).__name__
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _option(match: re.Match[str]) -> str:
    name = match[1].replace("_", "-")
    if match[2] in ("True", "False"):
        return f"--{name}" if match[2] == "True" else f"--no-{name}"
    return f"--{name} {match[3]}"
