"""The shift-invariant Haar transform of a plane, row by row: it never leaves the cache.

It computes what `haar_kernels` does in any number of dimensions, where each band is an array.
"""

from __future__ import annotations

from napari_diffusion.engine.jit import inner_kernel, kernel
from napari_diffusion.filters.denoisers.haar_kernels import shrink, shrink_each


@inner_kernel
def half_sums(a, b, out):
    """Write half of the sums of two rows."""
    half = a.dtype.type(0.5)
    for x in range(out.size):
        out[x] = half * (a[x] + b[x])


@inner_kernel
def half_differences(a, b, out):
    """Write half of the differences of two rows."""
    half = a.dtype.type(0.5)
    for x in range(out.size):
        out[x] = half * (a[x] - b[x])


@inner_kernel
def joined(sums, differences, distance, out):
    """Write the mean of both ways back along a row."""
    half = sums.dtype.type(0.5)
    for x in range(out.size):
        way = sums[x] + sums[x + distance]
        out[x] = half * (way + (differences[x + distance] - differences[x]))


@inner_kernel
def both_ways(low, earlier_low, high, earlier_high, out):
    """Write the mean of both ways back from two rows of sums and two of differences."""
    half = low.dtype.type(0.5)
    for x in range(out.size):
        out[x] = half * ((earlier_low[x] + low[x]) + (high[x] - earlier_high[x]))


@kernel
def split(top, distance, scale, scales, one, both, lines, rows, low, detail):
    """Write the sums of a level, and what its differences, made smaller, add on the way back.

    Parameters
    ----------
    top : (H, W)
        The plane, or the sums of the level before.
    distance : int
        Between the two pixels of a difference.
    scale, scales : float, and (H − distance, W − distance), or (0, 0) for one number everywhere
        1 / (3 s) for differences whose noise has the standard deviation s.
    one, both : (2,)
        Weights of differences along one axis, and along both.
    lines : (6, W), rows : (2, distance, W)
        Written.
    low : (H − distance, W − distance)
        Written: the sums.
    detail : (H − 2 distance, W − 2 distance)
        Written.
    """
    count, inner = low.shape[1], detail.shape[1]
    sums, differences = lines[0], lines[1]
    nothing, across, along, crossed = lines[2], lines[3], lines[4], lines[5]
    for x in range(count):
        nothing[x] = 0
    for i in range(low.shape[0]):
        half_sums(top[i], top[i + distance], sums)
        half_differences(top[i], top[i + distance], differences)
        half_sums(sums, sums[distance:], low[i])
        half_differences(sums, sums[distance:], across[:count])
        half_sums(differences, differences[distance:], along[:count])
        half_differences(differences, differences[distance:], crossed[:count])
        if scales.size:
            shrink_each(across[:count], scales[i], one[0], one[1])
            shrink_each(along[:count], scales[i], one[0], one[1])
            shrink_each(crossed[:count], scales[i], both[0], both[1])
        else:
            shrink(across[:count], scale, one[0], one[1])
            shrink(along[:count], scale, one[0], one[1])
            shrink(crossed[:count], scale, both[0], both[1])
        # The rows of sums and differences that are `distance` further up were left here.
        kept, made = rows[0, i % distance], rows[1, i % distance]
        joined(nothing, across, distance, sums[:inner])
        joined(along, crossed, distance, differences[:inner])
        if i >= distance:
            both_ways(sums, kept, differences, made, detail[i - distance])
        for x in range(inner):
            kept[x] = sums[x]
        for x in range(inner):
            made[x] = differences[x]


@kernel
def join(sums, distance, detail, line, out):
    """Write a level that is made of its sums and of what its differences add."""
    half = sums.dtype.type(0.5)
    margin = (detail.shape[0] - out.shape[0]) // 2
    for i in range(out.shape[0]):
        half_sums(sums[i], sums[i + distance], line)
        to, more = out[i], detail[margin + i, margin:]
        for x in range(to.size):
            to[x] = half * (line[x] + line[x + distance]) + more[x]
