"""Records: what was done to an image, as plain values that JSON keeps exactly."""

from __future__ import annotations

import functools
import hashlib
import platform
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, Unpack, cast

from napari_diffusion.core.component import Component
from napari_diffusion.core.dask_array import is_dask
from napari_diffusion.core.grid import Grid
from napari_diffusion.core.noise_scale import share_of_range
from napari_diffusion.domains.base import UNIT
from napari_diffusion.loop.recipe import Recipe
from napari_diffusion.loop.sampling import PLAUSIBLE

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from napari_diffusion.core.function_parameter import AllowCode
    from napari_diffusion.core.noise_scale import NoiseScale
    from napari_diffusion.io.step_record import (
        CastEntry,
        FurtherEntries,
        GridEntry,
        MaskEntry,
        StepRecord,
    )
    from napari_diffusion.loop.step import Step

#: The keywords of `GridOptions`, in a dict of any kind.
GridKeywords: TypeAlias = Mapping[str, Any]

SCHEMA = 1

#: How every text on a processed image begins.
PROCESSED = "Processed, not raw data:"

# More numbers, such as the weights of a filter, are read in the record alone.
_MOST_NUMBERS = 6

_LIBRARIES = ("napari-diffusion", "numpy", "numba", "scipy")


def record(
    recipe: Recipe,
    step: Step,
    grid_options: GridKeywords,
    source_name: str,
    first_step: int = 0,
    **more: Unpack[FurtherEntries],
) -> StepRecord:
    """Return everything needed to reproduce a step, as plain values.

    Parameters
    ----------
    recipe : Recipe
        Resolved, so that the record has every value that was used.
    step : Step
        The step; its index, noise scale and `is_final` are kept, not the image.
    grid_options : mapping
        The keywords that the loop was given: ``axes, spacing, along, joint_channels, rgb, mask,
        missing``. A mask is kept by its content hash.
    source_name : str
        Name of the layer or file that the loop started from.
    first_step : int
        The step that the run continued with; 0 for a run from the start.
    **more
        Further plain values, such as ``region``, ``cast`` and ``source_processed``, which is what
        the source's own record says; None is left out. ``unit`` is that of the pixel sizes, such
        as "micrometer", and stands with the grid.

    Raises
    ------
    ValueError
        If the recipe still has "auto" or a share of the range.
    """
    if not recipe.is_resolved:
        raise ValueError(
            "A record needs the values that were used, but this recipe still has "
            f"{next(iter(recipe.autos().values()), None)!r}: give recipe.resolved(source)."
        )
    return {
        "schema": SCHEMA,
        "recipe": plain(recipe.to_dict()),
        "step": step.index,
        "is_final": step.is_final,
        "noise_scale": plain(step.noise_scale),
        **asked_entry(recipe.asked),
        **({} if recipe.domain is None else {"units": UNIT}),
        **_measured_scale(recipe, step),
        "seed": recipe.seed,
        "grid": grid_record(step.image.shape, grid_options, more.get("unit")),
        "source": source_name,
        "first_step": first_step,
        "versions": dict(versions()),
        "processed": sentence(recipe, step, source_name, first_step, more.get("cast"))
        + source_words(more.get("source_processed")),
        **further(more),
    }


def asked_entry(asked: Mapping[str, str]) -> StepRecord:
    """Return the entry of what the values were asked for as, none where all were typed."""
    return {"asked": dict(asked)} if asked else {}


def further(entries: FurtherEntries) -> StepRecord:
    """Return the entries that say something, as plain values."""
    apart = {k: v for k, v in entries.items() if v is not None and k != "unit"}
    given: StepRecord = plain(apart)
    return given


