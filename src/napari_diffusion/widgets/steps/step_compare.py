"""A step compared with the source, the step before or its noise-free run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QDoubleSpinBox, QGridLayout, QHBoxLayout, QPushButton

from napari_diffusion.widgets.analysis.local_error_layer import StepLocalError
from napari_diffusion.widgets.forms.form_rows import Combo, RowLabel
from napari_diffusion.widgets.layers.step_layers import Place
from napari_diffusion.widgets.results.difference import difference_layer, difference_of
from napari_diffusion.widgets.results.side_by_side import SideBySide
from napari_diffusion.widgets.run.run_request import RunError
from napari_diffusion.widgets.steps.steps_tab import NO_RUN, StepPart, enable_unless

if TYPE_CHECKING:
    import threading
    from collections.abc import Generator

    import napari
    from napari.utils.events import Event
    from numpy.typing import NDArray

    from napari_diffusion.analysis.local_error import LocalError

SOURCE, BEFORE, NOISE_FREE = "the source", "the step before", "its noise-free run"

_TIPS = {
    "Side by side": "Show it to the left of the step; the view is restored afterwards.",
    "Blink": "Alternate between the two.",
    "Difference": "Add a layer of the step minus the other; white: no difference.",
}
_LOCAL_ERROR = (
    "Add a map of where the step is closer to the ground truth than its source (green) "
    "and where farther (pink). Stein's unbiased risk estimate, for white noise. Runs the "
    "recipe again."
)


class StepCompare(StepPart):
    """What a step is compared with, and three ways to see the difference."""

    def __init__(self, viewer: napari.Viewer) -> None:
        super().__init__(viewer)
        self.other = Combo()
        self.other.addItems([SOURCE, BEFORE, NOISE_FREE])
        self.other.setToolTip(
            "The noise-free run is the same run without noise: it shows the effect of the noise."
        )
        self.side = QPushButton("Side by side")
        self.blink = QPushButton("Blink")
        self.difference = QPushButton("Difference")
        self.pace = QDoubleSpinBox()
        self.local_error = QPushButton("Estimated local error")
        self.stop = QPushButton("Stop")
        self.side_by_side = SideBySide(self.viewer, left=True)
        self.cover = SideBySide(self.viewer, left=False)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._turn)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        self.pace.setRange(0.1, 5.0)
        self.pace.setSingleStep(0.1)
        self.pace.setValue(0.5)
        self.pace.setSuffix(" s each")
        self.pace.setToolTip("How long each of the two is shown.")
        for button in (self.side, self.blink):
            button.setCheckable(True)
        row = QHBoxLayout()
        row.addWidget(RowLabel("compare with"))
        row.addWidget(self.other, 1)
        self.rows.addLayout(row)
        grid = QGridLayout()
        grid.setSpacing(4)
        for place, widget in enumerate((self.side, self.difference, self.blink, self.pace)):
            grid.addWidget(widget, place // 2, place % 2)
        self.rows.addLayout(grid)
        row = QHBoxLayout()
        row.addWidget(self.local_error)
        row.addWidget(self.stop)
        self.rows.addLayout(row)
        self.rows.addStretch(1)

    def _connect(self) -> None:
        self.other.currentIndexChanged.connect(self._changed)
        self.side.toggled.connect(self._show_side)
        self.blink.toggled.connect(self._show_blink)
        self.difference.clicked.connect(self.subtract)
        self.local_error.clicked.connect(self.show_local_error)
        self.stop.clicked.connect(self.work.stop)
        self.pace.valueChanged.connect(lambda seconds: self._timer.setInterval(_ms(seconds)))
        self.viewer.layers.events.removed.connect(self._removed)

    # --- what is compared ---

    def compared(self) -> tuple[NDArray[Any], str] | str:
        """Return the other image and what it is called, or why there is none."""
        run, which = self.run, self.other.currentText()
        if run is None:
            return NO_RUN
        if which == NOISE_FREE:
            noise_free_run = run.noise_free_run[run.shown]
            return (noise_free_run.data, which) if noise_free_run is not None else (
                'This step has no noise-free run: tick "Noise-free run" in the dock '
                    'Diffusion loop and run the recipe again.'
            )  # fmt: skip
        if which == BEFORE and run.shown > 0:
            return run.steps[run.shown - 1].data, which
        data = run.source_data()
        if data is None:
            return f"The source layer {run.record['source']!r} was removed."
        return data, SOURCE

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
        for each, button in ((self.side_by_side, self.side), (self.cover, self.blink)):
            if button.isChecked() and self.run is not None:
                each.show(self.run, found[0], self._name(found[1]))

    def refresh(self) -> None:
        """Disable the buttons that can do nothing, with the reason as tooltip."""
        found = self.compared()
        why = found if isinstance(found, str) else ""
        for button in (self.side, self.blink, self.difference):
            enable_unless(button, why, _TIPS[button.text()])
        gone = "The source layer was removed."
        none = NO_RUN if self.run is None else gone if self.run.source is None else ""
        enable_unless(
            self.local_error,
            "Already being estimated." if self.work.is_running else none,
            _LOCAL_ERROR,
        )
        self.stop.setVisible(self.work.is_running)

    def leave(self) -> None:
        """Take the other image away."""
        for button in (self.side, self.blink):
            button.setChecked(False)

    def _changed(self) -> None:
        self.step_changed()
        self.refresh()

    def _name(self, which: str) -> str:
        assert self.run is not None
        return f"{which} of {self.run.step.layer.name}" if which != SOURCE else which

    # --- how ---

    def _show_side(self, on: bool) -> None:
        self._show(self.side_by_side, on)

    def _show_blink(self, on: bool) -> None:
        self._show(self.cover, on)
        self._timer.stop()
        if on and self.cover.is_there():
            self._timer.start(_ms(self.pace.value()))

    def _show(self, each: SideBySide, on: bool) -> None:
        found = self.compared()
        if not on:
            each.close()
        elif not isinstance(found, str) and self.run is not None:
            each.show(self.run, found[0], self._name(found[1]))

    def _turn(self) -> None:
        """Show the other one of the two."""
        if not self.cover.turn():
            self.blink.setChecked(False)

    def _removed(self, event: Event) -> None:
        """End what the user has ended by removing its layer."""
        gone = getattr(event, "value", None)
        for each, button in ((self.side_by_side, self.side), (self.cover, self.blink)):
            if button.isChecked() and each.layer is gone is not None:
                button.setChecked(False)

    def subtract(self) -> None:
        """Add a layer of the shown step minus the other."""
        found = self.compared()
        if isinstance(found, str) or self.run is None:
            return
        step = self.run.step
        data, name = found
        if np.shape(data) != np.shape(step.data):
            self._report("The two images differ in size.", True)
            return
        layer = difference_layer(step, difference_of(step, data), name)
        Place(self.viewer, [step.layer]).insert(layer)
        # The dock goes on with the step, above which the difference is seen.
        self.viewer.layers.selection.active = step.layer

    def show_local_error(self) -> None:
        """Add a layer of where the step is nearer to the ground truth than its source."""
        if self.run is None:
            return
        try:
            local_error = StepLocalError.of(self.run.step, self.viewer)
        except RunError as error:
            self._report(str(error), True)
            return

        def work(token: threading.Event) -> Generator[None, None, LocalError]:
            yield None
            return local_error.compute(token)

        def done(found: LocalError) -> None:
            active = self.viewer.layers.selection.active
            words = local_error.summary(local_error.show(found, self.viewer))
            self.viewer.layers.selection.active = active
            self.say(f"{words[0].upper()}{words[1:]}.")

        self.say("Running the recipe on a slightly changed source …")
        self.work.start(work, lambda each: None, done)


def _ms(seconds: float) -> int:
    return round(1000 * seconds)
