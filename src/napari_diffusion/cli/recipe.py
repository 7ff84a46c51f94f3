"""Recipes by name or file, with changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_diffusion import PRESETS, Recipe
from napari_diffusion.catalog import with_setting
from napari_diffusion.cli.arguments import UsageError

if TYPE_CHECKING:
    from argparse import Namespace


def recipe(arguments: Namespace) -> int:
    """Print a recipe as JSON, or the recipes that there are."""
    if arguments.recipe is None:
        if arguments.settings or arguments.steps or arguments.seed is not None:
            raise UsageError(f"Say which recipe to change: {', '.join(PRESETS)}, or a file.")
        width = max(len(name) for name in PRESETS)
        for name, preset in PRESETS.items():
            print(f"{name:{width}}  {summary(preset)}")
        return 0
    print(chosen(arguments).to_json())
    return 0


def chosen(arguments: Namespace) -> Recipe:
    """Return the recipe that a command line asks for."""
    values = _values(arguments.recipe)
    if arguments.steps is not None:
        values = {**values, "num_steps": arguments.steps, "stop_at": None}
    if arguments.seed is not None:
        values = {**values, "seed": arguments.seed}
    try:
        for name, value in arguments.settings:
            values = with_setting(values, name, value)
        return Recipe.from_dict(values)
    except (ValueError, TypeError) as error:
        raise UsageError(str(error)) from error


def _values(name: str) -> dict[str, Any]:
    if name in PRESETS:
        return PRESETS[name].to_dict()
    path = Path(name)
    if not path.exists():
        raise UsageError(
            f"There is no preset and no file called {name!r}; the presets are {', '.join(PRESETS)}."
        )
    try:
        found = _from_file(path)
        return Recipe.from_dict(found.get("recipe", found)).to_dict()
    except (ValueError, TypeError) as error:
        raise UsageError(f"{name!r} holds no recipe: {error}") from error


def _from_file(path: Path) -> dict[str, Any]:
    from napari_diffusion.store import read_record

    if path.suffix.lower() == ".json":
        found = json.loads(path.read_text("utf-8"))
        if not isinstance(found, dict):
            raise ValueError(f"a recipe is a JSON object (got {type(found).__name__}).")
        return found
    record = read_record(path)
    if record is None:
        raise ValueError("napari-diffusion did not write it.")
    return record


def summary(recipe: Recipe) -> str:
    """Say in one line what a recipe does."""
    words = [f"{recipe.total_steps} steps"]
    if recipe.noise is None:
        words.append("no noise")
    else:
        scale = recipe.starting_noise_scale
        start = "the image's own noise" if scale == "auto" else f"{scale}"
        words.append(
            f"{type(recipe.noise).__name__} noise from {start}, {type(recipe.schedule).__name__}"
        )
    filters = [f"{type(each).__name__}{_time(each)}" for each in recipe.filters]
    words.append(" then ".join(filters))
    if recipe.final_filter is not None:
        words.append(f"at the end {type(recipe.final_filter).__name__}{_time(recipe.final_filter)}")
    return ", ".join(words)


def _time(member: Any) -> str:
    time = getattr(member, "time", None)
    return "" if time is None else f" (time {time:g})"
