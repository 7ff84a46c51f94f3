"""A sweep over contrast and time, or two other parameters, on a part of the image."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QLineEdit, QPushButton, QToolButton, QVBoxLayout, QWidget

from napari_diffusion.analysis.parameter_sweep import (
    FACTORS,
    NAMES,
    best_of,
    parameter_names,
    with_values,
)
from napari_diffusion.widgets.analysis.sweep_layers import SweepTiles, words_of
from napari_diffusion.widgets.analysis.sweep_run import part_of, sweep_work
from napari_diffusion.widgets.forms.form_rows import GREY, Combo, MessageLabel, RowLabel
from napari_diffusion.widgets.layers.layer_style import LayerStyle
from napari_diffusion.widgets.run.read_layer import as_run_error
from napari_diffusion.widgets.run.run_request import RunError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.analysis.parameter_sweep import SweepRun
    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.widgets.docks.recipe_dock import RecipeDock

_NONE = "–"


class SweepRow(QWidget):
    """A button that runs a parameter sweep, and what to do with its tiles.

    Parameters
    ----------
    dock : RecipeDock
        The dock whose form and whose runner it uses.
    """

    def __init__(self, dock: RecipeDock) -> None:
        super().__init__()
        self._dock = dock
        self._tiles: SweepTiles | None = None
        self._made: list[SweepRun] = []
        self.button = QPushButton("Parameter sweep")
        self.fold = QToolButton()
        self.names = (Combo(), Combo())
        self.values = (QLineEdit(), QLineEdit())
        self.take = QPushButton("Use these parameters")
        self.close_button = QPushButton("Close parameter sweep")
        self.message = MessageLabel(GREY)
        self._numbers = QWidget()
        self._lay_out()
        self.button.clicked.connect(self.run_sweep)
        self.take.clicked.connect(self.take_numbers)
        self.close_button.clicked.connect(self.close_sweep)
        self.fold.toggled.connect(self._folded)
        dock.viewer.layers.selection.events.active.connect(self._selected)
        self._folded(False)
        self._show_buttons()

    def _lay_out(self) -> None:
        self.button.setToolTip(
            "Try values of contrast and time, or of two other parameters of the "
            "diffusion filter, side by side on a part of the image: the visible region "
            "if that is chosen, else the middle. Click a tile to select it."
        )
        self.fold.setText("parameters")
        self.fold.setCheckable(True)
        self.fold.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.take.setToolTip("Fill the form with the parameters of the selected tile.")
        self.close_button.setToolTip("Remove the tiles and restore the view.")
        grid = QGridLayout(self._numbers)
        grid.setContentsMargins(8, 0, 0, 0)
        grid.setSpacing(3)
        for row, (name, values) in enumerate(zip(self.names, self.values, strict=True)):
            values.setPlaceholderText("× " + ", ".join(f"{f:g}" for f in FACTORS))
            values.setToolTip(
                "Values to try, such as 5, 10, 20. Empty: these multiples of the value in the form."
            )
            grid.addWidget(RowLabel(("down", "across")[row]), row, 0)
            grid.addWidget(name, row, 1)
            grid.addWidget(values, row, 2)
        layout = QGridLayout()
        layout.setSpacing(4)
        layout.addWidget(self.button, 0, 0)
        layout.addWidget(self.fold, 0, 1)
        layout.addWidget(self._numbers, 1, 0, 1, 2)
        layout.addWidget(self.take, 2, 0)
        layout.addWidget(self.close_button, 2, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(4, 0, 4, 0)
        outer.setSpacing(2)
        outer.addLayout(layout)
        outer.addWidget(self.message)

    def show_recipe(self, recipe: Recipe | None) -> None:
        """Offer the parameters of the form's diffusion filter."""
        known = [] if recipe is None else parameter_names(recipe)
        self.button.setEnabled(bool(known))
        for place, combo in enumerate(self.names):
            offered = [*known, _NONE] if place else known
            if [combo.itemText(i) for i in range(combo.count())] == offered:
                continue
            combo.clear()
            combo.addItems(offered)
            free = [n for n in offered if not place or n != self.names[0].currentText()]
            usual = NAMES[place] if NAMES[place] in free else next(iter(free), "")
            combo.setCurrentIndex(max(combo.findText(usual), 0))

    # --- what the buttons do ---

    def run_sweep(self) -> None:
        """Run the sweep; errors are shown, not raised."""
        dock = self._dock
        with dock.showing_errors():
            run_source = dock.run_source()
            if len(run_source.layers) > 1:
                raise RunError(
                    "run", "A parameter sweep needs a single layer as its source: choose one."
                )
            job = dock.job(run_source)
            tried = self._tried(job.recipe)
            self.close_sweep()
            dock.stop_preview()
            region = part_of(run_source, dock.viewer)
            letters = run_source.fold.letters
            start = tuple(int(p.start) for p in region)[: run_source.layers[0].ndim]
            columns = len(tried[list(tried)[-1]] or FACTORS)
            plane = (letters.index("y"), letters.index("x"))
            style = LayerStyle.of(run_source.layers[0]).moved(start)
            self._tiles = SweepTiles(dock.viewer, style, columns, plane)
            rows = [len(values or FACTORS) for values in tried.values()]
            total = math.prod(rows)
            work, title = sweep_work(job, tried, region), job.source_name
            dock.runner.start(work, self, total, "tries", self._summary, title)

    def _tried(self, recipe: Recipe) -> dict[str, tuple[float, ...]]:
        """Return the values to try by name, none where they follow from the form."""
        found: dict[str, tuple[float, ...]] = {}
        for combo, edit in zip(self.names, self.values, strict=True):
            name = combo.currentText()
            if name == _NONE or name in found:
                continue
            words = edit.text().replace(";", ",").split(",")
            try:
                found[name] = tuple(float(word) for word in words if word.strip())
            except ValueError:
                raise RunError(
                    "run",
                    f"Parameter sweep: {name} must be numbers such as 5, 10, 20 (got "
                    f"{edit.text()!r}).",
                ) from None
            if found[name]:
                with as_run_error("recipe"):
                    for number in found[name]:
                        with_values(recipe, {name: number})
        return found

    def take_numbers(self) -> None:
        """Fill the form with the parameters of the selected tile."""
        sweep_run = None if self._tiles is None else self._tiles.selected()
        with self._dock.showing_errors():
            if sweep_run is None:
                raise RunError("run", "Click a tile of the parameter sweep first.")
            recipe = self._dock.recipe_value()
            self._dock.recipe.set_value(with_values(recipe, sweep_run.parameters))
            self._dock.controls.say(f"Filled in {sweep_run.in_words().split(':')[0]}.")

    def close_sweep(self) -> None:
        """Remove the tiles and show what was shown before."""
        tiles, self._tiles = self._tiles, None
        self._made = []
        if tiles is not None:
            with self._dock.source.holding():
                tiles.close()
        self.message.say("")
        self._show_buttons()

    # --- as the sink of its run ---

    def grow(self, found: tuple[SweepRun, NDArray[Any]]) -> None:
        """Show a tile."""
        if self._tiles is not None:
            sweep_run, image = found
            self._made.append(sweep_run)
            self._tiles.add(image, sweep_run)

    def finish(self) -> None:
        """Write the values on the tiles, and say which is best."""
        if self._tiles is None:
            return
        if not self._made:
            self.close_sweep()
            return
        best = best_of(self._made)
        self._tiles.label(words_of(self._made, best, self._tiles.columns))
        self._tiles.select(best or self._made[0])
        if best is not None:
            self.message.say(
                f"Lowest expected error ({best.metric.display_name}, minus that "
                f"of the source): {best.in_words()}.{_at_the_end(best, self._made)} Click "
                "a tile to use its parameters."
            )
        else:
            self.message.say(
                f"No recommendation: {self._made[0].why} Click the tile that you prefer."
            )
        self._show_buttons()

    def _summary(self) -> str:
        return f"{len(self._made)} runs side by side"

    def _show_buttons(self) -> None:
        on = self._tiles is not None
        self.take.setVisible(on)
        self.close_button.setVisible(on)
        self._selected()

    def _selected(self) -> None:
        self.take.setEnabled(self._tiles is not None and self._tiles.selected() is not None)

    def _folded(self, on: bool) -> None:
        self._numbers.setVisible(on)
        self.fold.setArrowType(Qt.ArrowType.DownArrow if on else Qt.ArrowType.RightArrow)


def _at_the_end(best: SweepRun, made: list[SweepRun]) -> str:
    """Say that a number of the best tile is the smallest or the largest of several tried."""
    ends = []
    for name, number in best.parameters.items():
        tried = sorted({sweep_run.parameters[name] for sweep_run in made})
        if tried[1:] and number in (tried[0], tried[-1]):
            ends.append(f"{'smaller' if number == tried[0] else 'larger'} {name}")
    return f" Try a {' and a '.join(ends)} too." if ends else ""
