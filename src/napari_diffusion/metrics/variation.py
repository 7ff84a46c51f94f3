"""How much an image goes up and down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from napari_diffusion.metrics.base import Metric, View, neighbours


@dataclass(frozen=True)
class Variation(Metric):
    """Mean absolute difference between neighbours, in intensity per world unit, summed over axes.

    ``Σ mean |u(x + 1) − u(x)| / spacing``

    Notes
    -----
    Use it to see how a filter flattens an image: it falls fast while noise is taken out, and
    slowly when edges go.
    """

    display_name: ClassVar[str] = "Total variation"
    unit: ClassVar[str] = "intensity/world"
    better: ClassVar[Literal["lower", "higher", ""]] = ""

    def value(self, view: View) -> float:
        """Return the sum over the axes that diffuse."""
        total = 0.0
        for axis, a, b in neighbours(view.image, view.grid):
            step = np.abs(b.astype(np.float64) - a) / view.grid.length(axis)
            if view.mask is not None:
                (both,) = [x & y for i, x, y in neighbours(view.mask, view.grid) if i == axis]
                step = step[both]
            total += float(step.mean()) if step.size else 0.0
        return total
