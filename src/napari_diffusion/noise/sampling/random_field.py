"""Random fields by address: white ones, and white ones that a kernel has run over."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from napari_diffusion.core.address import Address
    from napari_diffusion.core.grid import Grid
    from napari_diffusion.core.noise_scale import Scales
    from napari_diffusion.engine.block import Block
    from napari_diffusion.engine.threads import Threads

# A sampled Gaussian is cut off where it is this many standard deviations from its middle.
TRUNCATE = 4.0

# Standard deviation in pixels of the widest one.
WIDEST = 1000.0


@functools.lru_cache(maxsize=64)
def gaussian_weights(sigma: float) -> tuple[float, ...]:
    """Return a sampled Gaussian of `sigma` pixels, the sum of whose squares is 1."""
    reach = int(TRUNCATE * sigma + 0.5)
    at = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * (at / sigma) ** 2) if reach else np.ones(1)
    return tuple(float(w) for w in weights / np.linalg.norm(weights))


def gaussian_kernels(
    sigma: float, grid: Grid, owner: str, name: str
) -> dict[int, tuple[float, ...]]:
    """Return the weights of a Gaussian of `sigma` world units for each axis in `along`."""
    kernels = {}
    for axis in grid.along_axes:
        samples = sigma / grid.length(axis)
        if samples > WIDEST:
            raise ValueError(
                f"{owner}: {name}={sigma:g} is {samples:g} pixels, more than {WIDEST:g}: use a "
                "smaller value, or PowerLaw for noise at all scales."
            )
        kernels[axis] = gaussian_weights(samples)
    return kernels


@dataclass(frozen=True)
class Place:
    """Where a field lies and which numbers it has: the shape of a block, its origin, its address.

    Attributes
    ----------
    shape, origin : tuple of 5 int
        Canonical (t, c, z, y, x).
    address : Address
        Seed, step and stream.
    """

    shape: tuple[int, ...]
    origin: tuple[int, ...]
    address: Address

    def with_margin(self, reach: Sequence[int]) -> Place:
        """Return the place of a block wider by `reach` on both sides.

        The numbers of its first pixel are those that belong to the origin: a field with a margin
        has its coordinates shifted by the reach, and so none is negative.
        """
        wide = tuple(size + 2 * r for size, r in zip(self.shape, reach, strict=True))
        return Place(wide, self.origin, self.address)


def white(place: Place, threads: Threads) -> NDArray[np.float32]:
    """Return a standard normal number for every pixel of a place."""
    from napari_diffusion.noise.sampling import normal, random_numbers

    address, (_, _, _, y0, x0) = place.address, (int(first) for first in place.origin)
    keys, z = random_numbers.addresses(
        place.shape, place.origin, address.seed, address.step, address.stream
    )
    out = np.empty(place.shape, np.float32)
    _, _, _, height, width = place.shape
    planes = out.reshape(-1, height, width)

    def work(plane: int, start: int, stop: int) -> None:
        normal.fill_normal(planes, keys, z, y0, x0, plane, plane + 1, start, stop)

    bands = threads.bands(height, width)
    threads.each(work, [(plane, *band) for plane in range(len(planes)) for band in bands])
    return out


def smooth(
    place: Place, kernels: Mapping[int, Sequence[float]], threads: Threads
) -> NDArray[np.float32]:
    """Return a field of variance 1: white numbers with a kernel of norm 1 along each axis.

    Parameters
    ----------
    place : Place
        Of the field returned.
    kernels : dict of int to sequence of float
        An odd number of weights for each canonical axis that has a kernel.
    threads : Threads
        Shares the rows.
    """
    reach = [len(kernels.get(axis, (1.0,))) // 2 for axis in range(5)]
    field = white(place.with_margin(reach), threads)
    for axis, weights in kernels.items():
        if len(weights) > 1:
            offsets = np.zeros((len(weights), 5), np.int64)
            offsets[:, axis] = np.arange(len(weights))
            field = run_over(field, offsets, np.array(weights, np.float32), threads)
    return field


def run_over(
    field: NDArray[np.float32],
    offsets: NDArray[np.int64],
    weights: NDArray[np.float32],
    threads: Threads,
) -> NDArray[np.float32]:
    """Return the sums of weighted neighbours, ``out[i] = Σ_k weights[k] · field[i + offsets[k]]``.

    Offsets are 0 or more, in canonical order; the field is smaller afterwards by the largest one
    along each axis. The sum runs in the order of the weights wherever a pixel lies, so that its
    bits do not depend on the block.
    """
    from napari_diffusion.noise.sampling.taps import add_taps

    shape = tuple(n - int(d) for n, d in zip(field.shape, offsets.max(axis=0), strict=True))
    index = np.arange(math.prod(field.shape[:4]), dtype=np.int64).reshape(field.shape[:4])
    first = np.ascontiguousarray(index[tuple(slice(0, n) for n in shape[:4])]).ravel()
    rows = index[tuple(offsets.T[:4])]
    out = np.empty(shape, np.float32)
    source, target = field.reshape(-1, field.shape[4]), out.reshape(-1, shape[4])
    columns = np.ascontiguousarray(offsets[:, 4])

    def work(start: int, stop: int) -> None:
        add_taps(source, target, first, rows, columns, weights, start, stop)

    threads.each(work, threads.bands(len(target), shape[4] * (1 + len(weights) // 8)))
    return out


def added(
    block: Block,
    field: NDArray[np.float32],
    scales: Scales,
    curve: Callable[[NDArray[Any]], NDArray[Any]] | None = None,
) -> NDArray[Any]:
    """Return block + scale · curve(block) · field.

    The scale is by channel, the field may have axes of length 1, and no curve is 1 everywhere.
    """
    out = np.empty_like(block.values)
    wide = np.broadcast_to(field, block.shape)
    channels, height = block.shape[1], block.shape[3]

    def work(t: int, c: int, z: int, start: int, stop: int) -> None:
        rows = (t, c, z, slice(start, stop))
        target = out[rows]
        np.multiply(wide[rows], block.dtype.type(scales[c]), out=target)
        if curve is not None:
            np.multiply(target, curve(block.values[rows]), out=target)
        np.add(block.values[rows], target, out=target)

    bands = block.threads.bands(height, block.shape[4])
    planes = np.ndindex(block.shape[0], channels, block.shape[2])
    block.threads.each(work, [(*plane, *band) for plane in planes for band in bands])
    return out
