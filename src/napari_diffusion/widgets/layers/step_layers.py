"""Steps as layers: each one a layer of its own, or all in one stack."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from napari_diffusion.loop.step import Step
from napari_diffusion.records.provenance import SCHEMA
from napari_diffusion.widgets.layers.layer_locks import hide, is_locked, say_locked, unlocked
from napari_diffusion.widgets.layers.layer_names import free_name
from napari_diffusion.widgets.layers.step_records import KEY, MASK_KEY
from napari_diffusion.widgets.layers.thumbnails import draw_thumbnails

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import napari
    import numpy as np
    from napari.layers import Image, Layer
    from numpy.typing import NDArray

    from napari_diffusion.io.step_record import StepRecord
    from napari_diffusion.widgets.layers.layer_style import LayerStyle

# One growing layer is shown anew this often, in seconds: each time costs the window a moment.
_REFRESH = 0.25


Titled = Callable[[Step, "StepRecord"], str]


class LayerSink(Protocol):
    """Where the steps of a run become visible.

    Attributes
    ----------
    mask : ndarray or None
        The mask of the run, as the loop took it; set before the first step.
    """

    mask: NDArray[np.bool_] | None

    @property
    def in_turn(self) -> bool:
        """Whether the step that was put away last must be shown before the next one is made."""
        ...

    def keep(self, step: Step) -> Step:
        """Put a step away; called by the thread that computes."""
        ...

    def show(self, step: Step, record: StepRecord) -> None:
        """Show a step that has been put away; called by the thread that has the window."""
        ...

    def finish(self) -> None:
        """Show what is still to be shown."""
        ...


class Place:
    """Where new layers go: right above the highest of the layers they belong to.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose list of layers it is.
    beneath : iterable of Layer
        The layers to go above; without any of them left, the top of the list.
    """

    def __init__(self, viewer: napari.Viewer, beneath: Iterable[Layer]) -> None:
        self._viewer = viewer
        self._beneath = [weakref.ref(layer) for layer in beneath]
        self._made: list[weakref.ref[Layer]] = []
        self._hidden: list[weakref.ref[Layer]] = []

    def cover(self) -> None:
        """Hide the layers beneath; they come back when all that was inserted is deleted."""
        there = [layer for ref in self._beneath if (layer := ref()) is not None and layer.visible]
        say_locked(len(hide(there)), "left visible")
        self._hidden = [weakref.ref(layer) for layer in there if not layer.visible]

        # A plain function, because of a method napari keeps a weak reference alone.
        def removed(event: object) -> None:
            del event
            if self._made and self.uncover():
                self._viewer.layers.events.removed.disconnect(removed)

        self._viewer.layers.events.removed.connect(removed)

    def uncover(self) -> bool:
        """Show what was hidden where nothing that was inserted is left, and say whether."""
        layers = self._viewer.layers
        if any(ref() in layers for ref in self._made):
            return False
        hidden = [layer for ref in self._hidden if (layer := ref()) is not None]
        for layer in unlocked(hidden):
            if layer in layers:
                layer.visible = True
        self._hidden = []
        return True

    def free_name(self, title: str, source: str, run: int) -> str:
        """Return the name of a new layer; see `layer_names.free_name`."""
        return free_name(title, source, run, {layer.name for layer in self._viewer.layers})

    def insert(self, layer: Layer) -> None:
        """Insert a layer; the list makes its name unique, so that none is ever overwritten."""
        layers = self._viewer.layers
        known = {id(each()) for each in self._beneath}
        below = [i for i, each in enumerate(layers) if id(each) in known]
        layers.insert(max(below) + 1 if below else len(layers), layer)
        draw_thumbnails([layer], self._viewer.dims)
        self._beneath.append(weakref.ref(layer))
        self._made.append(weakref.ref(layer))


class StepLayers:
    """Every step a layer of its own; the one before is hidden, so that one is seen at a time.

    Parameters
    ----------
    place : Place
        Where in the list of layers.
    style : LayerStyle
        What the layers look like.
    name : str
        Name of the source.
    titled : callable
        ``titled(step, record)`` returns what a step is called before its source.
    run : int
        Which run on the source it is.
    """

    in_turn = True

    def __init__(
        self, place: Place, style: LayerStyle, name: str, titled: Titled, run: int = 1
    ) -> None:
        self._place = place
        self._style = style
        self._name = name
        self._titled = titled
        self._run = run
        self._last: weakref.ref[Layer] | None = None
        self.mask: NDArray[np.bool_] | None = None

    def keep(self, step: Step) -> Step:
        """Return the step as it is: its image is an array of its own already."""
        return step

    def show(self, step: Step, record: StepRecord) -> None:
        """Add a step's layer and hide the one before."""
        name = self._place.free_name(self._titled(step, record), self._name, self._run)
        layer = image_layer(step.image, name, self._style, record, self.mask)
        before = self._last() if self._last else None
        self._last = weakref.ref(layer)
        self._place.insert(layer)
        if before is not None:
            hide([before])

    def finish(self) -> None:
        """Show the layers beneath again where no step was made."""
        self._place.uncover()


