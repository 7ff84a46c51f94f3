"""Recipes by name or file, with changes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from napari_diffusion import PRESETS, Recipe
from napari_diffusion.cli.errors import UsageError
from napari_diffusion.cli.options import RECIPES
from napari_diffusion.core.function_parameter import CodeRefused
from napari_diffusion.core.json_text import json_object, text_of
from napari_diffusion.denoising.denoise import strengthened, with_known_sigma
from napari_diffusion.filters import Filter
from napari_diffusion.filters.learned.weight_files import look_beside
from napari_diffusion.io import read_record, step_paths
from napari_diffusion.io.step_record import checked_record
from napari_diffusion.loop.presets import DIGITS
from napari_diffusion.loop.recipe_units import converted, to_json, unit_of
from napari_diffusion.loop.registry import with_setting
from napari_diffusion.loop.sampling import PLAUSIBLE, sampling_note
from napari_diffusion.records.provenance import recipe_of

if TYPE_CHECKING:
    from argparse import Namespace

    from napari_diffusion.io.step_record import StepRecord
    from napari_diffusion.loop.recipe_units import LengthUnit
    from napari_diffusion.runs.run_input import RunInput


def recipe(arguments: Namespace) -> int:
    """Print a recipe as JSON, or list the presets."""
    if arguments.recipe is None:
        if (
            arguments.settings
            or arguments.steps
            or arguments.seed is not None
            or arguments.update is not None
            or arguments.strength != 1
            or arguments.noise_sigma is not None
        ):
            raise UsageError(f"There is no recipe to change: give {RECIPES}.")
        width = max(len(name) for name in PRESETS)
        for name, preset in PRESETS.items():
            print(f"{name:{width}}  {summary(preset)}")
        return 0
    made_for = None if arguments.recipe in PRESETS else _file(arguments)[1]
    made = chosen(arguments)
    print(to_json(made, made_for))
    if note := sampling_note(made):
        print(note, file=sys.stderr)
    return 0


def chosen(arguments: Namespace, read: RunInput | None = None) -> Recipe:
    """Return the recipe that a command line asks for, for the image that was read.

    Presets and the defaults of a filter are for a pixel size of 1, and a file for the unit that
    it names. What the command line says is in the unit of the image as it stands.
    """
    length = 1.0 if read is None else read.pixel_size
    if arguments.recipe in PRESETS:
        recipe = PRESETS[arguments.recipe].scaled(length, DIGITS)
    else:
        recipe, made_for = _file(arguments)
        if read is not None:
            recipe, said = converted(recipe, made_for, read.length_unit)
            if said and not arguments.quiet:
                print(said, file=sys.stderr)
    if arguments.steps is not None:
        recipe = recipe.replaced(num_steps=arguments.steps, stop_at=None)
    try:
        if arguments.seed is not None:
            recipe = recipe.replaced(seed=arguments.seed)
        for name, value in arguments.settings:
            changed = with_setting(recipe.to_dict(), name, value)
            recipe = Recipe.from_dict(changed, allow_code=arguments.allow_code)
            fresh = getattr(recipe, name, None)
            if isinstance(fresh, Filter):
                recipe = recipe.replaced(**{name: fresh.scaled(length, DIGITS)})
        if arguments.update is not None:
            recipe = recipe.replaced(update=arguments.update)
        if arguments.noise_sigma is not None:
            recipe = with_known_sigma(recipe, arguments.noise_sigma)
        recipe = strengthened(recipe, arguments.strength)
    except CodeRefused:
        raise
    except (ValueError, TypeError) as error:
        raise UsageError(str(error)) from error
    return recipe


def _file(arguments: Namespace) -> tuple[Recipe, LengthUnit | None]:
    """Return the recipe in a file, and the unit that it was made for."""
    name = arguments.recipe
    path = Path(name)
    if not path.exists():
        raise UsageError(
            f"There is no preset or file {name!r}; the presets are {', '.join(PRESETS)}."
        )
    try:
        return _recipe_in(path, arguments.allow_code)
    except CodeRefused:
        raise
    except (ValueError, TypeError) as error:
        raise ValueError(f"{name!r} holds no recipe: {error}") from error


def _recipe_in(path: Path, allow_code: bool) -> tuple[Recipe, LengthUnit | None]:
    look_beside(path)
    if path.suffix.lower() == ".json":
        values = json_object(text_of(path, "recipe"), "recipe")
        if "recipe" not in values:
            return Recipe.from_dict(values, allow_code=allow_code), unit_of(values)
        kept: StepRecord | None = checked_record(values)
    else:
        kept = read_record((step_paths(path) or [path])[-1])
    if kept is None or "recipe" not in kept:
        raise ValueError("it is no result of napari-diffusion with a recipe.")
    return recipe_of(kept, allow_code), unit_of(kept) or unit_of(kept["recipe"])


def summary(recipe: Recipe) -> str:
    """Say in one line what a recipe does."""
    words = [f"{recipe.total_steps} steps"]
    if recipe.noise is None:
        words.append("no noise")
    else:
        scale = recipe.starting_noise_scale
        own = "what hides the missing part" if recipe.measurement else "the image's own noise"
        start = own if scale == "auto" else f"{scale}"
        start = "its own parameters" if scale is None else start.replace("of range", "of the range")
        words.append(
            f"{type(recipe.noise).__name__} noise from {start}, {type(recipe.schedule).__name__}"
        )
    words.append(" then ".join(map(_named_with_time, recipe.filters)))
    if recipe.final_filter is not None:
        words.append(f"finally {_named_with_time(recipe.final_filter)}")
    if recipe.domain == "auto":
        words.append("on stabilised values if the noise is photon noise")
    elif recipe.domain is not None:
        words.append(f"on values stabilised by {type(recipe.domain).__name__}")
    if recipe.update == "reverse":
        words.append(f"reverse updates: {PLAUSIBLE}")
    return ", ".join(words)


def _named_with_time(chosen: Filter) -> str:
    time = getattr(chosen, "time", None)
    return type(chosen).__name__ + (f" (time {time:g})" if isinstance(time, float) else "")
