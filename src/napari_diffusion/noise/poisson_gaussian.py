"""The noise of a camera: photons and read noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from napari_diffusion.core.array_parameter import ArrayParameter  # noqa: TC001 - read when the parameters are
from napari_diffusion.noise.sampling.exposure import Exposure
from napari_diffusion.noise.sampling.signal_dependent import Reference  # noqa: TC001 - read when the parameters are


@dataclass(frozen=True)
class PoissonGaussian(Exposure):
    """Count photons and read them out as a CCD or sCMOS camera does, with an offset and read noise.

    ``offset + gain · k + read_noise · n``, with k a Poisson number of mean
    max(image − offset, 0) / gain and n normal of mean 0 and variance 1; where the image is below
    the offset it stays in the offset's place. The mean is the image, the variance is
    gain · (image − offset) + read_noise².

    The noise scale s is the standard deviation where the image is `reference`. It changes gain and
    read variance by the same factor, so that the share of either stays as typed:
    s² = factor · (gain · (reference − offset) + read_noise²), with the mean over the sensor of what
    is given as a map. The photons are exact at any rate, as those of `Poisson` are.

    Parameters
    ----------
    gain : float or Map
        Intensity of one photoelectron; a larger one makes bright parts noisier. A map, of y by x
        pixels, has one for each pixel of the sensor.
    offset : float or Map
        Intensity without light; the noise of photons begins there. A number, or a map.
    read_noise : float or Map
        Standard deviation of the noise without light, in intensity; a larger one makes dark parts
        noisier. A number, or a map as sCMOS cameras have it.
    reference : float or "auto"
        The intensity at which the noise scale is the standard deviation; with the same noise
        scale, a larger one makes the image less noisy. "auto" is the mean of the source.

    Notes
    -----
    Use it for images of cameras, with the numbers of the data sheet or of a photon transfer
    curve, in the image's intensities. Not for cameras that multiply electrons (`EMCCD`), nor
    where only photons count (`Poisson`).

    Read noise makes values below the offset. They are taken, and get read noise alone; but a source
    that is darker than the offset by more than ten read noises has another offset, and is refused.

    Raises
    ------
    ValueError
        For a mean of the offset or less, for a source darker than read noise makes it, for maps
        that are not of the shape of a plane, or for more than 2⁵³ photons in a pixel.

    References
    ----------
    Foi, Trimeche, Katkovnik and Egiazarian (2008), Practical Poissonian-Gaussian noise modeling.
    Huang and others (2013), Video-rate nanoscopy using sCMOS camera-specific algorithms.
    """

    display_name: ClassVar[str] = "Poisson–Gaussian"

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
