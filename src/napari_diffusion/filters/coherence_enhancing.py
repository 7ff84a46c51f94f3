"""Coherence-enhancing diffusion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np

from napari_diffusion.core.citation import CONTRAST, Cite
from napari_diffusion.core.method_words import in_terms, measured
from napari_diffusion.filters.tensors.tensor_flow import INTEGRATION, TensorFlow, TensorLaw

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid

# How fast to diffuse where there is no direction, and across one where there is.
ACROSS = 1e-3

CODES = {"lines": 1, "planes": 2}

Structure = Literal["lines", "planes"]
STRUCTURE_WORDS = {"lines": "along lines", "planes": "along planes"}


@dataclass(frozen=True)
class CoherenceEnhancing(TensorFlow):
    """Smooth along lines or layers only: closes gaps in flow-like structures.

    ``∂u/∂t = div(D ∇u),  D = Σ λᵢ vᵢ vᵢᵀ,  λ = α + (1 − α) exp(−ln 2 · (contrast² / κ)²)``

    The vᵢ are the eigenvectors of the structure tensor J = G ∗ (∇v ∇vᵀ), summed over joint
    channels, with v the image smoothed by `smoothing` and G a Gaussian of `integration`; µ₁ ≥ µ₂ ≥
    µ₃ are its eigenvalues. The coherence κ measures how much weaker the change is along a direction
    than across it. In 2D, and for lines in 3D, the last direction, along the line, has κ = µ₁ − µ₂
    or µ₂ − µ₃, and the others have κ = 0. For planes in 3D each direction has κ = µ₁ − µᵢ. So λ is
    ½ where κ equals the contrast squared, and α = 0.001 where there is no preferred direction.
    Explicit sub-steps with non-negative stencils preserve the mean and the range.

    Parameters
    ----------
    time : float
        Diffusion time per step in world units². Larger values close wider gaps.
    contrast : float, tuple of float or "auto"
        Coherence threshold in intensity per world unit, greater than 0; one per channel if many.
        Smaller values enhance fainter lines, and eventually noise. "auto" is half the contrast that
        `napari_diffusion.estimate.contrast` finds in the source after `smoothing`, just above the
        remaining noise.
    smoothing : float
        Standard deviation in world units of the Gaussian applied before gradients are computed, 0
        or more. Keep it below the width of the lines.
    condition_limit : float
        1 to 10 000: largest ratio of the diffusivity along a line to that across it. The reach of a
        sub-step grows with its square root, about 16 pixels in 2D and 28 voxels in 3D at 1000.
    integration : float
        Standard deviation in world units of the Gaussian that averages directions, 0 or more. Use
        at least the width of the gaps, a few times that of the lines.
    structure : {"lines", "planes"}
        What to smooth along in 3D: "lines" such as fibres and vessels, or "planes" such as
        membranes and layers. In 2D both mean lines.

    Raises
    ------
    ValueError
        If the pixel size along one axis exceeds that along another more than 100 times, or a
        smoothing is wider than 50 pixels.

    Notes
    -----
    Use it for flow-like images: fibres, filaments, membranes, fingerprints, wood grain, seismic
    layers, lines broken up by noise. Not for images of regions, whose noise it draws out into false
    strokes, nor to measure the length of lines: it extends their ends. The largest error of the
    direction is 1.3° on rings 5 pixels apart and 0.2° on rings 9 pixels apart.

    References
    ----------
    Weickert (1999), Coherence-enhancing diffusion filtering.
    Fehrenbach and Mirebeau (2014), Sparse non-negative stencils for anisotropic diffusion.
    """

    display_name: ClassVar[str] = "Coherence-enhancing diffusion (CED)"
    method_name = "coherence-enhancing diffusion (CED)"
    terms = in_terms(
        structure=STRUCTURE_WORDS,
        contrast="contrast {}",
        time="diffusion time {} per step",
        smoothing="structure tensor smoothed with σ = {}",
        integration="directions averaged with σ = {}",
        condition_limit="",
    )
    estimates = measured(contrast=CONTRAST)
    cites = (Cite("weickert1999"), Cite("fehrenbach2014"))

    integration: Annotated[float, INTEGRATION] = 3.0
    structure: Annotated[
        Structure,
        {"tooltip": "Smooth along lines or planes in 3D; in 2D always along lines."},
    ] = "lines"

    auto_contrast: ClassVar[float] = 0.5
    edge_name: ClassVar[str] = "coherence"

    def bound(self, grid: Grid) -> float:
        """Return the largest stable sub-step: at most one direction, or two, diffuses fast."""
        if len(grid.along) > 3:
            return super().bound(grid)
        squares = sorted((1.0 / length**2 for length in grid.spacing), reverse=True)
        fast = 2 if self.structure == "planes" and len(grid.along) == 3 else 1
        trace = (1 - ACROSS) * sum(squares[:fast]) + ACROSS * sum(squares)
        return 0.5 / trace

    def edge_strength(self, eigenvalues: NDArray[Any]) -> NDArray[Any]:
        """Return the largest κ: how much weaker the change is along the structure than across."""
        lines = self.structure == "lines" and eigenvalues.shape[-1] == 3
        across = eigenvalues[..., 1 if lines else -1]
        return np.asarray(across - eigenvalues[..., 0])

    def law(self) -> TensorLaw:
        """Return the coherence of lines or planes."""
        return TensorLaw(CODES[self.structure], alpha=ACROSS)
