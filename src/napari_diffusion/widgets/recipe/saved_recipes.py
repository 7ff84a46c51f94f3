"""Saving and loading recipes by name."""

from __future__ import annotations

import contextlib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from magicgui.widgets import PushButton
from psygnal import Signal
from qtpy.QtWidgets import QFileDialog, QInputDialog, QMessageBox

from napari_diffusion.widgets.forms.box import Box, labelled, may_be_narrow
from napari_diffusion.widgets.forms.editors import Choice
from napari_diffusion.widgets.recipe.code_consent import with_consent
from napari_diffusion.widgets.recipe.recipe_files import RecipeFiles, read_recipe, write_recipe
from napari_diffusion.widgets.recipe.typed_recipe import TypedRecipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_diffusion.widgets.forms.theme import Role
    from napari_diffusion.widgets.recipe.recipe_form import RecipeForm

_FILES = "Recipes (*.json)"
_NONE = "none saved"


class SavedRecipes(Box):
    """The saved recipes, and what can be done with them.

    Nothing is replaced or deleted without a question, and an unreadable file is reported.

    Parameters
    ----------
    form : RecipeForm
        Whose recipe is saved, and where loaded ones are shown.
    folder : Path, optional
        Where the files are; the user's configuration folder if not given.
    """

    #: What was done, or is wrong: a sentence, and what it is.
    reported = Signal(str, str)
    #: A recipe was loaded: from where.
    loaded = Signal(str)

    def __init__(self, form: RecipeForm, folder: Path | None = None) -> None:
        self._form = form
        self.files = RecipeFiles(folder)
        self.choice = Choice({_NONE: ""})
        self.load_button = _button("Load", self.load, "Show the saved recipe in the form.")
        self.save_button = _button("Save…", self.save, "Save the form's recipe by a name.")
        self.delete_button = _button("Delete…", self.delete, "Delete the saved recipe.")
        self.import_button = _button("Import…", self.import_file, "Read a recipe from a file.")
        self.export_button = _button("Export…", self.export_file, "Write the recipe to a file.")
        tooltip = "Recipes saved by name, with the unit of their lengths."
        super().__init__(
            labelled("saved recipe", self.choice, tooltip=tooltip),
            Box(self.load_button, self.save_button, self.delete_button, layout="horizontal"),
            Box(self.import_button, self.export_button, layout="horizontal"),
        )
        self.choice.tooltip = tooltip
        self.refresh()

    @property
    def value(self) -> str:
        """The saved name in view, empty where nothing is saved."""
        return str(self.choice.value)

    @value.setter
    def value(self, name: str) -> None:
        self.choice.value = name

    def refresh(self, name: str = "") -> None:
        """Read the folder again and bring a name into view."""
        wanted, names = name or self.value, self._names()
        with self.choice.changed.blocked():
            for each in list(self.choice.options_named):
                self.choice.withdraw(each)
            for each in names or [_NONE]:
                self.choice.offer(each, each if names else "")
            self.choice.value = wanted if wanted in names else next(iter(names), "")
        for widget in (self.choice, self.load_button, self.delete_button):
            widget.enabled = bool(names)

    def load(self) -> None:
        """Show the saved recipe in view."""
        with self._reporting():
            self._form.take(with_consent(partial(self.files.load, self.value)))
            self.loaded.emit(self.value)

    def save(self) -> None:
        """Ask for a name and save the form's recipe by it; ask again before replacing one."""
        with self._reporting():
            typed = self._typed()
            name, agreed = QInputDialog.getText(
                self.native, "Save recipe", "Name of the recipe:", text=self.value
            )
            if not agreed:
                return
            path = self.files.path(name)
            replace = path.exists()
            if replace and not self._agrees(f"Replace the saved recipe {path.stem}?"):
                return
            self.files.save(name, typed, overwrite=replace)
            self.refresh(path.stem)
            self.reported.emit(f"Saved as {path.stem}.", "good")

    def delete(self) -> None:
        """Delete the saved recipe in view, after a question."""
        with self._reporting():
            name = self.value
            if name and self._agrees(f"Delete the saved recipe {name}?"):
                self.files.delete(name)
                self.refresh()
                self.reported.emit(f"Deleted {name}.", "good")

    def import_file(self) -> None:
        """Show the recipe in a file of the user's choice."""
        with self._reporting():
            chosen, _ = QFileDialog.getOpenFileName(self.native, "Import recipe", "", _FILES)
            if chosen:
                self._form.take(with_consent(partial(read_recipe, Path(chosen))))
                self.loaded.emit(Path(chosen).name)

    def export_file(self) -> None:
        """Write the form's recipe to a file of the user's choice."""
        with self._reporting():
            typed = self._typed()
            start = f"{self.value or 'recipe'}.json"
            chosen, _ = QFileDialog.getSaveFileName(self.native, "Export recipe", start, _FILES)
            if not chosen:
                return
            # The dialog has asked about the name that was typed, not about one with a suffix.
            path = Path(chosen) if Path(chosen).suffix else Path(f"{chosen}.json")
            asked = path == Path(chosen)
            if path.exists() and not asked and not self._agrees(f"Replace {path.name}?"):
                return
            write_recipe(path, typed, overwrite=path.exists())
            self.reported.emit(f"Written to {path.name}.", "good")

    def _typed(self) -> TypedRecipe:
        return TypedRecipe(self._form.value, self._form.unit)

    def _names(self) -> list[str]:
        names: list[str] = []
        with self._reporting():
            names += self.files.names()
        return names

    def _agrees(self, question: str) -> bool:
        yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
        return bool(QMessageBox.question(self.native, "Recipes", question, yes | no, no) == yes)

    @contextlib.contextmanager
    def _reporting(self) -> Iterator[None]:
        """Report what goes wrong instead of raising it."""
        bad: Role = "error"
        try:
            yield
        except OSError as error:
            where = error.filename or self.files.folder
            self.reported.emit(f"{error.strerror or error}: {where}", bad)
        except ValueError as error:
            self.reported.emit(str(error), bad)


def _button(text: str, action: Callable[[], None], tooltip: str) -> PushButton:
    button = PushButton(text=text, tooltip=tooltip)
    may_be_narrow(button.native)
    button.changed.connect(lambda: action())
    return button
