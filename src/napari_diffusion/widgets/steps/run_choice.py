"""Which of the runs among the layers is looked at."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from magicgui.widgets import ComboBox, Label
from qtpy.QtWidgets import QComboBox

from napari_diffusion.widgets.forms.box import Box, leave_wheel, may_be_narrow
from napari_diffusion.widgets.layers.step_records import source_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_diffusion.widgets.results.chosen_step import ChosenStep
    from napari_diffusion.widgets.results.shown_step import ShownStep
    from napari_diffusion.widgets.results.step_run import StepRun

NOTHING = "No run among the layers."


class RunChoice(Box):
    """How many steps of which source; a choice where there are several runs.

    Parameters
    ----------
    shown_step : ShownStep
        Knows the runs, and is told which one is chosen.
    """

    def __init__(self, shown_step: ShownStep) -> None:
        self._shown_step = shown_step
        self._runs: list[list[ChosenStep]] = []
        self._names: list[str] = []
        self.title = Label(value=NOTHING)
        self.choice = ComboBox(choices=[], tooltip="Which run the slider and the tabs show.")
        native = self.choice.native
        native.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        for widget in (self.title, self.choice):
            may_be_narrow(widget.native)
        leave_wheel(native)
        super().__init__(self.title, self.choice)
        self.choice.visible = False
        self.choice.changed.connect(self._chosen)

    def reset_choices(self, *_: object) -> None:
        """List nothing anew: runs are no layers."""

    def follow(self, run: StepRun | None) -> None:
        """Show which run it is."""
        self._runs = self._shown_step.runs()
        own = (
            k for k, steps in enumerate(self._runs) if run and run.place_of(steps[0]) is not None
        )
        here = next(own, None)
        many = len(self._runs) > 1 and here is not None
        self.title.value = NOTHING if run is None else _title(run.steps)
        self.choice.visible = many
        self.title.visible = not many
        if many:
            self._offer(_names(self._runs), here)

    def _offer(self, names: list[str], here: int | None) -> None:
        with self.choice.changed.blocked():
            if names != self._names:
                self.choice.choices = list(zip(names, range(len(names)), strict=True))
                self._names = names
            self.choice.value = here

    def _chosen(self, place: int | None) -> None:
        if place is None or place >= len(self._runs):
            return
        steps = self._runs[place]
        seen = [step for step in steps if step.layer.visible]
        self._shown_step.show_step((seen or steps)[-1])


def _title(steps: Sequence[ChosenStep]) -> str:
    record = steps[0].record
    count = len({(step.record["step"], step.record["is_final"]) for step in steps})
    which = "noise-free step" if record.get("noise_free_run") else "step"
    return f"{count} {which}{'s' * (count != 1)} of {source_of(record)!r}"


def _names(runs: list[list[ChosenStep]]) -> list[str]:
    """Return titles that tell runs apart: those of one source are numbered as they were made."""
    titles = [_title(steps) for steps in runs]
    sources = [source_of(steps[0].record) for steps in runs]
    several, seen = Counter(sources), Counter[str]()
    names = []
    for title, source in zip(titles, sources, strict=True):
        seen[source] += 1
        names.append(f"{title} · run {seen[source]}" if several[source] > 1 else title)
    return names