class StepStack:
    """All steps in one layer with a leading axis `step`, which grows as they are made.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose slider follows the newest step.
    place : Place
        Where in the list of layers.
    style : LayerStyle
        What one step looks like.
    name : str
        Name of the layer.
    buffer : ndarray
        Room for all steps, in memory or on disk.
    """

    def __init__(
        self,
        viewer: napari.Viewer,
        place: Place,
        style: LayerStyle,
        name: str,
        buffer: NDArray[Any],
    ) -> None:
        self._viewer = viewer
        self._place = place
        self._style = style.stacked()
        self._name = name
        self._buffer = buffer
        self._kept = 0
        self.mask: NDArray[np.bool_] | None = None
        self._records: list[StepRecord] = []
        self._layer: weakref.ref[Image] | None = None
        self._seen = 0.0

    @property
    def in_turn(self) -> bool:
        """Whether this step must be shown first: one that the layer is made or shown anew with.

        The thread that computes would take the window's turns from it meanwhile.
        """
        return self._kept <= 1 or self._is_due()

    def keep(self, step: Step) -> Step:
        """Write a step into its place; what is shown never holds a step half written."""
        self._buffer[self._kept] = step.image
        self._kept += 1
        return Step(step.index, step.noise_scale, self._buffer[self._kept - 1], step.is_final)

    def show(self, step: Step, record: StepRecord) -> None:
        """Count a step in; the layer is shown anew a few times a second."""
        del step
        self._records.append(record)
        if self._is_due():
            self.finish()

    def finish(self) -> None:
        """Show every step that has been counted in."""
        count = len(self._records)
        if not count:
            self._place.uncover()
            return
        layer = self._layer() if self._layer else None
        if layer is not None and is_locked(layer) and len(layer.data) < count:
            self._leave(layer)
        if self._layer is None:
            kept = {"schema": SCHEMA, "steps": self._records}
            layer = image_layer(self._buffer[:count], self._name, self._style, kept, self.mask)
            self._layer = weakref.ref(layer)
            self._place.insert(layer)
        elif layer is not None and layer in self._viewer.layers and len(layer.data) < count:
            follow = self._at_newest(layer)
            layer.data = self._buffer[:count]
            if follow:
                self._viewer.dims.set_point(self._axis(layer), count - 1)
        self._seen = time.monotonic()

    def _leave(self, layer: Image) -> None:
        """Leave a layer that was locked as it is; another one shows all steps."""
        self._layer, whole = None, self._records
        self._records = list(whole)
        del whole[len(layer.data) :]
        say_locked(1, "left as it is: the steps go on in another layer")

    def _is_due(self) -> bool:
        return time.monotonic() - self._seen >= _REFRESH

    def _axis(self, layer: Image) -> int:
        return int(self._viewer.dims.ndim - layer.ndim)

    def _at_newest(self, layer: Image) -> bool:
        """Say whether the slider stands at the end; moved away, it stays where it is."""
        return bool(self._viewer.dims.point[self._axis(layer)] >= len(layer.data) - 1)


def image_layer(
    image: NDArray[Any],
    name: str,
    style: LayerStyle,
    record: Mapping[str, Any],
    mask: NDArray[np.bool_] | None = None,
) -> Image:
    """Return an image layer with a record, and the mask of its run where there was one."""
    from napari.layers import Image

    metadata = {KEY: record} if mask is None else {KEY: record, MASK_KEY: mask}
    return Image(image, name=name, metadata=metadata, **style.arguments())
