"""A step compared with the source, the step before or its noise-free run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from magicgui.widgets import FloatSpinBox
from qtpy.QtCore import QTimer

from napari_diffusion.widgets.forms.box import labelled, leave_wheel, may_be_narrow
from napari_diffusion.widgets.forms.editors import Choice
from napari_diffusion.widgets.forms.message import text_label
from napari_diffusion.widgets.layers.step_layers import Place
from napari_diffusion.widgets.results.difference import difference_layer, difference_of
from napari_diffusion.widgets.results.side_by_side import SideBySide
from napari_diffusion.widgets.steps.steps_tab import (
    NO_RUN,
    SOURCE_GONE,
    StepsTab,
    button,
    buttons,
    enable_unless,
)

if TYPE_CHECKING:
    import napari
    from magicgui.widgets import PushButton
    from napari.utils.events import Event
    from numpy.typing import NDArray

    from napari_diffusion.widgets.steps.tasks import Tasks

SOURCE, BEFORE, NOISE_FREE = "source", "step before", "noise-free run"

_ABOUT = {
    SOURCE: "The image that the run started from.",
    BEFORE: "What this step alone changed.",
    NOISE_FREE: "The same run without noise: shows the effect of the noise.",
}
_TIPS = {
    "Side by side": "Show it to the left of the step; the view is restored afterwards.",
    "Blink": "Alternate between the two.",
    "Add difference": "Add a layer of the step minus the other; white: no difference.",
}
_NO_NOISE_FREE_RUN = "This step has no noise-free run: make it under Study."


class StepCompare(StepsTab):
    """What a step is compared with, and three ways to see the difference."""

    def __init__(self, viewer: napari.Viewer, tasks: Tasks) -> None:
        super().__init__(viewer, tasks)
        self.other = Choice({name: name for name in _ABOUT}, _ABOUT)
        self.side = button("Side by side", checkable=True)
        self.blink = button("Blink", checkable=True)
        self.difference = button("Add difference")
        self.pace = FloatSpinBox(value=0.5, min=0.1, max=5.0, step=0.1)
        self.about = text_label("help")
        self.side_by_side = SideBySide(self.viewer, left=True)
        self.cover = SideBySide(self.viewer, left=False)
        self._timer = QTimer(self.native)
        self._timer.timeout.connect(self._turn)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        for widget in (self.other, self.pace):
            may_be_narrow(widget.native)
            leave_wheel(widget.native)
        self.pace.native.setSuffix(" s each")
        other = labelled("compare with", self.other)
        pace = labelled("blink", self.pace, tooltip="How long each of the two is shown.")
        for row in (other, pace):
            row.native.layout().setStretch(1, 1)
        row = buttons(self.side, self.blink, self.difference)
        self.extend([other, self.about, row, pace])
        self.add_stretch()

    def _connect(self) -> None:
        self.other.changed.connect(self._changed)
        self.side.changed.connect(self._show_side)
        self.blink.changed.connect(self._show_blink)
        self.difference.changed.connect(self.subtract)
        self.pace.changed.connect(lambda seconds: self._timer.setInterval(_ms(seconds)))
        self.viewer.layers.events.removed.connect(self._removed)

    # --- what is compared ---

    def compared(self) -> tuple[NDArray[Any], str] | str:
        """Return the other image and what it is called, or why there is none."""
        run, which = self.run, self.other.value
        if run is None:
            return NO_RUN
        if which == NOISE_FREE:
            quiet = run.noise_free_run[run.shown]
            return _NO_NOISE_FREE_RUN if quiet is None else (quiet.data, which)
        if which == BEFORE and run.shown > 0:
            return run.steps[run.shown - 1].data, which
        data = run.source_data()
        return SOURCE_GONE if data is None else (data, SOURCE)

    def run_changed(self) -> None:
        """Put away what belonged to another run."""
        if self.run is None:
            self.leave()
        else:
            self.step_changed()

    def step_changed(self) -> None:
        """Compare another step."""
        found = self.compared()
        if isinstance(found, str):
            self.leave()
            return
        for each, toggle in ((self.side_by_side, self.side), (self.cover, self.blink)):
            if toggle.value and self.run is not None:
                each.show(self.run, found[0], self._name(found[1]))

    def refresh(self) -> None:
        """Disable the buttons that can do nothing, with the reason as tooltip."""
        found = self.compared()
        why = found if isinstance(found, str) else ""
        for each in (self.side, self.blink, self.difference):
            enable_unless(each, why, _TIPS[each.text])
        self.about.value = why if self.run is not None and why else _ABOUT[str(self.other.value)]

    def leave(self) -> None:
        """Take the other image away."""
        for each in (self.side, self.blink):
            self._switch_off(each)

    def _changed(self) -> None:
        self.step_changed()
        self.refresh()

    def _name(self, which: str) -> str:
        assert self.run is not None
        layer = self.run.source if which == SOURCE else self.run.step.layer
        assert layer is not None
        return f"{which} {layer.name}" if which == SOURCE else f"{which} of {layer.name}"

    # --- how ---

    def _show_side(self, on: bool) -> None:
        self._show(self.side_by_side, on)

    def _show_blink(self, on: bool) -> None:
        self._show(self.cover, on)
        self._timer.stop()
        if on and self.cover.is_there():
            self._timer.start(_ms(self.pace.value))

    def _show(self, each: SideBySide, on: bool) -> None:
        found = self.compared()
        if not on:
            each.close()
        elif not isinstance(found, str) and self.run is not None:
            each.show(self.run, found[0], self._name(found[1]))

    def _turn(self) -> None:
        """Show the other one of the two."""
        if not self.cover.turn():
            self._switch_off(self.blink)

    def _removed(self, event: Event) -> None:
        """End what the user has ended by removing its layer."""
        gone = getattr(event, "value", None)
        for each, toggle in ((self.side_by_side, self.side), (self.cover, self.blink)):
            if toggle.value and each.layer is gone is not None:
                self._switch_off(toggle)

    def _switch_off(self, toggle: PushButton) -> None:
        # Only a click is reported by the button itself.
        toggle.value = False
        (self._show_side if toggle is self.side else self._show_blink)(False)

    def subtract(self) -> None:
        """Add a layer of the shown step minus the other."""
        found = self.compared()
        if isinstance(found, str) or self.run is None:
            return
        step = self.run.step
        data, name = found
        if np.shape(data) != np.shape(step.data):
            self.say("The two images differ in size.", "error")
            return
        layer = difference_layer(step, difference_of(step, data), f"the {name}")
        Place(self.viewer, [step.layer]).insert(layer)
        # The dock goes on with the step, above which the difference is seen.
        self.viewer.layers.selection.active = step.layer
        self.say(f"Added {layer.name!r}: green is brighter, pink darker; white is unchanged.")


def _ms(seconds: float) -> int:
    return round(1000 * seconds)
