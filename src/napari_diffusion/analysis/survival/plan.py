"""Which objects are added to an image, in which run and where."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.analysis.source_noise import SourceNoise
from napari_diffusion.analysis.survival.local_noise import LocalNoise, merged_mask
from napari_diffusion.analysis.survival.placement import Lattice, generator, unmasked
from napari_diffusion.analysis.survival.windows import Windows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_diffusion.analysis.study import Study
    from napari_diffusion.analysis.survival.objects import Shape

#: How many objects of each shape and contrast there are, where there is room.
COUNT = 64

# The fewest and the most runs of a recipe in all: as many as cost no more than the fewest on
# an image of a megapixel. Of these, the fewest and the most on noise alone.
_RUNS = 12, 24
_NULLS = 5, 8
_MEGAPIXEL = 1 << 20

# How much the objects may change the measured noise, as a part of it, and how many distances
# between them are tried for that.
_NOISE_CHANGE = 0.03
_THINNINGS = 3


@dataclass(frozen=True, eq=False)
class Objects:
    """Many objects; each attribute has one value, or one row, for each.

    Attributes
    ----------
    run : ndarray of int
        The run to which it is added.
    shape, contrast : ndarray of int
        Index of its shape and of its contrast.
    region : ndarray of int
        The region of noise in which it lies.
    place : ndarray, shape (objects, 5)
        Its centre in the studied part, canonical.
    angle : ndarray
        Its direction in radians.
    sigma : ndarray
        Standard deviation of the noise around it.
    """

    run: NDArray[np.int64]
    shape: NDArray[np.int64]
    contrast: NDArray[np.int64]
    region: NDArray[np.int64]
    place: NDArray[np.float64]
    angle: NDArray[np.float64]
    sigma: NDArray[np.float64]

    def of(self, chosen: NDArray[Any]) -> Objects:
        """Return some of them."""
        fields = dataclasses.fields(self)
        return Objects(**{each.name: getattr(self, each.name)[chosen] for each in fields})


@dataclass(frozen=True, eq=False)
class SurvivalPlan:
    """The objects of all runs.

    Attributes
    ----------
    study : Study
        Whose image they are added to.
    noise : LocalNoise
        The noise of the studied part.
    shapes : tuple of Shape
    contrasts : tuple of float
        Multiples of the standard deviation of the noise.
    dark : bool
        Whether objects are darker than their surroundings.
    seed : int
        Selects the places.
    objects : Objects
    num_runs, num_nulls : int
        How many runs there are with objects, and on noise alone.
    noise_change : float
        How much the objects of the first run change the measured noise, as a part of it.
    """

    study: Study
    noise: LocalNoise
    shapes: tuple[Shape, ...]
    contrasts: tuple[float, ...]
    dark: bool
    seed: int
    objects: Objects
    num_runs: int
    num_nulls: int
    noise_change: float = 0.0

    @classmethod
    def of(
        cls,
        study: Study,
        shapes: Sequence[Shape],
        contrasts: Sequence[float],
        *,
        dark: bool = False,
        seed: int = 0,
    ) -> SurvivalPlan:
        """Place objects in the studied part, so few that its noise is measured as without them."""
        noise = LocalNoise.of(study)
        before, total = _measured(study, study.run.image.data), _total_runs(study)
        for turn in range(_THINNINGS):
            lattice = _lattice(study, shapes, 1.4**turn)
            most = total - 1 - _NULLS[0]
            objects = _placed(study, noise, shapes, len(contrasts), lattice, seed, most)
            runs = int(objects.run.max()) + 1
            nulls = min(total - 1 - runs, _NULLS[1])
            plan = cls(study, noise, tuple(shapes), tuple(contrasts), dark, seed, objects, runs,
                       nulls)  # fmt: skip
            after = _measured(study, plan.changed(study.run.image.data, 0))
            change = float(np.max(np.abs(after - before) / np.where(before > 0, before, np.inf)))
            if change <= _NOISE_CHANGE:
                break
        return dataclasses.replace(plan, noise_change=change)

    @property
    def object_axes(self) -> tuple[int, ...]:
        """The canonical axes along which objects extend."""
        return _object_axes(self.study)

    @property
    def mask(self) -> NDArray[np.bool_] | None:
        """The pixels of the studied part that count; one channel for RGB images."""
        inside = _mask(self.study)
        return None if inside is None else merged_mask(inside, self.study)

    @property
    def amplitudes(self) -> NDArray[np.float64]:
        """Intensity of each object; below 0 for dark ones."""
        sign = -1.0 if self.dark else 1.0
        return sign * np.asarray(self.contrasts)[self.objects.contrast] * self.objects.sigma

    @property
    def has_photon_noise(self) -> bool:
        """Whether objects bring their own noise."""
        return not self.dark and any(self.noise.gains)

    def light(self, run: int) -> NDArray[Any]:
        """Return the objects of a run alone, in the studied part; one channel for RGB images."""
        made = np.zeros(self.noise.sigma.shape, np.float64)
        for k, shape in enumerate(self.shapes):
            chosen = np.flatnonzero((self.objects.run == run) & (self.objects.shape == k))
            if not len(chosen):
                continue
            some = self.objects.of(chosen)
            windows = Windows.of(some.place, made.shape, self.object_axes, shape.half)
            angles = some.angle.reshape((-1,) + (1,) * len(self.object_axes))
            values = shape.values(windows.offsets, angles)
            values *= self.amplitudes[chosen].reshape(angles.shape) * windows.inside
            np.add.at(made.reshape(-1), windows.index, values)
        return made

    def changed(self, values: NDArray[Any], run: int) -> NDArray[Any]:
        """Return an image of the source's canonical shape with the objects of a run added."""
        made, light = values.copy(), self.light(run)
        part = made[self.study.run.core]
        part += light.astype(made.dtype)
        if self.has_photon_noise:
            random = generator(self.seed, 1000 + run)
            for c, gain in enumerate(self.noise.gains):
                own = light[:, min(c, light.shape[1] - 1)]
                if gain > 0 and own.any():
                    part[:, c] += _photon_noise(own, gain, random).astype(made.dtype)
        return made


