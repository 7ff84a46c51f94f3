"""Recipes kept by name in a folder, each a JSON file of its own."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from napari_diffusion.core.function_parameter import CodeRefused
from napari_diffusion.core.json_text import text_of
from napari_diffusion.filters.learned.weight_files import look_beside
from napari_diffusion.loop.recipe import Recipe
from napari_diffusion.loop.recipe_units import to_json, unit_of_json
from napari_diffusion.widgets.recipe.typed_recipe import TypedRecipe

if TYPE_CHECKING:
    from napari_diffusion.core.function_parameter import AllowCode

# What Windows, macOS or Linux do not take as the name of a file.
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def recipe_folder() -> Path:
    """Return where this user's recipes are: under NAPARI_DIFFUSION_CONFIG, if that is set."""
    base = os.environ.get("NAPARI_DIFFUSION_CONFIG")
    if not base:
        from qtpy.QtCore import QStandardPaths

        place = QStandardPaths.StandardLocation.GenericConfigLocation
        base = str(Path(QStandardPaths.writableLocation(place)) / "napari-diffusion")
    return Path(base) / "recipes"


class RecipeFiles:
    """The recipes in a folder, by name.

    Parameters
    ----------
    folder : Path, optional
        Where the files ``<name>.json`` are; `recipe_folder` if not given. It is made when needed.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = recipe_folder() if folder is None else Path(folder)

    def names(self) -> list[str]:
        """Return the names, sorted."""
        return sorted((path.stem for path in self.folder.glob("*.json")), key=str.casefold)

    def path(self, name: str) -> Path:
        """Return the file of a name; ValueError where it cannot be the name of a file."""
        clean = name.strip()
        if _FORBIDDEN.search(clean) or _RESERVED.fullmatch(clean) or len(clean.encode()) > 200:
            clean = ""
        if not clean or clean.startswith(".") or clean.endswith("."):
            raise ValueError(f"Invalid recipe name {name!r}: use letters, digits, spaces, - and _.")
        return self.folder / f"{clean}.json"

    def load(self, name: str, allow_code: AllowCode = False) -> TypedRecipe:
        """Return the recipe of a name; ValueError says what is wrong with its file."""
        return read_recipe(self.path(name), allow_code)

    def save(self, name: str, typed: TypedRecipe, overwrite: bool = False) -> Path:
        """Write a recipe; FileExistsError where the name is taken and `overwrite` is False."""
        path = self.path(name)
        self.folder.mkdir(parents=True, exist_ok=True)
        write_recipe(path, typed, overwrite)
        return path

    def delete(self, name: str) -> None:
        """Remove the file of a name; nothing happens where there is none."""
        self.path(name).unlink(missing_ok=True)


def read_recipe(path: Path, allow_code: AllowCode = False) -> TypedRecipe:
    """Return the recipe in a file, with its unit; ValueError says what is wrong with the file."""
    try:
        text = text_of(path, "recipe")
        look_beside(path)
        return TypedRecipe(Recipe.from_json(text, allow_code=allow_code), unit_of_json(text))
    except CodeRefused:
        raise
    except FileNotFoundError:
        raise ValueError(f"File not found: {path}.") from None
    except (OSError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
        raise ValueError(f"{path.name} cannot be read as a recipe: {error}") from None


def write_recipe(path: Path, typed: TypedRecipe, overwrite: bool = False) -> None:
    """Write a recipe whole or not at all; FileExistsError where that would replace a file."""
    text = to_json(typed.recipe, typed.unit) + "\n"
    if not overwrite:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8", newline="\n")
    draft.replace(path)
