"""A paragraph for the methods section of a paper, and a sentence for a figure legend."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from napari_diffusion.core.citation import COLOUR, MASKED, NOISE, Estimate
from napari_diffusion.core.method_words import (
    ARBITRARY,
    DIGITS,
    MEASURED_DIGITS,
    MethodWords,
    in_brackets,
    listed,
    number,
)
from napari_diffusion.core.noise_scale import share_of_range
from napari_diffusion.domains.base import UNIT, Domain
from napari_diffusion.loop import registry
from napari_diffusion.loop.sampling import PLAUSIBLE
from napari_diffusion.records.grid_words import grid_sentence, length_unit
from napari_diffusion.records.provenance import described_recipe, noise_scale_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from napari_diffusion.core.component import Component
    from napari_diffusion.core.noise_scale import NoiseScale
    from napari_diffusion.filters import Filter
    from napari_diffusion.io.step_record import StepRecord
    from napari_diffusion.loop.recipe import Recipe

#: What a methods section has room for.
MOST_WORDS = 120

# How much is said: all, not how values were measured, no parameters.
FULL, SHORT, BRIEF = 2, 1, 0

#: Where a paragraph refers for what it leaves out.
ELSEWHERE = "All parameters are listed in the supplement."

# A longer name of a source is cut.
_LONGEST_NAME = 40

# A longer series of filters is summed up.
_LONGEST_SERIES = 3


def paragraph(record: StepRecord) -> str:
    """Return at most 120 words on how a step, or a noisy copy, was made.

    The noise, the filters and what they are, their parameters with units, what was measured on the
    image and how. The supplement has the rest; see `napari_diffusion.records.supplement`.

    Parameters
    ----------
    record : mapping
        Of a step, from its layer or file; see `napari_diffusion.records.provenance.record`.
    """
    for detail in (FULL, SHORT, BRIEF):
        sentences = [*_made(record, detail), *_further(record)]
        text = " ".join([*sentences, *[ELSEWHERE] * (detail == BRIEF)])
        text = text.replace("..", ".")  # a sentence that ends with a.u.
        if len(text.split()) <= MOST_WORDS:
            return text
    return _fitting([*_made(record, BRIEF), ELSEWHERE], _further(record))


def _fitting(sentences: list[str], further: Iterable[str]) -> str:
    """Return sentences, and as many further ones as there is room for."""
    text = " ".join(sentences)
    for sentence in further:
        longer = f"{text} {sentence}"
        text = longer if len(longer.split()) <= MOST_WORDS else text
    return text


def legend(record: StepRecord) -> str:
    """Return a sentence for a figure legend that discloses the processing."""
    version = record["versions"]["napari-diffusion"]
    if "recipe" not in record:
        noise = registry.from_dict("noise", record["noise"], allow_code=True)
        return f"{noise.display_name} noise was added on purpose (napari-diffusion {version})."
    recipe = described_recipe(record)
    used = [each for each, _ in _runs_of_filters(recipe, record)]
    filters = ", ".join(dict.fromkeys(each.display_name for each in used))
    noise_words = " after noise was added on purpose" if recipe.noise is not None else ""
    last = [recipe.final_filter] if record["is_final"] and recipe.final_filter else []
    linear = recipe.domain is None and all(each.linear for each in (*used, *last))
    steps = f"{steps_made(recipe, record)} of {recipe.total_steps} steps"
    what = f"; {PLAUSIBLE}" if recipe.update == "reverse" else ""
    return (
        f"Image processed{'' if linear else ' non-linearly'} (napari-diffusion {version}, "
        f"{filters}, {steps}{noise_words}){what}; unprocessed data are available on request."
    )


def steps_made(recipe: Recipe, record: StepRecord) -> int:
    """Return how many steps led to the image of a record."""
    return recipe.total_steps if record["is_final"] else int(record["step"]) + 1


def words_for(record: StepRecord, name: str, detail: int = FULL) -> MethodWords:
    """Return the units of a record, and what was measured of one part of its recipe."""
    unit, per_length = length_unit(record)
    grid = record["grid"]
    holds = {COLOUR: grid["rgb"], MASKED: "mask" in grid or "missing" in grid}
    known = MethodWords(
        length=unit,
        per_length=per_length,
        intensity=f"{UNIT} units" if "units" in record and name != "domain" else ARBITRARY,
        measured=_measured(record),
        conditions=frozenset(condition for condition, met in holds.items() if met),
        once=name == "final_filter" or record.get("recipe", {}).get("num_steps") == 1,
        short=detail < FULL,
    )
    return known.within(name, brief=detail == BRIEF)


def _measured(record: StepRecord) -> dict[str, str]:
    """Return the settings that were measured on the image, and what they were asked for as."""
    asked = dict(record.get("asked", {}))
    domain = described_recipe(record).working_domain if "recipe" in record else None
    if domain is None:
        return asked
    if asked.get("domain") == "auto":
        asked |= {f"domain.{parameter.name}": "auto" for parameter in domain.parameters()}
    # Where the noise follows from the domain, nothing was measured for it.
    given = type(domain).noise_of is not Domain.noise_of
    return {k: v for k, v in asked.items() if not (given and k.endswith("noise_sigma"))}


def noise_was_measured(record: StepRecord) -> bool:
    """Return whether the noise scale is the noise of the image."""
    asked = record.get("asked", {})
    if "recipe" not in record:
        return asked.get("noise_scale") == "auto"
    recipe = described_recipe(record)
    measures = recipe.noise is not None and recipe.measurement is None
    uses = measures and not recipe.schedule.starts_itself
    return uses and asked.get("starting_noise_scale") == "auto"


def parts_used(record: StepRecord) -> Iterator[tuple[str, Component]]:
    """Yield the components that a step was made with, and their places in its recipe."""
    if "recipe" not in record:
        yield "noise", registry.from_dict("noise", record["noise"], allow_code=True)
        return
    recipe = described_recipe(record)
    if recipe.noise is not None:
        yield "noise", recipe.noise
        yield "schedule", recipe.schedule
    yield from _series(recipe, record)
    if record["is_final"] and recipe.final_filter is not None:
        yield "final_filter", recipe.final_filter
    if recipe.working_domain is not None:
        yield "domain", recipe.working_domain
    if recipe.measurement is not None:
        yield "measurement", recipe.measurement


def _made(record: StepRecord, detail: int) -> list[str]:
    """Return the sentences on noise and filters."""
    if "recipe" not in record:
        return [_noisy_copy(record, detail)]
    recipe = described_recipe(record)
    said = [_loop(recipe, record) if recipe.noise else _plain(recipe, record, detail)]
    if recipe.noise is not None:
        said.append(_each_step(recipe, record, detail))
    if recipe.measurement is not None:
        words = words_for(record, "measurement", detail)
        said.append(
            f"Each image was corrected by the source, {recipe.measurement.method(words)}, in "
            f"{recipe.rounds} rounds of conjugate gradients."
        )
    if recipe.update == "reverse":
        said.append(f"The result is {PLAUSIBLE}.")
    if record["is_final"] and recipe.final_filter is not None:
        words = words_for(record, "final_filter", detail)
        said.append(f"Finally, {recipe.final_filter.method(words)} was applied.")
    if recipe.working_domain is not None:
        words = words_for(record, "domain", detail)
        what = "Noise and filters" if recipe.noise else "The filter"
        said.append(
            f"{what} acted on intensities {UNIT} by {recipe.working_domain.method(words)}, which "
            "were transformed back without bias."
        )
    return said


def _plain(recipe: Recipe, record: StepRecord, detail: int) -> str:
    """Return the sentence on a run without noise."""
    count, total = steps_made(recipe, record), recipe.total_steps
    steps = "" if total == 1 else f"{_of(count, total)} steps of "
    return f"{_source(record)} by {steps}{_filters(recipe, record, detail)}."


def _loop(recipe: Recipe, record: StepRecord) -> str:
    """Return the sentence on a loop, or on its only step."""
    steps = _of(steps_made(recipe, record), recipe.total_steps)
    steps += " reverse" * (recipe.update == "reverse")
    steps += " step" if recipe.total_steps == 1 else " steps"
    return f"{_source(record)} in {steps} of added noise and filtering (random seed {recipe.seed})."


def _each_step(recipe: Recipe, record: StepRecord, detail: int) -> str:
    assert recipe.noise is not None
    words = words_for(record, "", detail)
    noise = recipe.noise.method(words_for(record, "noise", detail))
    name = "initial standard deviation" if recipe.total_steps > 1 else "standard deviation"
    asked = None if recipe.schedule.starts_itself else recipe.asked.get("starting_noise_scale")
    how = recipe.measurement.starts if recipe.measurement else NOISE
    said = [_deviation(name, words, _scale_of(recipe), asked, how)]
    if recipe.total_steps > 1:
        said.append(recipe.schedule.method(words_for(record, "schedule", detail)))
    filters = _filters(recipe, record, detail)
    if recipe.update == "reverse":
        noise = in_brackets(noise, said)
        return f"Each step applied {filters} and replaced part of the noise by {noise}."
    return f"Each step added {in_brackets(noise, said)} and applied {filters}."


def _scale_of(recipe: Recipe) -> NoiseScale:
    """Return the noise scale of a resolved recipe."""
    assert not isinstance(recipe.starting_noise_scale, str)
    return recipe.starting_noise_scale or 0.0


def _filters(recipe: Recipe, record: StepRecord, detail: int) -> str:
    """Return the diffusion filter, or which one was applied in which step."""
    runs = _runs_of_filters(recipe, record)
    places: dict[Any, str] = {}
    for place, each in _series(recipe, record):
        places.setdefault(each, place)
    if len(runs) > _LONGEST_SERIES:
        names = [each.method(words_for(record, places[each], BRIEF)) for each, _ in runs]
        different = [*dict.fromkeys(names)]
        return f"a series of {len(runs)} filters ({listed(different)})"
    said, first = [], 1
    for each, count in runs:
        words = each.method(words_for(record, places[each], detail))
        last = first + count - 1
        steps = f"step {first}" if count == 1 else f"steps {first} to {last}"
        said.append(words if len(runs) == 1 else f"{words} in {steps}")
        first = last + 1
    return listed(said)


def _runs_of_filters(recipe: Recipe, record: StepRecord) -> list[tuple[Filter, int]]:
    """Return the diffusion filters in the order of the steps, and for how many steps each."""
    made = steps_made(recipe, record)
    used = recipe.filters[:made]
    runs = [(each, len(list(same))) for each, same in itertools.groupby(used)]
    if runs:  # the last one repeats, in a record from elsewhere without end
        runs[-1] = (runs[-1][0], runs[-1][1] + made - len(used))
    return runs


def _series(recipe: Recipe, record: StepRecord) -> Iterator[tuple[str, Filter]]:
    """Yield the diffusion filters that steps were made with, and their places in the recipe."""
    series = isinstance(recipe.diffusion_filter, tuple)
    for place, each in enumerate(recipe.filters[: steps_made(recipe, record)]):
        yield f"diffusion_filter.{place}" if series else "diffusion_filter", each


def _noisy_copy(record: StepRecord, detail: int) -> str:
    noise = registry.from_dict("noise", record["noise"], allow_code=True)
    words = words_for(record, "noise", detail)
    scale, asked = noise_scale_of(record), record.get("asked", {}).get("noise_scale")
    deviation = _deviation("standard deviation", words, scale, asked)
    terms = [deviation, f"random seed {record['seed']}"]
    return f"{_source(record)} by adding {in_brackets(noise.method(words), terms)}."


def _deviation(
    label: str, words: MethodWords, scale: NoiseScale, asked: str | None, how: Estimate = NOISE
) -> str:
    """Return the noise scale, and what it was asked for as."""
    digits = DIGITS if asked is None else MEASURED_DIGITS
    text = f"{label} {words.quantity(scale, 'intensity', digits)}"
    if (percent := share_of_range(asked)) is not None:
        return f"{text}, {number(percent)}% of the intensity range"
    return text if asked is None else words.noted(text, how, asked=asked)


def _further(record: StepRecord) -> Iterator[str]:
    """Yield the sentences on the grid, the mask, and what was done before and after."""
    yield grid_sentence(record)
    elsewhere = record["batch"]["resolved_on"] if "batch" in record else record["source"]
    if record.get("asked") and elsewhere != record["source"]:
        yield f"Parameters were estimated on another image, {_named(elsewhere)}."
    if "mask" in record["grid"]:
        restored = record.get("recipe", {}).get("measurement")
        yield f"Pixels outside a mask were {'restored' if restored else 'left unchanged'}."
    if "missing" in record["grid"]:
        yield "Missing values were left out."
    if record.get("first_step"):
        yield f"The run was continued from step {record['first_step']}."
    if "region" in record:
        yield "A region of the image is shown."
    if cast := record.get("cast"):
        yield f"Values were {'rounded' if cast['rounded'] else 'converted'} to {cast['dtype']}."
    if record.get("source_processed"):
        yield "The image had been processed before (see the supplement)."
    if record.get("noise_warnings"):
        yield "Limits of the noise estimate are given in the supplement."


def _source(record: StepRecord) -> str:
    version = record["versions"]["napari-diffusion"]
    return f"The image {_named(record['source'])} was processed with napari-diffusion {version}"


def _named(name: str) -> str:
    shown = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1].rstrip()}…"
    return f"'{shown}'"


def _of(count: int, total: int) -> str:
    return str(total) if count == total else f"{count} of {total}"
