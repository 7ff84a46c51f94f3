"""The half widths of an interval: calibrated on a repeat, or from the estimated local error."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.analysis.intervals.conformal import calibration, measured_coverage
from napari_diffusion.analysis.intervals.factor import factor_of
from napari_diffusion.analysis.intervals.local_square import RUNS, local_square, variance_of
from napari_diffusion.analysis.study import Study

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_diffusion.analysis.measured_run import MeasuredRun
    from napari_diffusion.analysis.source_noise import SourceNoise
    from napari_diffusion.analysis.study import Progress
    from napari_diffusion.analysis.trial import Trial


@dataclass(frozen=True, eq=False)
class Bounds:
    """An interval, canonical.

    Attributes
    ----------
    result : ndarray
        The step.
    half, constant : ndarray
        Half width at every pixel, and that of the constant interval, of each channel or of all.
    factor : float
        Half width over the local scale.
    coverage, constant_coverage, coverage_interval, blocks : optional
        As in `PredictionInterval`.
    """

    result: NDArray[Any]
    half: NDArray[np.float64]
    constant: NDArray[np.float64]
    factor: float
    coverage: float | None = None
    constant_coverage: float | None = None
    coverage_interval: tuple[float, float] | None = None
    blocks: tuple[int, int] | None = None


def inside_of(run: MeasuredRun) -> NDArray[np.bool_]:
    """Return which pixels of the studied part count."""
    mask = run.image.mask
    return np.ones(run.source.shape, bool) if mask is None else mask[run.core]


def check_inside(run: MeasuredRun) -> None:
    """Refuse a part without a pixel inside the mask."""
    mask = run.image.mask
    if mask is not None and not mask[run.core].any():
        raise ValueError("The mask excludes all pixels of the studied part: enlarge one of them.")


def check_noise(noise: SourceNoise, is_white: bool) -> None:
    """Refuse noise for which no squared error can be estimated without ground truth."""
    if not is_white:
        raise ValueError(
            "The local error cannot be estimated here: the noise is correlated, processed, or not "
            "as strong as its model says. If you know the noise, give noise_sigma=… and white=True."
        )
    if not np.any(noise.sigma):
        raise ValueError("No noise was found in this image: give noise_sigma=… if you know it.")


def for_the_noise_free(
    trial: Trial, coverage: float, seed: int, progress: Progress | None
) -> Bounds:
    """Return the interval for the noise-free value; a reference shows its coverage."""
    study, ran = _study(trial, trial.whole), counting(progress, 1 + RUNS)
    result = study.result(study.image.data)
    ran()
    square, factor = local_square(study, result, seed, ran), factor_of(coverage)
    half, constant = factor.local * np.sqrt(square.around), factor.constant * np.sqrt(square.whole)
    found = Bounds(result, half, constant, factor.local)
    if trial.reference is None:
        return found
    error = np.abs(result - trial.reference[study.run.core].astype(np.float64))
    inside = inside_of(study.run)
    measured, interval = measured_coverage(error <= half, inside, study.grid.along_axes)
    return dataclasses.replace(
        found,
        coverage=measured,
        coverage_interval=interval,
        constant_coverage=float((error <= constant)[inside].mean()),
    )


def for_a_repeat(
    trial: Trial, coverage: float, seed: int, is_white: bool, progress: Progress | None
) -> Bounds:
    """Return the interval for a repeat, calibrated on the two halves of a trial."""
    assert trial.halves is not None
    run, other = trial.halves
    whole, study = _study(trial, trial.whole), _study(trial, run)
    split = run is not trial.whole
    ran = counting(progress, 1 + split + RUNS * is_white)
    result = study.result(study.image.data)
    ran()
    squares = local_square(study, result, seed, ran).around if is_white else np.zeros(result.shape)
    errors = np.abs(result - other.source.astype(np.float64))
    if not errors[inside_of(run)].any() or np.array_equal(run.source, other.source):
        raise ValueError(
            "The repeat equals the image, so that it is no independent acquisition: give another."
        )
    scale = _scale(study, result, squares)
    inside = inside_of(run) & inside_of(other)
    found = calibration(errors, scale, inside, study.grid.along_axes, coverage)
    if split:
        squares = squares[_frames(trial.whole, run)]
        result = whole.result(whole.image.data)
        ran()
        scale = _scale(whole, result, squares)
    return Bounds(
        result,
        found.factor * scale,
        np.full((1, 1, 1, 1, 1), found.constant),
        found.factor,
        found.coverage,
        found.constant_coverage,
        found.coverage_interval,
        found.blocks,
    )


def _study(trial: Trial, run: MeasuredRun) -> Study:
    """Return the study of a run of a trial: the whole, or a half of its frames."""
    noise = trial.noise
    if run is not trial.whole:
        count, frames = run.image.data.shape[0], noise.map
        if frames is not None and frames.shape[0] > 1:
            frames = frames[: 2 * count : 2]
        noise = dataclasses.replace(noise, image=run.image, map=frames)
    return Study(run, noise)


def _scale(study: Study, result: NDArray[Any], squares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the expected distance of a repeat from the result; above 0 everywhere."""
    scale = np.sqrt(variance_of(study, result) + squares)
    least = 0.01 * float(scale.max()) or 1.0
    return np.maximum(scale, least)


def _frames(whole: MeasuredRun, half: MeasuredRun) -> NDArray[np.int64]:
    """Return which frame of a half is nearest to each frame of the whole, of the studied parts."""
    frames = np.arange(whole.core[0].start, whole.core[0].stop) // 2 - half.core[0].start
    return np.clip(frames, 0, half.core[0].stop - half.core[0].start - 1)


def counting(progress: Progress | None, total: int) -> Callable[[], None]:
    """Return what is called after every run."""
    done = 0

    def ran() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    return ran
