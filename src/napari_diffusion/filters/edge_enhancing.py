"""Diffusion along edges and not across them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from napari_diffusion.filters.perona_malik import weickert_constant
from napari_diffusion.filters.tensors.tensor_flow import TensorFlow, TensorLaw

SHARPNESS = {
    "min": 1,
    "max": 8,
    "tooltip": "How abruptly diffusion across edges falls at the contrast.",
}


@dataclass(frozen=True)
class EdgeEnhancing(TensorFlow):
    """Smooth inside regions and along their edges, but not across them.

    ``∂u/∂t = div(D ∇u),  D = Σ λ(µᵢ) vᵢ vᵢᵀ,  λ(µ) = 1 − exp(−C / (√µ / contrast)^(2·sharpness))``

    µ and v are eigenvalues and eigenvectors of the structure tensor J = ∇v ∇vᵀ (summed over joint
    channels), v being u smoothed by a Gaussian: for a single channel µ₁ = |∇v|², and the others are
    0, where λ = 1. C makes the flux across an edge greatest at a gradient of contrast:
    exp(C) = 1 + 2·sharpness·C. Unlike `PeronaMalik`, which leaves the noise on an edge alone,
    this smooths along it. Explicit sub-steps with non-negative stencils: mean and range are kept,
    whatever the directions.

    Parameters
    ----------
    time : float
        Diffusion time per step in world units²: the longer, the smoother inside regions and along
        edges.
    contrast : float, tuple of float or "auto"
        In intensity per world unit, greater than 0; one per channel if many. Larger values smooth
        across stronger edges. "auto" takes it from the spread of the gradients of the source
        after `smoothing`, see `napari_diffusion.estimate.contrast`.
    smoothing : float
        Standard deviation in world units of a Gaussian that is applied before gradients are taken,
        0 or more. Larger values find edges in more noise and lose structures as thin as that.
    condition_limit : float
        1 to 10 000: how many times faster to diffuse along an edge than across it, at most. Larger
        values leave edges sharper for longer. The reach of one sub-step grows with its square
        root, about 16 pixels in a plane and 28 in space at 1000, and with it what a region, a
        preview or a chunk needs around itself.
    sharpness : int
        1 to 8: how abruptly the diffusivity falls at the contrast.

    Raises
    ------
    ValueError
        Where pixels are more than 100 times as long along one axis as along another, or a
        smoothing is wider than 50 pixels.

    Notes
    -----
    Use it for noisy images of regions with smooth borders, and where `PeronaMalik` leaves rims of
    noise along them. Set `smoothing` to the width of the noise, about one pixel. Not for textures
    and crossing lines, whose directions are ambiguous, nor for corners that must stay: they are
    rounded slowly. On rings 5 pixels apart directions are wrong by 1.3° at most, on rings 9 apart
    by 0.2°. A sub-step takes fifty to a hundred times as long as one of
    `PeronaMalik`.

    References
    ----------
    Weickert (1998), Anisotropic diffusion in image processing.
    Frangakis and Hegerl (2001), Noise reduction in electron tomographic reconstructions using
    nonlinear anisotropic diffusion.
    Fehrenbach and Mirebeau (2014), Sparse non-negative stencils for anisotropic diffusion.
    """

    display_name: ClassVar[str] = "Edge-enhancing diffusion (EED)"

    sharpness: Annotated[int, SHARPNESS] = 4

    def law(self) -> TensorLaw:
        """Return Weickert's conductance for every eigenvalue."""
        return TensorLaw(0, self.sharpness, weickert_constant(self.sharpness))
