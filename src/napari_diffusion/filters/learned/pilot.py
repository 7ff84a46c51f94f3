"""What the steps begin with: a plane whose differences at growing distances are made smaller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def shrunk(
    plane: NDArray[Any],
    weights: tuple[tuple[float, float], ...],
    variance: NDArray[np.float64] | None = None,
) -> NDArray[Any]:
    """Return a plane as `HaarDiffusion` does, with noise of the standard deviation 1.

    Parameters
    ----------
    plane : ndarray, shape (H, W)
        Mirrored where it ends.
    weights : tuple of pairs
        See `Network.pilot`.
    variance : ndarray, shape (H, W), optional
        That of each pixel, if it is not 1 everywhere.
    """
    from napari_diffusion.filters.denoisers import haar_gate
    from napari_diffusion.filters.learned import pilot_kernels

    dtype, distances = plane.dtype, [2**level for level in range(len(weights) // 2)]
    made, own = (_mirrored(each, sum(distances)) for each in (plane, variance))
    assert made is not None
    each_level = haar_gate.scales([{0: n, 1: n} for n in distances], 1.0, dtype)
    pairs, details = np.array(weights, dtype), []
    scales = np.empty((0, 0), dtype)
    for level, (n, scale) in enumerate(zip(distances, each_level, strict=True)):
        if own is not None:
            own = haar_gate.variance_of_level(own, {0: n, 1: n})
            scales = haar_gate.scale_map(own, 1.0, dtype)
        (height, width), both = made.shape, pairs[2 * level : 2 * level + 2]
        low = np.empty((height - n, width - n), dtype)
        detail = np.empty((height - 2 * n, width - 2 * n), dtype)
        lines, rows = np.empty((6, width), dtype), np.empty((2, n, width), dtype)
        pilot_kernels.split(made, n, dtype.type(scale), scales, *both, lines, rows, low, detail)
        details.append(detail)
        made = low
    for n, detail in zip(reversed(distances), reversed(details), strict=True):
        out = np.empty(tuple(size - n for size in made.shape), dtype)
        pilot_kernels.join(made, n, detail, np.empty(made.shape[1], dtype), out)
        made = out
    return made


def _mirrored(plane: NDArray[Any] | None, reach: int) -> NDArray[Any] | None:
    return None if plane is None else np.pad(plane, reach, "reflect")
