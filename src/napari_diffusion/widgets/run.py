"""A run of the loop on a snapshot of a layer, as the work of a thread."""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_diffusion.drive import Stopped
from napari_diffusion.loop import steps
from napari_diffusion.picture import Picture
from napari_diffusion.provenance import content_hash, record
from napari_diffusion.recipe import Recipe, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_diffusion.store.cast import Cast
    from napari_diffusion.widgets.layer_axes import Fold
    from napari_diffusion.widgets.layers import Outlet
    from napari_diffusion.widgets.mask import KeptMask, Mask
    from napari_diffusion.widgets.worker import Worker

# As many samples along an axis as the smallest picture needs to compile what the run will use.
_SCRAP = 8


class Said(NamedTuple):
    """What the run is at, in words."""

    words: str


class Resolved(NamedTuple):
    """The recipe with its numbers."""

    recipe: Recipe


class Made(NamedTuple):
    """A step that has been put away, its record, and how many steps have been computed."""

    step: Step
    record: dict[str, Any]
    done: int


class Passed(NamedTuple):
    """How many steps have been computed, the last of which is not kept."""

    done: int


class Refused(Exception):  # noqa: N818
    """A sentence for the user, and the part of the form that it belongs to."""

    def __init__(self, part: str, sentence: str) -> None:
        super().__init__(sentence)
        self.part = part


@dataclass(frozen=True, eq=False)
class Origin:
    """Where steps that cannot be gone on from themselves came from: rounded ones, and regions.

    Attributes
    ----------
    sha256 : str
        Content hash of the source.
    first_step : int
        The step that the source itself was gone on with.
    candidates : tuple of array
        Layers that may still hold the source.
    """

    sha256: str
    first_step: int
    candidates: tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Job:
    """Everything a run needs; nothing in it changes when layers do.

    Attributes
    ----------
    data : array
        What the layer holds: numpy, dask or anything that numpy can read.
    fold : Fold
        How the layer's axes become the loop's.
    options : dict
        The grid keywords of the loop.
    recipe : Recipe
        What to do.
    source_name : str
        Name of the layer.
    region : tuple of slice or None
        One slice per axis of `data`.
    first_step : int
        The step to go on with, `data` being what the step before it made.
    keep_every : int
        Keep each so-manieth step, and the last one.
    cast : Cast or None
        Brings steps back to the source's type.
    lazy : bool
        Leave dask arrays lazy: steps are computed where they are looked at.
    origin : Origin or None
        Start from there where it is still to be found.
    masks : tuple of Mask
        Where the picture may change; of several, the first that has the hash asked for.
    mask_sha256 : str or None
        Hash of the mask of the run that is gone on with.
    more : dict
        Further entries of the records.
    """

    data: Any
    fold: Fold
    options: dict[str, Any]
    recipe: Recipe
    source_name: str
    region: tuple[slice, ...] | None = None
    first_step: int = 0
    keep_every: int = 1
    cast: Cast | None = None
    lazy: bool = False
    origin: Origin | None = None
    masks: tuple[Mask | KeptMask, ...] = ()
    mask_sha256: str | None = None
    more: dict[str, Any] = field(default_factory=dict)

    @functools.cached_property
    def kept(self) -> frozenset[int]:
        """The indices of the steps that are kept; the final filter's is total_steps."""
        return frozenset(kept_steps(self.recipe, self.keep_every, self.first_step))


def kept_steps(recipe: Recipe, keep_every: int = 1, first_step: int = 0) -> list[int]:
    """Return the indices of the steps of a run that are kept; the last one always is.

    Without a final filter the final step equals the one before and is left out.
    """
    total = recipe.total_steps
    indices = [i for i in range(first_step, total) if not i % keep_every or i == total - 1]
    return indices if recipe.final_filter is None else [*indices, total]


def work_of(job: Job, outlet: Outlet) -> Any:
    """Return the work of a run: it posts `Said`, `Resolved` and `Made`."""

    def work(worker: Worker) -> None:
        # A run that was asked to stop has come to its end.
        with contextlib.suppress(Stopped):
            _run(job, outlet, worker)

    return work


def estimate_of(job: Job) -> Any:
    """Return the work that turns every "auto" of a recipe into its number: it posts `Resolved`."""

    def work(worker: Worker) -> None:
        mask = _mask(job)
        options = _options(job, mask)
        image = _read(job, options, worker)
        worker.post(Said("Measuring the picture …"))
        with _refusing("recipe"):
            worker.post(Resolved(job.recipe.resolved(image, **options)))

    return work


def _run(job: Job, outlet: Outlet, worker: Worker) -> None:
    outlet.mask = mask = _mask(job)
    options = _options(job, mask)
    image, first_step, more = _start(job, options, worker)
    worker.post(Said("Preparing (first run compiles, which takes a while) …"))
    _warm(image, job, mask)
    worker.post(Said("Measuring the picture …"))
    with _refusing("recipe"):
        recipe = job.recipe.resolved(image, **options)
    worker.post(Resolved(recipe))
    region = None if job.region is None else job.fold.region(job.region)
    more = {**job.more, **more, **_mask_words(job, mask)}
    made = steps(image, recipe, region=region, first_step=first_step, stop=worker.stop, **options)
    with _refusing("recipe"):
        for step in made:
            done = max(step.index + 1 - job.first_step, 0)
            if step.index in job.kept:
                kept = record(recipe, step, options, job.source_name, first_step, **more)
                shown = outlet.keep(_finished(step, job))
                worker.post(Made(shown, kept, done), in_turn=outlet.in_turn)
            else:
                worker.post(Passed(done))
            worker.hold()


