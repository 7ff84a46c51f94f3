"""A sweep over contrast and time, or two other parameters, on a part of the image."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox, LineEdit, PushButton

from napari_diffusion.analysis.parameter_sweep import (
    FACTORS,
    NAMES,
    best_of,
    parameter_names,
    with_values,
)
from napari_diffusion.widgets.analysis.sweep_mosaic import SweepMosaic, Tiling
from napari_diffusion.widgets.analysis.sweep_run import part_of, sweep_work
from napari_diffusion.widgets.forms.box import Box, labelled, leave_wheel, may_be_narrow
from napari_diffusion.widgets.forms.fold import FoldToggle
from napari_diffusion.widgets.layers.layer_style import LayerStyle
from napari_diffusion.widgets.recipe.code_consent import recipe_with_consent
from napari_diffusion.widgets.results.step_source import rerun_job, source_layers
from napari_diffusion.widgets.run.read_layer import as_run_error
from napari_diffusion.widgets.run.run_request import RunError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.analysis.parameter_sweep import SweepRun
    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.widgets.analysis.study_dock import StudyDock

_NONE = "–"

ABOUT = (
    "Try values of contrast and time, or of two other parameters of the diffusion filter, side "
    "by side on the middle of the image. Click a tile to select it."
)
_VALUES = "Values to try, such as 5, 10, 20. Empty: these multiples of the value of the run."


class SweepForm(Box):
    """A button that runs a parameter sweep of the shown run, and what to do with its tiles.

    Parameters
    ----------
    dock : StudyDock
        Whose run is looked at.
    """

    def __init__(self, dock: StudyDock) -> None:
        self._dock = dock
        self._mosaic: SweepMosaic | None = None
        self._made: list[SweepRun] = []
        self.start = PushButton(text="Run sweep", tooltip=ABOUT)
        self.names = (ComboBox(choices=[]), ComboBox(choices=[]))
        self.values = (LineEdit(tooltip=_VALUES), LineEdit(tooltip=_VALUES))
        self.take = PushButton(
            text="Use these parameters",
            tooltip="Fill the dock Diffusion loop with the parameters of the selected tile.",
        )
        self.close_button = PushButton(
            text="Close sweep", tooltip="Remove the tiles and restore the view."
        )
        self._details = Box(*self._rows())
        self._details.margins = (10, 0, 0, 4)
        self.toggle = FoldToggle("", self._details, "Show or hide which values are tried.")
        row = labelled("parameter sweep", self.start, self.toggle, tooltip=ABOUT)
        row.native.layout().setStretch(1, 1)
        self._done = Box(self.take, self.close_button, layout="horizontal")
        super().__init__(row, self._details, self._done)
        for button in (self.start, self.take, self.close_button):
            may_be_narrow(button.native)
        self.start.changed.connect(self.run_sweep)
        self.take.changed.connect(self.take_parameters)
        self.close_button.changed.connect(self.close_sweep)
        self._show_buttons()

    def _rows(self) -> list[Box]:
        rows = []
        for where, name, values in zip(("row", "column"), self.names, self.values, strict=True):
            name.tooltip = f"What changes from {where} to {where}."
            values.native.setPlaceholderText("× " + ", ".join(f"{f:g}" for f in FACTORS))
            leave_wheel(name.native)
            for widget in (name, values):
                may_be_narrow(widget.native)
            row = Box(name, values, layout="horizontal")
            row.native.layout().setStretch(0, 2)
            row.native.layout().setStretch(1, 3)
            rows.append(row)
        return rows

    def reset_choices(self, *_: object) -> None:
        """List nothing anew: parameters are no layers."""

    @property
    def is_open(self) -> bool:
        """Whether tiles are shown."""
        return self._mosaic is not None

    @property
    def selected(self) -> SweepRun | None:
        """The run whose tile is selected."""
        return None if self._mosaic is None else self._mosaic.selected

    def show_recipe(self, recipe: Recipe | None) -> None:
        """Offer the parameters of a recipe's diffusion filter."""
        known = [] if recipe is None else parameter_names(recipe)
        for place, combo in enumerate(self.names):
            offered = [*known, _NONE] if place else known
            if list(combo.choices) == offered:
                continue
            combo.choices = offered
            free = [n for n in offered if not place or n != self.names[0].value]
            if free:
                combo.value = NAMES[place] if NAMES[place] in free else free[0]

    # --- what the buttons do ---

    def run_sweep(self) -> None:
        """Run the sweep; errors are shown, not raised."""
        dock, run = self._dock, self._dock.run
        if run is None:
            return
        with dock.showing_errors():
            if "channel" in run.record:
                raise RunError(
                    "run", "A parameter sweep needs a run on a single layer, not on joined ones."
                )
            job, (layer,) = rerun_job(run.step, dock.viewer), source_layers(run.step, dock.viewer)
            tried = self._tried(job.recipe)
            self.close_sweep()
            region = part_of(job, layer, dock.viewer)
            rows = [len(values or FACTORS) for values in tried.values()]
            tiling = Tiling(
                tuple(part.stop - part.start for part in region),
                math.prod(rows[:-1]),
                rows[-1],
                (job.fold.letters.index("y"), job.fold.letters.index("x")),
            )
            start = tuple(int(part.start) for part in region)[: layer.ndim]
            self._mosaic = SweepMosaic(dock.viewer, LayerStyle.of(layer), start, tiling)
            self._mosaic.selected_changed.connect(self._show_buttons)
            self._mosaic.removed.connect(self.close_sweep)
            work = sweep_work(job, tried, region)
            total, title = math.prod(rows), job.source_name
            dock.runner.start(work, self, total, "tiles", self._summary, title)

    def _tried(self, recipe: Recipe) -> dict[str, tuple[float, ...]]:
        """Return the values to try by name, none where they follow from the recipe."""
        found: dict[str, tuple[float, ...]] = {}
        for combo, edit in zip(self.names, self.values, strict=True):
            name = str(combo.value)
            if name == _NONE or name in found:
                continue
            words = str(edit.value).replace(";", ",").split(",")
            try:
                found[name] = tuple(float(word) for word in words if word.strip())
            except ValueError:
                raise RunError(
                    "run",
                    f"Parameter sweep: {name} must be numbers such as 5, 10, 20 (got "
                    f"{edit.value!r}).",
                ) from None
            with as_run_error("recipe"):
                for number in found[name]:
                    with_values(recipe, {name: number})
        return found

    def take_parameters(self) -> None:
        """Fill the dock of the loop with the parameters of the selected tile."""
        run, sweep_run = self._dock.run, self.selected
        if run is None or sweep_run is None:
            return
        with self._dock.showing_errors():
            recipe = with_values(recipe_with_consent(run.record), sweep_run.parameters)
            self._dock.hand_over(recipe)

    def close_sweep(self) -> None:
        """Remove the tiles and show what was shown before."""
        mosaic, self._mosaic = self._mosaic, None
        self._made = []
        if mosaic is not None:
            mosaic.close()
            self._dock.say("")
        self._show_buttons()

    # --- as the sink of its run ---

    def grow(self, found: tuple[SweepRun, NDArray[Any]]) -> None:
        """Show a tile."""
        if self._mosaic is not None:
            sweep_run, image = found
            self._made.append(sweep_run)
            self._mosaic.add(image, sweep_run)
            self._show_buttons()

    def finish(self) -> None:
        """Write the values on the tiles, and select the best."""
        if self._mosaic is None:
            return
        if not self._made:
            self.close_sweep()
            return
        best = best_of(self._made)
        self._mosaic.label(best)
        self._mosaic.selected = best or self._made[0]

    def _summary(self) -> str:
        """Say which tile is best, without a full stop."""
        count = f"{len(self._made)} tiles"
        best = best_of(self._made)
        if best is None:
            why = f"{self._made[0].why} " if self._made else ""
            return f"{count}. No recommendation: {why}Click the tile that you prefer"
        return (
            f"{count}. Lowest expected error ({best.metric.display_name}, minus that of the "
            f"source): {best.in_words()}.{_at_the_end(best, self._made)} Click a tile to select it"
        )

    def _show_buttons(self) -> None:
        self._done.visible = self._mosaic is not None
        self.take.enabled = self.selected is not None


def _at_the_end(best: SweepRun, made: list[SweepRun]) -> str:
    """Say that a number of the best tile is the smallest or the largest of several tried."""
    ends = []
    for name, number in best.parameters.items():
        tried = sorted({sweep_run.parameters[name] for sweep_run in made})
        if tried[1:] and number in (tried[0], tried[-1]):
            ends.append(f"{'smaller' if number == tried[0] else 'larger'} {name}")
    return f" Try a {' and a '.join(ends)} too." if ends else ""
