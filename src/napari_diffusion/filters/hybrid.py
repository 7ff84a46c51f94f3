"""Hybrid of edge-enhancing and coherence-enhancing diffusion."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

import numpy as np

from napari_diffusion.core.citation import CONTRAST, Cite, Estimate
from napari_diffusion.core.method_words import in_terms, measured
from napari_diffusion.filters.coherence_enhancing import ACROSS, CODES, STRUCTURE_WORDS, Structure
from napari_diffusion.filters.edge_enhancing import SHARPNESS
from napari_diffusion.filters.flows.conductance_laws import weickert_constant
from napari_diffusion.filters.tensors.tensor_flow import INTEGRATION, TensorFlow, TensorLaw

if TYPE_CHECKING:
    from napari_diffusion.core.image import Image

# Median absolute deviations of normal numbers per standard deviation, and how many of those the
# coherence of a structure is above the median one.
MAD_TO_SIGMA = 1.4826
DEVIATIONS = 2.0


@dataclass(frozen=True)
class Hybrid(TensorFlow):
    """Smooth regions up to their edges, and lines or planes along their direction.

    ``∂u/∂t = div(D ∇u)`` with the D of `EdgeEnhancing` where ``√(µ₁ − µ_last) < switch`` and that
    of `CoherenceEnhancing` elsewhere, with switch as its contrast; µ are the eigenvalues of the
    structure tensor J = G ∗ (∇v ∇vᵀ). Where there is no preferred direction, in noise and regions,
    the image is smoothed; elsewhere it is smoothed along the structure. Explicit sub-steps with
    non-negative stencils preserve the mean and the range.

    Parameters
    ----------
    time : float
        Diffusion time per step in world units². Larger values smooth more.
    contrast : float or "auto"
        Edge threshold in intensity per world unit, greater than 0: steeper edges stay. "auto"
        estimates it from the gradients of the source after `smoothing`, see
        `napari_diffusion.estimate.contrast`.
    smoothing : float
        Standard deviation in world units of the Gaussian applied before gradients are computed, 0
        or more.
    condition_limit : float
        1 to 10 000: largest ratio of the diffusivity along a structure to that across it; see
        `EdgeEnhancing`.
    integration : float
        Standard deviation in world units of the Gaussian G that averages directions.
    structure : {"lines", "planes"}
        What to smooth along in 3D; in 2D both mean lines.
    sharpness : int
        1 to 8: how abruptly the diffusivity across edges falls at the contrast.
    switch : float or "auto"
        Coherence in intensity per world unit above which structures are enhanced, 0 or more. Larger
        values treat more of the image as noise. "auto" measures it on the source: the mean of
        µ₁ − µ_last over `background`, or without one the median of its root plus two standard
        deviations, from the median absolute deviation.
    background : tuple of float or None
        A box that contains only noise, for "auto": start and end along each axis the filter acts
        along, in array order, as fractions of its length. (0, 0.2, 0.8, 1) is a corner of an image.

    Raises
    ------
    ValueError
        If the pixel size along one axis exceeds that along another more than 100 times, a smoothing
        is wider than 50 pixels, or the background is not a box within the image.

    Notes
    -----
    Use it for noisy tomograms and other images with regions as well as membranes or filaments. Give
    it a background if there is one: no other estimate is as good. Not where the structures are as
    faint as the noise: they are smoothed away.

    References
    ----------
    Frangakis and Hegerl (2001), Noise reduction in electron tomographic reconstructions using
    nonlinear anisotropic diffusion.
    Fernández and Li (2003), An improved algorithm for anisotropic nonlinear diffusion for denoising
    cryo-tomograms.
    """

    display_name: ClassVar[str] = "Hybrid EED and CED"
    method_name = "hybrid edge- and coherence-enhancing diffusion"
    terms = in_terms(
        structure=STRUCTURE_WORDS,
        contrast="contrast {}",
        time="diffusion time {} per step",
        smoothing="structure tensor smoothed with σ = {}",
        integration="directions averaged with σ = {}",
        switch="coherence threshold {}",
        condition_limit="",
        sharpness="",
        background="",
    )
    estimates = measured(
        contrast=CONTRAST, switch=Estimate("estimated from its spread over the image")
    )
    cites = (Cite("frangakis2001"), Cite("fernandez2003"))

    contrast: Annotated[
        float | Literal["auto"],
        {
            "above": 0.0,
            "unit": "intensity/world",
            "tooltip": "Edge threshold: gradients below it are smoothed as noise.",
        },
    ] = "auto"
    integration: Annotated[float, INTEGRATION] = 2.0
    structure: Annotated[
        Structure,
        {"tooltip": "Smooth along lines or planes in 3D; in 2D always along lines."},
    ] = "lines"
    sharpness: Annotated[int, SHARPNESS] = 4
    switch: Annotated[
        float | Literal["auto"],
        {
            "min": 0.0,
            "unit": "intensity/world",
            "tooltip": "Coherence above which structures are enhanced instead of smoothed.",
        },
    ] = "auto"
    background: Annotated[
        tuple[float, ...] | None,
        {
            "min": 0.0,
            "max": 1.0,
            "tooltip": "Box that contains only noise: start and end along each axis as "
            "fractions of its length.",
        },
    ] = None

    def resolved(self, image: Image) -> Self:
        """Return this filter with the contrast and the switch that the image itself suggests."""
        chosen = super().resolved(image)
        if chosen.switch != "auto":
            return chosen
        return chosen.replaced(switch=_coherence_of_noise(image, chosen, self.background))

    def law(self) -> TensorLaw:
        """Return the laws of edges and of lines or planes, and where to switch."""
        ratio = self.number("switch") / self.number("contrast")
        constant = weickert_constant(self.sharpness)
        return TensorLaw(CODES[self.structure], self.sharpness, constant, ACROSS, ratio * ratio)


def _coherence_of_noise(
    image: Image, component: Hybrid, background: tuple[float, ...] | None
) -> float:
    from napari_diffusion.engine.executor import measured

    grid = image.grid
    if background is not None:
        return _mean_coherence(image, component, _box(image, background))
    reach = zip(component.reach(grid), component.stencil_reach(grid), strict=True)
    halo = [whole - 2 * stencil for whole, stencil in reach]

    middle = measured(image, component.coherence, halo).quantile(0.5)
    away = measured(image, component.coherence, halo, around=middle).quantile(0.5)
    return middle + DEVIATIONS * MAD_TO_SIGMA * away


def _mean_coherence(image: Image, component: Hybrid, box: tuple[slice, ...]) -> float:
    from napari_diffusion.engine.block import Block

    part = image.cut(box)
    values, mask = np.ascontiguousarray(part.data), part.mask
    if mask is not None:
        mask = np.asarray(mask)
    found = component.coherence(Block(values, part.grid, mask))
    inside = (
        slice(None) if mask is None else np.broadcast_to(mask.any(1, keepdims=True), found.shape)
    )
    return math.sqrt(float(np.mean(found[inside].astype(np.float64) ** 2)))


def _box(image: Image, background: tuple[float, ...]) -> tuple[slice, ...]:
    grid = image.grid
    axes = [axis for axis in grid.axes if axis in grid.along]
    if len(background) != 2 * len(axes):
        raise ValueError(
            f"Hybrid: background must have a start and an end for each of the axes "
            f"{''.join(axes)!r} (got {len(background)} numbers): {background!r}."
        )
    box = [slice(0, size) for size in image.data.shape]
    for place, name in enumerate(axes):
        axis = "tczyx".index(name)
        begin, end = (math.floor(f * grid.shape[axis] + 0.5) for f in background[2 * place :][:2])
        if end <= begin:
            raise ValueError(
                f"Hybrid: background has no pixel along {name!r} (got {background!r} of "
                f"{grid.shape[axis]} pixels): make its end larger than its start."
            )
        box[axis] = slice(begin, end)
    return tuple(box)
