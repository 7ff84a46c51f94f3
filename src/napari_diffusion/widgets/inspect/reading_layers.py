"""What a trace read as layers: its maps, and its places as shapes above them."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, NamedTuple

from napari_diffusion.records.provenance import SCHEMA, plain, versions
from napari_diffusion.widgets.inspect.place_shapes import places_layer
from napari_diffusion.widgets.layers.layer_locks import hide
from napari_diffusion.widgets.layers.map_layers import (
    is_finding,
    map_layer,
    map_name,
    remove_earlier,
)
from napari_diffusion.widgets.layers.step_layers import Place
from napari_diffusion.widgets.layers.step_records import KEY

if TYPE_CHECKING:
    import napari
    from napari.layers import Layer

    from napari_diffusion.forensics import Reading, TraceMap
    from napari_diffusion.widgets.inspect.inspected import Inspected
    from napari_diffusion.widgets.layers.step_records import Entries

_PLACES, _PARTNERS = "places", "their partners"


class ShownMap(NamedTuple):
    """A map of a trace and its layer."""

    layer: weakref.ref[Layer]
    shown: TraceMap
    place: int


class ReadingLayers:
    """Shows what traces read, in place of what they read of the same layer before.

    Parameters
    ----------
    viewer : napari.Viewer
        Where to.

    Attributes
    ----------
    maps : list of ShownMap
        Those of the last inspection, the most telling of each trace first.
    """

    def __init__(self, viewer: napari.Viewer) -> None:
        self._viewer = viewer
        self.maps: list[ShownMap] = []
        self._places: dict[int, list[weakref.ref[Layer]]] = {}

    def show(self, place: int, reading: Reading, inspected: Inspected) -> None:
        """Insert the layers of the reading of the trace in a place of the list."""
        title, viewer = reading.title, self._viewer
        active = viewer.layers.selection.active
        remove_earlier(viewer, lambda layer: _made(layer, title, inspected.name))
        self.maps = [each for each in self.maps if each.place != place]
        layers: list[Layer] = []
        for shown in reading.maps:
            record = _record(reading, inspected, shown.name, shown.unit, inspected.name)
            values, style = inspected.in_layer(shown), inspected.style
            layers.append(map_layer(shown, values, _name(record), style, record))
            self.maps.append(ShownMap(weakref.ref(layers[-1]), shown, place))
        shapes = self._shapes(reading, inspected)
        # The most telling map lies above the others, and places above all maps; none is seen
        # until its trace is looked at. Shapes draw their thumbnails only while they are.
        for layer in (*reversed(layers), *shapes):
            layer.visible = layer in shapes
            Place(viewer, ()).insert(layer)
            layer.visible = False
        if active in viewer.layers:
            viewer.layers.selection.active = active
        self._places[place] = [weakref.ref(each) for each in shapes]

    def show_trace(self, place: int, shown: TraceMap | None) -> None:
        """Show the places of a trace and, of all maps, this one; without one the image is seen."""
        kept = [*self._places.get(place, ()), *(m.layer for m in self.maps if m.shown is shown)]
        own = {id(layer) for ref in kept if (layer := ref()) is not None}
        hide(each for each in self._viewer.layers if is_finding(each) and id(each) not in own)
        for layer in self._viewer.layers:
            if id(layer) in own:
                layer.visible = True

    def map_of(self, place: int) -> ShownMap | None:
        """Return the map that is looked at: the active layer, else the one seen of a trace."""
        active = self._viewer.layers.selection.active
        seen = [(each, each.layer()) for each in self.maps]
        there = [(m, layer) for m, layer in seen if layer is not None and layer.visible]
        chosen = [m for m, layer in there if layer is active]
        return next(iter([*chosen, *(m for m, _ in there if m.place == place)]), None)

    def forget(self) -> None:
        """Begin another inspection; the layers stay."""
        self.maps, self._places = [], {}

    def _shapes(self, reading: Reading, inspected: Inspected) -> list[Layer]:
        if not reading.places:
            return []
        record = _record(reading, inspected, _PLACES, "", inspected.name)
        found = [places_layer(reading.places, inspected, _name(record), record)]
        other = inspected.reference
        pairs = [each for each in reading.places if each.partner_image]
        if pairs and other is not None and other.style is not None:
            record = _record(reading, inspected, _PARTNERS, "", other.name)
            found.append(places_layer(reading.places, inspected, _name(record), record, True))
        return found


def _record(reading: Reading, inspected: Inspected, shows: str, unit: str, lies_on: str) -> Entries:
    """Return what a layer is, with what was read and what else looks the same."""
    trace, region = reading.trace, inspected.source.region
    entries: Entries = {
        "schema": SCHEMA,
        "made": reading.title.lower(),
        "shows": shows,
        "map_unit": unit,
        "lies_on": lies_on,
        "trace": type(trace).__name__,
        "parameters": {each.name: str(getattr(trace, each.name)) for each in trace.parameters()},
        "null": trace.null,
        "findings": list(reading.sentences()),
        "limits": list(reading.limits()),
        "source": inspected.name,
        "versions": dict(versions()),
        "processed": f"{reading.title}, {map_name(shows, unit)}, read from {inspected.name!r}.",
    }
    if region is not None:
        entries["inspected_region"] = plain(list(region))
    if inspected.reference is not None:
        entries["reference"] = inspected.reference.name
    return entries


def _name(record: Entries) -> str:
    what = map_name(str(record.get("shows")), str(record.get("map_unit")))
    if record.get("shows") in (_PLACES, _PARTNERS):
        what = f"{str(record.get('made')).capitalize()}: {what}"
    return f"{what} · {record.get('lies_on')}"


def _made(layer: Layer, title: str, source: str) -> bool:
    """Say whether the same trace of the same layer made it, and it is called as then."""
    kept: Any = layer.metadata.get(KEY)
    if not isinstance(kept, dict) or "trace" not in kept:
        return False
    same = kept.get("made") == title.lower() and kept.get("source") == source
    return same and layer.name == _name(kept)
