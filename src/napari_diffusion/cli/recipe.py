"""Recipes by name or file, with changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_diffusion import PRESETS, Recipe
from napari_diffusion.cli.arguments import UsageError
from napari_diffusion.filters import Filter
from napari_diffusion.loop.presets import DIGITS
from napari_diffusion.loop.registry import with_setting

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


def chosen(arguments: Namespace, length: float = 1.0) -> Recipe:
    """Return the recipe that a command line asks for.

    Presets and the defaults of a filter are for pixels at a distance of 1; `length` is the
    distance there is. What a file or the command line says is in world units as it stands.
    """
    recipe = _named(arguments.recipe, length)
    if arguments.steps is not None:
        recipe = recipe.replaced(num_steps=arguments.steps, stop_at=None)
    try:
        if arguments.seed is not None:
            recipe = recipe.replaced(seed=arguments.seed)
        for name, value in arguments.settings:
            recipe = Recipe.from_dict(with_setting(recipe.to_dict(), name, value))
            fresh = getattr(recipe, name, None)
            if isinstance(fresh, Filter):
                recipe = recipe.replaced(**{name: fresh.scaled(length, DIGITS)})
    except (ValueError, TypeError) as error:
        raise UsageError(str(error)) from error
    return recipe


def _named(name: str, length: float) -> Recipe:
    if name in PRESETS:
        return PRESETS[name].scaled(length, DIGITS)
    path = Path(name)
    if not path.exists():
        raise UsageError(
            f"There is no preset and no file called {name!r}; the presets are {', '.join(PRESETS)}."
        )
    try:
        found = _from_file(path)
        return Recipe.from_dict(found.get("recipe", found))
    except (ValueError, TypeError) as error:
        raise UsageError(f"{name!r} holds no recipe: {error}") from error


def _from_file(path: Path) -> dict[str, Any]:
    from napari_diffusion.io import read_record

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
        start = "its own parameters" if scale is None else start
        words.append(
            f"{type(recipe.noise).__name__} noise from {start}, {type(recipe.schedule).__name__}"
        )
    filters = [f"{type(each).__name__}{_time(each)}" for each in recipe.filters]
    words.append(" then ".join(filters))
    if recipe.final_filter is not None:
        words.append(f"at the end {type(recipe.final_filter).__name__}{_time(recipe.final_filter)}")
    if recipe.domain == "auto":
        words.append("on stabilised values where the noise is that of photons")
    elif recipe.domain is not None:
        words.append(f"on values stabilised by {type(recipe.domain).__name__}")
    return ", ".join(words)


def _time(component: Any) -> str:
    time = getattr(component, "time", None)
    return f" (time {time:g})" if isinstance(time, float) else ""