def recipe_of(kept: StepRecord, allow_code: AllowCode = False) -> Recipe:
    """Return the recipe of a record, equal to the one it was made from.

    Raises
    ------
    CodeRefused
        If it names a function that is not allowed; see `Recipe.from_dict`.
    ValueError
        If it is not resolved: no step has been made with it.
    """
    try:
        recipe = Recipe.from_dict(dict(kept["recipe"]), allow_code=allow_code)
    except (TypeError, ArithmeticError) as error:
        raise ValueError(f"The recipe of the record cannot be used: {error}") from error
    if not recipe.is_resolved:
        asked = next(iter(recipe.autos().values()), "no noise scale")
        raise ValueError(
            f"The recipe of the record is not resolved (it has {asked!r}): no step is of it."
        )
    return recipe.replaced(asked=dict(kept.get("asked", {})))


def described_recipe(kept: StepRecord) -> Recipe:
    """Return the recipe of a record for words on it; it is not to be run.

    Nothing is imported for a text that only names the functions of a recipe.
    """
    return recipe_of(kept, allow_code=True)


def noise_scale_of(kept: StepRecord) -> NoiseScale:
    """Return the noise scale of a record's step, one number or one per channel."""
    return _scale(kept["noise_scale"])


def next_noise_scale_of(kept: StepRecord) -> NoiseScale | None:
    """Return ``noise_scale=`` of a run that continues a record; None where the schedule has it."""
    return _scale(kept["next_noise_scale"]) if "next_noise_scale" in kept else None


def _scale(kept: float | list[float]) -> NoiseScale:
    return tuple(kept) if isinstance(kept, list) else float(kept)


def grid_of(kept: StepRecord) -> dict[str, Any]:
    """Return the grid keywords of a record, as the loop takes them.

    Raises
    ------
    ValueError
        If the run had a mask: a record keeps only its hash.
    """
    if kept["grid"].get("mask") is not None:
        raise ValueError(
            "The run had a mask, and its record holds only the hash of it: give mask= again."
        )
    return unmasked_grid_of(kept)


def unmasked_grid_of(kept: StepRecord) -> dict[str, Any]:
    """Return the grid keywords of a record without the mask, as the loop takes them."""
    apart = ("mask", "unit")
    grid = {name: each for name, each in kept["grid"].items() if name not in apart}
    return {**grid, "spacing": tuple(kept["grid"]["spacing"])}


def sentence(
    recipe: Recipe,
    step: Step,
    source_name: str,
    first_step: int = 0,
    cast: CastEntry | None = None,
) -> str:
    """Return what was done to an image, in words."""
    made = [component_words(each) for each in recipe.filters]
    if recipe.noise is not None:
        made.insert(0, _noise_words(recipe, recipe.noise))
    words = f"{PROCESSED} {source_name!r} after "
    words += f"{step.index if step.is_final else step.index + 1} of {recipe.total_steps} "
    words += f"{'reverse ' * (recipe.update == 'reverse')}steps of "
    words += ", then ".join(made) + (", without added noise" if recipe.noise is None else "")
    if recipe.measurement is not None:
        words += f", corrected by {component_words(recipe.measurement)}"
    if recipe.working_domain is not None:
        words += f", on values {UNIT} by the {component_words(recipe.working_domain)}"
    if step.is_final and recipe.final_filter is not None:
        words += f", and the final filter {component_words(recipe.final_filter)}"
    if first_step:
        words += f"; continued from step {first_step}"
        if first_step > recipe.num_steps - 1 and step.index >= first_step:
            words += ", beyond the end of the schedule"
    if recipe.update == "reverse":
        words += f"; {PLAUSIBLE}"
    return words + cast_words(cast) + "."


def cast_words(cast: CastEntry | None) -> str:
    """Return what a cast did to the values, in words; nothing without one."""
    if cast is None:
        return ""
    words = ""
    if cast["clipped"] is not None:
        words += "; clipped to {:g} … {:g}".format(*cast["clipped"])
    return words + f"; {'rounded' if cast['rounded'] else 'converted'} to {cast['dtype']}"


def source_words(processed: str | None) -> str:
    """Return what was done to the source before, in words; nothing if it was raw."""
    return f" The source was: {processed}" if processed else ""


