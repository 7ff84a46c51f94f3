"""Curvature flow that stops at edges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np

from napari_diffusion.core.citation import CONTRAST, Cite
from napari_diffusion.core.grid import per_axis
from napari_diffusion.core.method_words import in_terms, measured
from napari_diffusion.filters.flows.curvature_flow import CurvatureFlow

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid, Shape
    from napari_diffusion.core.image import Image
    from napari_diffusion.engine.block import Block
    from napari_diffusion.filters.flows.inspection import Edges


@dataclass(frozen=True)
class ModifiedCurvature(CurvatureFlow):
    """Smooth outlines with curvature flow that stops at edges and sharpens them.

    ``∂u/∂t = |∇u| div(g(|∇u|) ∇u / |∇u|) = g · (Δu − nᵀ H n) + ∇g · ∇u`` with
    ``g(s) = exp(−(s / contrast)² / 2)``: a level line moves with its curvature where the image is
    flat, stops where it is steep, and is attracted by steeper places on its way. ITK calls it
    curvature anisotropic diffusion.

    Central differences in explicit sub-steps, upwind for ∇g · ∇u. Each sub-step is limited to the
    range of the pixel and its neighbours: the range is preserved, the mean is not. Joint channels
    share g, and each moves along its own level lines.

    Parameters
    ----------
    time : float
        Diffusion time per step in world units², 0 or more.
    contrast : float or "auto"
        Edge threshold in intensity per world unit, greater than 0: steeper edges stop and attract
        the level lines. "auto" estimates it from the gradients of the source, see
        `napari_diffusion.estimate.contrast`.

    Notes
    -----
    Use it before segmentation of images with weak, winding borders and fine structures that must
    stay thin and sharp, such as vessels and brain tissue. Not where intensities are measured: the
    mean changes. Ramps turn into steps after a long time.

    References
    ----------
    Alvarez, Lions and Morel (1992), Image selective smoothing and edge detection by nonlinear
    diffusion II.
    Whitaker and Xue (2001), Variable-conductance, level-set curvature for image denoising.
    """

    display_name: ClassVar[str] = "Edge-stopped curvature"
    method_name = "edge-stopped curvature flow"
    terms = in_terms(contrast="contrast {}", time="diffusion time {} per step")
    estimates = measured(contrast=CONTRAST)
    cites = (Cite("alvarez1992"), Cite("whitaker2001"))
    mode: ClassVar[int] = 1

    contrast: Annotated[
        float | Literal["auto"],
        {
            "above": 0.0,
            "unit": "intensity/world",
            "tooltip": "Edge threshold: steeper edges stop and attract the outlines.",
        },
    ] = "auto"

    def resolved(self, image: Image) -> Self:
        """Return this filter with the contrast that the image's own gradients suggest."""
        if self.contrast != "auto":
            return self
        from napari_diffusion.estimate import contrast_of

        return self.replaced(contrast=contrast_of(image))

    def bound(self, grid: Grid) -> float:
        """Return the largest stable sub-step: ∇g weighs a neighbour by up to 1 / (2 spacing²)."""
        return super().bound(grid) * 2 / 2.5

    def reach(self, grid: Grid) -> Shape:
        """Return how far one sub-step reaches: a neighbour, and its gradient."""
        return per_axis(2 * each for each in super().reach(grid))

    def extra(self, block: Block) -> NDArray[Any]:
        """Return g at the pixels."""
        from napari_diffusion.filters.flows import conductance_kernels
        from napari_diffusion.filters.flows.conductance_laws import LAWS
        from napari_diffusion.filters.flows.pixel_conductances import pixel_conductances

        law = (conductance_kernels.EXPONENTIAL, 0, 0.0)
        return pixel_conductances(block, law, self._slopes(block, LAWS["exponential"].factor))

    def _slopes(self, block: Block, factor: float) -> NDArray[Any]:
        """Return 1 / (spacing · factor · contrast) per channel and canonical axis."""
        with np.errstate(over="ignore"):
            k = factor * self.number("contrast")
            slopes = 1.0 / (k * np.array(block.grid.lengths))
        slopes = np.minimum(slopes, float(np.finfo(block.dtype).max))
        return np.tile(slopes.astype(block.dtype), (block.shape[1], 1))

    def edges(self, block: Block, conductance: NDArray[Any]) -> Edges:
        """Return |∇u| at the pixels."""
        from napari_diffusion.filters.flows import face_inspection

        del conductance
        contrasts = self.number_per_channel("contrast", block.grid)
        return face_inspection.gradient_edges(block, self._slopes(block, 1.0), contrasts)
