"""Steps of a stack as layers of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QObject, QTimer

from napari_diffusion.loop.step import Step
from napari_diffusion.records.provenance import noise_scale_of
from napari_diffusion.widgets.layers.layer_locks import hide, say_locked
from napari_diffusion.widgets.layers.layer_names import layer_name, run_number, step_name
from napari_diffusion.widgets.layers.layer_style import LayerStyle
from napari_diffusion.widgets.layers.step_layers import Place, image_layer
from napari_diffusion.widgets.layers.step_records import (
    MASK_KEY,
    records_of,
    source_of,
)
from napari_diffusion.widgets.layers.thumbnails import draw_thumbnails
from napari_diffusion.widgets.run import memory
from napari_diffusion.widgets.run.run_request import RunError

if TYPE_CHECKING:
    import napari
    from napari.layers import Image

    from napari_diffusion.io.step_record import StepRecord
    from napari_diffusion.widgets.results.chosen_step import ChosenStep

# Each insertion walks all layers; batches of hidden ones of this size are fastest.
_BATCH = 10


def places_named(text: str, records: list[StepRecord]) -> list[int]:
    """Return the places in a stack of the steps named in a text such as ``0-9, 20, 50-``.

    An empty text is all of them. ValueError names what cannot be read or is not there.
    """
    if text.strip() in ("", "all"):
        return list(range(len(records)))
    known = {record["step"]: place for place, record in enumerate(records)}
    places: list[int] = []
    for part in text.replace("–", "-").split(","):
        first, dash, last = (end.strip() for end in part.partition("-"))
        if dash and not last:
            last = str(max(known))
        if not first.isdecimal() or not (last or first).isdecimal():
            raise ValueError(f"Steps must be numbers such as 0-9, 20 (got {part.strip()!r}).")
        wanted = range(int(first), int(last or first) + 1)
        found = [known[step] for step in wanted if step in known]
        if not found:
            raise ValueError(
                f"The stack has no step {part.strip()}; it has {min(known)} to {max(known)}."
            )
        places += found
    return sorted(set(places))


def places_to_extract(text: str, step: ChosenStep) -> list[int]:
    """Return the places that `places_named` finds in the stack of a step.

    `RunError` says what cannot be read or is not there, or that there is no room for the layers.
    """
    try:
        places = places_named(text, records_of(step.layer))
    except ValueError as error:
        raise RunError("steps", str(error)) from None
    need, free = len(places) * step.data.nbytes, memory.free_memory()
    if need > free:
        raise RunError(
            "steps",
            f"{len(places)} layers need {memory.written_bytes(need)}, but only "
            f"{memory.written_bytes(free)} are free: extract fewer steps, such as 0-9.",
        )
    return places


class Extraction(QObject):
    """Adds layers in batches, the window having its turn in between.

    Parameters
    ----------
    viewer : napari.Viewer
        Where to.
    stack : Image
        Where from; it stays as it is.
    places : list of int
        Which steps.
    parent : QObject
        When it goes, the extraction ends.
    """

    def __init__(
        self, viewer: napari.Viewer, stack: Image, places: list[int], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._data = stack.data
        self._records = records_of(stack)
        self._style = LayerStyle.of(stack).unstacked()
        self._place = Place(viewer, [stack])
        self._mask = stack.metadata.get(MASK_KEY)
        self._left = list(places)
        self._stack = stack

    def start(self) -> None:
        """Add the first batch soon."""
        QTimer.singleShot(0, self._add)

    def _add(self) -> None:
        batch, self._left = self._left[:_BATCH], self._left[_BATCH:]
        layers = self._viewer.layers
        with layers.batched_update():
            made = [
                self._insert(place, visible=not self._left and place == batch[-1])
                for place in batch
            ]
        draw_thumbnails(made, self._viewer.dims)
        if self._left:
            QTimer.singleShot(0, self._add)
            return
        if self._stack in layers:
            say_locked(len(hide([self._stack])), "left visible")
        self.deleteLater()

    def _insert(self, place: int, visible: bool) -> Image:
        record = self._records[place]
        step = Step(
            record["step"], noise_scale_of(record), np.array(self._data[place]), record["is_final"]
        )
        count = max(record["step"] for record in self._records) + 1
        title = step_name(step, count, record)
        name = layer_name(title, source_of(record), run_number(self._stack.name))
        layer = image_layer(step.image, name, self._style, record, self._mask)
        layer.visible = visible
        self._place.insert(layer)
        return layer
