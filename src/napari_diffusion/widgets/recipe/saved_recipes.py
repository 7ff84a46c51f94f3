"""Saving and loading recipes by name."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from psygnal import Signal
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QInputDialog,
    QMenu,
    QMessageBox,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_diffusion.widgets.forms.form_rows import GREY, RED, Combo, MessageLabel
from napari_diffusion.widgets.recipe.recipe_files import (
    RecipeFiles,
    read_recipe,
    recipe_folder,
    write_recipe,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_diffusion.loop.recipe import Recipe

__all__ = ["RecipeFiles", "recipe_folder"]

_FILES = "Recipes (*.json)"


class View(Protocol):
    """Anything that shows a recipe."""

    def value(self) -> Recipe:
        """Return the recipe."""

    def set_value(self, recipe: Recipe) -> None:
        """Show a recipe."""


class SavedRecipes(QWidget):
    """One row: the saved recipes, and what can be done with them.

    Nothing is replaced or deleted without a question, and an unreadable file is reported.

    Parameters
    ----------
    view : View
        Whose recipe is saved, and where loaded ones are shown.
    folder : Path, optional
        Where the files are; the user's configuration folder if not given.
    """

    reported = Signal(str)

    def __init__(
        self, view: View, folder: Path | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._view = view
        self.files = RecipeFiles(folder)
        self.combo = Combo()
        self.combo.setPlaceholderText("no saved recipe yet")
        self.combo.setToolTip("Recipes saved by name.")
        self.load_button = self._button("Load", self.load, "Show the saved recipe in the form.")
        self.save_button = self._button("Save…", self.save, "Save the form's recipe by a name.")
        self.more_button = QToolButton()
        self._message = MessageLabel()
        self._lay_out()
        self.refresh()

    def _button(self, text: str, action: Callable[[], None], tooltip: str) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tooltip)
        button.clicked.connect(lambda: action())
        return button

    def _lay_out(self) -> None:
        self.more_button.setText("⋯")
        self.more_button.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        self.more_button.setToolTip("Delete, import or export a recipe.")
        self.more_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.more_button)
        self.delete_action: Any = menu.addAction("Delete…", self.delete)
        menu.addAction("Import from file…", self.import_file)
        menu.addAction("Export to file…", self.export_file)
        self.more_button.setMenu(menu)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.combo, 1)
        for button in (self.load_button, self.save_button, self.more_button):
            row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 0)
        layout.setSpacing(1)
        layout.addLayout(row)
        layout.addWidget(self._message)

    def name(self) -> str:
        """Return the saved name in view, empty where nothing is saved."""
        return str(self.combo.currentText())

    def refresh(self, name: str = "") -> None:
        """Read the folder again and bring a name into view."""
        wanted = name or self.name()
        self.combo.clear()
        with self._saying():
            self.combo.addItems(self.files.names())
        self.combo.setCurrentIndex(
            max(self.combo.findText(wanted), 0) if self.combo.count() else -1
        )
        for action in (self.load_button, self.delete_action):
            action.setEnabled(self.combo.count() > 0)

    def load(self) -> None:
        """Show the saved recipe in view."""
        with self._saying():
            self._view.set_value(self.files.load(self.name()))
            self._say(f"Loaded {self.name()}.")

    def save(self) -> None:
        """Ask for a name and save the form's recipe by it; ask again before replacing one."""
        with self._saying():
            recipe = self._view.value()
            name, agreed = QInputDialog.getText(
                self, "Save recipe", "Name of the recipe:", text=self.name()
            )
            if not agreed:
                return
            path = self.files.path(name)
            replace = path.exists()
            if replace and not self._agrees(f"Replace the saved recipe {path.stem}?"):
                return
            self.files.save(name, recipe, overwrite=replace)
            self.refresh(path.stem)
            self._say(f"Saved as {path.stem}.")

    def delete(self) -> None:
        """Delete the saved recipe in view, after a question."""
        with self._saying():
            name = self.name()
            if name and self._agrees(f"Delete the saved recipe {name}?"):
                self.files.delete(name)
                self.refresh()
                self._say(f"Deleted {name}.")

    def import_file(self) -> None:
        """Show the recipe in a file of the user's choice."""
        with self._saying():
            chosen, _ = QFileDialog.getOpenFileName(self, "Import recipe", "", _FILES)
            if chosen:
                self._view.set_value(read_recipe(Path(chosen)))
                self._say(f"Loaded {Path(chosen).name}.")

    def export_file(self) -> None:
        """Write the form's recipe to a file of the user's choice."""
        with self._saying():
            recipe = self._view.value()
            start = f"{self.name() or 'recipe'}.json"
            chosen, _ = QFileDialog.getSaveFileName(self, "Export recipe", start, _FILES)
            if not chosen:
                return
            # The dialog has asked about the name that was typed, not about one with a suffix.
            path = Path(chosen) if Path(chosen).suffix else Path(f"{chosen}.json")
            asked = path == Path(chosen)
            if path.exists() and not asked and not self._agrees(f"Replace {path.name}?"):
                return
            write_recipe(path, recipe, overwrite=path.exists())
            self._say(f"Written to {path.name}.")

    def _agrees(self, question: str) -> bool:
        yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
        return bool(QMessageBox.question(self, "Recipes", question, yes | no, no) == yes)

    @contextlib.contextmanager
    def _saying(self) -> Iterator[None]:
        """Say what goes wrong instead of raising it."""
        try:
            yield
        except OSError as error:
            self._say(f"{error.strerror or error}: {error.filename or self.files.folder}", RED)
        except ValueError as error:
            self._say(str(error), RED)

    def _say(self, sentence: str, colour: str = GREY) -> None:
        self._message.say(sentence, colour)
        self.reported.emit(sentence)
