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
from napari_diffusion.forensics.statistics.robust_fit import QuadraticFit, spread_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Texture is read two octaves above the noise: light smoothing takes noise and the next octave.
_TEXTURE = 2

# Details count from this share of the step between values on.
_OF_STEP = 0.25

# Windows with a larger share of clipped pixels are left out; so many windows are needed.
_CLIPPED, FEWEST = 0.3, 50

# The light smoothing, in pixels, that must be seen where a trace of noise can be read.
_LIGHT = 0.8

# Centres of windows to a window; a usable window itself is at least this share of those around it.
_PER_WINDOW = 4
_LEAST_SHARE = 1 / (_PER_WINDOW + 1) ** 2


@dataclass(frozen=True, eq=False)
class WindowLevels:
    """Levels in windows: of noise, and what noise depends on.

    Attributes
    ----------
    fine, texture, brightness : ndarray
        Logarithms of the power of the noise and of the texture, and mean intensities in
        standard deviations of the plane.
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
        """Return by how much the noise of each window differs; 0 where it cannot be read."""
        found = fit.deviation(self.fine, (self.brightness, self.texture))
        return np.where(self.usable, found, 0.0)

    def averaged(self, deviation: NDArray[Any]) -> NDArray[Any]:
        """Return means over the usable windows whose centres lie within one window."""
        from scipy import ndimage

        total = ndimage.uniform_filter(deviation, _PER_WINDOW + 1)
        share = ndimage.uniform_filter(self.usable.astype(np.float64), _PER_WINDOW + 1)
        return np.where(self.usable, total / np.maximum(share, _LEAST_SHARE), 0.0)


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
    fine, texture = (
        log_level(fine_detail(plane, octave), _OF_STEP * scale.step, *at)
        for octave in (0, _TEXTURE)
    )
    usable = window_mean(clipped.astype(np.float64), *at) <= _CLIPPED
    brightness = window_mean(plane, *at) / (float(plane.std()) or 1.0)
    return WindowLevels(fine, texture, brightness, usable)


def deviation_of(plane: NDArray[Any], scale: Scale) -> NDArray[np.float32]:
    """Return by how many spreads the noise around each pixel differs from what is expected."""
    levels = levels_of(plane, scale)
    if np.count_nonzero(levels.usable) < FEWEST:
        return np.zeros(plane.shape, np.float32)
    found = levels.averaged(levels.deviation(levels.fit()))
    found /= spread_of(found[levels.usable])
    return around_pixels(found, (plane.shape[0], plane.shape[1]), scale.every)


def effect_of_smoothing(plane: NDArray[Any], scale: Scale) -> float:
    """Return by how many spreads a light smoothing would lower the noise.

    It tells how much there is to read. Well below 1 a smoothed part does not stand out, since
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
    here, before = levels.usable, levels.deviation(fit)
    # Not averaged: where only a few windows have noise, the others would share in it.
    lowered = float(np.median((before - after.deviation(fit))[here]))
    return lowered / spread_of(levels.averaged(before)[here])
