"""Shrinks the differences of a tile at all levels by given weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_diffusion.filters.denoisers import haar_gate, haar_kernels

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray


def shrunk(
    tile: NDArray[Any],
    levels: list[dict[int, int]],
    sigma: float,
    weights: Iterable[Iterable[float]],
    variance: NDArray[np.float64] | None = None,
) -> NDArray[Any]:
    """Return a tile after the transform, its differences shrunk, and the way back.

    Parameters
    ----------
    tile : ndarray
        Canonical, with pixels around it as far as the transform reaches, or it is mirrored.
    levels : list of dict
        How far apart the pixels of a difference are, per level and axis.
    sigma : float
        Standard deviation of the noise.
    weights : iterable of pairs
        a and b of each group of differences, level by level from the finest.
    variance : ndarray, optional
        That of each pixel over sigma², of the tile's shape.
    """
    top, details, pairs = haar_kernels.padded(tile, levels), [], iter(weights)
    each_level = haar_gate.scales(levels, sigma, tile.dtype)
    own = None if variance is None else haar_kernels.padded(variance, levels)
    for distances, scale in zip(levels, each_level, strict=True):
        bands = haar_kernels.split(top, distances)
        top = bands.pop(())
        if own is not None:
            own = haar_gate.variance_of_level(own, distances)
            scales = haar_gate.scale_map(own, sigma, tile.dtype).reshape(-1)
        for _, names in haar_kernels.named_groups(bands):
            a, b = (tile.dtype.type(each) for each in next(pairs))
            for name in names:
                flat = bands[name].reshape(-1)
                if own is None:
                    haar_kernels.shrink(flat, tile.dtype.type(scale), a, b)
                else:
                    haar_kernels.shrink_each(flat, scales, a, b)
        details.append(bands)
    return haar_kernels.synthesised(top, details, levels)
