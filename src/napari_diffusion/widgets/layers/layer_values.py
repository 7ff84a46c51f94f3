"""The values of a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari.layers import Image
    from numpy.typing import NDArray


def values(layer: Image) -> NDArray[Any]:
    """Return a layer's array, at the highest resolution."""
    return layer.data[0] if layer.multiscale else layer.data
