"""The coarser levels of an image: each has half the pixels of the one before."""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import DTypeLike, NDArray
    from zarr.types import AnyArray

    #: Calls a function with each item, in any order, as `map` does.
    Run = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]

# A coarsest level of this width fills a thumbnail, and is one chunk.
_SMALLEST = 256

# Large enough that there are few files, small enough that a viewer waits for none.
_CHUNK_BYTES = 1 << 22


@dataclass(frozen=True)
class Level:
    """One level of a pyramid.

    Attributes
    ----------
    shape : tuple of int
        Pixels along each axis.
    step : tuple of int
        How many pixels of the level before make one, along each axis; all 1 for the image itself.
    factor : tuple of int
        How many pixels of the image make one, along each axis.
    """

    shape: tuple[int, ...]
    step: tuple[int, ...]
    factor: tuple[int, ...]


def levels(axes: str, shape: Sequence[int], lengths: Mapping[str, float]) -> tuple[Level, ...]:
    """Return the levels of an image, itself first, until y and x have at most 256 pixels.

    Along z there is no halving while voxels are longer there than along x.
    """
    ones = (1,) * len(axes)
    made = [Level(tuple(shape), ones, ones)]
    wide = [index for index, axis in enumerate(axes) if axis in "yx"]
    while max(made[-1].shape[index] for index in wide) > _SMALLEST:
        last = made[-1]
        size = {a: lengths.get(a, 1.0) * f for a, f in zip(axes, last.factor, strict=True)}
        halved = "zyx" if size.get("z", math.inf) <= size["x"] else "yx"
        step = tuple(
            2 if axis in halved and length > 1 else 1
            for axis, length in zip(axes, last.shape, strict=True)
        )
        # A last pixel without a neighbour makes one alone.
        fewer = tuple(-(-n // by) for n, by in zip(last.shape, step, strict=True))
        factor = tuple(f * by for f, by in zip(last.factor, step, strict=True))
        made.append(Level(fewer, step, factor))
    return tuple(made)


def coarser(values: NDArray[Any], step: Sequence[int]) -> NDArray[Any]:
    """Return the means of boxes of pixels, rounded for integers; NaN is left out of them."""
    dtype = values.dtype
    floating = dtype.kind == "f"
    # 8 values of 16 bits have an exact sum in float32.
    small = dtype.itemsize <= (4 if floating else 2)
    real = np.dtype(np.float32 if small else np.float64)
    missing = np.isnan(values) if floating else None
    if missing is not None and missing.any():
        sums = _summed(np.where(missing, 0, values), step, real)
        counts = _summed(~missing, step, real)
    else:
        sums = _summed(values, step, real)
        # Boxes at the end of an axis can be smaller.
        counts = np.ones((), real)
        for axis, by in enumerate(step):
            along = _summed(np.ones(values.shape[axis]), (by,), real)
            counts = counts * along.reshape([-1 if k == axis else 1 for k in range(values.ndim)])
    with np.errstate(invalid="ignore"):
        means = sums / counts
    return (means if floating else np.rint(means)).astype(dtype)


def _summed(values: NDArray[Any], step: Sequence[int], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Add neighbours up along the axes with a step of 2."""
    for axis, by in enumerate(step):
        if by == 2:
            before = (slice(None),) * axis
            first = values[(*before, slice(None, None, 2))].astype(dtype)
            second = values[(*before, slice(1, None, 2))]
            first[(*before, slice(second.shape[axis]))] += second
            values = first
    return values.astype(dtype, copy=False)


def fill(
    fine: AnyArray,
    coarse: AnyArray,
    step: Sequence[int],
    leading: tuple[int, ...],
    run: Run = map,
) -> None:
    """Compute a level from the one before, file by file, so that few pixels are in memory.

    Parameters
    ----------
    fine, coarse : zarr array
        The level before, and the one to fill.
    step : sequence of int
        How many pixels of the one make a pixel of the other, along each axis.
    leading : tuple of int
        Indices of axes before those of the image.
    run : callable
        ``run(function, items)`` calls a function with each item, in any order.
    """
    done, files = len(leading), coarse.shards or coarse.chunks
    task = functools.partial(_fill_file, fine, coarse, tuple(step), leading)
    for _ in run(task, chunk_slices(coarse.shape[done:], files[done:])):
        pass


def _fill_file(
    fine: AnyArray,
    coarse: AnyArray,
    step: tuple[int, ...],
    leading: tuple[int, ...],
    part: tuple[slice, ...],
) -> None:
    read = tuple(slice(s.start * by, s.stop * by) for s, by in zip(part, step, strict=True))
    coarse[leading + part] = coarser(np.asarray(fine[leading + read]), step)


def coarser_files(
    files: Sequence[int], chunks: Sequence[int], step: Sequence[int]
) -> tuple[int, ...]:
    """Return the shape of the files of a level, each made from two files of the level before.

    Parameters
    ----------
    files, chunks : sequence of int
        Shapes of the files of the level before, and of the chunks in them and in the new ones.
    step : sequence of int
        How many pixels make one, along each axis.
    """
    halved = [axis for axis, by in enumerate(step) if by > 1][1:]
    return tuple(
        -(-size // chunk // 2) * chunk if axis in halved else size
        for axis, (size, chunk) in enumerate(zip(files, chunks, strict=True))
    )


def chunk_slices(shape: Sequence[int], chunks: Sequence[int]) -> Iterator[tuple[slice, ...]]:
    """Yield the region of each chunk."""
    along = [
        [slice(start, min(start + size, length)) for start in range(0, length, size)]
        for length, size in zip(shape, chunks, strict=True)
    ]
    yield from itertools.product(*along)


def chunk_shape(shape: Sequence[int], dtype: DTypeLike) -> tuple[int, ...]:
    """Return the shape of chunks of about 4 MB: wide in y and x, the last two axes."""
    most = max(_CHUNK_BYTES // np.dtype(dtype).itemsize, 1)
    chunks = [1] * (len(shape) - 2) + [max(length, 1) for length in shape[-2:]]
    while math.prod(chunks) > most:
        widest = max(range(len(chunks)), key=lambda index: chunks[index])
        chunks[widest] = -(-chunks[widest] // 2)
    for index in reversed(range(len(shape) - 2)):
        chunks[index] = max(min(shape[index], most // math.prod(chunks)), 1)
    return tuple(chunks)
