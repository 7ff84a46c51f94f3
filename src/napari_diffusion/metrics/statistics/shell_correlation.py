"""Correlation of two images at each frequency, and the finest detail that they share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.metrics.statistics.spectrum import (
    FEWEST,
    added_up,
    long_axes,
    shell_width,
    shells,
    spectrum,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.metrics.base import View

    Coefficients = tuple[NDArray[np.complexfloating], np.ndarray]


def correlation(a: NDArray[np.complexfloating], other: Coefficients, view: View) -> np.ndarray:
    """Return Re Σ a b* / √(Σ |a|² Σ |b|²) of each shell, sums over three shells and all images.

    Shells in which neither image has anything count as 1.
    """
    b, of_other = other
    shell, count = shells(view)
    both = _smoothed(added_up(a.real * b.real + a.imag * b.imag, view, shell, count))
    of_one = power(a, view)
    size = np.sqrt(of_one * of_other)
    nothing = (of_one == 0) & (of_other == 0)
    found = np.divide(both, size, out=np.zeros(count), where=size > 0)
    return np.where(nothing, 1.0, found)


def coefficients(values: NDArray[np.floating], view: View) -> Coefficients:
    """Return the Fourier coefficients of an image, and their power in each shell."""
    found = spectrum(values, view)
    return found, power(found, view)


def power(a: NDArray[np.complexfloating], view: View) -> np.ndarray:
    """Return Σ |a|² of each shell and its neighbours."""
    return _smoothed(added_up(a.real**2 + a.imag**2, view, *shells(view)))


def resolution(found: np.ndarray, threshold: float, view: View) -> float:
    """Return the period at which the correlation first falls below a threshold.

    In world units; that of the first shell where it always is, and two of the shortest spacings
    where it never is.
    """
    width = shell_width(view)
    below = np.flatnonzero(found[1:] < threshold) + 1
    if not below.size:
        return 2 * min(view.grid.length(axis) for axis in long_axes(view))
    k = int(below[0])
    if k == 1:
        return 1 / width
    part = (found[k - 1] - threshold) / (found[k - 1] - found[k])
    return float(1 / (width * (k - 1 + part)))


def doubt_about(view: View) -> str:
    """Return why the spectrum of an image is not reliable, or nothing."""
    if view.mask is not None and not view.mask.all():
        return "The border of a mask counts as detail that both images share."
    if not long_axes(view) or shells(view)[1] <= FEWEST:
        return "The image is too small for a spectrum."
    return ""


def _smoothed(sums: np.ndarray) -> np.ndarray:
    """Return the sums over each shell and its neighbours, without that of the mean."""
    out = sums.copy()
    out[1:-1] += sums[2:]
    out[2:] += sums[1:-1]
    return out
