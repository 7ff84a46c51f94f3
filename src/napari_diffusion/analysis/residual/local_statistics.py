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
SCALES = (0.7, 1.0, 2.0, 4.0)

# Detail of the result is what a Gaussian of so many pixels removes.
DETAIL = (1.0, 3.0)

# Energy of the smoothed residual that is not worth a question, of that of white noise.
_FLOOR = 0.05

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
        """Logarithm of the energy of the smoothed residual, over what white noise would have."""
        smooth = self.windows.smooth(self.residual, scale**2)
        gain = white_gain(scale, len(self.windows.axes))
        ratio = self.windows.mean(np.square(smooth)) / (gain * self.energy)
        return np.log(ratio + ratio.dtype.type(_FLOOR))

    def peak(self, scale: float) -> NDArray[Any]:
        """Absolute value of the smoothed residual, over its deviation if it were white noise."""
        smooth = np.square(self.windows.smooth(self.residual, scale**2))
        if self.windows.colours:
            smooth = smooth.sum(axis=1, keepdims=True)
        return np.sqrt(smooth / (white_gain(scale, len(self.windows.axes)) * self.energy))

    def with_detail(self, scale: float) -> NDArray[Any]:
        """Correlation of the residual with the detail of the result."""
        detail = self.result - self.windows.smooth(self.result, scale**2)
        strength = self.windows.mean(np.square(detail))
        product = self.windows.mean(self.residual * detail)
        # Of detail far below the noise the correlation is that of rounding errors.
        weak = strength.dtype.type(1e-4)
        return product / np.sqrt(self.energy * (strength + weak))


def white_gain(scale: float, axes: int) -> float:
    """Return the variance of white noise of variance 1 after a Gaussian along so many axes."""
    sides = np.array(discrete_gaussian(scale**2))
    return float(((1 - 2 * sides.sum()) ** 2 + 2 * np.square(sides).sum()) ** axes)


def statistics(windows: Windows, shape: tuple[int, ...]) -> dict[str, Callable[[Removal], Any]]:
    """Return the statistics by their names."""
    found: dict[str, Callable[[Removal], Any]] = {}
    for axis in windows.axes:
        if shape[axis] > 1:
            found[f"beside along {'tczyx'[axis]}"] = functools.partial(Removal.beside, axis=axis)
    for scale in SCALES[1:]:
        found[f"energy {scale:g}"] = functools.partial(Removal.smoothed_energy, scale=scale)
    for scale in DETAIL:
        found[f"detail {scale:g}"] = functools.partial(Removal.with_detail, scale=scale)
    for scale in SCALES[:3]:
        found[f"peak {scale:g}"] = functools.partial(Removal.peak, scale=scale)
    return found
