"""Whether an image once was a JPEG: the coefficients of its 8 × 8 blocks lie at equal steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.estimate.window_spectrum import SIZE, cosines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

# So many pixels in the middle of an image, along both axes, are looked at.
LOOKED_AT = 320

# Blocks too few to tell.
FEWEST = 150

# What red, green and blue have of JPEG's brightness.
_LUMA = (0.299, 0.587, 0.114)

# Steps between the values of an image: whole numbers, or whole numbers of 255.
_UNITS = (1.0, 1.0 / 255.0)

# The grey values of a JPEG are less.
_LARGEST = 2**24

# The coefficients looked at: coarse ones, which are seldom all 0.
_COARSE = [(k, q) for k in range(4) for q in range(4) if 0 < k + q < 6]

# Coefficients are counted in bins of a quarter of the values' unit, and the spectrum of the counts
# is looked at where steps of 2 to 40 units have their line.
_FFT, _PER_UNIT = 4096, 4
_TEETH = np.rint(_FFT / _PER_UNIT / np.arange(2, 41)).astype(int)

# How far, in standard errors, one position of the blocks must stand out in a coefficient; in how
# many coefficients; and how much more than the next position.
_STANDS_OUT, _IN_SO_MANY, _MORE = 7.0, 3, 2.0


def position_of_blocks(planes: NDArray[Any]) -> tuple[int, int] | None:
    """Return where the blocks of a JPEG begin in a plane, modulo 8; None where none are seen.

    At the right position the coefficients of the blocks are multiples of the step that they were
    rounded to, at all others they are not.

    Parameters
    ----------
    planes : (C, Y, X) array
        Three colours, or one channel; of a large one the middle is looked at.
    """
    height, width = planes.shape[1:]
    y, x = (max(n - LOOKED_AT, 0) // 2 for n in (height, width))
    values = np.asarray(planes[:, y : y + LOOKED_AT, x : x + LOOKED_AT], np.float64)
    unit = next((u for u in _UNITS if _whole(values / u)), None)
    blocks = [max(n - SIZE + 1, 0) // SIZE for n in values.shape[1:]]
    if unit is None or blocks[0] * blocks[1] < FEWEST:
        return None
    values = np.tensordot(_LUMA if len(values) == 3 else (1.0,), values / unit, 1)
    scores = np.zeros((SIZE, SIZE))
    votes = np.zeros((SIZE, SIZE), int)
    for found in _stands_out(values - np.median(values)):
        scores += np.where(found > _STANDS_OUT, found, 0.0)
        votes += found > _STANDS_OUT
    best = np.unravel_index(int(np.argmax(scores)), scores.shape)
    others = np.sort(scores.ravel())[-2]
    if votes[best] < _IN_SO_MANY or scores[best] < _MORE * others:
        return None
    return (int(y + best[0]) % SIZE, int(x + best[1]) % SIZE)


def _whole(values: NDArray[Any]) -> bool:
    # Far from 0 all numbers are whole.
    if np.abs(values).max(initial=0.0) > _LARGEST:
        return False
    return bool(np.abs(values - np.rint(values)).max(initial=0.0) < 2e-3)


def _stands_out(values: NDArray[Any]) -> Iterator[NDArray[np.float64]]:
    """Yield for each coefficient how far every position stands out, in standard errors."""
    matrix = cosines()
    down = [_run_over(values, matrix[k], 0) for k in range(4)]
    for k, q in _COARSE:
        c = _run_over(down[k], matrix[q], 1)
        combs = np.empty((SIZE, SIZE, len(_TEETH)))
        for y, x in np.ndindex(SIZE, SIZE):
            part = c[y::SIZE, x::SIZE].ravel()
            bins = np.rint(part * _PER_UNIT).astype(np.int64) % _FFT
            teeth = np.fft.rfft(np.bincount(bins, minlength=_FFT)).real / len(part)
            combs[y, x] = teeth[_TEETH]
        usual = np.median(combs, axis=(0, 1))
        error = np.maximum(1.4826 * np.median(np.abs(combs - usual), axis=(0, 1)), 1e-3)
        error = np.maximum(error, np.sqrt(0.5 / (c.size / SIZE**2)))
        yield ((combs - usual) / error).max(axis=2)


def _run_over(values: NDArray[Any], taps: NDArray[Any], axis: int) -> NDArray[Any]:
    length = values.shape[axis] - SIZE + 1
    parts = (np.take(values, range(k, k + length), axis) for k in range(SIZE))
    return sum(tap * part for tap, part in zip(taps, parts, strict=True))