def _photon_noise(
    light: NDArray[np.float64], gain: float, random: np.random.Generator
) -> NDArray[np.float64]:
    """Return the noise of the light of objects: that of their photons."""
    lit = light > 1e-3 * gain
    noise = np.zeros_like(light)
    photons = light[lit] / gain
    noise[lit] = gain * (random.poisson(photons) - photons)
    return noise


def _total_runs(study: Study) -> int:
    """Return how many runs of the recipe there may be."""
    recipe, grid = study.recipe, study.grid
    local = all(each.halo(grid) is not None for each in (*recipe.filters, recipe.final_filter)
                if each is not None)  # fmt: skip
    size = (study.run.source if local else study.image.data).size
    return min(max(_RUNS[0] * _MEGAPIXEL // size, _RUNS[0]), _RUNS[1])


def _mask(study: Study) -> NDArray[np.bool_] | None:
    mask = study.run.image.mask
    return None if mask is None else np.asarray(mask[study.run.core])


def _object_axes(study: Study) -> tuple[int, ...]:
    return tuple(axis for axis in study.grid.along_axes if axis >= 2)


def _lattice(study: Study, shapes: Sequence[Shape], thinning: float) -> Lattice:
    t, _, z, y, x = study.run.source.shape
    apart = (0,) if 0 in study.grid.along_axes else ()
    reach = max(shape.extent for shape in shapes)
    return Lattice((t, 1, z, y, x), _object_axes(study), apart, reach, thinning)


def _placed(
    study: Study,
    noise: LocalNoise,
    shapes: Sequence[Shape],
    num_contrasts: int,
    lattice: Lattice,
    seed: int,
    most_runs: int,
) -> Objects:
    """Deal shapes and contrasts to places, in each region in turn, until there are enough."""
    random = generator(seed, 0)
    num_cells = len(shapes) * num_contrasts
    decks = [
        np.concatenate([random.permutation(num_cells) for _ in range(COUNT)])
        for _ in range(noise.num_regions)
    ]
    mask = _mask(study)
    mask = None if mask is None else np.asarray(mask.all(axis=1, keepdims=True))
    found = []
    for run in range(most_runs):
        places = unmasked(lattice.places(random), mask, lattice.object_axes, lattice.reach)
        places[:, 1] = random.integers(noise.sigma.shape[1], size=len(places))
        index = tuple(np.rint(places).astype(np.int64).T)
        region, sigma = noise.region[index].astype(np.int64), noise.sigma[index]
        for k, deck in enumerate(decks):
            here = np.flatnonzero((region == k) & (sigma > 0))[: len(deck)]
            cell, decks[k] = deck[: len(here)], deck[len(here) :]
            found.append((np.full(len(here), run), cell, region[here], places[here], sigma[here]))
        if not any(map(len, decks)):
            break
    runs, cells, regions, places, sigmas = map(np.concatenate, zip(*found, strict=True))
    if not len(runs):
        raise ValueError(
            f"No place for an object was found in {lattice.shape} pixels along t, c, z, y, x: "
            "study a larger part, or smaller objects."
        )
    turn = random.random(len(runs))
    shape = cells // num_contrasts
    angle = np.array([_angle(shapes[k], u) for k, u in zip(shape, turn, strict=True)])
    places = _between_pixels(places, shapes, shape, lattice.object_axes)
    return Objects(runs, shape, cells % num_contrasts, regions, places, angle,
                   sigmas.astype(np.float64))  # fmt: skip


def _angle(shape: Shape, turn: float) -> float:
    return float(shape.angles[int(turn * len(shape.angles))])


def _between_pixels(
    places: NDArray[np.float64],
    shapes: Sequence[Shape],
    shape: NDArray[np.int64],
    object_axes: Sequence[int],
) -> NDArray[np.float64]:
    """Return whole pixels along axes without extent, and for shapes that lie on pixels."""
    on_pixels = np.array([not each.between_pixels for each in shapes])[shape]
    whole = np.ones(places.shape, bool)
    whole[:, list(object_axes)] = on_pixels[:, None]
    return np.where(whole, np.rint(places), places)


def _measured(study: Study, values: NDArray[Any]) -> NDArray[np.float64]:
    """Return the noise that is measured in the studied part of an image."""
    image = dataclasses.replace(study.image, data=values, alpha=None, holes=None, known={})
    return np.atleast_1d(np.asarray(SourceNoise(image.apart(study.run.core)).sigma, float))
