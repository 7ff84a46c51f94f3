"""Min/max curvature flow."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from napari_diffusion.core.citation import Cite
from napari_diffusion.core.grid import per_axis
from napari_diffusion.core.method_words import in_terms
from napari_diffusion.filters.flows.curvature_flow import CurvatureFlow

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid, Shape
    from napari_diffusion.engine.block import Block


@dataclass(frozen=True)
class MinMaxCurvature(CurvatureFlow):
    """Smooth outlines up to a given size and leave larger shapes unchanged.

    ``∂u/∂t = max(F, 0)`` where the mean over a ball of `radius` around a pixel is less than the
    mean at that distance along the level line, else ``min(F, 0)``, with the speed of curvature flow
    ``F = Δu − nᵀ H n``. Both means are approximated to second order from the image smoothed as by
    that ball: with v the smoothed image, d the number of axes the filter acts along and v_nn the
    second derivative across the level line, the first mean is less where ``(d − 1) · v_nn < 3 ·
    F(v)``. On both sides of a large outline the level lines then move towards it only, and it
    stays; wiggles and specks smaller than the ball vanish.

    Central differences in explicit sub-steps, each limited to the range of the pixel and its
    neighbours: the range is preserved, the mean is not. Each channel moves along its own level
    lines.

    Parameters
    ----------
    time : float
        Diffusion time per step in world units², 0 or more. Once everything small is gone, more time
        changes little.
    radius : float
        Size threshold in world units, 0 or more: smaller structures vanish, larger ones stay. With
        0 only the nearest neighbours are used.

    Notes
    -----
    Use it to smooth ragged or noisy outlines without shrinking the shapes: masks, letters, cells.
    Not for texture, ramps, or strong noise on them, which have no inside and outside.

    References
    ----------
    Malladi and Sethian (1996), Image processing: flows under min/max curvature and mean curvature.
    """

    display_name: ClassVar[str] = "Min/max curvature"
    method_name = "min/max curvature flow"
    terms = in_terms(radius="size threshold {}", time="diffusion time {} per step")
    cites = (Cite("malladi1996"),)
    mode: ClassVar[int] = 2

    radius: Annotated[
        float,
        {
            "min": 0.0,
            "unit": "world",
            "tooltip": "Size threshold: smaller wiggles and specks vanish, larger shapes stay.",
        },
    ] = 2.0

    def _variances(self, grid: Grid) -> dict[int, float]:
        from napari_diffusion.engine.smoothing import WIDEST

        # A ball has this variance along each axis.
        sigma = self.radius / math.sqrt(len(grid.along_axes) + 2)
        widest = sigma / min(grid.spacing)
        if widest > WIDEST:
            raise ValueError(
                f"{type(self).__name__}: radius={self.radius:g} smooths over {widest:g} pixels, "
                f"more than {WIDEST}: use a smaller value, or correct the spacing."
            )
        return grid.variances(sigma)

    def reach(self, grid: Grid) -> Shape:
        """Return how far one sub-step reaches: a neighbour, and the smoothing."""
        from napari_diffusion.engine.smoothing import reach

        variances = self._variances(grid)
        return per_axis(
            1 + (reach(variances[axis]) if self.radius else 0) if axis in variances else 0
            for axis in range(5)
        )

    def extra(self, block: Block) -> NDArray[Any]:
        """Return the image smoothed as by the ball."""
        from napari_diffusion.engine.smoothing import smoothed_inside

        if not self.radius:
            return block.values
        variances = self._variances(block.grid)
        return smoothed_inside(block.values, block.mask, variances, block.threads)
