"""Mean curvature flow."""

from __future__ import annotations

from dataclasses import dataclass

from napari_diffusion.core.citation import Cite
from napari_diffusion.core.method_words import in_terms
from napari_diffusion.filters.flows.curvature_flow import CurvatureFlow


@dataclass(frozen=True)
class MeanCurvature(CurvatureFlow):
    """Round off outlines: each level line moves with its curvature.

    ``∂u/∂t = |∇u| div(∇u / |∇u|) = Δu − nᵀ H n``: diffusion along the level lines (in 3D, level
    surfaces) and none across, with n the direction of the gradient and H the second derivatives. A
    disk of radius R keeps its contrast and shrinks to √(R² − 2 time), a ball to √(R² − 4 time);
    smaller ones vanish. Each channel moves along its own level lines.

    Central differences in explicit sub-steps, each limited to the range of the pixel and its
    neighbours: the range is preserved, the mean is not.

    Parameters
    ----------
    time : float
        Diffusion time per step in world units², 0 or more. Disks of a radius below √(2 · time)
        vanish.

    Notes
    -----
    Use it to smooth the outlines of regions of any contrast: masks, labels of one object, drawings.
    Not for noise on large flat areas, which turns into smooth blotches, nor for corners and thin
    lines, which are rounded off and removed.

    References
    ----------
    Osher and Sethian (1988), Fronts propagating with curvature-dependent speed.
    Evans and Spruck (1991), Motion of level sets by mean curvature.
    """

    method_name = "mean curvature motion"
    terms = in_terms(time="diffusion time {} per step")
    cites = (Cite("osher1988"), Cite("evans1991"))
