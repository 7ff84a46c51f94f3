"""The noise of a region that has no structure of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from napari_diffusion.engine.plane_reading import Plane


@dataclass(frozen=True, eq=False)
class Residual:
    """What is left of a region in one plane without the slope that fits it best.

    Attributes
    ----------
    values : ndarray
        The distances from the slope, 0 outside.
    where : ndarray of bool
        The region.
    level : float
        Its mean intensity.
    """

    values: NDArray[np.float64]
    where: NDArray[np.bool_]
    level: float

    @property
    def count(self) -> int:
        """How many pixels the region has."""
        return int(np.count_nonzero(self.where))

    @property
    def energy(self) -> float:
        """The sum of the squared distances."""
        return float((self.values**2).sum())


def residuals(planes: Iterable[Plane]) -> list[Residual]:
    """Return what is left of the region in each plane that has enough of it."""
    found = []
    for plane, inside in planes:
        values = np.asarray(plane, np.float64)
        where = np.ones(values.shape, bool) if inside is None else np.asarray(inside)
        if np.count_nonzero(where) < 16:
            continue
        y, x = np.indices(values.shape)
        basis = np.stack([np.ones(values.shape), y - y.mean(), x - x.mean()], axis=-1)
        slope = np.linalg.lstsq(basis[where], values[where], rcond=None)[0]
        left = np.where(where, values - basis @ slope, 0.0)
        found.append(Residual(left, where, float(values[where].mean())))
    return found


def autocovariance(found: list[Residual], reach: int) -> NDArray[np.float64]:
    """Return the mean products of a residual and itself shifted, up to `reach` along both axes.

    The middle of the (2 reach + 1)² numbers is the variance.
    """
    from scipy import fft

    size = 2 * reach + 1
    products, pairs = np.zeros((size, size)), np.zeros((size, size))
    for region in found:
        shape = [max(fft.next_fast_len(n + reach, real=True), size) for n in region.where.shape]
        for total, each in ((products, region.values), (pairs, region.where.astype(np.float64))):
            spectrum = fft.rfft2(each, shape)
            lags = fft.irfft2(abs(spectrum) ** 2, shape)
            near = np.roll(lags, (reach, reach), axis=(0, 1))[:size, :size]
            total += near
    return np.asarray(products / np.maximum(np.round(pairs), 1.0))


def kernel_of(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a kernel, the same from both sides, whose autocorrelation is that of a noise.

    The root of the noise's power spectrum, which is the transform of its covariance with the outer
    half of the lags faded out; it reaches half as far as the covariance.
    """
    reach = len(covariance) // 2
    lags = np.abs(np.arange(-reach, reach + 1))
    fade = np.clip(2 - 2 * lags / (reach + 1), 0.0, 1.0)
    power = np.fft.fft2(np.fft.ifftshift(covariance * np.outer(fade, fade))).real
    kernel = np.fft.fftshift(np.fft.ifft2(np.sqrt(np.maximum(power, 0.0))).real)
    half = reach // 2
    inner = kernel[reach - half : reach + half + 1, reach - half : reach + half + 1]
    return np.asarray(inner / np.linalg.norm(inner))
