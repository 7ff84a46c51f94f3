"""What tells structure in a residual from noise: local statistics, each a map."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.engine.smoothing import discrete_gaussian

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_diffusion.analysis.residual.windows import Windows

# Standard deviations in pixels of the Gaussians that residuals are smoothed by.
SCALES, PEAKS = (1.0, 2.0, 4.0), (0.7, 1.0, 2.0)

# Detail of the result is what a Gaussian of so many pixels removes.
DETAIL = (1.0, 3.0)

_TINY = 1e-20


@dataclass(frozen=True, eq=False)
class Removal:
    """What a run removed.

    Attributes
    ----------
    residual : ndarray
        Source minus result over the noise σ, canonical; 0 outside the mask.
    result : ndarray
        Over the noise σ too.
    windows : Windows
        What statistics average over.
    """

    residual: NDArray[Any]
    result: NDArray[Any]
    windows: Windows

    @functools.cached_property
    def energy(self) -> NDArray[Any]:
        """Mean square of the residual in each window."""
        return self.windows.mean(np.square(self.residual)) + self.residual.dtype.type(_TINY)

    def beside(self, axis: int) -> NDArray[Any]:
        """Correlation of the residual with itself, one pixel further along an axis."""
        product = np.zeros_like(self.residual)
        near = [slice(None)] * 5
        near[axis], far = slice(None, -1), list(near)
        far[axis] = slice(1, None)
        product[tuple(near)] = self.residual[tuple(near)] * self.residual[tuple(far)]
        return self.windows.mean(product) / self.energy

    def smoothed_energy(self, scale: float) -> NDArray[Any]:
        """Energy of the smoothed residual over what white noise would have, its cube root.

        The cube root of a sum of few squares is nearly normal.
        """
        smooth = self.windows.smooth(self.residual, scale**2)
        gain = white_gain(scale, len(self.windows.axes))
        return np.cbrt(self.windows.mean(np.square(smooth)) / (gain * self.energy))

    def peak(self, scale: float) -> NDArray[Any]:
        """Absolute value of the smoothed residual, over its deviation if it were white noise."""
        smooth = np.square(self.windows.smooth(self.residual, scale**2))
        if self.windows.colours:
            smooth = smooth.sum(axis=1, keepdims=True)
        return np.sqrt(smooth / (white_gain(scale, len(self.windows.axes)) * self.energy))

    def detail(self, scale: float) -> NDArray[Any]:
        """Detail of the result: what a Gaussian of `scale` pixels removes of it."""
        return self.result - self.windows.smooth(self.result, scale**2)

    def share_of_detail(self, scale: float) -> NDArray[Any]:
        """Regression of the detail of the result on the residual, in each window.

        Unlike the correlation it does not depend on noise that is left in the result, which null
        runs have twice.
        """
        return self.along_detail(scale) / self.energy

    def along_detail(self, scale: float) -> NDArray[Any]:
        """Mean product of the residual and the detail of the result."""
        return self.windows.mean(self.residual * self.detail(scale))

    def with_detail(self, scale: float) -> NDArray[Any]:
        """Correlation of the residual with the detail of the result, −1 to 1."""
        strength = self.windows.mean(np.square(self.detail(scale)))
        # Of detail far below the noise the correlation is that of rounding errors.
        weak = strength.dtype.type(1e-4)
        return self.along_detail(scale) / np.sqrt(self.energy * (strength + weak))


@dataclass(frozen=True)
class Statistic:
    """What is measured of a removal around every pixel.

    Attributes
    ----------
    name : str
        Such as "energy at 2 pixels".
    of : callable
        Takes a removal.
    least : float
        Smaller differences do not count, however little null runs differ.
    radius : float
        Standard deviation in pixels of the spots that it looks for; 0 for other statistics.
    """

    name: str
    of: Callable[[Removal], NDArray[Any]]
    least: float
    radius: float = 0.0


def white_gain(scale: float, axes: int) -> float:
    """Return the variance of white noise of variance 1 after a Gaussian along so many axes."""
    sides = np.array(discrete_gaussian(scale**2))
    return float(((1 - 2 * sides.sum()) ** 2 + 2 * np.square(sides).sum()) ** axes)


def statistics(windows: Windows, shape: tuple[int, ...]) -> tuple[Statistic, ...]:
    """Return the statistics of residuals of a shape."""
    found = [
        Statistic(f"neighbours along {'tczyx'[axis]}",
                  functools.partial(Removal.beside, axis=axis), 0.01)
        for axis in windows.axes
        if shape[axis] > 1
    ]  # fmt: skip
    for scale in SCALES:
        of = functools.partial(Removal.smoothed_energy, scale=scale)
        found.append(Statistic(f"energy, smoothed by {scale:g}", of, 0.03))
    for scale in DETAIL:
        of = functools.partial(Removal.share_of_detail, scale=scale)
        found.append(Statistic(f"detail finer than {scale:g}", of, 0.01))
    for scale in PEAKS:
        of = functools.partial(Removal.peak, scale=scale)
        found.append(Statistic(f"peaks of radius {scale:g}", of, 0.1, scale))
    return tuple(found)
