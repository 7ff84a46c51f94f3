"""Total variation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from napari_diffusion.metrics.base import Metric, View, neighbours


@dataclass(frozen=True)
class Variation(Metric):
    """Total variation: mean absolute gradient, summed over the axes.

    ``Σ mean |u(x + 1) − u(x)| / spacing``

    Notes
    -----
    Use it to see how a filter flattens an image: it falls fast while noise is removed, and slowly
    when edges disappear.
    """

    display_name: ClassVar[str] = "Total variation"
    unit: ClassVar[str] = "intensity/world"
    better: ClassVar[Literal["lower", "higher", ""]] = ""

    def value(self, view: View) -> float:
        """Return the sum over the axes in `along`."""
        total = 0.0
        for axis, a, b in neighbours(view.image, view.grid):
            step = np.abs(b.astype(np.float64) - a) / view.grid.length(axis)
            if view.mask is not None:
                (both,) = [x & y for i, x, y in neighbours(view.mask, view.grid) if i == axis]
                step = step[both]
            total += float(step.mean()) if step.size else 0.0
        return total
