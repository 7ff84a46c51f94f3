"""The objects behind the proxies that napari hands plugins."""

from __future__ import annotations

from typing import TypeVar

Shown = TypeVar("Shown")


def unwrapped(shown: Shown) -> Shown:
    """Return a viewer or a layer itself, where napari has handed a proxy.

    The layers of a proxy are new objects at every look: they are neither the same as each other
    nor kept by a weak reference.
    """
    own: Shown = getattr(shown, "__wrapped__", shown)
    return own
