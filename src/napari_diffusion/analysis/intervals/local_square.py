"""The expected squared error of a step around every pixel, without ground truth."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.analysis.fresh_noise import fresh_variance
from napari_diffusion.analysis.intervals.stein import slope, squared_error
from napari_diffusion.analysis.residual.null_runs import null_runs
from napari_diffusion.analysis.residual.windows import WINDOW_PIXELS, Windows
from napari_diffusion.engine.perturbation import perturbed
from napari_diffusion.engine.threads import Threads

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_diffusion.analysis.source_noise import SourceNoise
    from napari_diffusion.analysis.study import Study

# Runs on perturbed sources, and on the result with fresh noise: more of them hardly help.
_PROBES, _REPEATS = 2, 2
RUNS = _PROBES + _REPEATS

# Pixels in a window that what explains the error is averaged over.
_FINE_PIXELS = 300

# The least error, relative to the noise: no step is trusted to come nearer to the ground truth.
_LEAST = 0.1

# Keeps explanations apart that are nearly the same, relative to their own squares.
_RIDGE = 1e-9

# How much the ratio of the two estimates varies between tiles before anything is known of it.
_USUAL_SPREAD = 0.25


@dataclass(frozen=True, eq=False)
class LocalSquare:
    """Expected squared errors, canonical; 0 outside the mask.

    Attributes
    ----------
    around : ndarray
        Around every pixel.
    whole : ndarray
        The mean of Stein's estimate over each channel, in the shape (1, c, 1, 1, 1).
    """

    around: NDArray[np.float64]
    whole: NDArray[np.float64]


def variance_of(study: Study, result: NDArray[Any]) -> NDArray[np.float64]:
    """Return the variance of the noise of the studied part, at the intensities of the result."""
    noise = study.noise
    if noise.map is not None:
        sigma = np.broadcast_to(noise.map, study.image.data.shape)[study.run.core]
        return np.square(sigma, dtype=np.float64)
    channels = range(result.shape[1])
    return np.concatenate([fresh_variance(noise, c, result[:, c : c + 1]) for c in channels], 1)


def is_independent(noise: SourceNoise) -> bool:
    """Whether the noise is credibly independent between pixels and as strong as it is taken for.

    Where nothing was given it may grow with the intensity, as its model says.
    """
    if noise.given is not None:
        return noise.is_white
    return all(
        dataclasses.replace(
            model,
            findings=tuple(f for f in model.findings if f.name != "uneven" or model.gain == 0),
        ).is_white
        for model in noise.models
    )


def local_square(
    study: Study, result: NDArray[Any], seed: int, ran: Callable[[], None]
) -> LocalSquare:
    """Estimate the squared error of a result around every pixel.

    Stein's ``r = (u − y)² + V · (2 ∂u/∂y − 1)`` has the right mean and much noise, with the source
    y, the result u and the variance V of the noise. So it is explained by what varies little, the
    squared spread and the repeated error of runs on u plus fresh noise, V and the squared gradient
    of u, with weights of least squares that are 0 or more. That is multiplied by the ratio of the
    means over tiles of r and itself, as far as the ratio varies more than the noise of r explains.

    Parameters
    ----------
    study : Study
        Of white noise.
    result : ndarray
        Of the studied part, canonical.
    seed : int
        Selects the fresh noise.
    ran : callable
        Called after each of RUNS runs.
    """
    variance = variance_of(study, result)
    stein = _stein(study, result, variance, ran)
    errors = []
    for _, made in null_runs(study, result, _REPEATS, seed):
        errors.append(made.astype(np.float64) - result)
        ran()
    made = np.stack(errors)
    fine, tiles = _windows(study, _FINE_PIXELS), _windows(study, WINDOW_PIXELS)
    found = np.empty_like(stein)
    for c in range(stein.shape[1]):
        one = (slice(None), slice(c, c + 1))
        found[one] = _channel(
            stein[one], variance[one], made[:, *one], result[one], _of(fine, c), _of(tiles, c)
        )
    inside = np.ones(stein.shape, bool) if tiles.mask is None else tiles.mask
    counts = inside.sum(axis=(0, 2, 3, 4), keepdims=True)
    means, noise = (
        np.sum(each, axis=(0, 2, 3, 4), keepdims=True, where=inside) / np.maximum(counts, 1)
        for each in (stein, variance)
    )
    return LocalSquare(tiles.kept(found), np.maximum(means, _LEAST**2 * noise))


def _stein(
    study: Study, result: NDArray[Any], variance: NDArray[Any], ran: Callable[[], None]
) -> NDArray[np.float64]:
    """Return Stein's estimate of the squared error at every pixel."""
    slopes = np.zeros(result.shape)
    for turn in range(_PROBES):
        changed, change = perturbed(study.image, np.asarray(study.noise.sigma), turn)
        answer = study.result(changed).astype(np.float64) - result
        slopes += slope(change[study.run.core], answer)
        ran()
    return squared_error(study.run.source, result, variance, slopes / _PROBES)


