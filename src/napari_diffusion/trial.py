"""A recipe tried on a source, and on changed copies of it, for metrics to see."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.estimate import noise_model
from napari_diffusion.estimate.noise_sigma import noise_sigma_of
from napari_diffusion.loop import steps
from napari_diffusion.metrics import View
from napari_diffusion.picture import Picture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.drive import StopToken
    from napari_diffusion.grid import GridOptions
    from napari_diffusion.recipe import Recipe

# Larger pictures are judged by a part of so many samples in their middle.
SAMPLES = 1 << 20

# Size of the perturbation over the noise.
PERTURBATION = 0.02

# Every so many samples along each axis one is hidden.
LATTICE = 4

# The variance of the noise at bright and at dark places may differ by this factor.
EVEN = 1.5


@dataclass(frozen=True, eq=False)
class Trial:
    """A source read in, its resolved recipe, and the runs on it and on changed copies of it.

    Attributes
    ----------
    picture : Picture
        The source.
    recipe : Recipe
        Resolved on it; every run takes the same numbers.
    region : tuple of slice
        The part that is measured.
    reference : Picture or None
        The truth.
    noise_sigma : float
        Standard deviation of the noise.
    white : bool
        Whether it is credibly white.
    """

    picture: Picture
    recipe: Recipe
    region: tuple[slice, ...]
    reference: Picture | None
    noise_sigma: float
    white: bool
    stop: StopToken | None
    options: GridOptions

    @classmethod
    def of(
        cls,
        image: ArrayLike,
        recipe: Recipe,
        reference: ArrayLike | None,
        noise_sigma: float | None,
        region: tuple[slice, ...] | None,
        stop: StopToken | None,
        options: GridOptions,
    ) -> Trial:
        """Read a source in; see `napari_diffusion.choose.best_step` for the parameters."""
        picture = Picture.of(image, **options)
        if reference is not None and np.shape(reference) != np.shape(image):
            raise ValueError(
                f"The reference must have the image's shape {np.shape(image)} (got "
                f"{np.shape(reference)})."
            )
        return cls(
            picture,
            recipe.resolved_on(picture),
            region or _middle(picture),
            None if reference is None else Picture.of(reference, **options),
            noise_sigma_of(picture) if noise_sigma is None else float(noise_sigma),
            _is_white(image, options),
            stop,
            options,
        )

    def views(self, probes: set[str]) -> Iterator[dict[str, View]]:
        """Yield what the metrics see of the source and of every step, by the probe they need."""
        grid = self.picture.grid
        core = grid.canonical_slices(self.region)
        changed = {probe: _CHANGES[probe](self) for probe in probes if probe}
        runs = [self._run(self.picture.data)]
        runs += [self._run(values) for values, _ in changed.values()]
        first = [self.picture.data[core], *(values[core] for values, _ in changed.values())]
        for images in (first, *zip(*runs, strict=True)):
            plain = self._view(images[0], core)
            views = {"": plain}
            for (probe, (_, change)), probed in zip(changed.items(), images[1:], strict=True):
                views[probe] = self._view(images[0], core, probed, change[core])
            yield views

    def _run(self, values: NDArray[Any]) -> Iterator[NDArray[Any]]:
        """Yield the canonical image of each step in the region, the final filter's last."""
        picture = self.picture
        options: Any = {**self.options, "mask": None}
        options.pop("missing", None)
        if picture.mask is not None:
            options["mask"] = picture.grid.restored(picture.mask)
        image = picture.grid.restored(values)
        made = steps(image, self.recipe, region=self.region, stop=self.stop, **options)
        for step in made:
            if not (step.is_final and self.recipe.final_filter is None):
                yield picture.grid.canonical(step.image)

    def _view(
        self,
        image: NDArray[Any],
        core: tuple[slice, ...],
        probed: NDArray[Any] | None = None,
        probe: NDArray[Any] | None = None,
    ) -> View:
        mask, reference = self.picture.mask, self.reference
        return View(
            source=self.picture.data[core],
            image=image,
            grid=self.picture.grid,
            mask=None if mask is None else mask[core],
            noise_sigma=self.noise_sigma,
            white=self.white,
            reference=None if reference is None else reference.data[core],
            probed=probed,
            probe=probe,
        )


