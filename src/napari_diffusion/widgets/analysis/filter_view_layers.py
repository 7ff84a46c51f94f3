"""The layers of *Show what the filter sees*: maps with colour bars, arrows above them."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.filters.flows.inspection import SpeedInspection
from napari_diffusion.loop import registry
from napari_diffusion.widgets.analysis.filter_maps import (
    AXES,
    CONDUCTANCE,
    EDGES,
    FLUX,
    SPEED,
    ViewMap,
    threshold_of,
)
from napari_diffusion.widgets.layers.layer_locks import unlocked
from napari_diffusion.widgets.layers.layer_names import layer_name
from napari_diffusion.widgets.layers.source_layers import PREVIEW
from napari_diffusion.widgets.layers.step_layers import Place
from napari_diffusion.widgets.results.layer_sink import related_layers

if TYPE_CHECKING:
    import napari
    from napari.layers import Image, Layer
    from napari.utils.colormaps import Colormap

    from napari_diffusion.filters.flows.inspection import Inspection
    from napari_diffusion.widgets.analysis.filter_maps import ViewArrows
    from napari_diffusion.widgets.layers.layer_style import LayerStyle

#: What a layer shows, of which filter: plain values in its metadata.
VIEW = "napari_diffusion_filter_view"

# The layers that were made here, and the names that they were given: no copy of one is among them.
_MADE: weakref.WeakKeyDictionary[Layer, str] = weakref.WeakKeyDictionary()

_ABOUT = {
    FLUX: "Arrows point to where intensity moves, from high to low: against the flux D ∇u. The "
    "mean of each cell of pixels; length by the root of its magnitude, colour by its magnitude.",
    AXES: "Each line is as long as the conductance along it: a cross smooths in all directions, a "
    "single line along it alone. The mean of each cell of pixels.",
    CONDUCTANCE: "How strongly pixels exchange: 1 is smoothed freely, 0 is kept.",
    EDGES: "What the filter compares with the threshold in the middle of the colours.",
    SPEED: "What the filter adds per unit of diffusion time. Level lines move; there is no flux.",
}


class FilterViewLayers:
    """Shows what a filter sees in a layer, in place of what was shown of it before.

    Parameters
    ----------
    layer : Image
        The layer that was looked at.
    style : LayerStyle
        Where the part of it lies that was looked at.
    viewer : napari.Viewer
        Where to.
    """

    def __init__(self, layer: Image, style: LayerStyle, viewer: napari.Viewer) -> None:
        self._layer = layer
        self._style = style
        self._viewer = viewer
        self._summary = "nothing"

    def grow(self, found: tuple[Inspection, list[ViewMap | ViewArrows]]) -> None:
        """Insert the layers; what is selected stays so."""
        inspection, shown = found
        self._summary = summary(inspection, shown)
        layers, chosen = self._viewer.layers, set(self._viewer.layers.selection)
        visible = self._remove_earlier()
        place = Place(self._viewer, related_layers(self._viewer, self._layer))
        main = {SPEED, AXES if _has(shown, AXES) else FLUX}
        # In space the steepest noise on each line of sight would hide all else.
        main |= {EDGES} if self._viewer.dims.ndisplay == 2 else set()
        for each in shown:
            about = self._metadata(inspection, each)
            layer: Layer = (
                self._map(each, about) if isinstance(each, ViewMap) else self._arrows(each, about)
            )
            place.insert(layer)
            layer.visible = visible.get(each.shows, each.shows in main)
            _MADE[layer] = layer.name
        layers.selection = {each for each in chosen if each in layers}

    def summary(self) -> str:
        """Return what there is, in words."""
        return self._summary

    def finish(self) -> None:
        """Nothing is left to be shown."""

    def _remove_earlier(self) -> dict[str, bool]:
        """Remove earlier layers of the same layer; return what they showed, and whether visibly."""
        own = [
            each
            for each in self._viewer.layers
            if _MADE.get(each) == each.name
            and each.metadata.get(VIEW, {}).get("source") == self._layer.name
        ]
        visible = {}
        for layer in unlocked(own):
            visible[layer.metadata[VIEW]["shows"]] = bool(layer.visible)
            self._viewer.layers.remove(layer)
        return visible

    def _metadata(self, inspection: Inspection, each: ViewMap | ViewArrows) -> dict[str, Any]:
        edges = inspection.edges
        compared: dict[str, str | float] = {}
        if edges is not None:
            threshold = threshold_of(edges)
            compared = {"edges": edges.name, "parameter": edges.parameter, "threshold": threshold}
        shown = {
            "shows": each.shows,
            "about": _ABOUT[each.shows],
            "unit": each.unit,
            "source": self._layer.name,
            "filter": registry.to_dict(inspection.filter),
            "sub_step": inspection.tau,
            **compared,
        }
        return {PREVIEW: True, VIEW: shown}

    def _map(self, each: ViewMap, metadata: dict[str, Any]) -> Image:
        from napari.layers import Image

        colours: Any = {EDGES: _split_colours(), SPEED: "coolwarm"}.get(each.shows, "gray")
        layer = Image(
            each.values,
            name=layer_name(each.title, self._layer.name),
            metadata=metadata,
            rgb=False,
            blending="translucent",
            colormap=colours,
            contrast_limits=each.limits,
            # Where a volume lets little through, not where it lets most.
            rendering="minip" if each.shows == CONDUCTANCE else "mip",
            **self._style.placed,
        )
        layer.colorbar.visible = True
        return layer

    def _arrows(self, each: ViewArrows, metadata: dict[str, Any]) -> Layer:
        from napari.layers import Vectors

        placed = dict(self._style.placed)
        return Vectors(
            each.ends,
            name=layer_name(each.title, self._layer.name),
            metadata=metadata,
            ndim=len(self._style.placed["scale"]),
            features={each.shows: each.values},
            edge_color=each.shows,
            edge_colormap=_arrow_colours(),
            edge_contrast_limits=each.limits,
            edge_width=each.width,
            vector_style="arrow" if each.shows == FLUX else "line",
            opacity=1.0,
            blending="translucent",
            **placed,
        )


# What becomes of pixels above the threshold, and of those below.
_FATE = {
    "gradient": ("kept", "smoothed"),
    "coherence": ("smoothed along their lines", "left as they are"),
    "standard deviation over mean": ("kept", "smoothed as speckle"),
}


def summary(inspection: Inspection, shown: list[ViewMap | ViewArrows]) -> str:
    """Say what is seen, and what colours and arrows mean, without a full stop."""
    edges, words = inspection.edges, f"what {inspection.filter.display_name} sees"
    maps = {each.shows: each for each in shown if isinstance(each, ViewMap)}
    if edges is not None and EDGES in maps:
        threshold = threshold_of(edges)
        share = 100 * float(np.mean(maps[EDGES].values > threshold))
        above, below = _FATE[edges.name]
        words += (
            f". Orange: {edges.name} above the {edges.parameter} {threshold:.3g}, {share:.0f} % "
            f"of the pixels, {above}; grey: {below}"
        )
    if _has(shown, AXES):
        words += ". A cross smooths in all directions, a line along it alone"
    elif _has(shown, FLUX):
        words += ". Arrows: where intensity moves"
    elif isinstance(inspection, SpeedInspection):
        words += ". Red becomes brighter, blue darker; there is no flux"
    return words


def _has(shown: list[ViewMap | ViewArrows], what: str) -> bool:
    return any(each.shows == what for each in shown)


def _arrow_colours() -> Colormap:
    """Return colours that are seen on those of the edge map and on grey."""
    from napari.utils.colormaps import Colormap

    return Colormap([(0, 0.35, 0.3, 1), (0.1, 1, 0.85, 1)], name="arrows")


def _split_colours() -> Colormap:
    """Return colours that change at the middle: grey below, orange above."""
    from napari.utils.colormaps import Colormap

    below, above = ((0, 0, 0), (0.4, 0.4, 0.45)), ((0.8, 0.25, 0), (1, 0.75, 0.3))
    return Colormap([*below, *above], controls=[0, 0.4999, 0.5001, 1], name="grey and orange")
