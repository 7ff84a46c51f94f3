"""The functions that recipes may run in this session: those that the user typed or allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QMessageBox

from napari_diffusion.core.component import Component
from napari_diffusion.core.function_parameter import CodeRefused, name_of
from napari_diffusion.records.provenance import recipe_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from napari_diffusion.core.function_parameter import AllowCode
    from napari_diffusion.io.step_record import StepRecord
    from napari_diffusion.loop.recipe import Recipe

T = TypeVar("T")

_allowed: set[str] = set()


def allow_functions_of(recipe: Recipe) -> None:
    """Remember the functions of a recipe that the user runs: its records may be used again."""
    parts = (recipe.noise, recipe.schedule, recipe.final_filter, recipe.domain, *recipe.filters)
    _allow(each for each in parts if isinstance(each, Component))


def _allow(components: Iterable[Component]) -> None:
    for component in components:
        for parameter in component.parameters():
            value = getattr(component, parameter.name)
            if parameter.kind == "function" and value is not None:
                try:
                    _allowed.add(name_of(value, type(component).__name__))
                except ValueError:
                    continue  # without a name it stands in no record
        _allow(component.components_in())


def allowed_functions() -> frozenset[str]:
    """Return the names of the functions that recipes may run."""
    return frozenset(_allowed)


def with_consent(make: Callable[[AllowCode], T]) -> T:
    """Return what is made of a recipe from outside; ask before it may name a function.

    Parameters
    ----------
    make : callable
        Takes the names of the functions that are allowed, and raises `CodeRefused` for others.

    Raises
    ------
    CodeRefused
        If the user does not allow a function.
    """
    while True:
        try:
            return make(allowed_functions())
        except CodeRefused as refused:
            if not consents(refused.function):
                raise
            _allowed.add(refused.function)


def recipe_with_consent(record: StepRecord) -> Recipe:
    """Return the recipe of a record to run it; ask before it may name a function."""
    return with_consent(lambda allowed: recipe_of(record, allowed))


def consents(function: str) -> bool:
    """Ask whether a recipe may run a function, and return the answer."""
    box = QMessageBox(QApplication.activeWindow())
    box.setIcon(QMessageBox.Icon.Warning)
    box.setWindowTitle("Recipe with code")
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(f"This recipe runs the function {function}.")
    box.setInformativeText(
        "It is code on this computer and can do anything you can. Allow it only if you know it."
    )
    allow = box.addButton(f"Allow {function}", QMessageBox.ButtonRole.AcceptRole)
    box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
    box.exec()
    return box.clickedButton() is allow
