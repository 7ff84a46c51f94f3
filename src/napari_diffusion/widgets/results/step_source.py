"""What a step was made from, found among the layers again: the whole source, and its mask."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.io.cast import Cast
from napari_diffusion.records.provenance import unmasked_grid_of
from napari_diffusion.widgets.layers.channels import joined, sizes
from napari_diffusion.widgets.layers.layer_axes import Fold
from napari_diffusion.widgets.layers.layer_style import LayerStyle
from napari_diffusion.widgets.layers.layer_values import values
from napari_diffusion.widgets.layers.mask import KeptMask, Mask, can_be_mask, mask_of
from napari_diffusion.widgets.layers.source_layers import is_image
from napari_diffusion.widgets.layers.step_records import (
    MASK_KEY,
    is_stack,
    letters_of,
    records_of,
    source_of,
)
from napari_diffusion.widgets.recipe.code_consent import recipe_with_consent
from napari_diffusion.widgets.run.read_layer import read_mask, with_mask
from napari_diffusion.widgets.run.run_request import Job, RunError

if TYPE_CHECKING:
    import napari
    from napari.layers import Image
    from numpy.typing import NDArray

    from napari_diffusion.io.step_record import StepRecord
    from napari_diffusion.widgets.layers.step_records import GridKeywords
    from napari_diffusion.widgets.results.chosen_step import ChosenStep


#: What the records of further results of a run have in common with those of its steps.
_COMMON = (
    "cast", "layer_axes", "layers", "mask", "region", "source_processed", "source_shape",
)  # fmt: skip


def rerun_job(step: ChosenStep, viewer: napari.Viewer) -> Job:
    """Return the run that a step is of, from its whole source; `RunError` says what is missing."""
    record = step.record
    data = joined([values(layer) for layer in source_layers(step, viewer)])
    letters = letters_of(record)
    region, cast = record.get("region"), record.get("cast")
    masks, mask_sha256 = masks_of(step, viewer, letters)
    return Job(
        data=data,
        fold=Fold(letters, tuple(data.shape)),
        options=unmasked_grid_of(record),
        recipe=recipe_with_consent(record),
        source_name=record["source"],
        region=None if region is None else tuple(slice(*ends) for ends in region),
        cast=Cast.recorded(cast) if cast else None,
        masks=masks,
        mask_sha256=mask_sha256,
        more={
            **{name: each for name, each in record.items() if name in _COMMON},
            "unit": record["grid"].get("unit"),
        },
    )


def source_layers(step: ChosenStep, viewer: napari.Viewer) -> list[Image]:
    """Return the layers that a step was made from, one for each channel."""
    return [_source_named(name, step, viewer) for name in _names(step.record)]


def source_styles(step: ChosenStep, viewer: napari.Viewer) -> list[LayerStyle]:
    """Return what results of a step's run look like, for each of its source layers."""
    record, layers = step.record, source_layers(step, viewer)
    many = "channel" in record
    starts = tuple(int(first) for first, _ in record.get("region", ()))[many:]
    return [
        LayerStyle.of(layer).moved(starts[: layer.ndim] or (0,) * layer.ndim) for layer in layers
    ]


def _names(record: StepRecord) -> list[str]:
    """Return the names of the layers that a step was made from, one for each channel."""
    return [str(n) for n in record["layers"]] if "channel" in record else [source_of(record)]


def _source_named(name: str, step: ChosenStep, viewer: napari.Viewer) -> Image:
    record = step.record
    wanted = tuple(record.get("source_shape", ()))[("channel" in record) :]
    wanted = wanted or tuple(np.shape(step.data))
    for layer in viewer.layers:
        if layer.name != name or not is_image(layer) or is_stack(layer):
            continue
        # A step that has been given its source's name is none, unless the source was one too.
        own = not records_of(layer) or record.get("source_processed")
        if own and tuple(values(layer).shape) == wanted:
            return layer
    raise RunError(
        "steps",
        f"The source {name!r} was removed or changed: open it again under that name.",
    )


def arguments_of(job: Job) -> tuple[NDArray[Any], GridKeywords]:
    """Return the source as the engine takes it, and its options; any thread may call it."""
    options = with_mask(job, read_mask(job))
    if job.region is not None:
        options = {**options, "region": job.fold.region(job.region)}
    return np.asarray(job.fold.folded(np.asarray(job.data))), options


def on_source_grid(job: Job, data: NDArray[Any], name: str) -> NDArray[Any]:
    """Return a layer's values as the engine compares them with the source of a run.

    A layer that is as large as the region of the run is taken to lie there.
    """
    given, whole = np.shape(data), job.fold.shape
    if given != whole:
        here = job.region
        sides = () if here is None else tuple(part.stop - part.start for part in here)
        if here is None or given != sides:
            raise ValueError(
                f"{name!r} is {sizes(given)}, but the source is {sizes(whole)}: choose a "
                "layer of the same size."
            )
        larger = np.zeros(whole, np.asarray(data).dtype)
        larger[here] = data
        data = larger
    return job.fold.folded(np.asarray(data))


def masks_of(
    step: ChosenStep, viewer: napari.Viewer, letters: str
) -> tuple[tuple[Mask | KeptMask, ...], str | None]:
    """Return what may be the mask of a step's run, and the hash that tells which of them is."""
    record, kept = step.record, step.layer.metadata.get(MASK_KEY)
    if "mask" not in record["grid"]:
        return (), None
    name = record.get("mask", {}).get("layer", "mask")
    if kept is not None:
        return (KeptMask(name, kept),), record["grid"]["mask"]["sha256"]
    masks, restores = [], bool(record.get("recipe", {}).get("measurement"))
    named = [each for each in viewer.layers if each.name == source_of(record)]
    for source in filter(is_image, named):
        for layer in sorted(viewer.layers, key=lambda layer: layer.name != name):
            with contextlib.suppress(ValueError):
                if can_be_mask(layer, source):
                    own = letters[1:] if "channel" in record else letters
                    masks.append(mask_of(layer, source, own).of_run(restores))
    return tuple(masks), record["grid"]["mask"]["sha256"]


def cut_to_region(
    masks: tuple[Mask | KeptMask, ...], sha256: str | None, record: StepRecord, letters: str
) -> tuple[tuple[Mask | KeptMask, ...], str | None]:
    """Return a kept mask for a result that is a source of its own, of a part of the image."""
    kept = [mask for mask in masks if isinstance(mask, KeptMask)]
    if not kept:
        return masks, sha256
    fold = Fold(letters, tuple(record["source_shape"]))
    parts = fold.region(tuple(slice(*ends) for ends in record["region"]))
    colours = record["grid"]["rgb"]
    here = tuple(p for p, axis in zip(parts, fold.axes, strict=True) if axis != "c" or not colours)
    return (KeptMask(kept[0].name, kept[0].inside[here]),), None
