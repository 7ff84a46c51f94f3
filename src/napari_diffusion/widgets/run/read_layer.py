"""What a run reads before it begins: the layer and the mask, neither of which it changes."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.image import Image
from napari_diffusion.core.no_data import is_present
from napari_diffusion.records.provenance import content_hash
from napari_diffusion.widgets.run.run_request import Message, RunError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_diffusion.widgets.layers.step_records import Entries, GridKeywords
    from napari_diffusion.widgets.run.run_request import Job
    from napari_diffusion.widgets.run.worker import Worker


def read_start(
    job: Job, options: GridKeywords, worker: Worker
) -> tuple[NDArray[Any], int, Entries]:
    """Return the image to start from, the step to go on with, and what the records say of it."""
    is_reverse = job.recipe.update == "reverse"
    if job.origin is None:
        image = read_layer(job, options, worker)
        if job.lazy or (job.cast is None and job.region is None and not is_reverse):
            return image, job.first_step, {}
        origin = {"sha256": content_hash(job.fold.unfolded(image)), "first_step": job.first_step}
        return image, job.first_step, {"origin": origin}
    worker.post(Message("Looking for the source …"))
    kept = {"sha256": job.origin.sha256, "first_step": job.origin.first_step}
    for data in job.origin.candidates:
        array = np.array(data)
        if content_hash(array) == job.origin.sha256:
            return job.fold.folded(array), job.origin.first_step, {"origin": kept}
    if job.region is not None:
        raise RunError(
            "steps",
            "This layer is only a region, and continuing needs all of "
            f"{job.source_name!r}, unchanged: open it again.",
        )
    if is_reverse:
        raise RunError(
            "steps",
            "Reverse updates go on from a noisy image, which is made again from "
            f"{job.source_name!r}, unchanged: open it again.",
        )
    image = read_layer(job, options, worker)
    rounded = {"sha256": content_hash(job.fold.unfolded(image)), "first_step": job.first_step}
    return image, job.first_step, {"origin": rounded, "started_from_rounded": True}


def read_layer(job: Job, options: GridKeywords, worker: Worker) -> NDArray[Any]:
    """Return a private copy of the layer's values; `RunError` says what is wrong with them."""
    array = _copied(job, options, worker)
    with as_run_error("source"):
        Image.of(array, **options)
    return array


def read_image(job: Job, options: GridKeywords, worker: Worker) -> Image:
    """Return the layer as the engine reads it; `RunError` says what is wrong with it."""
    array = _copied(job, options, worker)
    with as_run_error("source"):
        return Image.of(array, **options)


def _copied(job: Job, options: GridKeywords, worker: Worker) -> NDArray[Any]:
    worker.post(Message("Reading the layer …"))
    array = job.fold.folded(job.data if job.lazy else np.array(job.data))
    _check_holes(array, job, options)
    return array


def _check_holes(image: NDArray[Any], job: Job, options: GridKeywords) -> None:
    if job.lazy or image.dtype.kind != "f" or options.get("missing") == "ignore":
        return
    holes = ~is_present(image)
    if "mask" in options:
        holes &= options["mask"][..., None] if options["rgb"] else options["mask"]
    if count := int(np.count_nonzero(holes)):
        raise RunError(
            "holes",
            f"{job.source_name!r} has {count} missing value{'s' * (count > 1)} (NaN, infinite or a "
            "mark of no data): treat them as missing, or fill them first.",
        )


def read_mask(job: Job) -> NDArray[np.bool_] | None:
    """Return the mask in the loop's axes, None where the image may change everywhere."""
    if not job.masks and job.mask_sha256 is None:
        return None
    for mask in job.masks:
        try:
            inside = mask.folded(job.fold, bool(job.options.get("rgb")))
        except ValueError as error:
            if job.mask_sha256 is None:
                raise RunError("source", str(error)) from None
            continue
        if job.mask_sha256 is None and not inside.any():
            raise RunError("source", f"The mask {mask.name!r} {_nothing_words(job)}.")
        if job.mask_sha256 in (None, content_hash(inside)):
            return inside
    name = job.more.get("mask", {}).get("layer", "mask")
    raise RunError(
        "steps",
        f"The mask {name!r} of this run was removed or changed: open it again.",
    )


def _nothing_words(job: Job) -> str:
    if job.recipe.measurement is None:
        return "is empty: no pixel would change"
    return "covers the whole image: nothing is left to restore it from"


def mask_words(job: Job, mask: NDArray[np.bool_] | None) -> Entries:
    """Return what the records hold of a mask besides its hash."""
    if mask is None:
        return {}
    name = job.more["mask"]["layer"] if "mask" in job.more else job.masks[0].name
    return {"mask": {"layer": name, "inside": int(np.count_nonzero(mask))}}


def with_mask(job: Job, mask: NDArray[np.bool_] | None) -> GridKeywords:
    """Return the grid keywords of the loop, the mask among them."""
    return job.options if mask is None else {**job.options, "mask": mask}


@contextlib.contextmanager
def as_run_error(part: str) -> Iterator[None]:
    """Turn what the engine raises into a sentence for a part of the form."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise RunError(part, str(error)) from error
    except MemoryError as error:
        raise RunError("memory", f"Not enough memory for this run. {error}") from error
