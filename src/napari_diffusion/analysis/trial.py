"""A recipe tried on a source, on changed copies of it and on halves, for metrics to see."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_diffusion.analysis.measured_run import MeasuredRun, middle, middle_of
from napari_diffusion.analysis.part_sampling import have_parts, parts_of
from napari_diffusion.core.image import Image, is_dask
from napari_diffusion.engine.perturbation import masked, perturbed
from napari_diffusion.estimate.noise_measurement import of_image
from napari_diffusion.estimate.noise_sigma import is_measured, noise_sigma_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.core.grid import GridOptions
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.estimate import NoiseModel
    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.metrics import Metric, View

Halves = Literal["frames"]

# In smaller images one perturbation is too few: chance would choose the step.
FEW = 1 << 17

# Seeds of the noise of a second half, beside those of a first one and of many runs.
OTHER_SEEDS = 1 << 32


@dataclass(frozen=True, eq=False)
class Trial:
    """A source read in, its resolved recipe, and the runs on it and on changed copies of it.

    Attributes
    ----------
    whole : Subject
        The source.
    halves : tuple of two Subject or None
        Two independent images of the same thing.
    reference : ndarray or None
        The ground truth, canonical.
    given : float, tuple of float or None
        Standard deviation of the noise, where it was given.
    model : NoiseModel or None
        All that is known of the noise, where it was given.
    """

    whole: MeasuredRun
    halves: tuple[MeasuredRun, MeasuredRun] | None
    reference: NDArray[Any] | None
    given: float | tuple[float, ...] | None
    model: NoiseModel | None = None

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
        noise_sigma: float | tuple[float, ...] | None = None,
        noise_model: NoiseModel | None = None,
        region: tuple[slice, ...] | None = None,
        parts: bool = False,
        stop: StopToken | None = None,
    ) -> Trial:
        """Read a source in; see `best_step` for the parameters.

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
        if parts and region is None and halves is None and have_parts(source, recipe):
            source = parts_of(source)
            truth, another = (None if p is None else parts_of(p) for p in (truth, another))
        core = source.grid.canonical_slices(region or middle(source))
        whole = MeasuredRun(source, recipe, core, stop)
        pair = None
        if another is not None:
            pair = whole, _other(whole, another)
        return cls(
            whole,
            _of_frames(whole, halves, second) or pair,
            None if truth is None else truth.data,
            _checked_sigma(noise_sigma, source),
            noise_model,
        )

    @functools.cached_property
    def sigma(self) -> float | tuple[float, ...]:
        """Standard deviation of the noise, of each channel where there are many."""
        if self.given is not None:
            return self.given
        if self.model is not None:
            return self.model.sigma
        image = self.whole.image
        if image.grid.shape[1] == 1 and is_measured(image):
            return noise_sigma_of(image)
        found = [noise_sigma_of(channel) for channel in self._middle]
        if not all(found):
            # The mask may leave the middle out, or that is empty.
            found = [noise_sigma_of(channel) for channel in image.channels()]
        return found[0] if len(found) == 1 else tuple(found)

    @functools.cached_property
    def models(self) -> tuple[NoiseModel, ...]:
        """What the middle tells of the noise of each channel; empty where it is too small."""
        if self.model is not None:
            return (self.model,) * self.whole.image.grid.shape[1]
        try:
            return tuple(of_image(each, None) for each in self._middle)
        except ValueError:
            return ()

    @functools.cached_property
    def _middle(self) -> tuple[Image, ...]:
        """Each channel of the middle: enough to measure noise in."""
        return tuple(middle_of(self.whole.image))

    def with_seed(self, seed: int) -> Trial:
        """Return this trial with other noise in its recipe; what was measured stays."""
        if seed == self.whole.recipe.seed:
            return self

        def reseeded(measured_run: MeasuredRun, by: int = 0) -> MeasuredRun:
            recipe = measured_run.recipe.replaced(seed=(seed + by) % 2**64)
            return dataclasses.replace(measured_run, recipe=recipe)

        whole, halves = reseeded(self.whole), None
        if self.halves is not None:
            first = whole if self.halves[0] is self.whole else reseeded(self.halves[0])
            halves = first, reseeded(self.halves[1], OTHER_SEEDS)
        other = dataclasses.replace(self, whole=whole, halves=halves)
        vars(other).update({k: v for k, v in vars(self).items() if k in ("sigma", "models")})
        return other

    def views(self, metrics: Sequence[Metric]) -> Iterator[dict[str, View]]:
        """Yield what the metrics see of the source and of every step, by the probe they need."""
        about = self._about(metrics)
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
            about["halves"] = None if halves is None else self._pair(images)
            answers = {
                name: (image, change[core])
                for (name, (_, change)), image in zip(changed.items(), images[1:], strict=False)
            }
            views = {"": self.whole.view(images[0], **about)}
            for probe in {"perturbed", "masked"} & set(answers):
                probed, change = answers[probe]
                more = {**about, "probed": probed, "probe": change}
                if probe == "perturbed":
                    more["again"] = answers.get("perturbed again")
                views[probe] = self.whole.view(images[0], **more)
            yield views

    def _about(self, metrics: Sequence[Metric]) -> dict[str, Any]:
        """Return what views of all steps have in common, as far as a metric needs it."""
        needs = {metric.needs_noise for metric in metrics}
        reference = None if self.reference is None else self.reference[self.whole.core]
        about: dict[str, Any] = {"reference": reference}
        if needs - {""}:
            about["noise_sigma"] = self.sigma
        if "model" in needs:
            about["models"] = self.models
            about["white"] = all(model.is_white for model in self.models)
        return about

    def _changed(self, probes: set[str]) -> dict[str, tuple[NDArray[Any], NDArray[Any]]]:
        """Return the changed copies of the source, and the changes."""
        image, found = self.whole.image, {}
        if "masked" in probes:
            found["masked"] = masked(image)
        if "perturbed" in probes:
            sigmas = np.array(self.sigma)
            found["perturbed"] = perturbed(image, sigmas)
            if self.whole.source.size < FEW:
                found["perturbed again"] = perturbed(image, sigmas, turn=1)
        return found

    def _pair(self, images: Sequence[NDArray[Any]]) -> tuple[View, View]:
        assert self.halves is not None
        one, other = self.halves
        return one.view(images[0] if one is self.whole else images[-2]), other.view(images[-1])


