"""Which file or folder a layer was read from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from napari_diffusion.widgets.layers.unwrapped import unwrapped

if TYPE_CHECKING:
    from napari.layers import Layer

# What napari itself has opened knows its file.
_FILES: WeakKeyDictionary[Layer, Path] = WeakKeyDictionary()


def keep_file(layer: Layer, path: Path) -> None:
    """Remember the file that a layer was read from."""
    _FILES[unwrapped(layer)] = path.absolute()


def file_of(layer: Layer) -> Path | None:
    """Return the file that a layer was read from; None if it is not known or gone."""
    named = layer.source.path
    path = _FILES.get(unwrapped(layer)) or (Path(named) if named else None)
    return path if path is not None and path.exists() else None