def _start(job: Job, options: dict[str, Any], worker: Worker) -> tuple[Any, int, dict[str, Any]]:
    """Return the image to start from, the step to go on with, and what the records say of it."""
    if job.origin is None:
        image = _read(job, options, worker)
        if job.lazy or (job.cast is None and job.region is None):
            return image, job.first_step, {}
        origin = {"sha256": content_hash(job.fold.unfolded(image)), "first_step": job.first_step}
        return image, job.first_step, {"origin": origin}
    worker.post(Said("Looking for the source …"))
    kept = {"sha256": job.origin.sha256, "first_step": job.origin.first_step}
    for data in job.origin.candidates:
        array = np.array(data)
        if content_hash(array) == job.origin.sha256:
            return job.fold.folded(array), job.origin.first_step, {"origin": kept}
    if job.region is not None:
        raise Refused(
            "steps",
            f"This layer holds a region only, and going on needs the whole of "
            f"{job.source_name!r} as it was: open it again.",
        )
    image = _read(job, options, worker)
    rounded = {"sha256": content_hash(job.fold.unfolded(image)), "first_step": job.first_step}
    return image, job.first_step, {"origin": rounded, "started_from_rounded": True}


def _read(job: Job, options: dict[str, Any], worker: Worker) -> Any:
    """Return a copy of the layer's values, which nobody changes, or refuse it in a sentence."""
    worker.post(Said("Reading the layer …"))
    data = job.data if job.lazy else np.array(job.data)
    image = job.fold.folded(data)
    _check_holes(image, job, options)
    with _refusing("source"):
        Picture.of(image, **options)
    return image


def _check_holes(image: Any, job: Job, options: dict[str, Any]) -> None:
    if job.lazy or image.dtype.kind != "f" or options.get("missing") == "ignore":
        return
    holes = ~np.isfinite(image)
    if "mask" in options:
        holes &= options["mask"][..., None] if options["rgb"] else options["mask"]
    if count := int(np.count_nonzero(holes)):
        raise Refused(
            "holes",
            f"{job.source_name!r} has {count} values that are NaN or infinite: keep them as holes "
            "that nothing flows through, or fill them first.",
        )


def _finished(step: Step, job: Job) -> Step:
    image: Any = job.fold.unfolded(step.image)
    if job.cast is not None:
        image = job.cast(image)
    return Step(step.index, step.noise_scale, image, step.is_final)


def _mask(job: Job) -> Any:
    """Return the mask in the loop's axes, None where the picture may change everywhere."""
    if not job.masks and job.mask_sha256 is None:
        return None
    for mask in job.masks:
        try:
            inside = mask.folded(job.fold, bool(job.options.get("rgb")))
        except ValueError as error:
            if job.mask_sha256 is None:
                raise Refused("source", str(error)) from None
            continue
        if job.mask_sha256 is None and not inside.any():
            raise Refused(
                "source", f"The mask {mask.name!r} is empty: nothing of the picture would change."
            )
        if job.mask_sha256 in (None, content_hash(inside)):
            return inside
    name = job.more.get("mask", {}).get("layer", "mask")
    raise Refused(
        "steps",
        f"The mask {name!r} of this run is not among the layers any more as it was, and going on "
        "needs it: open it again.",
    )


def _mask_words(job: Job, mask: Any) -> dict[str, Any]:
    if mask is None:
        return {}
    name = job.more["mask"]["layer"] if "mask" in job.more else job.masks[0].name
    return {"mask": {"layer": name, "inside": int(np.count_nonzero(mask))}}


def _options(job: Job, mask: Any) -> dict[str, Any]:
    """Return the grid keywords of the loop, the mask among them."""
    return job.options if mask is None else {**job.options, "mask": mask}


def _warm(image: Any, job: Job, mask: Any) -> None:
    """Compile what the run will use on a scrap of the picture, so that the run itself is quick."""
    letters = job.options["axes"]
    part = tuple(slice(None) if letter == "c" else slice(_SCRAP) for letter in letters)
    scrap = np.array(image[part])
    options = job.options
    if mask is not None:
        options = {**options, "mask": np.ones(scrap.shape[: mask.ndim], bool)}
    recipe = job.recipe.replaced(num_steps=len(job.recipe.filters), stop_at=None)
    # What is wrong with the scrap is wrong with the picture, and said there.
    with contextlib.suppress(ValueError, TypeError):
        for _ in steps(scrap, recipe, **options):
            pass


@contextlib.contextmanager
def _refusing(part: str) -> Iterator[None]:
    try:
        yield
    except (ValueError, TypeError) as error:
        raise Refused(part, str(error)) from error
    except MemoryError as error:
        raise Refused("memory", f"There is not enough memory for this run. {error}") from error
