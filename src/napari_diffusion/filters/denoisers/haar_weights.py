"""The weights of `HaarDiffusion` that make Stein's estimate of the squared error least."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.filters.denoisers import haar_gate, haar_kernels
from napari_diffusion.filters.denoisers.bounded_lstsq import least_within
from napari_diffusion.filters.denoisers.fitting_tiles import tiles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import DTypeLike, NDArray

    from napari_diffusion.core.image import Image
    from napari_diffusion.core.noise_map import NoiseField

# The weights are few and the pixels many: these suffice, spread over the image.
SAMPLES = 1 << 17
BOXES = 4

# Noise that is fainter than this beside the values is none.
FAINTEST = 1e-12

# Of the diagonal, added to it: bands that hold nothing leave their weights undecided.
RIDGE = 1e-4

# A difference is multiplied by so much: it hardly turns, and hardly grows.
LOW, HIGH = -0.1, 1.1


def of_least_error(
    image: Image, levels: list[dict[int, int]], noise: NoiseField
) -> tuple[float, ...]:
    """Return a and b of every group, level and channel, of the first to the last channel.

    Parameters
    ----------
    image : Image
        The source.
    levels : list of dict
        How far apart the pixels of a difference are, per level and axis.
    noise : NoiseField
        That of the image.
    """
    count = 2 * sum(len(distances) for distances in levels)
    if not count:
        # A single pixel differs from nothing.
        return (1.0, 0.0)
    found: list[float] = []
    reach = haar_kernels.reach_of(levels)
    halo = tuple(reach.get(axis, 0) for axis in range(5))
    for channel, alone in zip(image.channels(), noise.channels(), strict=True):
        matrix, right, sigma = np.zeros((count, count)), np.zeros(count), alone.sigmas[0]
        for block, inner in tiles(channel, halo, SAMPLES, BOXES):
            if sigma > FAINTEST * float(np.abs(block.values).max()):
                variance = alone.variances(block.grid.origin, block.shape)
                m, r = _normal_equations(block.values, inner, levels, sigma, variance)
                matrix, right = matrix + m, right + r
        # Without any noise nothing is to change.
        found += _bounded(matrix, right) if matrix.any() else [1.0, 0.0] * (count // 2)
    return tuple(found)


def _bounded(matrix: NDArray[Any], right: NDArray[Any]) -> list[float]:
    """Return a and b of least error among those that hardly turn or enlarge a difference.

    Differences within the noise are multiplied by a + b, and large ones by a: both are bounded.
    Otherwise the estimate runs away where the noise is weaker than it is taken to be.
    """
    # From the two factors, that of small and that of large differences, to a and b.
    turn = np.kron(np.eye(len(right) // 2), [[0.0, 1.0], [1.0, -1.0]])
    matrix, right = turn.T @ matrix @ turn, turn.T @ right
    diagonal = np.diag(matrix)
    ridge = np.diag(RIDGE * diagonal + 1e-12 * diagonal.max())
    factors = least_within(matrix + ridge, right, LOW, HIGH)
    return [float(each) for each in turn @ factors]


def _normal_equations(
    box: NDArray[Any],
    inner: tuple[slice, ...],
    levels: list[dict[int, int]],
    sigma: float,
    variance: NDArray[np.float64] | None,
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return F Fᵀ and F (y − base) − σ² D for the features F of one box, in units of sigma.

    `variance` is that of each pixel over sigma², where it is not 1 everywhere.
    """
    y = np.asarray(box / sigma, box.dtype)
    top, analysed = haar_kernels.padded(y, levels), []
    for distances in levels:
        bands = haar_kernels.split(top, distances)
        top = bands.pop(())
        analysed.append(bands)
    nothing: list[haar_kernels.Bands] = [{} for _ in levels]
    base = haar_kernels.synthesised(top, nothing, levels)[inner].ravel()
    features, divergences = [], []
    for level, (scale, own) in enumerate(_scales(levels, y.dtype, variance)):
        for _, names in haar_kernels.named_groups(analysed[level]):
            for gated in (False, True):
                bands = {name: analysed[level][name] for name in names}
                divergence = len(names) * _weighted_mean(own, None, inner)
                if gated:
                    q = {name: _eighth_power(c * scale) for name, c in bands.items()}
                    kept = {name: np.exp(-each) for name, each in q.items()}
                    bands = {name: c * kept[name] for name, c in bands.items()}
                    divergence = sum(
                        _weighted_mean(own, kept[name] * (1 - 8 * each), inner)
                        for name, each in q.items()
                    )
                alone = haar_kernels.synthesised(
                    None, [*nothing[:level], bands], levels[: level + 1]
                )
                features.append(_core(alone, levels[level + 1 :], box.shape, inner))
                divergences.append(divergence * base.size)
    F = np.stack(features).astype(np.float64)
    return F @ F.T, F @ (y[inner].ravel() - base) - np.array(divergences)


def _scales(
    levels: list[dict[int, int]], dtype: DTypeLike, variance: NDArray[np.float64] | None
) -> Iterator[tuple[Any, Any]]:
    """Yield 1 / (3 s) of the differences of each level, and s²; one number each without a map."""
    plain, number = haar_gate.scales(levels, 1.0, dtype), 1.0
    own = None if variance is None else haar_kernels.padded(variance, levels)
    for distances, scale in zip(levels, plain, strict=True):
        number /= 2 ** len(distances)
        if own is None:
            yield scale, number
        else:
            own = haar_gate.variance_of_level(own, distances)
            yield haar_gate.scale_map(own, 1.0, dtype), own


def _eighth_power(c: NDArray[Any]) -> NDArray[Any]:
    """Return c⁸, but no more than what exp can be taken of."""
    np.clip(c, -2.0, 2.0, out=c)
    for _ in range(3):
        np.square(c, out=c)
    return np.minimum(c, 80.0, out=c)


def _weighted_mean(
    weight: float | NDArray[Any], values: NDArray[Any] | None, inner: tuple[slice, ...]
) -> float:
    """Return the mean of values, 1 by default, times one weight or one for each."""
    if isinstance(weight, float):
        return weight if values is None else weight * _mean(values, inner)
    return _mean(weight if values is None else weight * values, inner)


def _mean(values: NDArray[Any], inner: tuple[slice, ...]) -> float:
    """Return the mean over the middle part of a band, as large as the core."""
    sizes = [part.stop - part.start for part in inner]
    middle = [
        slice((n - m) // 2, (n - m) // 2 + m) for n, m in zip(values.shape, sizes, strict=True)
    ]
    return float(values[tuple(middle)].mean(dtype=np.float64))


def _core(
    alone: NDArray[Any],
    coarser: list[dict[int, int]],
    shape: tuple[int, ...],
    inner: tuple[slice, ...],
) -> NDArray[Any]:
    """Cut what coarser levels would have cut, then the core."""
    reach = haar_kernels.reach_of(coarser) if coarser else {}
    cut = tuple(slice(reach.get(a, 0), reach.get(a, 0) + n) for a, n in enumerate(shape))
    return alone[cut][inner].ravel()
