"""Random fields with a spectrum: white numbers of the whole image, filtered in Fourier space."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.noise.sampling import random_field

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.address import Address
    from napari_diffusion.core.grid import Grid
    from napari_diffusion.engine.block import Block

# The lowest frequency told from 0, as a fraction of the highest.
LOWEST = 1e-30


def frequencies(grid: Grid) -> list[NDArray[np.float64]]:
    """Return the frequencies in cycles per world unit along each axis in `along`.

    Each has the shape that lets it be combined with the others; the last axis, that of a real
    transform, has the half that is 0 or more. Those in the middle of an even size count positive.
    """
    axes = grid.along_axes
    found: list[NDArray[np.float64]] = []
    for axis in axes:
        size, length = grid.shape[axis], grid.length(axis)
        half = axis == axes[-1]
        cycles = np.fft.rfftfreq(size) if half else np.fft.fftfreq(size)
        shape = [1] * len(axes)
        shape[axes.index(axis)] = len(cycles)
        found.append(cycles.reshape(shape).astype(np.float64) / length)
    return found


def multiplicity(grid: Grid) -> NDArray[np.float64]:
    """Return how many frequencies each of a real transform stands for, along its last axis.

    2, itself and its negative, but for 0 and the middle of an even size.
    """
    size = grid.shape[grid.along_axes[-1]]
    count = np.full(size // 2 + 1, 2.0)
    count[0] = 1.0
    if size % 2 == 0:
        count[-1] = 1.0
    return count


def falling(cycles: list[NDArray[np.float64]], exponent: float) -> NDArray[np.float64]:
    """Return the power |f|^−exponent at each frequency, that of the highest one being about 1."""
    highest = max(float(np.abs(each).max()) for each in cycles) or 1.0
    squares = sum((each / highest) ** 2 for each in cycles)
    return np.asarray(np.maximum(squares, LOWEST**2) ** (-exponent / 2))


def gains(power: NDArray[np.float64], grid: Grid, owner: str) -> NDArray[np.float32]:
    """Return the factors of a white spectrum that give it a power, with mean 0 and variance 1.

    Parameters
    ----------
    power : ndarray
        Relative power of each frequency of `frequencies`; that of frequency 0 is ignored.
    grid : Grid
        The whole image's.
    owner : str
        The noise, for the error.
    """
    sizes = [grid.shape[axis] for axis in grid.along_axes]
    power = power.copy()
    power[(0,) * power.ndim] = 0.0
    largest = power.max()
    if not largest > 0:
        raise ValueError(
            f"{owner}: an image of {' × '.join(map(str, sizes))} pixels contains no frequency for "
            "the noise: use a larger image."
        )
    power /= largest
    mean = float((power * multiplicity(grid)).sum()) / math.prod(sizes)
    return np.sqrt(power / mean).astype(np.float32)


def add_spectral(
    block: Block, gain: NDArray[np.float32], scales: tuple[float, ...], address: Address
) -> NDArray[Any]:
    """Return block + scale · field, the field with the spectrum that the gains give it.

    The field is always that of the whole image; a block gets its part of it.
    """
    from scipy import fft

    axes = block.grid.along_axes
    shape, origin = list(block.shape), list(block.grid.origin)
    part = [slice(None)] * 5
    for axis in axes:
        part[axis] = slice(origin[axis], origin[axis] + shape[axis])
        shape[axis], origin[axis] = block.grid.shape[axis], 0
    field = random_field.white(
        random_field.Place(tuple(shape), tuple(origin), address), block.threads
    )
    batches = [range(1) if axis in axes else range(shape[axis]) for axis in range(5)]

    def work(*index: int) -> None:
        where = tuple(slice(None) if a in axes else i for a, i in enumerate(index))
        # One thread each, because shares of a transform would depend on their number.
        spectrum = fft.rfftn(field[where], workers=1)
        spectrum *= gain
        field[where] = fft.irfftn(spectrum, [shape[axis] for axis in axes], workers=1)

    block.threads.each(work, list(itertools.product(*batches)))
    return random_field.added(block, field[tuple(part)], scales)
