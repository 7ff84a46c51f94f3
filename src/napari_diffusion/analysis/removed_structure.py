"""What was taken away: whether a residual holds structure, where, and how much was smoothed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Unpack

import numpy as np

from napari_diffusion.analysis.residual import removal_words
from napari_diffusion.analysis.residual.degrees_of_freedom import degrees_of_freedom
from napari_diffusion.analysis.residual.local_statistics import DETAIL, Removal, statistics
from napari_diffusion.analysis.residual.noise_fit import noise_fit
from napari_diffusion.analysis.residual.null_runs import centred, null_runs
from napari_diffusion.analysis.residual.score import Score, score
from napari_diffusion.analysis.residual.windows import WINDOW_PIXELS, Windows
from napari_diffusion.analysis.study import Study
from napari_diffusion.analysis.study_result import ResultMap, ResultTable, StudyResult
from napari_diffusion.engine.threads import Threads

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.analysis.residual.noise_fit import NoiseFit
    from napari_diffusion.analysis.source_noise import Sigma
    from napari_diffusion.analysis.study import Progress
    from napari_diffusion.core.grid import GridOptions
    from napari_diffusion.core.image import Image
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.estimate import NoiseModel
    from napari_diffusion.filters import Filter
    from napari_diffusion.loop.recipe import Recipe

# With the run on the source and the one on the changed source these are 12 runs of the recipe.
NULLS = 10


@dataclass(frozen=True, eq=False)
class RemovedStructure(StudyResult):
    """What a step removed: the test of its residual, and maps.

    Attributes
    ----------
    removed : bool
        Whether the residual holds more structure than the recipe leaves where it removes noise
        alone.
    statistic : float
        The largest score in the image, in standard deviations of the null runs.
    threshold : float
        The largest score that noise alone would give, at the false-alarm rate.
    false_alarm_rate : float
        How often an image of which only noise was removed exceeds the threshold.
    null_maxima : tuple of float
        The largest score of each null run.
    peak : tuple of int
        Position of the largest score, in the axes of the maps and pixels of the whole source.
    alarm : ndarray
        The score around every pixel.
    where : ndarray of bool
        Where it exceeds the threshold.
    correlation : ndarray
        Correlation of the residual with itself one pixel further, the mean over the axes.
    with_result : ndarray
        Correlation of the residual with the detail of the result.
    removed_deviation : ndarray
        Root mean square of the residual, in intensity.
    degrees_of_freedom : ndarray
        Effective degrees of freedom per pixel: 1 where nothing is smoothed, 0 where all is
        averaged.
    noise_sigma : float or tuple of float
        Standard deviation of the noise of the source, of each channel.
    noise_fit : NoiseFit
        Whether the null runs can be believed.
    tile : int
        Size of the windows in pixels.
    scores : dict
        The largest score of each statistic.
    """

    title: ClassVar[str] = "What was taken away"

    removed: bool
    statistic: float
    threshold: float
    false_alarm_rate: float
    null_maxima: tuple[float, ...]
    peak: tuple[int, ...]
    alarm: NDArray[Any]
    where: NDArray[np.bool_]
    correlation: NDArray[Any]
    with_result: NDArray[Any]
    removed_deviation: NDArray[Any]
    degrees_of_freedom: NDArray[Any]
    noise_sigma: Sigma
    noise_fit: NoiseFit
    tile: int
    scores: dict[str, float]

    def sentences(self) -> tuple[str, ...]:
        """Return what was found, the most important first."""
        return removal_words.sentences(self)

    def limits(self) -> tuple[str, ...]:
        """Return what was tried, and what does not follow from it."""
        return removal_words.limits(self)

    def tables(self) -> tuple[ResultTable, ...]:
        """Return the numbers of the test."""
        return (removal_words.table(self),)

    def maps(self) -> tuple[ResultMap, ...]:
        """Return the score, the removed deviation, the degrees of freedom and the correlations."""
        high = max(2 * self.threshold, 1.0)
        sigma = math.sqrt(float(np.mean(np.square(self.noise_sigma))))
        dof, with_result = self.degrees_of_freedom, self.with_result
        return (
            ResultMap("excess residual structure", self.alarm, "", (0.0, high), True),
            ResultMap("removed standard deviation", self.removed_deviation, "intensity",
                      (0.0, 2 * sigma), True),
            ResultMap("degrees of freedom per pixel", dof, "", (0.0, 1.0)),
            ResultMap("correlation of residual and result", with_result, "", (-1.0, 1.0), True),
            ResultMap("correlation of neighbouring residuals", self.correlation, "",
                      (-1.0, 1.0), True),
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "removed": self.removed,
            "statistic": self.statistic,
            "threshold": self.threshold,
            "false_alarm_rate": self.false_alarm_rate,
            "null_maxima": list(self.null_maxima),
            "peak": list(self.peak),
            "share_of_image": float(self.where.mean()),
            "removed_deviation": root_mean_square(self.removed_deviation),
            "noise_sigma": np.ravel(self.noise_sigma).tolist(),
            "degrees_of_freedom": float(self.degrees_of_freedom.mean()),
            "noise_fits": self.noise_fit.fits,
            "tile": self.tile,
            "scores": dict(self.scores),
        }


def removed_structure(
    image: ArrayLike | Image,
    recipe: Recipe | Filter,
    *,
    false_alarm_rate: float = 0.05,
    tile: int | None = None,
    nulls: int = NULLS,
    step: int | None = None,
    noise_sigma: Sigma | None = None,
    noise_model: NoiseModel | None = None,
    region: tuple[slice, ...] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    stop: StopToken | None = None,
    **options: Unpack[GridOptions],
) -> RemovedStructure:
    """Test whether a step removed structure with the noise, and show where and how much.

    The residual ``r = y − u`` of the source y and the step u is compared with those of null runs,
    ``rₖ = u + nₖ − f(u + nₖ)``: the same recipe f, resolved once on y, on u plus fresh noise nₖ,
    minus their mean over k. There only noise was removed, yet their residual is neither white nor
    uncorrelated with the result. The statistics are the correlation of the residual with itself
    one pixel further and with the detail of the result, the energy of the smoothed residual, in
    windows, and its peaks. Each is standardised by mean and spread of the null runs at each pixel;
    the largest at a pixel is its score.

    Parameters
    ----------
    image, recipe, region, stop, **options
        As for `steps`.
    false_alarm_rate : float, optional
        How often an image of which only noise was removed gives an alarm, 0.001 to 0.5.
    tile : int, optional
        Size of the windows in pixels along each axis that diffuses, 3 or more. Default: 32 in a
        plane and 10 in a volume. Smaller windows show more detail and find only stronger
        structure.
    nulls : int, optional
        Number of null runs, 4 or more. More of them lower the threshold a little.
    step : int, optional
        Index of the step. Default: the last one.
    noise_sigma, noise_model : optional
        The noise of the image, if known; measured by default.
    seed : int, optional
        Selects the fresh noise.
    progress : callable, optional
        Takes how many runs of the recipe are done, and how many there are.

    Returns
    -------
    RemovedStructure
        The alarm, its score and threshold, and maps.

    Raises
    ------
    ValueError
        Without noise, and for parameters out of range.

    Examples
    --------
    >>> import numpy as np, napari_diffusion as nd
    >>> rng = np.random.default_rng(0)
    >>> stripes = 3.0 * np.sin(np.arange(96))[:, None] + np.zeros(96)
    >>> noisy = (stripes + rng.normal(size=(96, 96))).astype("float32")
    >>> found = nd.analysis.removed_structure(noisy, nd.filters.Heat(time=4.0), noise_sigma=1.0)
    >>> found.removed
    True
    """
    _check(false_alarm_rate, tile, nulls, step, seed)
    study = Study.of(image, recipe, options, step=step, noise_sigma=noise_sigma,
                     noise_model=noise_model, region=region, stop=stop)  # fmt: skip
    sigmas = np.broadcast_to(study.noise.sigma, study.image.data.shape[1:2]).astype(np.float64)
    if not sigmas.any():
        raise ValueError("No noise was found in this image: give noise_sigma=… if you know it.")
    windows = _windows(study, tile)
    total = nulls + 2

    def done(count: int) -> None:
        if progress is not None:
            progress(count, total)

    result = study.result(study.image.data)
    done(1)
    freedom = degrees_of_freedom(study, result, windows)
    done(2)
    runs = []
    for run in null_runs(study, result, nulls, seed):
        runs.append(run)
        done(2 + len(runs))
    return _tested(study, result, freedom, runs, sigmas, windows, false_alarm_rate)


def root_mean_square(values: NDArray[Any]) -> float:
    """Return the root mean square of a map."""
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def _check(rate: float, tile: int | None, nulls: int, step: int | None, seed: int) -> None:
    if not 0.001 <= rate <= 0.5:
        raise ValueError(f"false_alarm_rate must be 0.001 to 0.5 (got {rate!r}).")
    wholes = ("tile", tile, 3), ("nulls", nulls, 4), ("step", step, 0), ("seed", seed, 0)
    for name, value, low in wholes:
        if value is None:
            continue
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise TypeError(f"{name} must be a whole number (got {value!r}).")
        if value < low:
            raise ValueError(f"{name} must be {low} or more (got {value!r}).")


def _windows(study: Study, tile: int | None) -> Windows:
    grid, mask = study.grid, study.image.mask
    side = tile or round(WINDOW_PIXELS ** (1 / len(grid.along)))
    core = study.run.core
    inside = None if mask is None else np.ascontiguousarray(mask[core])
    if inside is not None and not inside.any():
        raise ValueError("The mask excludes all pixels of the studied part: enlarge one of them.")
    return Windows(side, grid.along_axes, inside, grid.rgb, Threads(stop=study.run.stop))


def _tested(
    study: Study,
    result: NDArray[Any],
    freedom: NDArray[Any],
    runs: list[tuple[NDArray[Any], NDArray[Any]]],
    sigmas: NDArray[Any],
    windows: Windows,
    rate: float,
) -> RemovedStructure:
    """Return the result, given what all runs made."""
    units = np.where(sigmas > 0, sigmas, 1.0).reshape(1, -1, 1, 1, 1).astype(result.dtype)

    def removal(residual: NDArray[Any], made: NDArray[Any]) -> Removal:
        return Removal(windows.kept(residual) / units, made / units, windows)

    residual = study.run.source - result
    observed = removal(residual, result)
    centred_ones = centred(np.stack([each for each, _ in runs]))
    nulls = [removal(r, u) for r, (_, u) in zip(centred_ones, runs, strict=True)]
    found = score(observed, nulls, statistics(windows, result.shape), windows)
    fit = noise_fit(study.noise, observed, nulls, freedom)
    return _result(study, windows, found, observed, fit, residual, freedom, rate)


def _result(
    study: Study,
    windows: Windows,
    found: Score,
    observed: Removal,
    fit: NoiseFit,
    residual: NDArray[Any],
    freedom: NDArray[Any],
    rate: float,
) -> RemovedStructure:
    channels = residual.shape[1] if windows.colours else 1
    deviation = np.sqrt(windows.mean(np.square(residual)) / channels)
    axes = [axis for axis in windows.axes if residual.shape[axis] > 1]
    beside = np.mean([observed.beside(axis) for axis in axes], axis=0) if axes else deviation * 0
    threshold = found.threshold(rate)
    alarm = study.in_axes(windows.kept(found.values))
    place = np.unravel_index(int(np.argmax(alarm)), alarm.shape)
    axes_of_map = [axis for axis in study.grid.axes if axis != "c" or not study.grid.rgb]
    starts = [study.run.core["tczyx".index(axis)].start for axis in axes_of_map]
    return RemovedStructure(
        recipe=study.recipe,
        step=study.step,
        removed=found.largest > threshold,
        statistic=found.largest,
        threshold=threshold,
        false_alarm_rate=rate,
        null_maxima=found.null_maxima,
        peak=tuple(int(a + b) for a, b in zip(place, starts, strict=True)),
        alarm=alarm,
        where=alarm > threshold,
        correlation=study.in_axes(beside),
        with_result=study.in_axes(observed.with_detail(DETAIL[-1])),
        removed_deviation=study.in_axes(deviation),
        degrees_of_freedom=study.in_axes(freedom),
        noise_sigma=study.noise.sigma,
        noise_fit=fit,
        tile=windows.side,
        scores={part.statistic.name: part.largest for part in found.parts},
    )
