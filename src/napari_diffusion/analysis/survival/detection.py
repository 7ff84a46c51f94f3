"""Which objects are found, at the threshold that gives so many false ones in noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.analysis.survival.windows import Windows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_diffusion.analysis.survival.objects import Shape

# So many of the highest peaks show how the peaks get rarer.
_PEAKS = 50

# Pixels in a megapixel.
_MEGAPIXEL = 1e6

# Width in pixels of the Gaussian mean that gives the local noise, in rows, planes and volumes: a
# constant, and a part of the object's extent. In a narrower one a peak would hide itself.
_LOCAL = ((50.0, 10.0), (6.0, 2.5), (3.0, 0.7))

# Noise weaker than this part of that of the image is not seen.
_FAINT = 0.01

# The threshold where no noise at all is left.
_NO_PEAKS = 4.0


@dataclass(frozen=True, eq=False)
class ShapeDetector:
    """A detector for one shape, whose threshold follows the local noise.

    Attributes
    ----------
    kernels : tuple of ndarray
        The score is the highest correlation with one of them.
    tolerance : int
        How far from its place an object may be found, in pixels.
    object_axes : tuple of int
        The axes along which objects extend.
    sign : float
        −1 for dark objects.
    level : ndarray
        Standard deviation of the score in noise, around every pixel.
    threshold : float
        In multiples of that.
    """

    kernels: tuple[NDArray[np.float32], ...]
    tolerance: int
    object_axes: tuple[int, ...]
    sign: float
    level: NDArray[np.float32]
    threshold: float

    @classmethod
    def of(
        cls,
        shape: Shape,
        noise: Sequence[NDArray[np.float32]],
        false_rate: float,
        *,
        object_axes: Sequence[int],
        sigma: float,
        dark: bool = False,
        mask: NDArray[np.bool_] | None = None,
    ) -> ShapeDetector:
        """Set the threshold for a shape.

        Parameters
        ----------
        shape : Shape
        noise : sequence of ndarray
            Results that hold noise alone, canonical.
        false_rate : float
            False objects per megapixel of these.
        object_axes : sequence of int
            The axes along which objects extend.
        sigma : float
            Noise of the image: of less than 1 % of it nothing is seen.
        dark : bool
            Whether objects are darker than their surroundings.
        mask : ndarray of bool, optional
            Pixels that count.
        """
        # Single precision is enough for scores, and twice as fast.
        kernels = tuple(each.astype(np.float32) for each in shape.kernels(len(object_axes)))
        axes, sign = tuple(object_axes), np.float32(-1.0 if dark else 1.0)
        scores = [_scores(each * sign, kernels, axes) for each in noise]
        constant, factor = _LOCAL[len(axes) - 1]
        width = constant + factor * shape.extent
        level = np.maximum(_local(scores, axes, width, mask), np.float32(_FAINT * sigma))
        size = [2 * shape.tolerance + 1 if a in axes else 1 for a in range(level.ndim)]
        peaks = np.concatenate(
            [_peaks(np.asarray(each / level, np.float32), size, mask) for each in scores]
        )
        pixels = len(noise) * (level.size if mask is None else np.count_nonzero(mask))
        threshold = tail_threshold(peaks, false_rate * pixels / _MEGAPIXEL)
        return cls(kernels, shape.tolerance, axes, float(sign), level, threshold)

    def found(self, places: NDArray[np.float64], values: NDArray[Any]) -> NDArray[np.bool_]:
        """Return whether there is an object at each place, in values that hold objects and noise.

        Parameters
        ----------
        places : ndarray, shape (objects, 5)
        values : ndarray
            Canonical, of the shape of the noise.
        """
        half = max(max(kernel.shape) // 2 for kernel in self.kernels) + self.tolerance
        windows = Windows.of(places, values.shape, self.object_axes, half)
        searched = (windows.of_values(values) * self.sign).astype(np.float32)
        axes = tuple(range(1, searched.ndim))
        score = _scores(searched, self.kernels, axes, "valid")
        best = score.reshape(len(searched), -1).max(axis=1)
        index = tuple(np.rint(places).astype(np.int64).T)
        return np.asarray(best > self.threshold * self.level[index])


def tail_threshold(peaks: NDArray[np.float32], expected: float) -> float:
    """Return the height that so many of the peaks exceed, from how the highest get rarer.

    The squares s² of the highest peaks get rarer exponentially, as those of Gaussian noise do:
    ``T² = s_k² + m · ln(k / expected)``, m the mean excess of the k highest over s_k².
    """
    squares = np.sort(peaks[peaks > 0].astype(np.float64) ** 2)[::-1]
    if len(squares) < 2:
        return _NO_PEAKS
    count = min(max(_PEAKS, math.ceil(2 * expected)), len(squares) - 1)
    least = squares[count]
    excess = float(np.mean(squares[:count] - least))
    return math.sqrt(max(least + excess * math.log(count / expected), 0.0))


def _scores(
    values: NDArray[np.float32],
    kernels: Sequence[NDArray[np.float32]],
    axes: tuple[int, ...],
    mode: str = "same",
) -> NDArray[np.float32]:
    """Return the highest correlation with a kernel, along some axes."""
    from scipy.signal import oaconvolve

    others = [axis for axis in range(values.ndim) if axis not in axes]
    best = None
    for kernel in kernels:
        flipped = np.expand_dims(kernel[(slice(None, None, -1),) * kernel.ndim], others)
        made = oaconvolve(values, flipped, mode=mode, axes=axes)
        best = made if best is None else np.maximum(best, made)
    return np.asarray(best)


def _local(
    scores: Sequence[NDArray[np.float32]],
    axes: tuple[int, ...],
    width: float,
    mask: NDArray[np.bool_] | None,
) -> NDArray[np.float32]:
    """Return the root mean square of scores around every pixel."""
    from scipy.ndimage import gaussian_filter

    widths = [width if axis in axes else 0.0 for axis in range(scores[0].ndim)]
    square = np.mean([np.square(each) for each in scores], axis=0)
    if mask is None:
        return np.sqrt(gaussian_filter(square, widths))
    total = gaussian_filter(np.where(mask, square, 0.0), widths)
    weight = gaussian_filter(mask.astype(np.float32), widths)
    return np.sqrt(np.divide(total, weight, out=np.zeros_like(total), where=mask))


def _peaks(
    scores: NDArray[np.float32], size: Sequence[int], mask: NDArray[np.bool_] | None
) -> NDArray[np.float32]:
    """Return the heights of all peaks."""
    from scipy.ndimage import maximum_filter

    peaks = scores == maximum_filter(scores, size)
    return np.asarray(scores[peaks if mask is None else peaks & mask])
