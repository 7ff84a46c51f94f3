"""Code and shell commands that make a step again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from napari_diffusion.records.provenance import described_recipe

if TYPE_CHECKING:
    from napari_diffusion.io.step_record import MaskEntry, StepRecord
    from napari_diffusion.loop.recipe import Recipe


def python(record: StepRecord) -> str:
    """Return code that reproduces the step, bit for bit, from an array called `image`.

    With a mask it also needs an array called `mask`: a record keeps only its hash.
    """
    recipe, masked = described_recipe(record), record["grid"].get("mask")
    options = "".join(f"    {name}={value!r},\n" for name, value in _options(record).items())
    options += "    mask=mask,\n" if masked else ""
    at = "step.is_final" if record["is_final"] else f"step.index == {record['step']}"
    return (
        "import napari_diffusion as nd\n\n"
        f"recipe = nd.Recipe.from_json(r'''{_json(recipe)}''')\n"
        f"# image: the values of {_image_words(record)}\n"
        f"{_about_mask(masked)}"
        f"steps = nd.steps(\n    image,\n    recipe,\n{options})\n"
        f"result = next(step.image for step in steps if {at})\n"
        f"{_part_of_channels(record)}"
    )


def command(record: StepRecord) -> str:
    """Return shell commands that reproduce the step from a file called INPUT."""
    recipe = described_recipe(record)
    if not record["is_final"]:
        # A run that ends with this step: its last image is that of the step.
        recipe = recipe.replaced(stop_at=record["step"] + 1, final_filter=None)
    grid = record["grid"]
    words = [
        "napari-diffusion run INPUT OUTPUT.ome.tif --recipe recipe.json --keep last",
        f"--axes {grid['axes']} --along {grid['along']}",
        "--spacing " + ",".join(f"{length!r}" for length in grid["spacing"]),
        "--rgb" if grid["rgb"] else "--no-rgb",
        "--joint-channels" if grid["joint_channels"] else "--no-joint-channels",
    ]
    if "mask" in grid:
        words.append("--mask MASK")
    if grid.get("missing", "refuse") != "refuse":
        words.append(f"--missing {grid['missing']}")
    return f"cat > recipe.json <<'END'\n{_json(recipe)}\nEND\n" + " \\\n    ".join(words) + "\n"


def _json(recipe: Recipe) -> str:
    """Return the recipe as JSON without a quotation mark that could end the text around it."""
    return json.dumps(recipe.to_dict(), indent=2).replace("'", "\\u0027")


def _options(record: StepRecord) -> dict[str, str | bool | tuple[float, ...] | tuple[slice, ...]]:
    grid = record["grid"]
    options: dict[str, str | bool | tuple[float, ...] | tuple[slice, ...]] = {
        "axes": grid["axes"],
        "spacing": tuple(grid["spacing"]),
        "along": grid["along"],
        "joint_channels": grid["joint_channels"],
        "rgb": grid["rgb"],
    }
    if grid.get("missing", "refuse") != "refuse":
        options["missing"] = grid["missing"]
    if "region" in record:
        options["region"] = tuple(slice(*ends) for ends in record["region"])
    return options


def _image_words(record: StepRecord) -> str:
    if "channel" in record:
        return f"the layers {', '.join(map(repr, record['layers']))}, in this order along c"
    return repr(record["source"])


def _part_of_channels(record: StepRecord) -> str:
    if "channel" not in record:
        return ""
    axis = record["grid"]["axes"].index("c")
    return f"result = result.take({record['channel']}, axis={axis})  # this layer's channel\n"


def _about_mask(kept: MaskEntry | None) -> str:
    return "" if kept is None else f"# mask: booleans, of SHA-256 {kept['sha256']}\n"