def _beside(
    image: Image,
    shape: tuple[int, ...] | None,
    other: ArrayLike,
    name: str,
    options: GridOptions,
) -> Image:
    """Return an image that is compared with the image, read in; refuse one that does not fit."""
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
            f"The {name} has holes where the image has none: leave those places out with mask=."
        )
    return found


def _other(first: MeasuredRun, image: Image) -> MeasuredRun:
    """Return the second of two halves: the same numbers, but noise of its own."""
    recipe = first.recipe.replaced(seed=(first.recipe.seed + OTHER_SEEDS) % 2**64)
    return dataclasses.replace(first, image=image, recipe=recipe, known={})


def _of_frames(
    whole: MeasuredRun, halves: Halves | None, second: Any
) -> tuple[MeasuredRun, MeasuredRun] | None:
    """Return the frames 0, 2, 4, … and 1, 3, 5, … of an image, as many of each."""
    if halves is None:
        return None
    image, count = whole.image, whole.image.grid.shape[0] // 2
    if str(halves) != "frames" or second is not None:
        raise ValueError(
            f"halves must be 'frames', and not together with second=… (got {halves!r})."
        )
    if count == 0:
        raise ValueError(
            "halves='frames' needs 2 frames or more along t (got "
            f"{image.grid.shape[0]}, axes {image.grid.axes!r}): give second=…, another image "
            "of the same thing."
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


def _checked_sigma(given: Any, image: Image) -> float | tuple[float, ...] | None:
    if given is None:
        return None
    sigmas = np.atleast_1d(np.asarray(given, float))
    channels = image.grid.shape[1]
    if sigmas.shape not in ((1,), (channels,)) or not (sigmas >= 0).all():
        raise ValueError(
            f"noise_sigma must be a number of 0 or more, or one for each of {channels} channels "
            f"(got {given!r})."
        )
    return float(sigmas[0]) if sigmas.size == 1 else tuple(float(each) for each in sigmas)
