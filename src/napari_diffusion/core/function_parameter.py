"""Functions as parameters, and their importable names."""

from __future__ import annotations

import importlib
import inspect
import re
import reprlib
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    # A function, or its name as "package.module:function".
    Function = Callable[..., object] | str

#: Which functions a recipe from elsewhere may call: none, all, or those of these names.
AllowCode: TypeAlias = bool | Collection[str]

_NAME = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


class CodeRefused(ValueError):  # noqa: N818 - it describes the recipe
    """A recipe from elsewhere names a function that nobody has allowed.

    Attributes
    ----------
    function : str
        Its name, ``"package.module:function"``.
    """

    def __init__(self, function: str, owner: str) -> None:
        super().__init__(
            f"{owner} would run the function {function!r}, which is code outside this recipe: if "
            "you know what it does, allow it with allow_code=True."
        )
        self.function = function


def check_allowed(value: Any, owner: str, allow_code: AllowCode) -> None:
    """Raise `CodeRefused` for the names of functions that a recipe may not call."""
    if allow_code is True:
        return
    for name in value if isinstance(value, list | tuple) else (value,):
        # What is no name is refused here: somebody is asked about names.
        if name is not None and not (isinstance(name, str) and is_name(name)):
            raise ValueError(
                f'{owner} must name a function as "package.module:function" '
                f"(got {reprlib.repr(name)})."
            )
        if name is not None and not (allow_code and name in allow_code):
            raise CodeRefused(str(name), owner)


def is_name(text: str) -> bool:
    """Return whether a text has the form ``"package.module:function"``."""
    return _NAME.fullmatch(text) is not None


def imported(function: Function) -> Callable[..., Any]:
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
    except (ImportError, AttributeError, SyntaxError) as error:
        raise ValueError(f"There is no function {function!r}: {error}.") from None
    if not callable(found):
        raise ValueError(f"{function!r} is not a function (got {type(found).__name__}).")
    return found


def name_of(function: Function, owner: str) -> str:
    """Return the importable name of a function; raise if it has none."""
    if isinstance(function, str):
        return function
    name = f"{getattr(function, '__module__', '')}:{getattr(function, '__qualname__', '')}"
    try:
        if not name.startswith("__main__") and imported(name) is function:
            return name
    except ValueError:
        pass
    raise ValueError(
        f"The function of {owner} has no importable name (got {function!r}): put it into a module "
        'and use its name "package.module:function".'
    )


def spoken(function: Function) -> str:
    """Return the name of a function, for messages."""
    if isinstance(function, str):
        return function
    return str(getattr(function, "__qualname__", None) or repr(function))


def accepted(function: Function, offered: Sequence[str], owner: str) -> tuple[str, ...]:
    """Return which of the offered keywords a function accepts.

    Raises
    ------
    ValueError
        Where there is no such function, or it cannot be called with one value and these.
    """
    found = imported(function)
    try:
        signature = inspect.signature(found)
    except (TypeError, ValueError):
        return ()  # some compiled functions have no signature
    known = signature.parameters
    names = tuple(
        name
        for name in offered
        if name in known and known[name].kind is not inspect.Parameter.POSITIONAL_ONLY
    )
    try:
        signature.bind(None, **dict.fromkeys(names))
    except TypeError as error:
        raise ValueError(
            f"{owner}: {spoken(function)} cannot be called with one array ({error}): use a "
            "function whose other parameters have defaults."
        ) from None
    return names


def called(
    function: Callable[..., Any], image: NDArray[Any], given: dict[str, Any], owner: str
) -> NDArray[Any]:
    """Call a function on a copy of an image; exceptions pass through with its name as a note."""
    try:
        return np.asarray(function(np.array(image, order="C"), **given))
    except Exception as error:
        error.add_note(f"This was raised by {spoken(function)}, the function of a {owner}.")
        raise
