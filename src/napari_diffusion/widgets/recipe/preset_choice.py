"""Which named recipe the form shows, or that it is an edited one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import QHBoxLayout, QWidget

from napari_diffusion.loop.presets import DIGITS, PRESETS
from napari_diffusion.loop.recipe import Recipe
from napari_diffusion.widgets.forms.form_rows import Combo, RowLabel

if TYPE_CHECKING:
    from collections.abc import Mapping

CUSTOM = "custom"


class PresetChoice(QWidget):
    """The presets by name; "custom" stands there once a recipe has been edited.

    Choosing "custom" again brings the edited recipe back.
    """

    chosen = Signal(Recipe)

    def __init__(
        self, presets: Mapping[str, Recipe] = PRESETS, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._unscaled = presets
        self._presets = dict(presets)
        self._custom: Recipe | None = None
        self.combo = Combo()
        self.combo.addItems(list(presets))
        self.combo.setToolTip("Start from a named recipe.")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(RowLabel("<b>preset</b>"))
        layout.addWidget(self.combo, 1)
        self.combo.currentTextChanged.connect(self._choose)

    def name(self) -> str:
        """Return the name in view: a preset's, or "custom"."""
        return str(self.combo.currentText())

    def set_pixel_size(self, length: float) -> None:
        """Scale the presets to pixels at a distance of `length` world units.

        Where a preset is in view, it is chosen again, with its new numbers.
        """
        name = self.name()
        self._presets = {key: each.scaled(length, DIGITS) for key, each in self._unscaled.items()}
        if name != CUSTOM:
            self._choose(name)

    def show_recipe(self, recipe: Recipe | None) -> None:
        """Show which preset a recipe is; None is one that cannot be made yet."""
        names = [name for name, preset in self._presets.items() if preset == recipe]
        if not names and recipe is not None:
            self._custom = recipe
        with QSignalBlocker(self.combo):
            if not names and self.combo.findText(CUSTOM) < 0:
                self.combo.addItem(CUSTOM)
            self.combo.setCurrentText(names[0] if names else CUSTOM)

    def _choose(self, name: str) -> None:
        recipe = self._custom if name == CUSTOM else self._presets[name]
        if recipe is not None:
            self.chosen.emit(recipe)
