"""Numbers as text and back, to the bit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_diffusion.core.parameter import Kind

#: What a parameter holds: a number, text, a component, an array, several of them, or None.
Value = Any

_DECIMAL_COMMA = re.compile(r"([+-]?\d+),(\d+)")


def written(value: Value) -> str:
    """Return a number, or one per channel, as the shortest text that `read` gives back exactly."""
    if isinstance(value, tuple | list):
        return ", ".join(written(each) for each in value) + ("," if len(value) == 1 else "")
    if isinstance(value, float):
        return repr(value).removesuffix(".0").replace("e+", "e")
    return str(value)


def rounded(value: Value) -> str:
    """Return a number, or one per channel, as a short text to look at."""
    if isinstance(value, tuple | list):
        return ", ".join(rounded(each) for each in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def read(text: str, kind: Kind, many: bool = False) -> Value:
    """Return what was typed as a number, as a tuple of numbers, or else as the text itself.

    Text that is no number comes back as it is, for the parameter's own check to refuse.

    Parameters
    ----------
    text : str
        ``"0.125"``, ``"1e-4"``, ``"1/3"``; with `many` also ``"0.1, 0.2, 0.3"`` and ``"0.1,"``.
    kind : {"float", "int", "text"}
        What a single value is.
    many : bool
        Whether a comma separates several values.

    Raises
    ------
    ValueError
        Where ``"0,5"`` may be half of one or a pair.
    """
    text = text.strip()
    if kind == "text":
        return text
    if not many or "," not in text:
        return _number(text, kind)
    if unclear := _DECIMAL_COMMA.fullmatch(text):
        whole, part = unclear.groups()
        raise ValueError(
            f"{text!r} can be read in two ways: write {whole}.{part} for one number, or "
            f"{whole}, {part} with a space for one per channel."
        )
    numbers = tuple(_number(each.strip(), kind) for each in text.removesuffix(",").split(","))
    return text if any(isinstance(each, str) for each in numbers) else numbers


def _number(text: str, kind: Kind) -> float | int | str:
    try:
        if kind == "int":
            return int(text)
        above, _, below = text.partition("/")
        return float(above) / float(below) if below else float(text)
    except (ValueError, ArithmeticError):
        return text
