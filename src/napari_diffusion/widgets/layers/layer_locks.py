"""What may be done to layers that the user has locked: they are neither removed nor changed."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari.layers import Layer

# Locked layers that were hidden and are shown because the user turned to them.
_LENT: weakref.WeakSet[Layer] = weakref.WeakSet()


def is_locked(layer: Layer) -> bool:
    """Say whether a layer is locked in any way; napari knows one so far, against deletion."""
    return bool(layer.locked)


def unlocked(layers: Iterable[Layer]) -> list[Layer]:
    """Return the layers that are not locked."""
    return [layer for layer in layers if not is_locked(layer)]


def hide(layers: Iterable[Layer]) -> list[Layer]:
    """Hide the visible layers but the locked ones, and return those."""
    return [layer for layer in layers if layer.visible and not _hides(layer)]


def show_alone(shown: Layer, others: Iterable[Layer]) -> None:
    """Show one layer and hide others; a locked layer is shown only until the next one is."""
    hide(layer for layer in others if layer is not shown)
    if not shown.visible:
        if is_locked(shown):
            _LENT.add(shown)
        shown.visible = True


def _hides(layer: Layer) -> bool:
    if is_locked(layer) and layer not in _LENT:
        return False
    _LENT.discard(layer)
    layer.visible = False
    return True


def locked_words(count: int, what: str = "kept") -> str:
    """Return a sentence of what locked layers were spared, nothing where there were none."""
    if not count:
        return ""
    return f"{count} locked layer{'s were' if count > 1 else ' was'} {what}."


def say_locked(count: int, what: str = "kept") -> None:
    """Say in one of napari's notifications what locked layers were spared."""
    from napari.utils.notifications import show_info

    if count:
        show_info(locked_words(count, what))
