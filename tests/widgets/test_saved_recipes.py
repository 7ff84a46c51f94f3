"""Recipes saved and loaded by name: nothing replaced without a question, nothing raised."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from qtpy.QtWidgets import QFileDialog, QInputDialog, QMessageBox

from napari_diffusion import PRESETS, Recipe, filters
from napari_diffusion.loop.recipe_units import LengthUnit
from napari_diffusion.widgets.forms.units import Units
from napari_diffusion.widgets.recipe.recipe_files import (
    RecipeFiles,
    read_recipe,
    recipe_folder,
    write_recipe,
)
from napari_diffusion.widgets.recipe.recipe_form import RecipeForm
from napari_diffusion.widgets.recipe.saved_recipes import SavedRecipes
from napari_diffusion.widgets.recipe.typed_recipe import TypedRecipe

MINE = Recipe(num_steps=7, starting_noise_scale=1 / 3, seed=2**64 - 1)
IN_PIXELS = TypedRecipe(MINE, LengthUnit())
OTHER = TypedRecipe(Recipe(), LengthUnit("µm", 0.5))


@pytest.fixture
def files(tmp_path):
    return RecipeFiles(tmp_path / "recipes")


class Asked:
    """Answers to the dialogs, and the questions that were put."""

    def __init__(self, monkeypatch) -> None:
        self.questions: list[str] = []
        self.yes = True
        self.name = ("", False)
        self.file = ""
        monkeypatch.setattr(QMessageBox, "question", self._question)
        monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: self.name)
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: (self.file, ""))
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (self.file, ""))

    def _question(self, parent, title, text, *_):
        self.questions.append(text)
        buttons = QMessageBox.StandardButton
        return buttons.Yes if self.yes else buttons.No


@pytest.fixture
def asked(monkeypatch):
    return Asked(monkeypatch)


@pytest.fixture
def row(qtbot, tmp_path):
    form = RecipeForm()
    row = SavedRecipes(form, tmp_path / "recipes")
    row.form = form
    qtbot.addWidget(form.native)
    qtbot.addWidget(row.native)
    row.sentences = []
    row.reported.connect(lambda sentence, role: row.sentences.append(sentence))
    row.loaded.connect(lambda name: row.sentences.append(f"Loaded {name}."))
    return row


# --- the files ---


def test_a_saved_recipe_comes_back_equal(files):
    files.save("Übung 1", IN_PIXELS)
    assert files.names() == ["Übung 1"]
    assert files.load("Übung 1") == IN_PIXELS
    written = json.loads((files.folder / "Übung 1.json").read_text("utf-8"))
    assert written == {**MINE.to_dict(), "unit": "pixel", "pixel_size": 1.0}


def test_saving_never_replaces_unless_told(files):
    files.save("mine", IN_PIXELS)
    with pytest.raises(FileExistsError):
        files.save("mine", OTHER)
    assert files.load("mine") == IN_PIXELS
    files.save("mine", OTHER, overwrite=True)
    assert files.load("mine") == OTHER
    assert os.listdir(files.folder) == ["mine.json"]


@pytest.mark.parametrize(
    "name", ["", " ", ".", "..", ".hidden", "a/b", "a\\b", "..\\x", "a:b", "nul", "COM1", "x" * 300]
)
def test_a_name_that_no_file_can_have_is_refused(files, name):
    with pytest.raises(ValueError, match="Invalid recipe name"):
        files.save(name, IN_PIXELS)
    assert not files.folder.exists()


def test_names_are_sorted_and_other_files_are_none(files):
    for name in ("beta", "Alpha", "Gamma"):
        files.save(name, IN_PIXELS)
    (files.folder / "notes.txt").write_text("x")
    assert files.names() == ["Alpha", "beta", "Gamma"]
    files.delete("beta")
    assert files.names() == ["Alpha", "Gamma"]


def test_a_missing_folder_is_an_empty_shelf(files):
    assert files.names() == []
    with pytest.raises(ValueError, match="File not found"):
        files.load("mine")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1]",
        '{"num_steps": 0}',
        '{"num_steps": {}}',
        '{"starting_noise_scale": 1' + "0" * 400 + "}",
        '{"noise": {"type": "Loud"}}',
        '{"schema": 99}',
        '{"seed": -1}',
        "[" * 100_000,
        b"\xff\xfe\x00",
    ],
)
def test_a_broken_file_is_a_sentence(tmp_path, text):
    path = tmp_path / "broken.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ValueError, match=r"^broken\.json cannot be read as a recipe: ."):
        read_recipe(path)


def test_the_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("NAPARI_DIFFUSION_CONFIG", str(tmp_path))
    assert recipe_folder() == tmp_path / "recipes"
    assert RecipeFiles().folder == tmp_path / "recipes"
    monkeypatch.delenv("NAPARI_DIFFUSION_CONFIG")
    assert recipe_folder().parts[-2:] == ("napari-diffusion", "recipes")
    assert recipe_folder().is_absolute()


# --- the row ---


def test_an_empty_shelf_offers_saving_alone(row):
    assert row.value == ""
    assert not row.load_button.enabled
    assert not row.delete_button.enabled
    assert row.save_button.enabled


def test_a_recipe_is_saved_loaded_and_deleted(row, asked):
    row.form.value = MINE
    asked.name = ("mine", True)
    row.save_button.native.click()
    assert row.value == "mine"
    assert row.sentences == ["Saved as mine."]
    row.form.value = PRESETS["explore"]
    row.load_button.native.click()
    assert row.form.value == MINE
    row.delete_button.native.click()
    assert asked.questions == ["Delete the saved recipe mine?"]
    assert row.files.names() == []
    assert not row.load_button.enabled


def test_saving_by_a_name_that_is_there_asks_first(row, asked):
    row.files.save("mine", IN_PIXELS)
    row.refresh()
    asked.name, asked.yes = ("mine", True), False
    row.save_button.native.click()
    assert asked.questions == ["Replace the saved recipe mine?"]
    assert row.files.load("mine").recipe == MINE
    asked.yes = True
    row.save_button.native.click()
    assert row.files.load("mine").recipe == PRESETS["explore"]


def test_a_dialog_that_is_cancelled_does_nothing(row, asked):
    row.files.save("mine", IN_PIXELS)
    row.refresh()
    asked.yes = False
    row.save_button.native.click()
    row.delete_button.native.click()
    row.import_button.native.click()
    row.export_button.native.click()
    assert row.files.names() == ["mine"]
    assert row.sentences == []


def test_a_broken_recipe_is_said_and_the_form_stays(row, asked):
    row.files.save("mine", IN_PIXELS)
    row.files.path("mine").write_text("{")
    row.refresh()
    row.load_button.native.click()
    assert row.sentences[0].startswith("mine.json cannot be read as a recipe")
    assert row.form.value == PRESETS["explore"]


def test_a_form_with_a_mistake_is_not_saved_and_the_mistake_is_said(row, asked):
    asked.name = ("mine", True)
    row.form.num_steps.editor.native.setText("0")
    row.save_button.native.click()
    assert row.sentences == [row.form.problem]
    assert row.files.names() == []


def test_a_bad_name_and_an_unwritable_folder_are_said(row, asked, tmp_path):
    asked.name = ("a/b", True)
    row.save_button.native.click()
    (tmp_path / "recipes").write_text("a file where the folder should be")
    asked.name = ("mine", True)
    row.save_button.native.click()
    assert row.sentences[0].startswith("Invalid recipe name 'a/b'")
    assert str(tmp_path / "recipes") in row.sentences[1]


def test_export_and_import_go_through_a_file(row, asked, tmp_path):
    row.form.value = MINE
    asked.file = str(tmp_path / "shared")
    row.export_button.native.click()
    assert read_recipe(tmp_path / "shared.json").recipe == MINE
    row.form.value = PRESETS["denoise"]
    asked.file = str(tmp_path / "shared.json")
    row.import_button.native.click()
    assert row.form.value == MINE
    assert row.sentences == ["Written to shared.json.", "Loaded shared.json."]


def test_export_asks_where_the_dialog_could_not(row, asked, tmp_path):
    write_recipe(tmp_path / "shared.json", IN_PIXELS)
    asked.file, asked.yes = str(tmp_path / "shared"), False
    row.export_button.native.click()
    assert asked.questions == ["Replace shared.json?"]
    assert read_recipe(tmp_path / "shared.json").recipe == MINE
    # A full name has been confirmed in the dialog itself.
    asked.file = str(tmp_path / "shared.json")
    row.export_button.native.click()
    assert read_recipe(tmp_path / "shared.json").recipe == PRESETS["explore"]


def test_a_series_goes_through_the_shelf(row, asked):
    series = MINE.replaced(diffusion_filter=(filters.Heat(), filters.Median()))
    row.form.value = series
    asked.name = ("series", True)
    row.save_button.native.click()
    assert row.files.load("series").recipe == series
    assert Path(row.files.folder, "series.json").is_file()


def test_a_recipe_saved_in_one_unit_is_converted_to_that_of_the_image(row, asked):
    heat = Recipe(diffusion_filter=filters.Heat(time=4.0))
    row.form.value = heat
    asked.name = ("heat", True)
    row.save_button.native.click()
    row.form.set_units(Units("µm", 0.5))
    row.form.value = PRESETS["smooth"]
    row.load_button.native.click()
    assert row.form.value == heat.replaced(diffusion_filter=filters.Heat(time=1.0))
    assert "converted from pixels to µm" in row.form.note
    row.form.keep_as_typed()
    assert row.form.value == heat


def test_a_file_without_a_unit_is_read_in_that_of_the_image(row, tmp_path, asked):
    (tmp_path / "old.json").write_text(MINE.to_json())
    asked.file = str(tmp_path / "old.json")
    row.import_button.native.click()
    assert row.form.note == ""
    row.form.set_units(Units("µm", 0.5))
    row.import_button.native.click()
    assert row.form.value == MINE
    assert row.form.note == "The recipe names no unit: its lengths are read in µm."
