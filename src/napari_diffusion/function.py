"""Functions as parameters, and the names that other programs find them by."""

from __future__ import annotations

import importlib
import re
from typing import Any

_NAME = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


def is_name(text: str) -> bool:
    """Say whether a text has the form ``"package.module:function"``."""
    return _NAME.fullmatch(text) is not None


def imported(function: Any) -> Any:
    """Return a function for itself or for its name, ``"package.module:function"``.

    Raises
    ------
    ValueError
        Where there is no such module or function in it.
    """
    if not isinstance(function, str):
        return function
    module, _, path = function.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for name in path.split("."):
            found = getattr(found, name)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"There is no function {function!r}: {error}.") from None
    if not callable(found):
        raise ValueError(f"{function!r} is no function (found {type(found).__name__}).")
    return found


def name_of(function: Any, owner: str) -> str:
    """Return the name that `imported` finds a function by; refuse one that has none."""
    if isinstance(function, str):
        return function
    name = f"{getattr(function, '__module__', '')}:{getattr(function, '__qualname__', '')}"
    try:
        if not name.startswith("__main__") and imported(name) is function:
            return name
    except ValueError:
        pass
    raise ValueError(
        f"{owner} holds a function that no other program can find ({function!r}): put it into a "
        'module and give its name as "package.module:function".'
    )
