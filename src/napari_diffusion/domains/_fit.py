"""A straight line through the variance of the noise over the intensity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.picture import is_dask

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.picture import Picture

_BLOCK = 8
_BINS = 24
_BLOCKS_PER_BIN = 8
_MOST_SAMPLES = 1 << 24

# The median of the mean squares of blocks of white noise is this much of their mean.
_MEDIAN_OF_BLOCKS = 0.956


def variance_line(
    picture: Picture, gain: float | None, offset: float | None, read_noise: float | None
) -> tuple[float, float]:
    """Return the slope of the noise's variance over the intensity, and what it is without light.

    The noise is what the second differences of blocks of 8 × 8 samples leave; of the blocks of like
    intensity the median one counts, so that structure in fewer than half of them does not matter.
    Where the variance does not grow with the intensity, the line begins at zero.

    Parameters
    ----------
    picture : Picture
        The whole source; of very large ones the first frames and planes are measured.
    gain, offset, read_noise : float or None
        What is known of the line: its slope, the intensity without light, the noise there.

    Returns
    -------
    gain, excess : float
        ``variance(z) = gain · (z − offset) + read_noise² + excess``, with 0 for what is not known.
    """
    means, variances = _binned(*_blocks(picture))
    means, variances = means - (offset or 0.0), variances - (read_noise or 0.0) ** 2
    free = offset is None or read_noise is None
    if gain is not None:
        weights = 1.0 / np.maximum(gain * np.abs(means), 1e-3 * gain) ** 2
        return gain, float(np.average(variances - gain * means, weights=weights)) * free
    slope, excess = _line(means, variances) if free else (_through_zero(means, variances), 0.0)
    if excess < 0 and offset is not None:
        slope, excess = _through_zero(means, variances), 0.0
    return min(max(slope, 1e-30), 1e30), excess


def _line(means: NDArray[Any], variances: NDArray[Any]) -> tuple[float, float]:
    """Fit the line, each variance weighted by how well it is known, which is by its square."""
    slope, excess = _through_zero(means, variances), 0.0
    least = 0.01 * abs(float(variances.mean()))
    if len(means) < 3 or not least:
        return slope, excess
    for _ in range(20):
        weights = 1.0 / np.maximum(slope * means + excess, least) ** 2
        center = np.average(means, weights=weights)
        level = np.average(variances, weights=weights)
        spread = np.average((means - center) ** 2, weights=weights)
        together = np.average((means - center) * (variances - level), weights=weights)
        if not spread or together <= 0:
            return _through_zero(means, variances), 0.0
        slope, excess = together / spread, level - together / spread * center
    return float(slope), float(excess)


def _through_zero(means: NDArray[Any], variances: NDArray[Any]) -> float:
    """Return the slope of the line from zero, 1 where there is no light or no noise."""
    middle, height = float(means.mean()), float(variances.mean())
    return height / middle if middle > 0 and height > 0 else 1.0


def _binned(means: NDArray[Any], variances: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the mean intensity and the median variance of blocks of like intensity."""
    order = np.argsort(means, kind="stable")
    bins = np.array_split(order, max(min(_BINS, len(order) // _BLOCKS_PER_BIN), 1))
    found = [np.median(variances[chosen]) / _MEDIAN_OF_BLOCKS for chosen in bins]
    return np.array([means[chosen].mean() for chosen in bins]), np.array(found)


def _blocks(picture: Picture) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the mean and the variance of the noise of every whole block inside the mask."""
    along = [axis for axis in picture.grid.along_axes if picture.grid.shape[axis] >= _BLOCK + 2]
    axes = along[-2:]
    if not axes:
        return np.zeros(1), np.zeros(1)
    means, squares = [], []
    for values, mask in _parts(picture):
        residual, mean, whole = values, values, mask
        for axis in axes:
            low, middle, high = _three(residual, axis)
            residual = (low - 2 * middle + high) / np.sqrt(6.0)
            mean = sum(_three(mean, axis)) / 3.0
            whole = np.logical_and.reduce(_three(whole, axis))
        blocks = [_block_means(each, axes) for each in (mean, residual**2, whole)]
        kept = blocks[2] == 1
        means.append(blocks[0][kept])
        squares.append(blocks[1][kept])
    found = np.concatenate(means), np.concatenate(squares)
    return found if found[0].size else (np.zeros(1), np.zeros(1))


def _parts(picture: Picture) -> Any:
    """Yield the values of each frame and channel with their mask, until enough were measured."""
    measured = 0
    for t, c in np.ndindex(*picture.data.shape[:2]):
        part = (slice(t, t + 1), slice(c, c + 1))
        values = picture.data[part]
        if is_dask(values):
            planes = max(_MOST_SAMPLES // max(values.shape[3] * values.shape[4], 1), 1)
            values = values[:, :, :planes].compute()
        mask = np.ones(values.shape, bool)
        if picture.mask is not None:
            mask = np.asarray(picture.mask[part][:, :, : values.shape[2]])
        yield values.astype(np.float64), mask
        measured += values.size
        if measured >= _MOST_SAMPLES:
            return


def _three(array: NDArray[Any], axis: int) -> list[NDArray[Any]]:
    index: list[Any] = [slice(None)] * array.ndim
    parts = []
    for first in range(3):
        index[axis] = slice(first, array.shape[axis] - 2 + first)
        parts.append(array[tuple(index)])
    return parts


def _block_means(array: NDArray[Any], axes: list[int]) -> NDArray[np.float64]:
    """Return the means of whole blocks along some axes."""
    out = array.astype(np.float64)
    for axis in axes:
        count = out.shape[axis] // _BLOCK
        out = np.moveaxis(out, axis, -1)[..., : count * _BLOCK]
        out = np.moveaxis(out.reshape(*out.shape[:-1], count, _BLOCK).mean(axis=-1), -1, axis)
    return out
