"""Stein's estimate of the squared error, for noise whose variance is known at each pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.metrics.base import flat_mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_diffusion.metrics.base import View


def expected_error(view: View, noise: Sequence[tuple[float, float, float]]) -> float:
    """Return the expected mean squared error of a step minus that of the source.

    Parameters
    ----------
    view : View
        With what the step made of the perturbed source.
    noise : sequence of (read variance, gain, offset)
        Of each channel: its variance is ``read variance + gain · max(y − offset, 0)``.
    """
    from napari_diffusion.metrics.statistics.sums import risk

    assert view.probed is not None
    assert view.probe is not None
    total, count = 0.0, 0.0
    for c, numbers in enumerate(noise):
        here = view if len(noise) == 1 else view.channel(c)
        pairs = [(here.probed, here.probe), *([] if here.again is None else [here.again])]
        for probed, change in pairs:
            out = np.zeros(5)
            arrays = (here.source, here.image, probed, change)
            flat = [np.ascontiguousarray(each, here.image.dtype).ravel() for each in arrays]
            risk(*flat, flat_mask(here), np.array(numbers), out)
            n, squares, variances, answers, changes = (float(each) for each in out)
            divergence = n * answers / changes if changes else 0.0
            count += n
            total += squares - 2 * variances + 2 * divergence
    return total / count if count else float("nan")


def expected_error_of_map(view: View) -> float:
    """Return the expected mean squared error of a step minus that of the source.

    The view has the noise of each pixel, and each was perturbed in proportion to it.
    """
    assert view.noise_map is not None
    variance = np.square(view.noise_map, dtype=np.float64)
    change = np.square(view.image.astype(np.float64) - view.source)
    pairs = [(view.probed, view.probe), *([] if view.again is None else [view.again])]
    slopes = [slopes_of(view.image, probed, probe) for probed, probe in pairs]
    slope = sum(slopes[1:], slopes[0]) / len(slopes)
    return view.mean(change + 2 * variance * (slope - 1))


def slopes_of(image: NDArray[Any], probed: Any, probe: Any) -> NDArray[np.float64]:
    """Return ∂u(x)/∂y(x) at each pixel up to a mean of 0, and 0 where it was not perturbed."""
    step = probe.astype(np.float64)
    answer = probed.astype(np.float64) - image
    return np.divide(answer, step, out=np.zeros_like(answer), where=step != 0)
