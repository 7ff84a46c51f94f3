"""All traces by their names: ours, and those of other packages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from napari_diffusion.loop import registry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from napari_diffusion.forensics.base import Trace

#: Stands for every trace.
ALL = "all"

_SLOT = "trace"


def traces() -> tuple[type[Trace], ...]:
    """Return every trace, ours first.

    Other distributions add theirs through the entry-point group ``napari_diffusion.components``.
    """
    return cast("tuple[type[Trace], ...]", registry.COMPONENTS[_SLOT])


def trace_class(name: str) -> type[Trace]:
    """Return a trace by the name of its class, in capitals or not; raise with all names."""
    for cls in traces():
        if cls.__name__.casefold() == name.strip().casefold():
            return cls
    known = ", ".join(cls.__name__ for cls in traces())
    raise ValueError(f"There is no trace {name!r}: use some of {known}, or {ALL}.")


def chosen_traces(names: str, settings: Iterable[tuple[str, Any]] = ()) -> tuple[Trace, ...]:
    """Return the traces that a line asks for.

    Parameters
    ----------
    names : str
        Names of classes with commas between them, or "all".
    settings : iterable of (str, value)
        Such as ``("Copies.least", 3)``: parameters of the traces that are asked for.

    Raises
    ------
    ValueError
        With what there is, for an unknown name, and for a value that is not allowed.
    """
    asked = traces() if names.strip().casefold() == ALL else map(trace_class, names.split(","))
    given: dict[type[Trace], dict[str, Any]] = {cls: {} for cls in asked}
    for path, value in settings:
        name, _, parameter = path.partition(".")
        cls = trace_class(name)
        if not parameter:
            raise ValueError(f"{path!r} is not a setting: it must be TRACE.PARAMETER.")
        if cls not in given:
            raise ValueError(f"{path!r} is a setting of a trace that is not asked for.")
        given[cls][parameter] = value
    return tuple(_made(cls, values) for cls, values in given.items())


def _made(cls: type[Trace], values: Mapping[str, Any]) -> Trace:
    made = registry.from_dict(_SLOT, {"type": cls.__name__, **values})
    return cast("Trace", made)
