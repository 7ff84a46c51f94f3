"""Feature survival: what a recipe leaves of known objects that are added to an image."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Unpack

import numpy as np

from napari_diffusion.analysis.study import Study
from napari_diffusion.analysis.study_result import StudyResult
from napari_diffusion.analysis.survival.asked_objects import AskedObjects
from napari_diffusion.analysis.survival.findings import (
    Conditions,
    cell_table,
    limit_table,
    survival_limits,
    survival_sentences,
)
from napari_diffusion.analysis.survival.measurement import measured
from napari_diffusion.analysis.survival.plan import SurvivalPlan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.analysis.source_noise import GivenSigma
    from napari_diffusion.analysis.study import Progress
    from napari_diffusion.analysis.survival.asked_objects import Kind
    from napari_diffusion.analysis.survival.cells import SurvivalCell as SurvivalCell
    from napari_diffusion.analysis.survival.detection_limit import DetectionLimit as DetectionLimit
    from napari_diffusion.core.grid import GridOptions
    from napari_diffusion.core.image import Image
    from napari_diffusion.core.results import ResultTable
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.estimate import NoiseModel
    from napari_diffusion.filters import Filter
    from napari_diffusion.loop.recipe import Recipe


class RegionSurvival(NamedTuple):
    """What survives where the noise is alike.

    Attributes
    ----------
    name : str
        "dark", "middle" or "bright"; "calm", "middle" or "noisy" where a noise map was given.
    sigma : float
        Median standard deviation of the noise there.
    cells : tuple of SurvivalCell
    limits_of_detection : tuple of DetectionLimit
    """

    name: str
    sigma: float
    cells: tuple[SurvivalCell, ...]
    limits_of_detection: tuple[DetectionLimit, ...]


@dataclass(frozen=True, eq=False)
class FeatureSurvival(StudyResult):
    """What a recipe leaves of known objects, by kind, size and contrast.

    Attributes
    ----------
    cells : tuple of SurvivalCell
        What was measured of the objects of each kind, size and contrast.
    limits_of_detection : tuple of DetectionLimit
        The contrast at which 50 % and 95 % of the objects of each kind and size are found.
    limits_in_source : tuple of DetectionLimit
        The same in the image before the recipe, in the same order.
    regions : tuple of RegionSurvival
        The same in the thirds of the part with the least and the most noise, where it differs; else
        empty.
    conditions : Conditions
        What was tried, on what.
    """

    title: ClassVar[str] = "Feature survival"

    cells: tuple[SurvivalCell, ...]
    limits_of_detection: tuple[DetectionLimit, ...]
    limits_in_source: tuple[DetectionLimit, ...]
    regions: tuple[RegionSurvival, ...]
    conditions: Conditions

    def kept_table(
        self, kind: str = "spot"
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return sizes, contrasts, and the kept contrast in rows of one size; NaN where none is."""
        return self._table(kind, "kept")

    def lost_table(
        self, kind: str = "spot"
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return sizes, contrasts, and the share lost in rows of one size; NaN where none is."""
        return self._table(kind, "lost")

    def _table(
        self, kind: str, name: str
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        cells = [cell for cell in self.cells if cell.kind == kind]
        sizes = np.unique([cell.size for cell in cells])
        contrasts = np.unique([cell.contrast for cell in cells])
        values = np.full((len(sizes), len(contrasts)), np.nan)
        for cell in cells:
            place = np.searchsorted(sizes, cell.size), np.searchsorted(contrasts, cell.contrast)
            values[place] = getattr(cell, name)
        return sizes, contrasts, values

    def sentences(self) -> tuple[str, ...]:
        """Return what was found, the most important first."""
        return survival_sentences(
            self.cells, self.limits_of_detection, self.limits_in_source, self.conditions
        )

    def limits(self) -> tuple[str, ...]:
        """Return what was tried, on what, and what does not follow from it."""
        return survival_limits(self.cells, self.conditions)

    def tables(self) -> tuple[ResultTable, ...]:
        """Return the limits of detection and the cells, and both of each region."""
        found = [
            limit_table(self.limits_of_detection),
            cell_table(self.cells),
            limit_table(self.limits_in_source, " in the source, before the recipe"),
        ]
        for region in self.regions:
            where = f" where it is {region.name} (σ = {region.sigma:.3g})"
            found.append(limit_table(region.limits_of_detection, where))
            found.append(cell_table(region.cells, where))
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "step": self.step,
            "cells": [cell.to_dict() for cell in self.cells],
            "limits_of_detection": [limit.to_dict() for limit in self.limits_of_detection],
            "limits_in_source": [limit.to_dict() for limit in self.limits_in_source],
            "regions": [
                {
                    "name": region.name,
                    "sigma": region.sigma,
                    "cells": [cell.to_dict() for cell in region.cells],
                    "limits_of_detection": [each.to_dict() for each in region.limits_of_detection],
                }
                for region in self.regions
            ],
            "conditions": self.conditions.to_dict(),
        }


def feature_survival(
    image: ArrayLike | Image,
    recipe: Recipe | Filter,
    *,
    kinds: Sequence[Kind] | Kind = ("spot",),
    sizes: Sequence[float] | None = None,
    contrasts: Sequence[float] | None = None,
    patch: ArrayLike | tuple[slice, ...] | None = None,
    dark: bool = False,
    false_rate: float = 10.0,
    step: int | None = None,
    noise_sigma: GivenSigma | None = None,
    noise_model: NoiseModel | None = None,
    region: tuple[slice, ...] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    stop: StopToken | None = None,
    **options: Unpack[GridOptions],
) -> FeatureSurvival:
    """Measure what a recipe leaves of objects of known shape, size and contrast.

    The recipe is resolved on the image as it is, and runs on it with and without added objects, at
    random places that keep apart. With the difference D of the two results and an object's values
    A·T, T having height 1:

    - *kept contrast* ``⟨D, T⟩ / (A ⟨T, T⟩)``, the least-squares fit of the object to D;
    - *widening*: how much wider the object is that fits D best, all objects of a cell together;
    - *shift*: how far D moved, from its products with the derivatives of T;
    - *lost*: the detector's score at the place, in D plus the noise that the recipe leaves there,
      is below the threshold that gives `false_rate` false objects per megapixel of such noise. It
      is what differs between results on the recipe's own result plus fresh noise; the threshold is
      a multiple of its standard deviation around the place.

    Parameters
    ----------
    image : array_like
        In memory; never written.
    recipe : Recipe or Filter
        A filter alone is a recipe of one step without noise.
    kinds : sequence of {"spot", "line", "edge", "patch"}
        Spots are Gaussians; lines have a Gaussian profile and a length of 6 radii, at least
        10 pixels; edges are blurred steps that fade out with the distance from their centre. In
        volumes lines and edges lie in the plane of y and x.
    sizes : sequence of float, optional
        Radii in pixels along every axis: standard deviations of the profiles, from 0.3 to 20.
        Default: 0.7, 1.5 and, in planes, 3 for spots; 0.7 and 1.5 for lines and edges.
    contrasts : sequence of float, optional
        Heights in multiples of the standard deviation of the noise around an object, above 0.
        Default: 0.5 to 12.
    patch : ndarray or tuple of slice, optional
        For the kind "patch": the values of an object, or where it lies in the image, one slice per
        axis. The median of its border is subtracted, and its height scaled to the contrasts.
    dark : bool
        Subtract the objects.
    false_rate : float
        False objects per megapixel at the threshold of the detector, above 0.
    step : int, optional
        Index of the step to study. Default: the last one.
    noise_sigma, noise_model : optional
        The noise of the image, if known: a number, one per channel or a map of it, or its model;
        measured by default.
    region : tuple of slice, optional
        The part to study, one slice per axis. Default: all of the image.
    seed : int
        Selects the places.
    progress : callable, optional
        Takes how many runs of the recipe are done, and how many there are: at most 12 for a
        megapixel, and at most 24.
    stop : StopToken, optional
        As for `steps`.
    **options
        ``axes, spacing, along, joint_channels, rgb, mask, missing``.

    Returns
    -------
    FeatureSurvival
        Cells by kind, size and contrast, and limits of detection.

    Raises
    ------
    ValueError
        If there is no noise, no room for an object, or a number out of its range.
    Stopped
        If `stop` was set.

    Notes
    -----
    The limits in the source are those of the same objects in the image itself, at the same rate of
    false objects: what the recipe gains or costs a detector. Where the noise grows with the
    intensity, an object brings its own photon noise, and contrasts are multiples of the noise
    around it. RGB images get grey objects; of several channels, each object is in one. Objects are
    in one frame and, where z is no axis of `along`, in one plane.

    Examples
    --------
    >>> import numpy as np, napari_diffusion as nd
    >>> noisy = np.random.default_rng(0).normal(100, 10, (256, 256)).astype("float32")
    >>> found = nd.analysis.feature_survival(noisy, nd.filters.Heat(time=2.0), sizes=[1.5])
    >>> bool(found.cells[-1].kept < 0.7)  # spots of 1.5 pixels become lower
    True

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference, for the
    intervals.
    """
    asked = AskedObjects.of(kinds, sizes, contrasts, patch)
    if not (math.isfinite(false_rate) and false_rate > 0):
        raise ValueError(f"false_rate must be greater than 0 (got {false_rate!r}).")
    if isinstance(seed, bool) or not hasattr(seed, "__index__") or not 0 <= seed < 2**64:
        raise ValueError(f"seed must be a whole number from 0 to 2**64 - 1 (got {seed!r}).")
    study = Study.of(image, recipe, options, step=step, noise_sigma=noise_sigma,
                     noise_model=noise_model, region=region, stop=stop)  # fmt: skip
    plan = SurvivalPlan.of(study, asked.shapes(study), asked.contrasts, dark=dark, seed=int(seed))
    made, source = measured(plan, false_rate, progress)
    noise = plan.noise
    regions = tuple(
        RegionSurvival(name, noise.sigma_in(k), made.cells(k), made.limits(k))
        for k, name in enumerate(noise.names())
    )
    conditions = Conditions.of(plan, false_rate)
    return FeatureSurvival(study.recipe, study.step, made.cells(), made.limits(),
                           source.limits(), regions, conditions)  # fmt: skip
