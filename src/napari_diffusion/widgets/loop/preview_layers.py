"""The layers of a preview, one for each layer of its source, which come and go."""

from __future__ import annotations

import dataclasses
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.widgets.layers.layer_locks import unlocked
from napari_diffusion.widgets.layers.layer_names import layer_name
from napari_diffusion.widgets.layers.source_layers import PREVIEW, is_preview
from napari_diffusion.widgets.layers.step_layers import Place
from napari_diffusion.widgets.results.layer_sink import related_layers

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    import napari
    from napari.layers import Image
    from numpy.typing import NDArray

    from napari_diffusion.loop.preview import Part
    from napari_diffusion.widgets.layers.layer_style import LayerStyle
    from napari_diffusion.widgets.source.run_source import Region, RunSource


class PreviewLayers:
    """Layers that are neither a source nor a step; what is selected stays so.

    Parameters
    ----------
    viewer : napari.Viewer
        Where they are shown.
    holding : callable
        Returns a context in which layers that are added do not become the source.
    """

    def __init__(
        self, viewer: napari.Viewer, holding: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self._viewer = viewer
        self._holding = holding
        self._layers: list[weakref.ref[Image]] = []

    @property
    def are_made(self) -> bool:
        """Whether anything has been shown."""
        return bool(self._layers)

    @property
    def are_missing(self) -> bool:
        """Whether the user has removed one."""
        return len(self.present()) < len(self._layers)

    def present(self) -> list[Image]:
        """Return those that are among the viewer's layers, unless they are locked."""
        there = unlocked(layer for ref in self._layers if (layer := ref()) is not None)
        return [layer for layer in there if layer in self._viewer.layers]

    def show(self, run_source: RunSource, part: Part, region: Region) -> None:
        """Show a part of a step of a source, in place of what was shown before."""
        image: NDArray[Any] = run_source.fold.unfolded(part.step.image)
        if run_source.cast is not None:
            image = run_source.cast(image)
        styles = dataclasses.replace(run_source, region=region).styles
        images = [image] if len(styles) == 1 else list(image)
        names = [_name(source, part) for source in run_source.layers]
        if len(self.present()) != len(styles):
            self._insert(run_source, images, styles, names)
        for layer, data, style, name in zip(self.present(), images, styles, names, strict=True):
            if layer.data is not data:
                layer.data = data
            if not np.array_equal(layer.translate, style.placed["translate"]):
                layer.translate = style.placed["translate"]
            if layer.name != name:
                layer.name = name

    def mark_outdated(self) -> None:
        """Say in the names that the form is another by now."""
        for layer in self.present():
            layer.name = "preview · outdated"

    def remove(self, run_source: RunSource | None) -> None:
        """Remove them, and have the source selected where nothing else is."""
        layers, self._layers = self.present(), []
        chosen = {each for each in self._viewer.layers.selection if not is_preview(each)}
        if run_source is not None:
            chosen = chosen or {each for each in run_source.layers if each in self._viewer.layers}
        with self._holding():
            for layer in layers:
                self._viewer.layers.remove(layer)
            self._viewer.layers.selection = chosen

    def _insert(
        self,
        run_source: RunSource,
        images: list[NDArray[Any]],
        styles: list[LayerStyle],
        names: list[str],
    ) -> None:
        from napari.layers import Image

        viewer = self._viewer
        chosen, self._layers = set(viewer.layers.selection), []
        for source, data, style, name in zip(run_source.layers, images, styles, names, strict=True):
            place = Place(viewer, related_layers(viewer, source))
            if style.mixes:
                place.cover()
            layer = Image(data, name=name, metadata={PREVIEW: True}, **style.arguments())
            with self._holding():
                place.insert(layer)
                viewer.layers.selection = chosen
            self._layers.append(weakref.ref(layer))


def _name(source: Image, part: Part) -> str:
    which = "final" if part.step.is_final else f"{part.step.index:02}"
    title = f"preview · {which}" + " · approximate" * part.approximate
    return layer_name(title, source.name)
