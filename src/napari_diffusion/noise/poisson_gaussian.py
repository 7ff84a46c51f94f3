"""The noise of a camera: photons and read noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from napari_diffusion.core.array_parameter import ArrayParameter  # noqa: TC001 - read when the parameters are
from napari_diffusion.core.citation import MEAN, Cite
from napari_diffusion.core.method_words import in_terms, measured
from napari_diffusion.noise.sampling.exposure import Exposure
from napari_diffusion.noise.sampling.signal_dependent import Reference  # noqa: TC001 - read when the parameters are


@dataclass(frozen=True)
class PoissonGaussian(Exposure):
    """Add the noise of a CCD or sCMOS camera: photon noise, an offset and read noise.

    ``offset + gain · k + read_noise · n``, with k a Poisson variable of mean max(image − offset, 0)
    / gain and n standard normal; where the image is below the offset it replaces the offset. The
    mean is the image; the variance is gain · (image − offset) + read_noise².

    The noise scale s is the standard deviation where the image equals `reference`. It scales the
    gain and the read variance by the same factor, so that their proportion stays: s² = factor ·
    (gain · (reference − offset) + read_noise²), averaged over the sensor for parameters given as
    arrays. Photon numbers are exact at any rate, as in `Poisson`.

    Parameters
    ----------
    gain : float or ArrayParameter
        Intensity of one photoelectron, greater than 0. Larger values make bright parts noisier. An
        array of y by x pixels has one value per pixel of the sensor.
    offset : float or ArrayParameter
        Intensity without light, a number or an array. Photon noise is 0 there.
    read_noise : float or ArrayParameter
        Standard deviation without light in intensity units, 0 or more: a number, or an array as for
        sCMOS cameras. Larger values make dark parts noisier.
    reference : float or "auto"
        Intensity at which the noise scale is the standard deviation. For a given noise scale,
        larger values make the image less noisy. "auto" is the mean of the source.

    Notes
    -----
    Use it for camera images, with the values of the data sheet or of a photon transfer curve, in
    the intensity units of the image. Not for cameras with electron multiplication (`EMCCD`), nor
    for pure photon noise (`Poisson`).

    Read noise produces intensities below the offset; they get read noise only. A source more than
    ten read noises darker than the offset must have another offset, and is rejected.

    Raises
    ------
    ValueError
        For a mean at or below the offset, a source darker than read noise can explain, arrays that
        do not have the shape of a plane, or more than 2⁵³ photons in a pixel.

    References
    ----------
    Foi, Trimeche, Katkovnik and Egiazarian (2008), Practical Poissonian-Gaussian noise modeling.
    Huang and others (2013), Video-rate nanoscopy using sCMOS camera-specific algorithms.
    """

    display_name: ClassVar[str] = "Poisson–Gaussian"
    method_name = "camera noise (photon and read noise)"
    # A noise scale multiplies the gain and the read variance: the recipe's values are a proportion.
    terms = in_terms(
        reference="reference intensity {}",
        gain="gain {} per photoelectron",
        offset="offset {}",
        read_noise="read noise {}",
    )
    estimates = measured(reference=MEAN)
    cites = (Cite("foi2008"), Cite("huang2013", "read_noise"))

    gain: Annotated[
        float | ArrayParameter,
        {
            "above": 0.0,
            "unit": "intensity",
            "tooltip": "Intensity of one photoelectron; larger values add more noise.",
        },
    ] = 1.0
    offset: Annotated[
        float | ArrayParameter, {"unit": "intensity", "tooltip": "Intensity without light."}
    ] = 0.0
    read_noise: Annotated[
        float | ArrayParameter,
        {
            "min": 0.0,
            "unit": "intensity",
            "tooltip": "Read noise: standard deviation without light.",
        },
    ] = 1.0
    reference: Reference = "auto"
