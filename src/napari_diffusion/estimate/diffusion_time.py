"""The diffusion time, by the share of the noise that is left or by the expected error."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from napari_diffusion.core.image import Image
from napari_diffusion.estimate.noise_sigma import noise_sigma_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.core.grid import Grid, GridOptions

# Of a larger image the middle is measured.
MOST_SAMPLES = 1 << 20

# Times that are tried, in squares of the smallest pixel size, evenly spaced in their logarithm.
_TIMES = np.geomspace(1e-3, 1e3, 121)


def diffusion_time(
    image: ArrayLike,
    noise_left: float | None = None,
    *,
    noise_sigma: float | None = None,
    **options: Unpack[GridOptions],
) -> float:
    """Estimate the diffusion time, in world units².

    With `noise_left`, the time at which `Heat` leaves that share of the standard deviation of white
    noise, exact except at the borders: the share is the norm of its kernel,
    ``Π √(exp(−2v) I₀(2v))`` over the axes, v = 2 time / spacing². Without it, the time at
    which `Heat` has the least expected error on this image by Stein's estimate, which for a linear
    filter is a sum over its cosine modes: 0 where any diffusion increases the error. Divide it by
    the number of steps.

    Parameters
    ----------
    image : array_like
        2D arrays are read as ``yx``, 3D ones as ``zyx``; name other axes.
    noise_left : float, optional
        Share of the standard deviation, between 0 and 1.
    noise_sigma : float, optional
        Standard deviation of the noise; measured by default.
    **options
        ``axes, spacing, along, joint_channels, rgb, mask, missing``.

    Notes
    -----
    Use it as the scale of a filter's time. Edge-preserving filters diffuse like `Heat` only where
    the gradients are far below the contrast; in flat regions with noise alone they are slower, and
    they tolerate more time than `Heat`, because they do not blur edges. To find the time for such
    a filter, try several: `napari_diffusion.analysis.parameter_sweep`.

    References
    ----------
    Lindeberg (1990), Scale-space for discrete signals; Stein (1981), Estimation of the mean of a
    multivariate normal distribution.
    """
    source = Image.of(image, **options)
    if noise_left is not None:
        if not 0 < noise_left < 1:
            raise ValueError(f"noise_left must be between 0 and 1 (got {noise_left!r}).")
        return time_to_leave(noise_left, source.grid)
    sigma = noise_sigma_of(source) if noise_sigma is None else float(noise_sigma)
    return time_of_least_error(source, sigma)


def share_left(time: float, grid: Grid) -> float:
    """Return the share of the standard deviation of white noise that Heat leaves after a time."""
    from scipy import special

    lengths = [grid.length(axis) for axis in grid.along_axes if grid.shape[axis] > 1]
    return math.prod(math.sqrt(float(special.ive(0, 4 * time / h**2))) for h in lengths)


def time_to_leave(share: float, grid: Grid) -> float:
    """Return the time after which Heat has left that share; see `share_left`."""
    from scipy import optimize

    unit = min(grid.spacing) ** 2
    longest = unit
    while share_left(longest, grid) > share:
        longest *= 4
        if longest > 1e12 * unit:
            return math.inf
    found = optimize.brentq(lambda time: share_left(time, grid) - share, 0.0, longest, rtol=1e-9)
    return float(found)


def time_of_least_error(image: Image, sigma: float) -> float:
    """Return the time of Heat with the least expected error; see `diffusion_time`."""
    from scipy import fft

    values, axes = _middle(image), image.grid.along_axes
    if sigma <= 0:
        return 0.0
    # In units of the noise, so that nothing overflows.
    scaled = (values.astype(np.float64) - float(values.mean())) / sigma
    power = fft.dctn(scaled, axes=axes, norm="ortho") ** 2
    rates = _rates(image.grid, values.shape)
    # Modes of like rates decay alike: a thousand groups of them say all.
    order = np.geomspace(1e-9, 1.0, 1000) * float(rates.max())
    group = np.searchsorted(order, np.broadcast_to(rates, power.shape).ravel())
    count = np.bincount(group, minlength=1001)
    total = np.bincount(group, power.ravel(), 1001)
    middle = np.bincount(group, np.broadcast_to(rates, power.shape).ravel(), 1001)
    some = count > 0
    rate = middle[some] / count[some]
    times = np.concatenate([[0.0], _TIMES * min(image.grid.spacing) ** 2])
    decay = np.exp(-np.outer(times, rate))
    errors = (1 - decay) ** 2 @ total[some] + 2 * decay @ count[some]
    return float(times[int(np.argmin(errors))])


def _rates(grid: Grid, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return how fast each cosine mode decays: Σ 4 sin²(ω/2) / spacing²."""
    total = np.zeros((1,) * 5)
    for axis in grid.along_axes:
        n = shape[axis]
        along = 4 * np.sin(0.5 * np.pi * np.arange(n) / n) ** 2 / grid.length(axis) ** 2
        total = total + along.reshape([-1 if i == axis else 1 for i in range(5)])
    return total


def _middle(image: Image) -> NDArray[Any]:
    """Return the middle of an image; of one with a mask, what lies outside is the mean inside."""
    shape, along = image.data.shape, image.grid.along_axes
    part, room = [], MOST_SAMPLES
    for axis in range(5):
        most = shape[axis] if axis not in along else 0
        if axis in along:
            left = len([a for a in along if a >= axis])
            most = max(int(room ** (1 / left)), 16)
        elif axis != 1:
            most = 1
        size = min(shape[axis], most)
        room = max(room // size, 1)
        part.append(slice((shape[axis] - size) // 2, (shape[axis] + size) // 2))
    values = np.asarray(image.data[tuple(part)])
    if image.mask is None:
        return values
    inside = np.asarray(image.mask[tuple(part)])
    return np.where(inside, values, values[inside].mean() if inside.any() else 0.0)
