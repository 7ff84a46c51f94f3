"""The camera of a viewer, wherever it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import napari


def camera_of(viewer: napari.Viewer) -> Any:
    """Return the camera, which newer versions of napari keep in a scene."""
    return getattr(viewer, "scene", viewer).camera
