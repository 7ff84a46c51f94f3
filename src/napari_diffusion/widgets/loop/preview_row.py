"""Switches the live preview on, and says which step it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magicgui.widgets import CheckBox, Label

from napari_diffusion.core.parameter import Parameter
from napari_diffusion.widgets.forms.box import Box
from napari_diffusion.widgets.forms.editors import NumberEdit
from napari_diffusion.widgets.forms.theme import give_role
from napari_diffusion.widgets.loop.preview import LivePreview

if TYPE_CHECKING:
    from napari_diffusion.widgets.forms.number_text import Value
    from napari_diffusion.widgets.loop.preview import PreviewedDock

_LAST = "last"
_STEP = Parameter(
    "step", "int", None, minimum=0, tooltip="Which step the preview shows.", optional=True
)


class StepEdit(NumberEdit):
    """The number of a step, or "last"."""

    def get_value(self) -> Value:
        """Return what was typed, None for the last step."""
        value = super().get_value()
        return None if value == _LAST else value

    def _written(self, value: Value) -> str:
        return _LAST if value is None else super()._written(value)


class PreviewRow(Box):
    """A tick, and a number.

    Parameters
    ----------
    dock : PreviewedDock
        The dock whose form is followed.
    """

    def __init__(self, dock: PreviewedDock) -> None:
        self.live = LivePreview(dock)
        self.tick = CheckBox(
            text="Preview",
            tooltip=(
                "Preview the recipe on the visible part of the image while you edit it. The "
                "preview layer is removed when you switch it off or start a run."
            ),
        )
        self.step = StepEdit(_STEP)
        self.step.tooltip = _STEP.tooltip
        self.step.native.setPlaceholderText(_LAST)
        self.step.set_value(None)
        label = Label(value="step")
        super().__init__(self.tick, label, self.step, layout="horizontal")
        self.native.layout().setStretch(2, 1)
        self.tick.changed.connect(lambda on: (self.live.start if on else self.live.stop)())
        self.step.changed.connect(self._step_chosen)
        self.live.switched.connect(self._switched)

    @property
    def value(self) -> bool:
        """Whether the preview is on."""
        return bool(self.tick.value)

    @value.setter
    def value(self, on: bool) -> None:
        self.tick.value = on

    def _step_chosen(self) -> None:
        try:
            step = _STEP.checked(self.step.value, "Preview")
        except (TypeError, ValueError) as error:
            give_role(self.step.native, "error")
            self.step.tooltip = str(error)
            return
        give_role(self.step.native, "")
        self.step.tooltip = _STEP.tooltip
        self.live.show_step(step)

    def _switched(self, on: bool) -> None:
        with self.tick.changed.blocked():
            self.tick.value = on
