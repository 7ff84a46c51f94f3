"""A recipe on pure noise: what is left of it, and what is mistaken for objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from napari_diffusion.analysis.detectors import Detector, DetectorFunction, detector_of
from napari_diffusion.analysis.null.blanks import Blanks, background_of
from napari_diffusion.analysis.null.null_result import NullTest
from napari_diffusion.analysis.null.step_statistics import StandingOut, StepStatistics
from napari_diffusion.analysis.study import Progress, Study
from napari_diffusion.core.whole_number import checked_whole

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.analysis.source_noise import GivenSigma
    from napari_diffusion.core.grid import GridOptions
    from napari_diffusion.core.image import Image
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.estimate import NoiseModel
    from napari_diffusion.filters import Filter
    from napari_diffusion.loop.recipe import Recipe

# More would need numbers that other seeds use.
_MOST_BLANKS, _MOST_SEED = 1 << 20, 1 << 32


def null_test(
    image: ArrayLike | Image,
    recipe: Recipe | Filter,
    *,
    detector: Detector | DetectorFunction | None = None,
    background: ArrayLike | None = None,
    count: int | None = None,
    step: int | None = None,
    noise_sigma: GivenSigma | None = None,
    noise_model: NoiseModel | None = None,
    region: tuple[slice, ...] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    stop: StopToken | None = None,
    **options: Unpack[GridOptions],
) -> NullTest:
    """Run a recipe on pure noise of an image's kind and count what looks like objects.

    The recipe is resolved on the image once. Blanks have the intensity of the background, the
    middle of the shortest interval that holds 20 % of the pixels, and new noise; each is run with
    another random seed of the recipe. Rates have Garwood's exact 95 % interval of a count, widened
    where objects come in clusters and narrowed where they keep apart.

    Parameters
    ----------
    image : array_like
        2D arrays are read as ``yx``, 3D ones as ``zyx``; name other axes. Never written.
    recipe : Recipe or Filter
        What is run; a filter alone is one step without noise.
    detector : Detector or callable, optional
        Finds the objects in a plane or volume: a `Threshold`, `Blobs`, or a function of an array
        that returns labels or positions. Default: connected pixels brighter than the mean of their
        image by more than 4 of its standard deviations, about 30 per megapixel of white noise.
    background : array_like of bool, optional
        A region of the image without objects, in its axes. The noise is then measured there unless
        it is given, its correlation too, and the steps of the image itself are counted there.
    count : int, optional
        How many blanks. Default: enough for a million pixels, 3 to 256.
    step : int, optional
        Index of the last step to study. Default: the last one.
    noise_sigma : float, tuple of float or array, optional
        Standard deviation of white noise in the image, if known: one number, one per channel, or a
        map with one per pixel. Measured by default.
    noise_model : NoiseModel, optional
        The noise of the image, if known.
    region : tuple of slice, optional
        The part to study, one slice per axis. Default: all of the image.
    seed : int
        Selects the random numbers of the blanks; 0 or more.
    progress : callable, optional
        Takes how many runs are done, and how many there are.
    stop : StopToken, optional
        As for `steps`.
    **options
        ``axes, spacing, along, joint_channels, rgb, mask, missing``.

    Returns
    -------
    NullTest
        Strength, correlation length and false objects after every step; `fits` says whether the
        simulated noise is that of the image.

    Raises
    ------
    ValueError, TypeError
        For an image that is not in memory, and parameters that are not of this kind.

    Examples
    --------
    >>> import numpy as np, napari_diffusion as nd
    >>> noisy = np.random.default_rng(0).normal(50, 5, (64, 64))
    >>> found = nd.analysis.null_test(noisy, nd.filters.Heat(time=2.0), count=3)
    >>> found.steps[-1].sd < 0.3 * found.steps[0].sd
    True
    """
    chosen = StandingOut() if detector is None else detector_of(detector)
    checked_whole("seed", seed, 0, _MOST_SEED)
    checked_whole("count", count, 1, _MOST_BLANKS)
    study = Study.of(
        image, recipe, options, step=step, noise_sigma=noise_sigma, noise_model=noise_model,
        region=region, stop=stop,
    )  # fmt: skip
    mask = study.image.mask
    if mask is not None and not mask[study.run.core].any():
        raise ValueError("The mask has no pixel in the part that is studied: choose another part.")
    inside = None if background is None else background_of(background, study)
    relative = isinstance(chosen, StandingOut)
    return _tested(Blanks.of(study, inside, count, seed, relative), chosen, progress)


def _tested(blanks: Blanks, detector: Detector, progress: Progress | None) -> NullTest:
    study, total = blanks.study, blanks.count + (blanks.background is not None)
    why = " ".join(blanks.misfits())
    indices = range(-1, study.step + 1)
    drawn, itself = ([StepStatistics(i, detector) for i in indices] for _ in range(2))
    for k in range(total):
        for each, (values, inside) in zip(
            drawn if k < blanks.count else itself, blanks.steps(k), strict=True
        ):
            each.add(values, inside, study.grid, blanks.shifts(k))
            last = values
        if k == 0:
            example = last
        if progress is not None:
            progress(k + 1, total)
    grey = example.mean(axis=1, keepdims=True) if study.grid.rgb else example
    return NullTest(
        recipe=study.recipe,
        step=study.step,
        steps=tuple(each.step() for each in drawn),
        background_steps=tuple(each.step() for each in itself if each.planes),
        why=why,
        levels=blanks.levels,
        count=blanks.count,
        shape=study.in_axes(example).shape,
        detector=detector,
        unit="megavoxel" if _depth(example, study) else "megapixel",
        example=study.in_axes(example),
        _shown=study.in_axes(grey),
    )


def _depth(values: NDArray[Any], study: Study) -> bool:
    """Say whether objects are looked for in volumes."""
    return sum(values.shape[axis] > 1 for axis in study.grid.along_axes) > 2
