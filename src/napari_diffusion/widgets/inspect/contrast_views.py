"""Views of an image with another contrast: equalised, and with a gamma that lifts dark parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.records.provenance import SCHEMA, versions
from napari_diffusion.widgets.layers.layer_locks import hide
from napari_diffusion.widgets.layers.layer_names import free_name
from napari_diffusion.widgets.layers.map_layers import is_map
from napari_diffusion.widgets.layers.step_layers import Place
from napari_diffusion.widgets.layers.step_records import KEY

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Generator

    import napari
    from napari.layers import Image, Layer
    from numpy.typing import NDArray

    from napari_diffusion.widgets.inspect.inspected import Inspected

#: The exponent that dark parts are lifted with.
GAMMA = 0.4

_BINS = 4096


@dataclass(frozen=True)
class ContrastView:
    """One way to see more of an image; it is no measurement.

    Attributes
    ----------
    name : str
        What the button and the layer are called.
    about : str
        What it does, in a sentence.
    seen : callable
        Takes values from 0 to 1, and returns such.
    """

    name: str
    about: str
    seen: Callable[[NDArray[Any]], NDArray[Any]]


def equalised(values: NDArray[Any]) -> NDArray[Any]:
    """Return values from 0 to 1 with a histogram as even as their ties allow."""
    edges = np.linspace(0.0, 1.0, _BINS + 1)
    counts = np.histogram(values, edges)[0]
    # The middle of each bin's ranks: an image of one value is grey.
    ranks = (np.cumsum(counts) - counts / 2) / max(values.size, 1)
    return np.asarray(ranks[np.minimum((values * _BINS).astype(int), _BINS - 1)])


def lifted(values: NDArray[Any]) -> NDArray[Any]:
    """Return values from 0 to 1 to the power of `GAMMA`."""
    return np.asarray(values**GAMMA)


VIEWS = (
    ContrastView(
        "Equalised",
        "Add a view of the image with all intensities equally frequent: faint edges of patches "
        "and even areas show. Click again to take it away.",
        equalised,
    ),
    ContrastView(
        "Gamma",
        f"Add a view of the image with a gamma of {GAMMA}: what is hidden in dark parts shows. "
        "Click again to take it away.",
        lifted,
    ),
)


def view_work(
    inspected: Inspected, view: ContrastView
) -> Callable[[threading.Event], Generator[int, None, NDArray[Any]]]:
    """Return the work of making a view of all of a layer."""

    def work(stop: threading.Event) -> Generator[int, None, NDArray[Any]]:
        yield 0
        source = inspected.source
        data = np.asarray(source.data if source.region is None else source.data[source.region])
        values = _from_0_to_1(data[..., :3] if inspected.rgb else data)
        if stop.is_set():
            return values
        seen = np.nan_to_num(view.seen(values))
        return np.rint(255 * seen).astype(np.uint8)

    return work


def view_layer(inspected: Inspected, view: ContrastView, values: NDArray[Any]) -> Image:
    """Return the layer of a view; its record says that it is one."""
    from napari.layers import Image

    record = {
        "schema": SCHEMA,
        "shows": _shows(view),
        "source": inspected.name,
        "versions": dict(versions()),
        "processed": f"{view.name} view of {inspected.name!r}, for looking only.",
    }
    shown = {**inspected.style.arguments(), "opacity": 1.0, "gamma": 1.0}
    if not inspected.rgb:
        shown |= {"contrast_limits": (0, 255), "colormap": "gray", "blending": "translucent"}
    return Image(values, metadata={KEY: record}, **shown)


def show_view(
    viewer: napari.Viewer, inspected: Inspected, layer: Image, view: ContrastView
) -> None:
    """Insert a view right above its source, under a name that no layer has, and have it seen."""
    taken = {each.name for each in viewer.layers}
    layer.name = free_name(view.name, inspected.name, 1, taken)
    # A map would lie above it, and so might the other view; places may stay.
    hide(each for each in viewer.layers if is_view(each) or is_map(each))
    Place(viewer, inspected.source.layers).insert(layer)


def view_of(viewer: napari.Viewer, source: str, view: ContrastView) -> Layer | None:
    """Return the view of the layer of this name, None where there is none."""
    shows = _shows(view)
    records = ((each, getattr(each, "metadata", {}).get(KEY)) for each in viewer.layers)
    found = (e for e, kept in records if isinstance(kept, dict) and kept.get("shows") == shows
             and kept.get("source") == source)  # fmt: skip
    return next(found, None)


def is_view(layer: Layer) -> bool:
    """Say whether a layer is a view for looking only."""
    kept = getattr(layer, "metadata", {}).get(KEY)
    return isinstance(kept, dict) and str(kept.get("shows", "")).endswith(" view")


def _shows(view: ContrastView) -> str:
    return f"{view.name.lower()} view"


def _from_0_to_1(data: NDArray[Any]) -> NDArray[np.float32]:
    values = data.astype(np.float32)
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    values = (values - low) / (high - low or 1.0)
    return np.asarray(np.clip(np.nan_to_num(values), 0.0, 1.0))
