"""What can be done from a step: use its recipe, go on from it, take steps out of a stack."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from psygnal import Signal
from qtpy.QtWidgets import QGridLayout, QLineEdit, QPushButton, QSpinBox, QWidget

from napari_diffusion.provenance import grid_of, recipe_of
from napari_diffusion.store.cast import Cast
from napari_diffusion.widgets.layer_axes import Fold
from napari_diffusion.widgets.layers import is_stack, records_of
from napari_diffusion.widgets.look import Look
from napari_diffusion.widgets.rows import GREY, Message
from napari_diffusion.widgets.run import Job, Origin

if TYPE_CHECKING:
    import napari
    from napari.layers import Image


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
    def record(self) -> dict[str, Any]:
        """The record of the step."""
        return records_of(self.layer)[self.place]

    @property
    def data(self) -> Any:
        """The values of the step."""
        return self.layer.data[self.place] if is_stack(self.layer) else self.layer.data

    @property
    def look(self) -> Look:
        """The look of one step."""
        look = Look.of(self.layer)
        return look.unstacked() if is_stack(self.layer) else look

    @property
    def title(self) -> str:
        """What the step is called."""
        which = "the final result" if self.record["is_final"] else f"step {self.record['step']:02}"
        return f"{which} of {self.record['source']!r}"


def chosen_step(viewer: napari.Viewer) -> ChosenStep | None:
    """Return the step that the active layer shows, None where it shows none."""
    layer = viewer.layers.selection.active
    records = records_of(layer)
    if layer is None or not records:
        return None
    if not is_stack(layer):
        return ChosenStep(layer, 0)
    shown = layer.world_to_data(viewer.dims.point)[0]
    return ChosenStep(layer, min(max(round(float(shown)), 0), len(layer.data) - 1))


def going_on(step: ChosenStep, more_steps: int, keep_every: int, candidates: list[Any]) -> Job:
    """Return the job that makes so many more steps; its bits equal those of a longer run.

    A step that was rounded to its source's type, or that holds a region only, is made again from
    the source where one of the candidates still is that. The result of a final filter becomes a
    source of its own.
    """
    record, data = step.record, step.data
    recipe = recipe_of(record)
    first = recipe.total_steps if record["is_final"] else record["step"] + 1
    cast, region, origin = record.get("cast"), None, None
    more: dict[str, Any] = {name: record[name] for name in ("cast", "layer_axes") if name in record}
    shape = tuple(data.shape)
    if not record["is_final"]:
        if "region" in record:
            region = tuple(slice(*ends) for ends in record["region"])
            shape = tuple(record["source_shape"])
            more |= {name: record[name] for name in ("region", "source_shape")}
        if "origin" in record:
            known = record["origin"]
            origin = Origin(known["sha256"], known["first_step"], tuple(candidates))
    grid = grid_of(record)
    return Job(
        data=data,
        fold=Fold(record.get("layer_axes", grid["axes"]), shape),
        options=grid,
        recipe=recipe.replaced(stop_at=first + more_steps),
        source_name=step.layer.name if record["is_final"] else record["source"],
        region=region,
        first_step=first,
        keep_every=keep_every,
        cast=Cast.recorded(cast) if cast else None,
        origin=origin,
        more=more,
    )


class StepActions(QWidget):
    """Buttons that work on the step that is shown; they rest while the active layer is none."""

    use_clicked = Signal(ChosenStep)
    continue_clicked = Signal(ChosenStep, int)
    extract_clicked = Signal(ChosenStep, str)

    def __init__(self, viewer: napari.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.title = Message(GREY)
        self.use = QPushButton("Use this recipe")
        self.go_on = QPushButton("Continue")
        self.more = QSpinBox()
        self.extract = QPushButton("Extract steps as layers")
        self.which = QLineEdit()
        self._lay_out()
        self.use.clicked.connect(self._use)
        self.go_on.clicked.connect(self._continue)
        self.extract.clicked.connect(self._extract)
        viewer.layers.selection.events.active.connect(self.refresh)
        viewer.dims.events.point.connect(self.refresh)
        self.refresh()

    def _lay_out(self) -> None:
        self.more.setRange(1, 10_000)
        self.more.setValue(5)
        self.more.setSuffix(" more steps")
        self.use.setToolTip("Fill the form with the recipe that made this step.")
        self.go_on.setToolTip("Go on from this step, as if the run had been longer.")
        self.which.setPlaceholderText("all")
        self.which.setToolTip("Which steps: 0-9, 20, 50- (to the last). Empty takes all.")
        self.extract.setToolTip("Make layers of steps of this stack.")
        layout = QGridLayout(self)
        layout.setContentsMargins(4, 0, 4, 4)
        layout.setSpacing(4)
        layout.addWidget(self.title, 0, 0, 1, 3)
        layout.addWidget(self.use, 1, 0)
        layout.addWidget(self.go_on, 1, 1)
        layout.addWidget(self.more, 1, 2)
        layout.addWidget(self.extract, 2, 0, 1, 2)
        layout.addWidget(self.which, 2, 2)

    def refresh(self, event: object = None) -> None:
        """Show which step the buttons work on now."""
        del event
        step = chosen_step(self._viewer)
        stack = step is not None and is_stack(step.layer)
        for widget in (self.use, self.go_on, self.more):
            widget.setEnabled(step is not None)
        self.extract.setVisible(stack)
        self.which.setVisible(stack)
        self.title.say(
            f"Shown: {step.title}" if step else "Select a step's layer to go on from it."
        )

    def _use(self) -> None:
        if step := chosen_step(self._viewer):
            self.use_clicked.emit(step)

    def _continue(self) -> None:
        if step := chosen_step(self._viewer):
            self.continue_clicked.emit(step, self.more.value())

    def _extract(self) -> None:
        if step := chosen_step(self._viewer):
            self.extract_clicked.emit(step, self.which.text())