@functools.cache
def versions() -> Mapping[str, str]:
    """Return the versions and the type of processor that the bits of a result depend on."""
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return {**found, "python": platform.python_version(), "processor": _processor()}


def content_hash(array: ArrayLike) -> str:
    """Return the SHA-256 of an array's type, shape and values, whatever its memory layout."""
    import numpy as np

    from napari_diffusion.io.layout import slabs

    values: Any = array if is_dask(array) else np.asarray(array)
    digest = hashlib.sha256(f"{values.dtype.str} {values.shape}".encode())
    # In parts, of which few are in memory where the array is not.
    for part in slabs(values if values.ndim else values[None]):
        digest.update(part.data)
    return digest.hexdigest()


def plain(value: Any) -> Any:
    """Return a value for JSON: lists for tuples, Python numbers for numpy's."""
    if isinstance(value, dict):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    if isinstance(value, slice):
        return [plain(value.start), plain(value.stop)]
    return value.item() if hasattr(value, "item") else value


def _measured_scale(recipe: Recipe, step: Step) -> StepRecord:
    """Return the noise scale of the next step, if the schedule measures it."""
    if recipe.schedule.tabulated or step.next_noise_scale is None:
        return {}
    return {"next_noise_scale": plain(step.next_noise_scale)}


def grid_record(
    shape: tuple[int, ...], options: GridKeywords, unit: str | None = None
) -> GridEntry:
    """Return the grid keywords as a record keeps them: a mask by its content hash.

    A mask may be given as its entry already, so that it is hashed once for many records.
    """
    apart = ("mask", "missing")
    grid = Grid.of(shape, **{name: each for name, each in options.items() if name not in apart})
    kept: GridEntry = {
        "axes": grid.axes,
        "spacing": list(grid.spacing),
        "along": grid.along,
        "joint_channels": grid.joint_channels,
        "rgb": grid.rgb,
    }
    if unit:
        kept["unit"] = unit
    mask = options.get("mask")
    if mask is not None:
        known = isinstance(mask, Mapping)
        kept["mask"] = cast("MaskEntry", mask) if known else {"sha256": content_hash(mask)}
    if options.get("missing", "refuse") != "refuse":
        kept["missing"] = options["missing"]
    return kept


def _noise_words(recipe: Recipe, noise: Component) -> str:
    unit = "" if recipe.domain is None else f" in {UNIT} units"
    scale = scale_words(recipe.starting_noise_scale, recipe.asked.get("starting_noise_scale"))
    return (
        f"{component_words(noise)} noise added on purpose "
        f"(standard deviation {scale}{unit} at the start, "
        f"{recipe.schedule.display_name} schedule, random seed {recipe.seed})"
    )


def component_words(component: Component) -> str:
    """Return a component and its parameters, in words: the record has those of inner ones too."""
    parameters = ", ".join(
        f"{p.label} {number_words(getattr(component, p.name))}" for p in component.parameters()
    )
    words = component.display_name + (f" ({parameters})" if parameters else "")
    return words.replace(") (", "; ", 1)


def number_words(value: Any) -> str:
    """Return a number, one number per channel, or a component, in words."""
    if isinstance(value, Component):
        nested = any(parameter.kind == "component" for parameter in value.parameters())
        return value.display_name if nested else component_words(value)
    if isinstance(value, tuple) and len(value) > _MOST_NUMBERS:
        return f"{len(value)} values"
    if isinstance(value, tuple):
        return " / ".join(number_words(each) for each in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def scale_words(scale: Any, asked: str | None) -> str:
    """Return a noise scale in words, and the share of the range that it was asked for as."""
    share = "" if share_of_range(asked) is None else f" ({asked})"
    return number_words(scale) + share


def _processor() -> str:
    # The name that numba compiles for: two processors of one name give the same bits.
    try:
        from llvmlite.binding import get_host_cpu_name
    except ImportError:
        return platform.machine()
    return f"{platform.machine()} {get_host_cpu_name()}"
