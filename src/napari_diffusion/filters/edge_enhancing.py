"""Edge-enhancing diffusion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from napari_diffusion.core.citation import CONTRAST, Cite
from napari_diffusion.core.method_words import in_terms, measured
from napari_diffusion.filters.flows.conductance_laws import weickert_constant
from napari_diffusion.filters.tensors.tensor_flow import TensorFlow, TensorLaw

SHARPNESS = {
    "min": 1,
    "max": 8,
    "tooltip": "Steepness of the fall of diffusion at the contrast.",
}


@dataclass(frozen=True)
class EdgeEnhancing(TensorFlow):
    """Smooth inside regions and along edges, but not across edges.

    ``∂u/∂t = div(D ∇u),  D = Σ λ(µᵢ) vᵢ vᵢᵀ,  λ(µ) = 1 − exp(−C / (√µ / contrast)^(2·sharpness))``

    µᵢ and vᵢ are the eigenvalues and eigenvectors of the structure tensor J = ∇v ∇vᵀ (summed over
    joint channels), with v the image smoothed by a Gaussian. For a single channel µ₁ = |∇v|²; the
    other eigenvalues are 0, where λ = 1. C makes the flux across an edge greatest at a gradient
    equal to the contrast: exp(C) = 1 + 2·sharpness·C. Unlike `PeronaMalik`, which leaves the noise
    on an edge, this filter also smooths along the edge. Explicit sub-steps with non-negative
    stencils preserve the mean and the range for every direction.

    Parameters
    ----------
    time : float
        Diffusion time per step in world units². Larger values smooth more, inside regions and along
        edges.
    contrast : float, tuple of float or "auto"
        Edge threshold in intensity per world unit, greater than 0; one per channel if many. Larger
        values smooth across stronger edges. "auto" estimates it from the gradients of the source
        after `smoothing`, see `napari_diffusion.estimate.contrast`.
    smoothing : float
        Standard deviation in world units of the Gaussian applied before gradients are computed, 0
        or more. Larger values find edges in stronger noise but lose structures of that width.
    condition_limit : float
        1 to 10 000: largest ratio of the diffusivity along an edge to that across it. Larger values
        keep edges sharp for longer. The reach of a sub-step grows with its square root, about 16
        pixels in 2D and 28 voxels in 3D at 1000, and with it the margin that a region, a preview or
        a chunk needs.
    sharpness : int
        1 to 8: how abruptly the diffusivity falls at the contrast.

    Raises
    ------
    ValueError
        If the pixel size along one axis exceeds that along another more than 100 times, or a
        smoothing is wider than 50 pixels.

    Notes
    -----
    Use it for noisy images of regions with smooth borders, and where `PeronaMalik` leaves noise
    along edges. Set `smoothing` to the correlation length of the noise, about one pixel. Not for
    textures and crossing lines, whose directions are ambiguous, nor for corners that must be kept:
    it rounds them slowly. The largest error of the direction is 1.3° on rings 5 pixels apart and
    0.2° on rings 9 pixels apart. A sub-step takes 50 to 100 times as long as one of `PeronaMalik`.

    References
    ----------
    Weickert (1998), Anisotropic diffusion in image processing.
    Frangakis and Hegerl (2001), Noise reduction in electron tomographic reconstructions using
    nonlinear anisotropic diffusion.
    Fehrenbach and Mirebeau (2014), Sparse non-negative stencils for anisotropic diffusion.
    """

    display_name: ClassVar[str] = "Edge-enhancing diffusion (EED)"
    method_name = "edge-enhancing diffusion (EED)"
    terms = in_terms(
        contrast="contrast {}",
        time="diffusion time {} per step",
        smoothing="structure tensor smoothed with σ = {}",
        condition_limit="",
        sharpness="",
    )
    estimates = measured(contrast=CONTRAST)
    cites = (Cite("weickert1998"), Cite("frangakis2001"), Cite("fehrenbach2014"))

    sharpness: Annotated[int, SHARPNESS] = 4

    def law(self) -> TensorLaw:
        """Return Weickert's conductance for every eigenvalue."""
        return TensorLaw(0, self.sharpness, weickert_constant(self.sharpness))