def _channel(
    stein: NDArray[np.float64],
    variance: NDArray[np.float64],
    made: NDArray[np.float64],
    result: NDArray[Any],
    fine: Windows,
    tiles: Windows,
) -> NDArray[np.float64]:
    """Return the expected squared error of one channel."""
    spread = fine.smooth(made.var(axis=0, ddof=1), fine.variance)
    again = fine.smooth(np.square(made.mean(axis=0)), fine.variance) - spread / len(made)
    steep = fine.smooth(_squared_gradient(result, fine.axes), fine.variance)
    found = _explained(stein, variance, (spread, np.maximum(again, 0), variance, steep), fine.mask)
    floor = np.maximum(_LEAST**2 * variance, spread)
    return np.maximum(_corrected(found, stein, variance, tiles), floor)


def _explained(
    stein: NDArray[np.float64],
    variance: NDArray[np.float64],
    by: tuple[NDArray[np.float64], ...],
    mask: NDArray[np.bool_] | None,
) -> NDArray[np.float64]:
    """Return the combination, with weights of 0 or more, that is nearest to Stein's estimate."""
    from scipy.optimize import nnls

    chosen = variance > 0 if mask is None else mask & (variance > 0)
    if not chosen.any():
        return np.zeros_like(stein)
    columns = np.stack([each[chosen] / variance[chosen] for each in by], axis=1)
    sizes = np.sqrt(np.mean(np.square(columns), axis=0))
    sizes[sizes == 0] = 1.0
    columns /= sizes
    # The triangular factor has the least squares of all rows.
    products = columns.T @ columns + _RIDGE * len(columns) * np.eye(len(by))
    factor = np.linalg.cholesky(products)
    answer = np.linalg.solve(factor, columns.T @ (stein[chosen] / variance[chosen]))
    weights, _ = nnls(factor.T, answer)
    return np.asarray(sum(w * each for w, each in zip(weights / sizes, by, strict=True)))


def _corrected(
    found: NDArray[np.float64],
    stein: NDArray[np.float64],
    variance: NDArray[np.float64],
    tiles: Windows,
) -> NDArray[np.float64]:
    """Return the estimate times the ratio of the means over tiles, shrunk towards 1."""
    seen, expected = (tiles.smooth(each, tiles.variance) for each in (stein, found))
    pixels = (4 * math.pi * tiles.variance) ** (len(tiles.axes) / 2)
    known = expected > 0
    excess = np.divide(seen - expected, expected, out=np.zeros_like(seen), where=known)
    # Stein's estimate has a variance of about 2 V² at every pixel.
    noise = np.divide(2 * np.square(variance) / pixels, np.square(expected),
                      out=np.full_like(seen, np.inf), where=known)  # fmt: skip
    weights = 1 / (noise + _USUAL_SPREAD)
    total = float(weights.sum())
    beyond = np.square(excess) - np.where(known, noise, 0.0)
    spread = max(float(np.sum(weights * beyond)) / total, 0.0) if total > 0 else 0.0
    both = spread + noise
    trust = np.divide(spread, both, out=np.zeros_like(both), where=both > 0)
    return np.asarray(found * np.maximum(1 + trust * excess, 0.1))


def _squared_gradient(values: NDArray[Any], axes: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the squared gradient per pixel; a single plane has none across itself."""
    squared = np.zeros(values.shape)
    for axis in axes:
        if values.shape[axis] > 1:
            squared += np.square(np.gradient(values.astype(np.float64), axis=axis))
    return squared


def _windows(study: Study, pixels: int) -> Windows:
    """Return windows of so many pixels."""
    mask, axes = study.image.mask, study.grid.along_axes
    inside = None if mask is None else np.ascontiguousarray(mask[study.run.core])
    side = max(round(pixels ** (1 / len(axes))), 1)
    return Windows(side, axes, inside, False, Threads(stop=study.run.stop))


def _of(windows: Windows, c: int) -> Windows:
    """Return the windows of one channel."""
    if windows.mask is None:
        return windows
    mask = np.ascontiguousarray(windows.mask[:, c : c + 1])
    return Windows(windows.side, windows.axes, mask, False, windows.threads)
