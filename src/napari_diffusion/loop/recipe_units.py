"""The unit of a recipe's lengths: what becomes of them on an image with another unit."""

from __future__ import annotations

import json
import math
import numbers
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_diffusion.core.json_text import json_object
from napari_diffusion.core.parameter import LENGTH_POWERS
from napari_diffusion.core.units import METRES, PIXEL, factor, symbol, unit_name
from napari_diffusion.loop.presets import pixel_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from napari_diffusion.loop.recipe import Recipe

# Digits of converted lengths: products of short numbers stay short.
DIGITS = 15

_SAME_EFFECT = "the effect on the pixels is the same"


@dataclass(frozen=True)
class LengthUnit:
    """What the lengths of a recipe, or the pixel sizes of an image, are measured in.

    Attributes
    ----------
    unit : str
        Full name, such as "micrometer" or "pixel"; symbols and other names are read too.
    pixel_size : float or None
        The smallest pixel size of the image, in this unit; None where it is not known. Of a
        "pixel" it is 1 unless given.
    """

    unit: str = PIXEL
    pixel_size: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "unit", unit_name(self.unit))
        known = self.pixel_size is not None or self.unit == PIXEL
        size = 1.0 if self.pixel_size is None else _checked_size(self.pixel_size)
        object.__setattr__(self, "pixel_size", size if known else None)

    @classmethod
    def of(cls, unit: str | None, spacing: Iterable[float]) -> LengthUnit:
        """Return the unit of an image, by its unit and its pixel sizes."""
        return cls(unit or PIXEL, pixel_size(spacing))

    @property
    def is_physical(self) -> bool:
        """Whether the size of the unit is known."""
        return self.unit in METRES

    @property
    def plural(self) -> str:
        """The unit in a sentence: its symbol, or "pixels"."""
        return "pixels" if self.unit == PIXEL else symbol(self.unit)


def converted(recipe: Recipe, made_for: LengthUnit | None, image: LengthUnit) -> tuple[Recipe, str]:
    """Return a recipe for an image, and what became of its lengths in one sentence.

    Lengths in one physical unit stay what they are: in the same unit the numbers stay, in another
    they are converted. Lengths in pixels have the same effect on the pixels of the image.

    Parameters
    ----------
    recipe : Recipe
        Its lengths are in the unit of `made_for`.
    made_for : LengthUnit or None
        What the recipe was made for; None where that is not known, and the numbers are in the
        unit of the image.
    image : LengthUnit
        Of the image that the recipe is used on.

    Returns
    -------
    recipe, sentence
        The sentence is empty where no number changes its meaning.
    """
    if recipe.scaled(2.0) == recipe:  # no lengths
        return recipe, ""
    if made_for is None:
        said = f"The recipe names no unit: its lengths are read in {image.plural}."
        return recipe, said if image.is_physical else ""
    if made_for.is_physical and image.is_physical:
        if made_for.unit == image.unit:
            return recipe, ""
        said = f"Lengths converted from {made_for.plural} to {image.plural}."
        return recipe.scaled(factor(made_for.unit, image.unit), DIGITS), said
    if made_for.pixel_size is None or image.pixel_size is None:
        return recipe, (
            f"Lengths of the recipe are in {made_for.plural}, but a pixel size is missing: they "
            f"are read in {image.plural}."
        )
    ratio = image.pixel_size / made_for.pixel_size
    if made_for.unit != image.unit:
        said = f"Lengths converted from {made_for.plural} to {image.plural}; {_SAME_EFFECT}."
    else:
        said = "" if ratio == 1 else f"Lengths converted to the pixel size; {_SAME_EFFECT}."
    return recipe.scaled(ratio, DIGITS), said


def in_pixels(value: object, unit: str, length: float) -> str:
    """Return a parameter's length in pixels, such as "12.3 px²"; empty where it is no length.

    Parameters
    ----------
    value : object
        The value of a parameter: a number or several, else the text is empty.
    unit : str
        Its unit as `Parameter.unit` has it: "world", "world²", "intensity/world" …
    length : float
        The pixel size, in the unit of length that the value is in.
    """
    values = value if isinstance(value, tuple) else (value,)
    power = LENGTH_POWERS.get(unit, 0)
    if not power or not all(type(each) in (int, float) for each in values):
        return ""
    shown = ", ".join(f"{each / length**power:.3g}" for each in values)
    return f"{shown} {unit.replace('world', 'px')}"


def with_unit(recipe: Recipe, made_for: LengthUnit | None) -> dict[str, Any]:
    """Return a recipe as plain values with its unit beside it, as a recipe file has them."""
    values = recipe.to_dict()
    if made_for is None:
        return values
    schema = values.pop("schema")
    size = {} if made_for.pixel_size is None else {"pixel_size": made_for.pixel_size}
    return {"schema": schema, "unit": made_for.unit, **size, **values}


def to_json(recipe: Recipe, made_for: LengthUnit | None) -> str:
    """Return the JSON text of a recipe file; `Recipe.from_json` and `unit_of_json` read it."""
    return json.dumps(with_unit(recipe, made_for), indent=2, allow_nan=False)


def unit_of(values: Mapping[str, Any]) -> LengthUnit | None:
    """Return the unit in the plain values of a recipe file or a record, None where there is none.

    Raises
    ------
    ValueError
        For a unit that is no text, and a pixel size that is no length.
    """
    grid = values.get("grid")
    if isinstance(grid, dict):
        return LengthUnit.of(grid["unit"], grid["spacing"]) if "unit" in grid else None
    unit = values.get("unit")
    if unit is None:
        return None
    if not isinstance(unit, str):
        raise ValueError(f'The unit of a recipe must be text, such as "µm" (got {unit!r}).')
    return LengthUnit(unit, values.get("pixel_size"))


def unit_of_json(text: str) -> LengthUnit | None:
    """Return the unit in the JSON text of a recipe file, None where there is none."""
    return unit_of(json_object(text, "recipe"))


def _checked_size(size: object) -> float:
    number = isinstance(size, numbers.Real) and not isinstance(size, bool)
    if not number or not 0 < float(size) < math.inf:  # type: ignore[arg-type]
        raise ValueError(f"pixel_size must be a number greater than 0 (got {size!r}).")
    return float(size)  # type: ignore[arg-type]
