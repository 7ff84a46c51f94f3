"""A recipe from a file or a layer runs a function only after a click that names it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from qtpy.QtWidgets import QMessageBox

from napari_diffusion import Recipe, Step, filters
from napari_diffusion.core.function_parameter import CodeRefused
from napari_diffusion.records import record
from napari_diffusion.widgets.loop.sample_recipe import sample_recipe
from napari_diffusion.widgets.recipe import code_consent
from napari_diffusion.widgets.recipe.recipe_form import RecipeForm
from napari_diffusion.widgets.recipe.saved_recipes import SavedRecipes

NAME = "numpy:abs"
RECIPE = Recipe(
    num_steps=1, starting_noise_scale=0.0, noise=None, diffusion_filter=filters.Custom(NAME)
)


@pytest.fixture(autouse=True)
def _nothing_allowed(monkeypatch):
    monkeypatch.setattr(code_consent, "_allowed", set())


class Clicks:
    """Presses a button of the question, and keeps what it said."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.press = "Cancel"
        self.pressed = None

    def answer(self, box):
        self.said.append(box.text())
        names = {button.text().replace("&", ""): button for button in box.buttons()}
        self.pressed = names[self.press]


@pytest.fixture
def clicks(monkeypatch, qtbot):
    made = Clicks()
    monkeypatch.setattr(QMessageBox, "exec", lambda box: made.answer(box))
    monkeypatch.setattr(QMessageBox, "clickedButton", lambda box: made.pressed)
    return made


def kept():
    step = Step(0, 0.0, np.zeros((4, 4)), is_final=False)
    return record(RECIPE, step, {"axes": "yx"}, "a")


def test_a_saved_recipe_asks(qtbot, tmp_path, clicks):
    form = RecipeForm()
    qtbot.addWidget(form.native)
    saved = SavedRecipes(form, tmp_path)
    (tmp_path / "trap.json").write_text(json.dumps(RECIPE.to_dict()))
    saved.refresh("trap")
    said = []
    saved.reported.connect(lambda text, role: said.append((text, role)))
    before = form.value
    saved.load()
    assert form.value == before
    assert clicks.said == [f"This recipe runs the function {NAME}."]
    assert said[-1][1] == "error"
    clicks.press = f"Allow {NAME}"
    saved.load()
    assert form.value == RECIPE
    saved.load()
    assert len(clicks.said) == 2, "what was allowed is not asked for again"


def test_a_record_asks(clicks):
    with pytest.raises(CodeRefused):
        code_consent.recipe_with_consent(kept())
    clicks.press = f"Allow {NAME}"
    assert code_consent.recipe_with_consent(kept()) == RECIPE


def test_what_the_user_ran_is_not_asked_for(clicks):
    code_consent.allow_functions_of(RECIPE)
    assert code_consent.recipe_with_consent(kept()) == RECIPE
    assert clicks.said == []


def test_inner_functions_are_found(clicks):
    inner = filters.Opponent(filters.Custom("numpy:negative"))
    code_consent.allow_functions_of(RECIPE.replaced(diffusion_filter=inner))
    assert code_consent._allowed == {"numpy:negative"}


def test_a_layer_brings_no_code_as_its_sample_recipe():
    from napari.layers import Image

    for recipe in (RECIPE.to_dict(), {"num_steps": "x"}, {"nope": 1}):
        layer = Image(np.zeros((4, 4)), metadata={"napari_diffusion_sample": {"recipe": recipe}})
        assert sample_recipe(layer) is None
