"""The dock *Diffusion loop*."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from napari_diffusion.provenance import recipe_of
from napari_diffusion.widgets import memory
from napari_diffusion.widgets.controls import Controls
from napari_diffusion.widgets.extract import Extraction, places_named
from napari_diffusion.widgets.layers import records_of
from napari_diffusion.widgets.outlet import outlet_for
from napari_diffusion.widgets.recipe import RecipeWidget
from napari_diffusion.widgets.recipe_shelf import RecipeShelf
from napari_diffusion.widgets.result import ResultWidget
from napari_diffusion.widgets.room import check_room, need_of, offers
from napari_diffusion.widgets.rows import Message
from napari_diffusion.widgets.run import Job, Refused, estimate_of, work_of
from napari_diffusion.widgets.runner import Runner
from napari_diffusion.widgets.source import SourceWidget, is_image
from napari_diffusion.widgets.steps_actions import StepActions, going_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import napari

    from napari_diffusion.widgets.look import Look
    from napari_diffusion.widgets.picked import Picked
    from napari_diffusion.widgets.steps_actions import ChosenStep


class DiffusionLoop(QWidget):
    """Runs the noise-and-diffusion loop on an image layer, each step a new layer.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer that the dock belongs to.
    """

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__()
        # napari hands plugins a proxy at times, whose layers are new objects at every look: they
        # are neither the same as each other nor kept by a weak reference.
        self.viewer = getattr(napari_viewer, "__wrapped__", napari_viewer)
        self.source = SourceWidget(self.viewer)
        self.recipe = RecipeWidget()
        self.shelf = RecipeShelf(self.recipe)
        self.result = ResultWidget()
        self.controls = Controls()
        self.steps = StepActions(self.viewer)
        self.runner = Runner(self.controls, self)
        self._area = QScrollArea()
        self._lay_out()
        self._connect()
        self._source_changed()

    def _lay_out(self) -> None:
        form = QWidget()
        rows = QVBoxLayout(form)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(2)
        rows.addWidget(self.source)
        rows.addWidget(self.shelf)
        rows.addWidget(self.recipe)
        rows.addStretch(1)
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setWidget(form)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.setSpacing(4)
        layout.addWidget(self._area, 1)
        layout.addWidget(self.result)
        layout.addWidget(self.controls)
        layout.addWidget(self.steps)
        self.setMinimumWidth(330)

    def _connect(self) -> None:
        self.source.changed.connect(self._source_changed)
        self.recipe.changed.connect(self._show_need)
        self.result.changed.connect(self._show_need)
        self.controls.run_clicked.connect(self.run)
        self.controls.estimate_clicked.connect(self.estimate)
        self.runner.resolved.connect(self.recipe.set_resolved)
        self.runner.refused.connect(self._refuse)
        self.steps.use_clicked.connect(self.use_recipe)
        self.steps.continue_clicked.connect(self.go_on)
        self.steps.extract_clicked.connect(self.extract)

    # --- what the buttons do ---

    def run(self) -> None:
        """Run the recipe on the source; what is wrong is said and not raised."""
        with self._refusing():
            picked = self._picked()
            if self.source.warning():
                _notify("warning", self.source.warning())
            self._launch(self._job(picked), picked.layer, picked.look, self._fewer)

    def estimate(self) -> None:
        """Find the number behind every "auto", and show it in the form."""
        with self._refusing():
            job = self._job(self._picked())
            if job.recipe.is_resolved:
                self.controls.say('Nothing to estimate: nothing in the recipe says "auto".')
                return
            self.source.say(None)
            self.runner.start(estimate_of(job))

    def cancel(self) -> None:
        """Stop the run and keep the steps that were made."""
        self.runner.cancel()

    def use_recipe(self, step: ChosenStep) -> None:
        """Fill the form with the recipe that made a step."""
        self.recipe.set_value(recipe_of(step.record))
        self.controls.say(f"The form has the recipe of {step.title}.")

    def go_on(self, step: ChosenStep, more_steps: int) -> None:
        """Make more steps from a step, as if its run had been longer."""
        with self._refusing():
            self._check_idle()
            others = [each for each in self.viewer.layers if is_image(each) and not each.multiscale]
            data = [each.data for each in others if each is not step.layer]
            job = going_on(step, more_steps, self.result.value()[1], data)
            self._launch(job, step.layer, step.look, self.steps.more.setValue)

    def extract(self, step: ChosenStep, which: str) -> None:
        """Make layers of the named steps of a stack."""
        with self._refusing():
            try:
                places = places_named(which, records_of(step.layer))
            except ValueError as error:
                raise Refused("steps", str(error)) from None
            need, free = len(places) * step.data.nbytes, memory.free_memory()
            if need > free:
                raise Refused(
                    "steps",
                    f"{len(places)} layers need {memory.written_bytes(need)}, and "
                    f"{memory.written_bytes(free)} are free: name fewer steps, such as 0-9.",
                )
            Extraction(self.viewer, step.layer, places, self).start()

    # --- from the form to a run ---

    def _check_idle(self) -> None:
        if self.runner.is_running:
            raise Refused("run", "A run is under way: wait for it, or cancel it.")

    def _picked(self) -> Picked:
        self._check_idle()
        self.controls.say("")
        try:
            return self.source.value()
        except ValueError as error:
            raise Refused("source", str(error)) from None

    def _job(self, picked: Picked) -> Job:
        try:
            recipe = self.recipe.value()
        except ValueError as error:
            raise Refused("recipe", str(error)) from None
        return picked.job(recipe, self.result.value()[1], memory.free_memory())

    def _launch(self, job: Job, layer: Any, look: Look, fewer: Callable[[int], None]) -> None:
        result = self.result.value()[0]
        try:
            check_room(job, result)
        except Refused as refused:
            self.result.refuse(str(refused), offers(job, result, self.result.set_value, fewer))
            raise
        self.source.say(None)
        self.recipe.say("")
        self.result.refuse("", [])
        outlet = outlet_for(self.viewer, layer, job, look, result)
        total = job.recipe.total_steps - job.first_step + (job.recipe.final_filter is not None)
        self.runner.start(work_of(job, outlet), outlet, total)

    def _fewer(self, num_steps: int) -> None:
        self.recipe.set_value(self.recipe.value().replaced(num_steps=num_steps, stop_at=None))

    # --- what the form says ---

    def _source_changed(self) -> None:
        self.recipe.set_resolved(None)
        self.recipe.set_world_unit(self.source.axes.unit())
        with contextlib.suppress(ValueError):
            self.recipe.set_sample_length(min(self.source.value().options["spacing"]))
        self._show_need()

    def _show_need(self, recipe: object = None) -> None:
        del recipe
        if not self.runner.is_running:
            self.controls.say("")
        try:
            picked = self.source.value()
            job = picked.job(self.recipe.value(), self.result.value()[1], memory.free_memory())
        except ValueError:
            self.result.show_need(None, "auto")
            return
        result = self.result.value()[0]
        self.result.show_need(need_of(job, result), memory.chosen_result(result, len(job.kept)))

    @contextlib.contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except Refused as refused:
            self._refuse(refused)

    def _refuse(self, refused: Refused) -> None:
        """Say what is wrong next to where it is, and in a notification."""
        sentence = str(refused)
        match refused.part:
            case "source" | "holes":
                self.source.say(sentence, holes=refused.part == "holes")
                self._area.ensureWidgetVisible(self.source)
            case "memory":
                if not self.result.message.text():
                    self.result.refuse(sentence, [])
            case "recipe":
                self.recipe.say(sentence)
                self.controls.say("Nothing was run: see the sentence in red.", bad=True)
                for message in self.recipe.findChildren(Message):
                    if message.text() == sentence:
                        self._area.ensureWidgetVisible(message)
            case _:
                self.controls.say(sentence, bad=True)
        _notify("error", sentence)

    # --- the end of the dock ---

    def event(self, event: Any) -> bool:
        """Stop the run when the dock is closed, which takes it out of the window."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.runner.drop()
        return bool(super().event(event))

    def hideEvent(self, event: Any) -> None:  # noqa: N802
        """Stop the run when the window is closed; a dock that is only hidden goes on."""
        window = self.window()
        if window is None or not window.isVisible():
            self.runner.drop()
        super().hideEvent(event)


def _notify(severity: str, sentence: str) -> None:
    from napari.utils import notifications

    getattr(notifications, f"show_{severity}")(sentence)