def _perturbed(trial: Trial) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the source plus or minus a small number at every sample, and that change."""
    from napari_diffusion.probe import add_probe

    data = trial.picture.data
    size = PERTURBATION * trial.noise_sigma or float(np.ptp(data)) * 1e-3
    sizes = np.full(data.shape[1], size, data.dtype)
    out = np.empty_like(data)
    add_probe(data, np.zeros(5, np.int64), np.ones(5, np.int64), sizes, out)
    return out, (out.astype(np.float64) - data)


def _masked(trial: Trial) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the source with some samples replaced by their neighbours' mean, and which ones."""
    data, axes = trial.picture.data, trial.picture.grid.along_axes
    place = np.indices(data.shape, sparse=True)
    hidden = np.ones(data.shape, bool)
    for turn, axis in enumerate(axes):
        if data.shape[axis] > 1:
            hidden &= place[axis] % LATTICE == (turn + 1) % LATTICE
    total, count = np.zeros(data.shape), np.zeros(data.shape)
    for axis in axes:
        for shift in (-1, 1):
            near = _shifted(data, axis, shift)
            known = _shifted(np.ones(data.shape, bool), axis, shift)
            if trial.picture.mask is not None:
                known &= _shifted(trial.picture.mask, axis, shift)
            total += np.where(known, near, 0.0)
            count += known
    hidden &= count > 0
    out = np.where(hidden, total / np.maximum(count, 1), data).astype(data.dtype)
    return out, hidden


_CHANGES: dict[str, Callable[[Trial], tuple[NDArray[Any], NDArray[Any]]]] = {
    "perturbed": _perturbed,
    "masked": _masked,
}


def _shifted(values: NDArray[Any], axis: int, by: int) -> NDArray[Any]:
    """Return each sample's neighbour along an axis; 0 or False beyond the border."""
    out = np.zeros_like(values)
    into: list[Any] = [slice(None)] * values.ndim
    of: list[Any] = [slice(None)] * values.ndim
    into[axis], of[axis] = (slice(by, None), slice(None, -by)) if by > 0 else (
        slice(None, by), slice(-by, None),
    )  # fmt: skip
    out[tuple(into)] = values[tuple(of)]
    return out


def _middle(picture: Picture) -> tuple[slice, ...]:
    """Return the middle part of a picture, of at most SAMPLES, as slices of its own axes."""
    grid = picture.grid
    sizes = dict(enumerate(grid.shape))
    left = max(SAMPLES // math.prod(n for a, n in sizes.items() if a == 1), 1)
    for rank, axis in enumerate(sorted((0, 2, 3, 4), key=lambda a: grid.shape[a])):
        sizes[axis] = min(grid.shape[axis], max(round(left ** (1 / (4 - rank))), 1))
        left = max(left // sizes[axis], 1)
    named = dict(zip("tczyx", sizes.items(), strict=True))
    found = []
    for name in grid.axes:
        axis, size = named[name]
        whole = grid.shape[axis]
        start = (whole - size) // 2
        found.append(slice(None) if name == "c" else slice(start, start + size))
    return tuple(found)


def _is_white(image: ArrayLike, options: GridOptions) -> bool:
    """Say whether the noise is credibly white, and alike at bright and dark places."""
    try:
        model = noise_model(image, **options)
    except ValueError:
        # Too small to tell: the benefit of the doubt.
        return True
    against = ("The noise is not white", "The variance does not follow")
    if model.kernel or any(warning.startswith(against) for warning in model.warnings):
        return False
    if len(model.levels) < 2:
        return True
    ends = [float(model.variance_at(level)) for level in (min(model.levels), max(model.levels))]
    return max(ends) <= EVEN * max(min(ends), 1e-300)
