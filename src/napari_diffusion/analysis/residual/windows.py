"""Local means: over windows with Gaussian weights, from the pixels inside a mask alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.engine.smoothing import smoothed
from napari_diffusion.engine.threads import Threads

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Pixels in a window, over which a statistic averages.
WINDOW_PIXELS = 1024


@dataclass(frozen=True, eq=False)
class Windows:
    """The windows around the pixels of a block.

    Attributes
    ----------
    side : int
        Size of a window in pixels along each axis: its weights have the standard deviation
        side / √12.
    axes : tuple of int
        The canonical axes that windows extend along.
    mask : ndarray of bool or None
        Canonical: True where values count.
    colours : bool
        Whether channels are summed over.
    threads : Threads
        Share the work.
    """

    side: int
    axes: tuple[int, ...]
    mask: NDArray[np.bool_] | None
    colours: bool
    threads: Threads = field(default_factory=Threads)

    @property
    def variance(self) -> float:
        """Variance of the weights in pixels²."""
        return self.side**2 / 12

    @property
    def inside(self) -> NDArray[np.bool_] | None:
        """The mask of what the windows return."""
        return self.mask[:, :1] if self.colours and self.mask is not None else self.mask

    def mean(self, values: NDArray[Any], wider: float = 1.0) -> NDArray[Any]:
        """Return the mean of values over windows, summed over colours; 0 outside the mask.

        Parameters
        ----------
        values : ndarray
            Canonical; those outside the mask do not count.
        wider : float
            Times the size of a window.
        """
        if self.colours and values.shape[1] > 1:
            values = values.sum(axis=1, keepdims=True)
        return self.smooth(values, self.variance * wider**2)

    def smooth(self, values: NDArray[Any], variance: float) -> NDArray[Any]:
        """Return values smoothed by a Gaussian of a variance in pixels²; 0 outside the mask."""
        inside = self.mask
        variances = dict.fromkeys(self.axes, variance)
        if inside is None:
            return smoothed(np.ascontiguousarray(values), variances, self.threads)
        inside = inside[:, : values.shape[1]]
        weights = smoothed(inside.astype(values.dtype), variances, self.threads)
        total = smoothed(np.where(inside, values, values.dtype.type(0)), variances, self.threads)
        return np.divide(total, weights, out=np.zeros_like(total), where=inside)

    def unevenness(self, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Return the variance of the mean of white noise in each window, times any constant.

        Near the borders of the image windows hold fewer pixels.
        """
        found = np.ones((1,) * 5)
        for axis in self.axes:
            size = min(shape[axis], 8 * self.side)
            pulses = np.eye(size).reshape(1, 1, 1, size, size)
            seen = smoothed(pulses, {4: self.variance}, self.threads)[0, 0, 0]
            variance = np.square(seen).sum(axis=0)
            left, middle = size // 2, np.full(shape[axis] - size, variance[size // 2])
            variance = np.concatenate([variance[:left], middle, variance[left:]])
            found = found * variance.reshape([-1 if each == axis else 1 for each in range(5)])
        return np.asarray(found)

    def kept(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return values of the studied part with 0 outside the mask."""
        if self.mask is None:
            return values
        inside = self.mask[:, : values.shape[1]]
        return np.where(inside, values, values.dtype.type(0))
