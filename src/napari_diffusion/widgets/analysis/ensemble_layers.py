"""A run with many seeds: a layer of the mean and one of the spread, which grow with the seeds."""

from __future__ import annotations

import contextlib
import weakref
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.analysis.ensemble import Ensemble, Gathering
from napari_diffusion.engine.threads import Stopped
from napari_diffusion.records.derived import ensemble_record
from napari_diffusion.records.provenance import content_hash
from napari_diffusion.widgets.layers.layer_locks import is_locked
from napari_diffusion.widgets.layers.step_layers import Place, image_layer
from napari_diffusion.widgets.layers.step_records import KEY
from napari_diffusion.widgets.results.layer_sink import related_layers
from napari_diffusion.widgets.run.read_layer import (
    as_run_error,
    mask_words,
    read_layer,
    read_mask,
    with_mask,
)
from napari_diffusion.widgets.run.run_request import Message, Resolved, SeedDone

if TYPE_CHECKING:
    from collections.abc import Sequence

    import napari
    from napari.layers import Image
    from numpy.typing import NDArray

    from napari_diffusion.io.step_record import StepRecord
    from napari_diffusion.widgets.layers.layer_style import LayerStyle
    from napari_diffusion.widgets.run.run_request import Job
    from napari_diffusion.widgets.run.worker import Work, Worker


def ensemble_work(job: Job, seeds: int) -> Work:
    """Return the work of an ensemble: `Message`, `Resolved` and, for every seed, `SeedDone`."""

    def work(worker: Worker) -> None:
        with contextlib.suppress(Stopped):
            _run(job, seeds, worker)

    return work


def _run(job: Job, seeds: int, worker: Worker) -> None:
    mask = read_mask(job)
    options = with_mask(job, mask)
    image = read_layer(job, options, worker)
    worker.post(Message("Measuring the image …"))
    region = None if job.region is None else job.fold.region(job.region)
    more = {**job.more, **mask_words(job, mask)}
    known = None if mask is None else {"sha256": content_hash(mask)}
    described = {**job.options, "mask": known}
    with as_run_error("recipe"):
        gathering = Gathering(image, job.recipe, seeds, region=region, stop=worker.stop, **options)
        worker.post(Resolved(gathering.recipe.replaced(seed=job.recipe.seed)))
        for done in gathering.run():
            made = gathering.ensemble()
            records = {}
            for shows in ("mean", "sensitivity"):
                kept = ensemble_record(made, shows, described, job.source_name, **more)
                records[shows] = kept
            worker.post(SeedDone((made, records), done), in_turn=True)
            worker.hold()


class EnsembleLayerSink:
    """Shows the mean of the seeds so far, and above it their spread.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose layers.
    layers : sequence of Image
        The source, one layer for each channel where they are several.
    job : Job
        The run.
    styles : sequence of LayerStyle
        What a step looks like, for each of the layers.
    """

    def __init__(
        self, viewer: napari.Viewer, layers: Sequence[Image], job: Job, styles: Sequence[LayerStyle]
    ) -> None:
        self._viewer = viewer
        self._job = job
        self._styles = styles
        self._names = job.more.get("layers", [job.source_name])
        self._places = [Place(viewer, related_layers(viewer, layer)) for layer in layers]
        self._made: dict[tuple[str, int], weakref.ref[Image]] = {}
        self._count = 0
        for place, style in zip(self._places, styles, strict=True):
            if style.mixes:
                place.cover()

    def grow(self, what: tuple[Ensemble, dict[str, StepRecord]]) -> None:
        """Show what the seeds so far have in common, and how much they differ."""
        ensemble, records = what
        self._count = len(ensemble.seeds)
        step = ensemble.steps[-1]
        for shows, values in (("mean", step.mean), ("sensitivity", step.sensitivity)):
            if values is not None:
                self._show(shows, self._in_layer(shows, values), records[shows])

    def _in_layer(self, shows: str, values: NDArray[Any]) -> NDArray[Any]:
        image = self._job.fold.unfolded(values)
        if self._job.cast is None:
            return image
        if shows == "mean":
            return self._job.cast(image)
        # Of colours one number per pixel: alpha does not vary.
        return np.sqrt(np.mean(np.square(image[..., :3]), axis=-1))

    def _show(self, shows: str, values: NDArray[Any], record: StepRecord) -> None:
        images = [values] if len(self._styles) == 1 else list(values)
        for channel, (name, image) in enumerate(zip(self._names, images, strict=True)):
            known = self._made.get((shows, channel))
            layer = None if known is None else known()
            title = f"{shows} of {self._count} seed{'s' * (self._count > 1)} · {name}"
            if known is None or (layer is not None and is_locked(layer)):
                style = self._styles[channel]
                own = _spread_style(style, image) if shows == "sensitivity" else style
                layer = image_layer(image, title, own, record)
                self._places[channel].insert(layer)
                self._made[shows, channel] = weakref.ref(layer)
            elif layer is not None and layer in self._viewer.layers:
                layer.data, layer.name = image, title
                layer.metadata = {**layer.metadata, KEY: record}
                if shows == "sensitivity":
                    layer.contrast_limits = _limits(image)

    def summary(self) -> str:
        """Return what there is, in words."""
        if not self._count:
            return "no seed"
        words = "mean and sensitivity" if self._count > 1 else "mean"
        return f"{words} of {self._count} seed{'s' * (self._count > 1)}"

    def finish(self) -> None:
        """Show the layers beneath again where nothing was made."""
        for place in self._places:
            place.uncover()


def _spread_style(style: LayerStyle, image: NDArray[Any]) -> LayerStyle:
    """Return the style of a spread, which is no intensity of the source: from 0 up, in colours."""
    own = {"rgb": False, "colormap": "inferno", "contrast_limits": _limits(image)}
    return replace(style, shown={**style.shown, **own, "blending": "translucent"})


def _limits(image: NDArray[Any]) -> tuple[float, float]:
    finite = np.asarray(image)[np.isfinite(image)]
    return 0.0, float(np.percentile(finite, 99.9)) if finite.any() else 1.0
