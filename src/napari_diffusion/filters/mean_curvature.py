"""Motion by mean curvature."""

from __future__ import annotations

from dataclasses import dataclass

from napari_diffusion.filters.flows.curvature_flow import CurvatureFlow


@dataclass(frozen=True)
class MeanCurvature(CurvatureFlow):
    """Round off outlines: every line of equal brightness moves by its curvature.

    ``∂u/∂t = |∇u| div(∇u / |∇u|) = Δu − nᵀ H n``: diffusion along the lines (in space, surfaces) of
    equal brightness and none across, n being the direction of the gradient and H the second
    derivatives. A disk of radius R keeps its contrast and shrinks to √(R² − 2 time), a ball to
    √(R² − 4 time); whatever is smaller vanishes. Channels move each by its own lines.

    Central differences in explicit sub-steps, each kept between the smallest and the largest
    neighbour: the range is kept, the mean is not.

    Parameters
    ----------
    time : float
        Diffusion time per step in world units², 0 or more: what is thinner than a disk of radius
        √(2 · time) goes.

    Notes
    -----
    Use it to smooth the borders of regions whatever their contrast, as no edge is too steep or too
    faint for it: masks, labels of one object, drawings. Not for noise on large flat parts, which it
    turns into smooth blotches, nor for corners and thin lines, which it rounds off and takes away.

    References
    ----------
    Osher and Sethian (1988), Fronts propagating with curvature-dependent speed.
    Evans and Spruck (1991), Motion of level sets by mean curvature.
    """
