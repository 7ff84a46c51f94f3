"""Texts for a paper on how a step was made: methods, legend, code, command, references."""

from __future__ import annotations

import inspect
import json
import re
from typing import TYPE_CHECKING

from napari_diffusion.core.component import Component
from napari_diffusion.records.provenance import component_words, number_words, recipe_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_diffusion.io.step_record import MaskEntry, StepRecord
    from napari_diffusion.loop.recipe import Recipe

# One work in a References section: names, year in brackets, title.
_WORK = re.compile(
    r"([A-ZÄÖÜÁ][^()]*?) \((\d{4})\), (.+?)(?=\. [A-ZÄÖÜÁ][^()]*? \(\d{4}\)|\.?$)", re.S
)


def paragraph(record: StepRecord) -> str:
    """Return a paragraph for the methods section, with parameters, versions and references.

    Parameters
    ----------
    record : mapping
        Of a step, from its layer or file; see `napari_diffusion.records.provenance.record`.
    """
    recipe, grid, versions = recipe_of(record), record["grid"], record["versions"]
    known = "; ".join(_short(work) for work in works(recipe))
    spacing = " × ".join(f"{length:g}" for length in grid["spacing"])
    said = [
        f"{record['source']!r} was processed with napari-diffusion {versions['napari-diffusion']} "
        f"(numpy {versions['numpy']}, numba {versions['numba']}).",
        _steps_sentence(recipe, record),
        f"The pixel size along {grid['along']} was {spacing} world units; diffusion times are in "
        "squared world units, contrasts in intensity per world unit.",
    ]
    if recipe.working_domain is not None:
        said.append(
            "The steps worked on values stabilised by the "
            f"{component_words(recipe.working_domain)}, transformed back by its unbiased inverse."
        )
    if "mask" in grid:
        said.append("Pixels outside the mask were left unchanged.")
    if "region" in record:
        said.append("A region of the image is shown; it was computed as part of the whole image.")
    if record.get("noise_found"):
        said.append(f"Noise estimate: {record['noise_found']}")
    said += record.get("noise_warnings", [])
    if record.get("source_processed"):
        said.append(f"The source had been processed before: {record['source_processed']}")
    if known:
        said.append(f"Methods: {known}.")
    return " ".join(said)


def legend(record: StepRecord) -> str:
    """Return a sentence for a figure legend that discloses the processing."""
    recipe = recipe_of(record)
    filters = ", ".join(dict.fromkeys(each.display_name for each in recipe.filters))
    noise = " after noise was added on purpose" if recipe.noise is not None else ""
    return (
        f"Image processed non-linearly (napari-diffusion {record['versions']['napari-diffusion']}, "
        f"{filters}, {_count(recipe, record)} of {recipe.total_steps} steps{noise}); "
        "unprocessed data are available on request."
    )


def python(record: StepRecord) -> str:
    """Return code that reproduces the step, bit for bit, from an array called `image`.

    With a mask it also needs an array called `mask`: a record keeps only its hash.
    """
    recipe, masked = recipe_of(record), record["grid"].get("mask")
    options = "".join(f"    {name}={value!r},\n" for name, value in _options(record).items())
    options += "    mask=mask,\n" if masked else ""
    at = "step.is_final" if record["is_final"] else f"step.index == {record['step']}"
    return (
        "import napari_diffusion as nd\n\n"
        f"recipe = nd.Recipe.from_json(r'''{json.dumps(recipe.to_dict(), indent=2)}''')\n"
        f"# image: the values of {_image_words(record)}\n"
        f"{_about_mask(masked)}"
        f"steps = nd.steps(\n    image,\n    recipe,\n{options})\n"
        f"result = next(step.image for step in steps if {at})\n"
        f"{_part_of_channels(record)}"
    )


def command(record: StepRecord) -> str:
    """Return shell commands that reproduce the step from a file called INPUT."""
    recipe = recipe_of(record)
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
    text = json.dumps(recipe.to_dict(), indent=2)
    return f"cat > recipe.json <<'END'\n{text}\nEND\n" + " \\\n    ".join(words) + "\n"


def bibtex(recipe: Recipe) -> str:
    """Return the references of a recipe's components as BibTeX."""
    entries: dict[str, str] = {}
    for names, year, title in works(recipe):
        authors = re.sub(r",? and others", ", others", names)
        listed = " and ".join(re.split(r", (?:and )?| and ", authors))
        key = re.sub(r"\W", "", authors.split(",")[0].split(" and ")[0].split()[-1]) + year
        while key in entries and title not in entries[key]:
            key += "a"
        entries[key] = (
            f"@misc{{{key},\n  author = {{{listed}}},\n  title = {{{title}}},\n"
            f"  year = {{{year}}}\n}}\n"
        )
    return "\n".join(entries.values())


def works(recipe: Recipe) -> list[tuple[str, str, str]]:
    """Return (names, year, title) of every reference of a recipe's components."""
    found: dict[tuple[str, str, str], None] = {}
    for component in _components(recipe):
        text = inspect.getdoc(type(component)) or ""
        _, _, section = text.partition("References\n----------\n")
        for names, year, title in _WORK.findall(re.sub(r"\s+", " ", section).strip()):
            found[(names.strip(), year, title.strip().rstrip("."))] = None
    return list(found)


def _components(recipe: Recipe) -> Iterator[Component]:
    used = [*recipe.filters, recipe.final_filter, recipe.noise, recipe.working_domain]
    for component in used:
        if component is not None:
            yield from _within(component)


def _within(component: Component) -> Iterator[Component]:
    yield component
    for parameter in component.parameters():
        value = getattr(component, parameter.name)
        for each in value if isinstance(value, tuple) else (value,):
            if isinstance(each, Component):
                yield from _within(each)


def _steps_sentence(recipe: Recipe, record: StepRecord) -> str:
    count = _count(recipe, record)
    said = f"{count} of {recipe.total_steps} steps were performed"
    if recipe.noise is not None:
        said += (
            f", each of which added {component_words(recipe.noise)} noise (standard deviation "
            f"{number_words(recipe.starting_noise_scale)} at the start, "
            f"{component_words(recipe.schedule)} schedule, random seed {recipe.seed}) and applied "
        )
    else:
        said += ", without added noise, each of which applied "
    said += ", then ".join(component_words(each) for each in recipe.filters)
    if record["is_final"] and recipe.final_filter is not None:
        said += f". Finally, {component_words(recipe.final_filter)} was applied"
    return said + "."


def _count(recipe: Recipe, record: StepRecord) -> int:
    return recipe.total_steps if record["is_final"] else int(record["step"]) + 1


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


def _short(work: tuple[str, str, str]) -> str:
    names, year, title = work
    return f"{names} ({year}), {title}"
