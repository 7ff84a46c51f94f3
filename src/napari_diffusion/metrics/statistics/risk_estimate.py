"""Stein's estimate of the squared error, for noise whose variance is known at each pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.metrics.base import flat_mask

if TYPE_CHECKING:
    from collections.abc import Sequence

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
