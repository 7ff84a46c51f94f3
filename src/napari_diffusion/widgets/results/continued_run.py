"""The run that makes more steps from a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_diffusion.io.cast import Cast
from napari_diffusion.loop.presets import PRESETS
from napari_diffusion.records.provenance import (
    described_recipe,
    next_noise_scale_of,
    unmasked_grid_of,
)
from napari_diffusion.widgets.layers.channels import joined
from napari_diffusion.widgets.layers.layer_axes import Fold
from napari_diffusion.widgets.layers.source_layers import is_image
from napari_diffusion.widgets.layers.step_records import (
    DOUBTS,
    MEASURES,
    RECOMMENDED,
    letters_of,
    records_of,
)
from napari_diffusion.widgets.recipe.code_consent import recipe_with_consent
from napari_diffusion.widgets.results.chosen_step import ChosenStep
from napari_diffusion.widgets.results.step_source import cut_to_region, masks_of
from napari_diffusion.widgets.run.run_request import Job, Origin, RunError

if TYPE_CHECKING:
    import napari

    from napari_diffusion.io.step_record import StepRecord
    from napari_diffusion.widgets.layers.channels import SourceArray
    from napari_diffusion.widgets.layers.step_records import Entries
    from napari_diffusion.widgets.results.step_run import StepRun

# The filters of presets that denoise in one step.
_DENOISERS = tuple(
    type(PRESETS[name].filters[0]) for name in ("denoise", "denoise fast")
)  # fmt: skip


def continued_job(step: ChosenStep, more_steps: int, keep_every: int, viewer: napari.Viewer) -> Job:
    """Return the job that makes more steps; its results equal those of a longer run, bit by bit.

    A step that was rounded to its source's type, that holds a region only, or that is one of
    reverse updates, is made again from the source where one of the viewer's layers still is that.
    The result of a final filter becomes
    a source of its own.
    """
    record = step.record
    grid = unmasked_grid_of(record)
    channels = channels_of(step, viewer)
    data = joined([each.data for each in channels])
    letters = letters_of(record)
    recipe = recipe_with_consent(record)
    first = recipe.total_steps if record["is_final"] else record["step"] + 1
    cast, region, origin = record.get("cast"), None, None
    kept = ("cast", "layer_axes", "layers", "mask", "source_processed")
    more: Entries = {name: each for name, each in record.items() if name in kept}
    more["unit"] = record["grid"].get("unit")
    shape = tuple(data.shape)
    if not record["is_final"]:
        if "region" in record:
            region = tuple(slice(*ends) for ends in record["region"])
            shape = tuple(record["source_shape"])
            more |= {name: record[name] for name in ("region", "source_shape")}
        if "origin" in record:
            known = record["origin"]
            origin = Origin(known["sha256"], known["first_step"], _sources(step, viewer))
    names = [each.layer.name for each in channels]
    masks, mask_sha256 = masks_of(step, viewer, letters)
    if record["is_final"] and "region" in record:
        masks, mask_sha256 = cut_to_region(masks, mask_sha256, record, letters)
    if record["is_final"] and len(channels) > 1:
        more["layers"] = names
    return Job(
        data=data,
        fold=Fold(letters, shape),
        options=grid,
        recipe=recipe.replaced(stop_at=first + more_steps),
        source_name=" + ".join(names) if record["is_final"] else record["source"],
        region=region,
        first_step=first,
        noise_scale=next_noise_scale_of(record),
        keep_every=keep_every,
        cast=Cast.recorded(cast) if cast else None,
        origin=origin,
        masks=masks,
        mask_sha256=mask_sha256,
        more=more,
    )


def why_not_continued(run: StepRun) -> str:
    """Return why no more steps can be made from the step that is shown; empty where they can."""
    record = run.record
    recipe = described_recipe(record)
    if record.get("noise_free_run"):
        return "This is a noise-free run: show a step of the run with noise."
    if recipe.num_steps == 1 and recipe.noise is None and isinstance(recipe.filters[0], _DENOISERS):
        return "A denoised image is no step of a loop: denoise its source with another strength."
    if recipe.update == "reverse" and (record["is_final"] or "origin" not in record):
        return "Reverse updates go on from a noisy image, which this layer has not: start again."
    before = run.steps[run.shown - 1].record if run.shown else record
    if record["is_final"] and before["step"] == recipe.total_steps - 1 and not before["is_final"]:
        return f"The final filter ends the run: show step {before['step']:02} to continue the loop."
    return ""


def channels_of(step: ChosenStep, viewer: napari.Viewer) -> list[ChosenStep]:
    """Return a step and, of channels that were diffused together, those of the same step."""
    record = step.record
    if "channel" not in record:
        return [step]
    found = {}
    for layer in viewer.layers:
        for place, other in enumerate(records_of(layer)):
            if _common(other) == _common(record):
                found[other.get("channel")] = ChosenStep(layer, place)
    found[record["channel"]] = step
    for channel, name in enumerate(record["layers"]):
        if channel not in found:
            raise RunError(
                "steps",
                f"Continuing needs all channels of this step, but that of {name!r} was removed.",
            )
    return [found[channel] for channel in range(len(record["layers"]))]


def _common(record: StepRecord) -> Entries:
    """Return what the channels of one step have in common: not what was measured of each."""
    own = ("channel", MEASURES, DOUBTS, RECOMMENDED)
    return {name: each for name, each in record.items() if name not in own}


def _sources(step: ChosenStep, viewer: napari.Viewer) -> tuple[SourceArray, ...]:
    """Return what may be the source of a step: images, or those that were its channels."""
    images = [each for each in viewer.layers if is_image(each) and not each.multiscale]
    if "layers" not in step.record:
        return tuple(each.data for each in images if each is not step.layer)
    named = {each.name: each.data for each in images}
    names = step.record["layers"]
    return (joined([named[name] for name in names]),) if set(names) <= set(named) else ()
