"""The camera of a viewer, wherever it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import napari
    from napari.components import Camera


def camera_of(viewer: napari.Viewer) -> Camera:
    """Return the camera, which newer versions of napari keep in a scene."""
    return getattr(viewer, "scene", viewer).camera
