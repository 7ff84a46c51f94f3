"""The noise of a plane against what its brightness and texture lead one to expect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.forensics.statistics.local_detail import (
    around_pixels,
    fine_detail,
    log_level,
    window_mean,
)
from napari_diffusion.forensics.statistics.robust_fit import QuadraticFit

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Texture is read two octaves above the noise: light smoothing takes noise and the next octave.
_TEXTURE = 2

# Details count from these shares of the step between values, and of the usual detail, on.
_OF_STEP, _OF_USUAL = 0.25, 0.05

# Windows with a larger share of clipped pixels are left out; so many windows are needed.
_CLIPPED, FEWEST = 0.3, 50

# The light smoothing, in pixels, that must be seen where a trace of noise can be read.
_LIGHT = 0.8

# Centres of windows to a window.
_PER_WINDOW = 4


@dataclass(frozen=True, eq=False)
class WindowLevels:
    """Levels in windows: of noise, and what noise depends on.

    Attributes
    ----------
    fine, texture, brightness : ndarray
        Logarithms of the power of the noise and of the texture, and mean intensities.
    usable : ndarray of bool
        Where few pixels are clipped.
    """

    fine: NDArray[Any]
    texture: NDArray[Any]
    brightness: NDArray[Any]
    usable: NDArray[np.bool_]

    def fit(self) -> QuadraticFit:
        """Return what the noise of the usable windows depends on."""
        here = self.usable
        return QuadraticFit.of(self.fine[here], (self.brightness[here], self.texture[here]))

    def deviation(self, fit: QuadraticFit) -> NDArray[Any]:
        """Return by how many spreads the noise differs; 0 where it cannot be read."""
        found = fit.deviation(self.fine, (self.brightness, self.texture))
        return np.where(self.usable, found, 0.0)


@dataclass(frozen=True)
class Scale:
    """In what a plane is measured.

    Attributes
    ----------
    window : int
        Side of the windows in pixels.
    step : float
        Between the values of the image; 0 where there is none.
    """

    window: int
    step: float

    @property
    def every(self) -> int:
        """Pixels from one window to the next."""
        return max(1, self.window // _PER_WINDOW)


def levels_of(plane: NDArray[Any], scale: Scale) -> WindowLevels:
    """Return the levels of a plane."""
    at = (scale.window, scale.every)
    clipped = (plane <= plane.min()) | (plane >= plane.max())
    found = []
    for octave in (0, _TEXTURE):
        detail = fine_detail(plane, octave)
        usual = float(np.median(detail))
        floor = max(_OF_STEP * scale.step, _OF_USUAL * usual, np.finfo(np.float64).tiny)
        found.append(log_level(detail, floor, *at))
    usable = window_mean(clipped.astype(np.float64), *at) <= _CLIPPED
    return WindowLevels(found[0], found[1], window_mean(plane, *at), usable)


def deviation_of(plane: NDArray[Any], scale: Scale) -> NDArray[np.float32]:
    """Return by how many spreads the noise around each pixel differs from what is expected."""
    levels = levels_of(plane, scale)
    if np.count_nonzero(levels.usable) < FEWEST:
        return np.zeros(plane.shape, np.float32)
    found = levels.deviation(levels.fit())
    return around_pixels(found, (plane.shape[0], plane.shape[1]), scale.every)


def effect_of_smoothing(plane: NDArray[Any], scale: Scale) -> float:
    """Return by how many spreads a light smoothing would lower the noise.

    It tells how much there is to read. Below about 1 a smoothed part does not stand out, since
    there is no noise to miss, or since noise depends on more than brightness and texture.
    """
    from scipy import ndimage

    levels = levels_of(plane, scale)
    if np.count_nonzero(levels.usable) < FEWEST:
        return 0.0
    smooth = ndimage.gaussian_filter(plane, _LIGHT)
    if scale.step:
        smooth = np.rint(smooth / scale.step) * scale.step
    after, fit = levels_of(smooth, scale), levels.fit()
    here = levels.usable
    return float(np.median((levels.deviation(fit) - after.deviation(fit))[here]))
