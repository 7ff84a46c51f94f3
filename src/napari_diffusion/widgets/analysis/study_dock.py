"""What the studies of a run need of the dock that they stand in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import napari

    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.metrics import Metric
    from napari_diffusion.widgets.forms.theme import Role
    from napari_diffusion.widgets.results.step_run import StepRun
    from napari_diffusion.widgets.run.runner import Runner


class StudyDock(Protocol):
    """A dock that looks at a run, and computes one thing at a time."""

    viewer: napari.Viewer
    runner: Runner

    @property
    def run(self) -> StepRun | None:
        """The run, and which of its steps is shown."""
        ...

    def showing_errors(self) -> AbstractContextManager[None]:
        """Show a `RunError` instead of raising it."""
        ...

    def say(self, sentence: str, role: Role = "help") -> None:
        """Say something in the dock's message."""

    def conclude(self, sentence: str, details: str) -> None:
        """Say what was found once the work has ended, the rest on demand."""

    def measure_named(self, name: str) -> Metric:
        """Return a measure as the tab *Curves* has it; ValueError says what is wrong with it."""
        ...

    def hand_over(self, recipe: Recipe) -> None:
        """Fill the dock *Diffusion loop* with a recipe made from that of the run."""
