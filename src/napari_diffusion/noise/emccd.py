"""The noise of an EMCCD camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from napari_diffusion.core.citation import MEAN, Cite
from napari_diffusion.core.method_words import in_terms, measured
from napari_diffusion.noise.sampling.exposure import Exposure
from napari_diffusion.noise.sampling.signal_dependent import Reference  # noqa: TC001 - read when the parameters are


@dataclass(frozen=True)
class EMCCD(Exposure):
    """Add the noise of an EMCCD camera: photon noise, random multiplication and read noise.

    ``offset + gain · g + read_noise · n``, with g a gamma variable of shape k and scale 1 (0 for k
    = 0), k a Poisson variable of mean max(image − offset, 0) / gain, and n standard normal. The
    mean is the image; the variance is 2 · gain · (image − offset) + read_noise²: the multiplication
    doubles the photon noise.

    The noise scale s is the standard deviation where the image equals `reference`. It scales the
    gain and the read variance by the same factor, so that their proportion stays: s² = factor · (2
    · gain · (reference − offset) + read_noise²).

    Parameters
    ----------
    gain : float
        Intensity of one photoelectron, on average after multiplication, greater than 0. Larger
        values mean fewer electrons and more noise.
    offset : float
        Intensity without light. Photon noise is 0 there.
    read_noise : float
        Standard deviation without light in intensity units, 0 or more: that of the camera divided
        by the multiplication factor, so usually small compared with the gain.
    reference : float or "auto"
        Intensity at which the noise scale is the standard deviation. For a given noise scale,
        larger values make the image less noisy. "auto" is the mean of the source.

    Notes
    -----
    Use it for low-light images of a camera with electron multiplication. The model assumes a
    multiplication factor of 30 or more, where the gamma distribution holds; clock-induced charge
    counts as light. Not for CCD and sCMOS cameras (`PoissonGaussian`).

    Intensities below the offset get read noise only. A source more than ten read noises darker than
    the offset is rejected.

    Raises
    ------
    ValueError
        For a mean at or below the offset, a source darker than read noise can explain, or more than
        2⁵³ photons in a pixel.

    References
    ----------
    Basden, Haniff and Mackay (2003), Photon counting strategies with low-light-level CCDs.
    Hirsch, Wareham, Martin-Fernandez, Hobson and Rolfe (2013), A stochastic model for electron
    multiplication charge-coupled devices.
    """

    method_name = "EMCCD camera noise"
    terms = in_terms(
        reference="reference intensity {}",
        gain="gain {} per photoelectron",
        offset="offset {}",
        read_noise="read noise {}",
    )
    estimates = measured(reference=MEAN)
    cites = (Cite("basden2003"), Cite("hirsch2013"))

    excess: ClassVar[float] = 2.0

    gain: Annotated[
        float,
        {
            "above": 0.0,
            "unit": "intensity",
            "tooltip": "Intensity of one photoelectron; larger values add more noise.",
        },
    ] = 1.0
    offset: Annotated[float, {"unit": "intensity", "tooltip": "Intensity without light."}] = 0.0
    read_noise: Annotated[
        float,
        {
            "min": 0.0,
            "unit": "intensity",
            "tooltip": "Read noise: standard deviation without light.",
        },
    ] = 0.1
    reference: Reference = "auto"
