"""What can be done from a step: use its recipe, go on from it, take steps out of a stack."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from psygnal import Signal
from qtpy.QtWidgets import QGridLayout, QLineEdit, QPushButton, QSpinBox, QWidget

from napari_diffusion.io.cast import Cast
from napari_diffusion.records.provenance import grid_of, next_noise_scale_of, recipe_of
from napari_diffusion.widgets.forms.form_rows import GREY, MessageLabel
from napari_diffusion.widgets.layers.channels import joined
from napari_diffusion.widgets.layers.layer_axes import Fold
from napari_diffusion.widgets.layers.layer_style import LayerStyle
from napari_diffusion.widgets.layers.source_layers import is_image
from napari_diffusion.widgets.layers.step_layers import is_stack, records_of
from napari_diffusion.widgets.results.step_run import DOUBTS, MEASURES, RECOMMENDED
from napari_diffusion.widgets.results.step_source import cut_to_region, masks_of
from napari_diffusion.widgets.run.run_request import Job, Origin, RunError

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
    def style(self) -> LayerStyle:
        """The look of one step."""
        style = LayerStyle.of(self.layer)
        return style.unstacked() if is_stack(self.layer) else style

    @property
    def title(self) -> str:
        """What the step is called."""
        which = "the final result" if self.record["is_final"] else f"step {self.record['step']:02}"
        return f"{which} of {self.record['source']!r}"


def chosen_step(viewer: napari.Viewer) -> ChosenStep | None:
    """Return the step that the active layer shows, None where it shows none."""
    layer = viewer.layers.selection.active
    return shown_of(layer, viewer) if records_of(layer) else None


def shown_of(layer: Image, viewer: napari.Viewer) -> ChosenStep:
    """Return the step of a layer, of a stack the one that the viewer's slider stands at."""
    if not is_stack(layer):
        return ChosenStep(layer, 0)
    shown = layer.world_to_data(viewer.dims.point)[0]
    return ChosenStep(layer, min(max(round(float(shown)), 0), len(layer.data) - 1))


def going_on(step: ChosenStep, more_steps: int, keep_every: int, viewer: napari.Viewer) -> Job:
    """Return the job that makes so many more steps; its bits equal those of a longer run.

    A step that was rounded to its source's type, or that holds a region only, is made again from
    the source where one of the viewer's layers still is that. The result of a final filter becomes
    a source of its own.
    """
    record = step.record
    grid = grid_of({**record, "grid": {**record["grid"], "mask": None}})
    channels = channels_of(step, viewer)
    data = joined([each.data for each in channels])
    letters = record.get("layer_axes", grid["axes"])
    recipe = recipe_of(record)
    first = recipe.total_steps if record["is_final"] else record["step"] + 1
    cast, region, origin = record.get("cast"), None, None
    kept = ("cast", "layer_axes", "layers", "mask", "source_processed")
    more: dict[str, Any] = {name: record[name] for name in kept if name in record}
    shape = tuple(data.shape)
    if not record["is_final"]:
        if "region" in record:
            region = tuple(slice(*ends) for ends in record["region"])
            shape = tuple(record["source_shape"])
            more |= {name: record[name] for name in ("region", "source_shape")}
        if "origin" in record:
            known = record["origin"]
            origin = Origin(known["sha256"], known["first_step"], _sources(step, viewer))
    names = [each.layer.name for each in channels]
    masks, mask_sha256 = masks_of(step, viewer, letters)
    if record["is_final"] and "region" in record:
        masks, mask_sha256 = cut_to_region(masks, mask_sha256, record, letters)
    if record["is_final"] and len(channels) > 1:
        more["layers"] = names
    return Job(
        data=data,
        fold=Fold(letters, shape),
        options=grid,
        recipe=recipe.replaced(stop_at=first + more_steps),
        source_name=" + ".join(names) if record["is_final"] else record["source"],
        region=region,
        first_step=first,
        noise_scale=next_noise_scale_of(record),
        keep_every=keep_every,
        cast=Cast.recorded(cast) if cast else None,
        origin=origin,
        masks=masks,
        mask_sha256=mask_sha256,
        more=more,
    )


def channels_of(step: ChosenStep, viewer: napari.Viewer) -> list[ChosenStep]:
    """Return a step and, of channels that were diffused together, those of the same step."""
    record = step.record
    if "channel" not in record:
        return [step]
    found = {}
    for layer in viewer.layers:
        for place, other in enumerate(records_of(layer)):
            if _common(other) == _common(record):
                found[other.get("channel")] = ChosenStep(layer, place)
    found[record["channel"]] = step
    for channel, name in enumerate(record["layers"]):
        if channel not in found:
            raise RunError(
                "steps",
                f"Going on needs all channels of this step, and that of {name!r} is not among the "
                "layers any more.",
            )
    return [found[channel] for channel in range(len(record["layers"]))]


def _common(record: dict[str, Any]) -> dict[str, Any]:
    """Return what the channels of one step have in common: not what was measured of each."""
    own = ("channel", MEASURES, DOUBTS, RECOMMENDED)
    return {name: each for name, each in record.items() if name not in own}


def _sources(step: ChosenStep, viewer: napari.Viewer) -> tuple[Any, ...]:
    """Return what may be the source of a step: images, or those that were its channels."""
    images = [each for each in viewer.layers if is_image(each) and not each.multiscale]
    if "layers" not in step.record:
        return tuple(each.data for each in images if each is not step.layer)
    named = {each.name: each.data for each in images}
    names = step.record["layers"]
    return (joined([named[name] for name in names]),) if set(names) <= set(named) else ()


class StepActions(QWidget):
    """Buttons that work on the step that is shown; they rest while the active layer is none."""

    use_clicked = Signal(ChosenStep)
    continue_clicked = Signal(ChosenStep, int)
    extract_clicked = Signal(ChosenStep, str)

    def __init__(self, viewer: napari.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.title = MessageLabel(GREY)
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
