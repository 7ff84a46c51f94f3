"""One step of a run, as it stands in a layer."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from napari_diffusion.widgets.layers.layer_style import LayerStyle
from napari_diffusion.widgets.layers.layer_values import values
from napari_diffusion.widgets.layers.step_records import is_stack, records_of

if TYPE_CHECKING:
    import napari
    from napari.layers import Image
    from numpy.typing import NDArray

    from napari_diffusion.io.step_record import StepRecord


@dataclasses.dataclass(frozen=True, eq=False)
class ChosenStep:
    """One step of a run, as it stands in a layer.

    Attributes
    ----------
    layer : Image
        The step's layer, or the stack it lies in.
    place : int
        Where in the stack; 0 for a layer of its own.
    """

    layer: Image
    place: int

    @property
    def record(self) -> StepRecord:
        """The record of the step."""
        return records_of(self.layer)[self.place]

    @property
    def data(self) -> NDArray[Any]:
        """The values of the step."""
        whole = values(self.layer)
        return whole[self.place] if is_stack(self.layer) else whole

    @property
    def style(self) -> LayerStyle:
        """The style of one step."""
        style = LayerStyle.of(self.layer)
        return style.unstacked() if is_stack(self.layer) else style

    @property
    def title(self) -> str:
        """What the step is called."""
        which = "the final result" if self.record["is_final"] else f"step {self.record['step']:02}"
        return f"{which} of {self.record['source']!r}"


def shown_of(layer: Image, viewer: napari.Viewer) -> ChosenStep:
    """Return the step of a layer, of a stack the one that the viewer's slider stands at."""
    if not is_stack(layer):
        return ChosenStep(layer, 0)
    shown = layer.world_to_data(viewer.dims.point)[0]
    return ChosenStep(layer, min(max(round(float(shown)), 0), len(values(layer)) - 1))
