"""A recipe run on a source, on changed copies of it and on halves, for metrics to measure."""

from __future__ import annotations

import collections
import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_diffusion.analysis.measured_run import MeasuredRun, middle
from napari_diffusion.analysis.part_sampling import have_parts, parts_of
from napari_diffusion.analysis.source_noise import SourceNoise
from napari_diffusion.core.image import Image, is_dask
from napari_diffusion.engine.perturbation import masked, perturbed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.analysis.source_noise import GivenSigma
    from napari_diffusion.core.grid import GridOptions
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.estimate import NoiseModel
    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.metrics import Metric, View

Halves = Literal["frames"]

# In smaller images one perturbation is too few: chance would choose the step.
FEW = 1 << 17

# Offset of the seeds of a second half from those of a first one and of many runs.
OTHER_SEEDS = 1 << 32


@dataclass(frozen=True, eq=False)
class Trial:
    """An image that was read in, its resolved recipe, and the runs on it and on changed copies.

    Attributes
    ----------
    whole : MeasuredRun
        The run on the source.
    halves : tuple of two MeasuredRun or None
        The runs on two independent acquisitions of the same scene.
    reference : ndarray or None
        The ground truth, canonical.
    noise : SourceNoise
        The noise of the source.
    """

    whole: MeasuredRun
    halves: tuple[MeasuredRun, MeasuredRun] | None
    reference: NDArray[Any] | None
    noise: SourceNoise

    @classmethod
    def of(
        cls,
        image: ArrayLike | Image,
        recipe: Recipe,
        options: GridOptions,
        *,
        reference: ArrayLike | None = None,
        second: ArrayLike | None = None,
        halves: Halves | None = None,
        noise_sigma: GivenSigma | None = None,
        noise_model: NoiseModel | None = None,
        region: tuple[slice, ...] | None = None,
        parts: bool = False,
        stop: StopToken | None = None,
    ) -> Trial:
        """Read an image in; see `best_step` for the parameters.

        With `parts` a large image is tried on `parts_of` it alone.
        """
        shape = None if isinstance(image, Image) else np.shape(image)
        source = Image.of(image, **options)
        if is_dask(source.data):
            raise ValueError(
                "Steps are compared in memory: give image.compute(), or a part of the image."
            )
        truth, another = (
            None if other is None else _beside(source, shape, other, name, options)
            for name, other in (("reference", reference), ("second image", second))
        )
        recipe = recipe.resolved_on(source)
        noise = SourceNoise.of(source, noise_sigma, noise_model)
        parts = parts and noise.map is None
        if parts and region is None and halves is None and have_parts(source, recipe):
            source = parts_of(source)
            truth, another = (None if p is None else parts_of(p) for p in (truth, another))
        core = source.grid.canonical_slices(region or middle(source))
        whole = MeasuredRun(source, recipe, core, stop)
        pair = None if another is None else (whole, _other(whole, another))
        return cls(
            whole,
            _of_frames(whole, halves, second) or pair,
            None if truth is None else truth.data,
            dataclasses.replace(noise, image=source),
        )

    def with_recipe(self, recipe: Recipe) -> Trial:
        """Return this trial, without halves, of another resolved recipe."""
        return dataclasses.replace(self, whole=self.whole.with_recipe(recipe), halves=None)

    def with_seed(self, seed: int) -> Trial:
        """Return this trial with another random seed in its recipe."""
        if seed == self.whole.recipe.seed:
            return self

        def reseeded(run: MeasuredRun, by: int = 0) -> MeasuredRun:
            return run.with_recipe(run.recipe.replaced(seed=(seed + by) % 2**64))

        whole, halves = reseeded(self.whole), None
        if self.halves is not None:
            first = whole if self.halves[0] is self.whole else reseeded(self.halves[0])
            halves = first, reseeded(self.halves[1], OTHER_SEEDS)
        return dataclasses.replace(self, whole=whole, halves=halves)

    def last_views(self, metrics: Sequence[Metric]) -> dict[str, View]:
        """Return the `views` of the last step; no other step is kept."""
        return collections.deque(self.views(metrics), maxlen=1).pop()

    def views(self, metrics: Sequence[Metric]) -> Iterator[dict[str, View]]:
        """Yield what the metrics see of the source and of every step, by the probe they need."""
        source = self._view_of_source(metrics)
        changed = self._changed({str(metric.probe) for metric in metrics})
        halves = self.halves if any(metric.needs_halves for metric in metrics) else None
        core = self.whole.core
        runs = [self.whole.images(self.whole.image.data)]
        runs += [self.whole.images(values) for values, _ in changed.values()]
        first = [self.whole.source, *(values[core] for values, _ in changed.values())]
        for half in halves or ():
            if half is not self.whole:
                runs.append(half.images(half.image.data))
                first.append(half.source)
        for images in (first, *zip(*runs, strict=True)):
            pair = None if halves is None else self._pair(halves, images)
            plain = dataclasses.replace(source, image=images[0], halves=pair)
            answers = {
                name: (image, change[core])
                for (name, (_, change)), image in zip(changed.items(), images[1:], strict=False)
            }
            yield {"": plain, **_probed(plain, answers)}

    def _view_of_source(self, metrics: Sequence[Metric]) -> View:
        """Return what views of all steps have in common, as far as a metric needs it."""
        needs = {metric.needs_noise for metric in metrics}
        view = self.whole.view(self.whole.source)
        if self.reference is not None:
            view = dataclasses.replace(view, reference=self.reference[self.whole.core])
        if needs - {""}:
            view = dataclasses.replace(view, noise_sigma=self.noise.sigma)
        if needs - {""} and self.noise.map is not None:
            whole = np.broadcast_to(self.noise.map, self.noise.image.data.shape)
            view = dataclasses.replace(view, noise_map=whole[self.whole.core])
        if "model" in needs:
            known = self.noise
            view = dataclasses.replace(view, models=known.models, white=known.is_white)
        return view

    def _changed(self, probes: set[str]) -> dict[str, tuple[NDArray[Any], NDArray[Any]]]:
        """Return the changed copies of the source, and the changes."""
        image, found = self.whole.image, {}
        if "masked" in probes:
            found["masked"] = masked(image)
        if "perturbed" in probes:
            sigmas = np.array(self.noise.sigma) if self.noise.map is None else self.noise.map
            found["perturbed"] = perturbed(image, sigmas)
            if self.whole.source.size < FEW:
                found["perturbed again"] = perturbed(image, sigmas, turn=1)
        return found

    def _pair(
        self, halves: tuple[MeasuredRun, MeasuredRun], images: Sequence[NDArray[Any]]
    ) -> tuple[View, View]:
        one, other = halves
        return one.view(images[0] if one is self.whole else images[-2]), other.view(images[-1])


