"""Diffusion along lines and layers alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from napari_diffusion.filters.tensors.tensor_flow import INTEGRATION, TensorFlow, TensorLaw

if TYPE_CHECKING:
    from napari_diffusion.core.grid import Grid

# How fast to diffuse where there is no direction, and across one where there is.
ACROSS = 1e-3

CODES = {"lines": 1, "planes": 2}

Structure = Literal["lines", "planes"]


@dataclass(frozen=True)
class CoherenceEnhancing(TensorFlow):
    """Smooth along lines or layers and nowhere else: closes their gaps.

    ``∂u/∂t = div(D ∇u),  D = Σ λᵢ vᵢ vᵢᵀ,  λ = α + (1 − α) exp(−ln 2 · (contrast² / κ)²)``

    v are the eigenvectors of the structure tensor J = G ∗ (∇v ∇vᵀ), summed over joint channels,
    v being u smoothed by `smoothing` and G a Gaussian of `integration`; µ₁ ≥ µ₂ ≥ µ₃ are its
    eigenvalues. κ says how much less the image changes in a direction than across it. In a plane
    and for lines in space the last direction, along the line, has κ = µ₁ − µ₂ or µ₂ − µ₃, and the
    others κ = 0. For planes in space each direction has κ = µ₁ − µᵢ. So λ is ½ where κ is the
    contrast squared, and α = 0.001 where there is no direction. Explicit sub-steps with
    non-negative stencils: mean and range are kept.

    Parameters
    ----------
    time : float
        Diffusion time per step in world units²: the longer, the wider the gaps that close.
    contrast : float, tuple of float or "auto"
        In intensity per world unit, greater than 0; one per channel if many. Smaller values take
        fainter flow for lines, noise at last. "auto" is half of what
        `napari_diffusion.estimate.contrast` finds in the source after `smoothing`, little above
        what is left of the noise.
    smoothing : float
        Standard deviation in world units of a Gaussian that is applied before gradients are taken,
        0 or more; less than the width of the lines.
    condition_limit : float
        1 to 10 000: how many times faster to diffuse along a line than across it, at most. The
        reach of one sub-step grows with its square root, about 16 pixels in a plane and 28 in
        space at 1000.
    integration : float
        Standard deviation in world units of the Gaussian over which directions are averaged, 0 or
        more; at least the width of the gaps, a few times that of the lines.
    structure : {"lines", "planes"}
        In space, what to smooth along: lines such as fibres and vessels, or planes such as
        membranes and layers. In a plane both are lines.

    Raises
    ------
    ValueError
        Where pixels are more than 100 times as long along one axis as along another, or a
        smoothing is wider than 50 pixels.

    Notes
    -----
    Use it for flow-like images: fibres, filaments, membranes, fingerprints, grain of wood,
    seismic layers, lines that noise has broken. Not for images of regions, whose noise it draws
    out into strokes that were not there, nor for measuring lines that may end: it makes them
    longer. On rings 5 pixels apart directions are wrong by 1.3° at most, on rings 9 apart by
    0.2°.

    References
    ----------
    Weickert (1999), Coherence-enhancing diffusion filtering.
    Fehrenbach and Mirebeau (2014), Sparse non-negative stencils for anisotropic diffusion.
    """

    display_name: ClassVar[str] = "Coherence-enhancing diffusion (CED)"

    integration: Annotated[float, INTEGRATION] = 3.0
    structure: Annotated[
        Structure,
        {"tooltip": "What to smooth along in space: lines, or planes; in a plane always lines."},
    ] = "lines"

    auto_contrast: ClassVar[float] = 0.5

    def bound(self, grid: Grid) -> float:
        """Return the largest stable sub-step: at most one direction, or two, diffuses fast."""
        if len(grid.along) > 3:
            return super().bound(grid)
        squares = sorted((1.0 / length**2 for length in grid.spacing), reverse=True)
        fast = 2 if self.structure == "planes" and len(grid.along) == 3 else 1
        trace = (1 - ACROSS) * sum(squares[:fast]) + ACROSS * sum(squares)
        return 0.5 / trace

    def law(self) -> TensorLaw:
        """Return the coherence of lines or planes."""
        return TensorLaw(CODES[self.structure], alpha=ACROSS)