def _probed(plain: View, answers: dict[str, tuple[NDArray[Any], NDArray[Any]]]) -> dict[str, View]:
    """Return a step beside what it made of the changed copies, by the name of the change."""
    views: dict[str, View] = {
        name: dataclasses.replace(plain, probed=answers[name][0], probe=answers[name][1])
        for name in ("perturbed", "masked")
        if name in answers
    }
    if "perturbed again" in answers:
        again = answers["perturbed again"]
        views["perturbed"] = dataclasses.replace(views["perturbed"], again=again)
    return views


def _beside(
    image: Image,
    shape: tuple[int, ...] | None,
    other: ArrayLike,
    name: str,
    options: GridOptions,
) -> Image:
    """Read an image that is compared with the source; refuse one that does not fit."""
    if shape is not None and np.shape(other) != shape:
        raise ValueError(f"The {name} must have the image's shape {shape} (got {np.shape(other)}).")
    found = Image.of(other, **options)
    if found.grid.shape != image.grid.shape:
        raise ValueError(
            f"The {name} must have the image's shape {image.grid.shape} along t, c, z, y, x "
            f"(got {found.grid.shape})."
        )
    if found.mask is not None and np.any(~found.mask & (image.mask is None or image.mask)):
        raise ValueError(
            f"The {name} has missing values where the image has none: exclude them with mask=."
        )
    return found


def _other(first: MeasuredRun, image: Image) -> MeasuredRun:
    """Return the run on the second of two halves: the same parameters, other random numbers."""
    recipe = first.recipe.replaced(seed=(first.recipe.seed + OTHER_SEEDS) % 2**64)
    return dataclasses.replace(first, image=image, recipe=recipe, known={})


def _of_frames(
    whole: MeasuredRun, halves: Halves | None, second: ArrayLike | None
) -> tuple[MeasuredRun, MeasuredRun] | None:
    """Return the runs on frames 0, 2, 4, … and 1, 3, 5, … of an image, as many of each."""
    if halves is None:
        return None
    image, count = whole.image, whole.image.grid.shape[0] // 2
    if str(halves) != "frames" or second is not None:
        raise ValueError(
            f"halves must be 'frames', and cannot be combined with second=… (got {halves!r})."
        )
    if count == 0:
        raise ValueError(
            "halves='frames' needs 2 frames or more along t (got "
            f"{image.grid.shape[0]}, axes {image.grid.axes!r}): give second=…, an independent "
            "acquisition of the same scene."
        )
    grid = image.grid
    lengths = zip(grid.along, grid.spacing, strict=True)
    grid = dataclasses.replace(
        grid,
        shape=(count, *grid.shape[1:]),
        spacing=tuple(2 * length if axis == "t" else length for axis, length in lengths),
    )
    parts = [
        Image(
            np.ascontiguousarray(image.data[k : 2 * count : 2]),
            grid,
            None if image.mask is None else np.ascontiguousarray(image.mask[k : 2 * count : 2]),
        )
        for k in (0, 1)
    ]
    start = min(whole.core[0].start // 2, count - 1)
    stop = min(max(whole.core[0].stop // 2, start + 1), count)
    core = (slice(start, stop), *whole.core[1:])
    one = dataclasses.replace(whole, image=parts[0], core=core, known={})
    return one, _other(one, parts[1])
