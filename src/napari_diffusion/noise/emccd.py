"""The noise of a camera that multiplies electrons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from napari_diffusion.noise.sampling.exposure import Exposure
from napari_diffusion.noise.sampling.signal_dependent import Reference  # noqa: TC001 - read when the parameters are


@dataclass(frozen=True)
class EMCCD(Exposure):
    """Count photons, multiply their electrons at random and read them out, as an EMCCD camera does.

    ``offset + gain · g + read_noise · n``, with g a gamma number of shape k and scale 1 (0 for
    k = 0), k a Poisson number of mean max(image − offset, 0) / gain, and n normal of mean 0 and
    variance 1. The mean is the image, the variance is 2 · gain · (image − offset) + read_noise²:
    the multiplication doubles that of the photons.

    The noise scale s is the standard deviation where the image is `reference`. It changes gain and
    read variance by the same factor, so that the share of either stays as typed:
    s² = factor · (2 · gain · (reference − offset) + read_noise²).

    Parameters
    ----------
    gain : float
        Intensity of one photoelectron, on average after multiplication; a larger one makes the
        image noisier, with fewer electrons in it.
    offset : float
        Intensity without light; the noise of photons begins there.
    read_noise : float
        Standard deviation of the noise without light, in intensity: that of the camera divided by
        the multiplication, and so mostly small beside the gain.
    reference : float or "auto"
        The intensity at which the noise scale is the standard deviation; with the same noise
        scale, a larger one makes the image less noisy. "auto" is the mean of the source.

    Notes
    -----
    Use it for images of few photons from a camera with electron multiplication. It takes the
    multiplication to be large, 30 and more, where a gamma number describes it; charge that the
    clocks induce counts as light. Not for CCD and sCMOS cameras (`PoissonGaussian`).

    Values below the offset get read noise alone; a source that is darker than the offset by more
    than ten read noises is refused.

    Raises
    ------
    ValueError
        For a mean of the offset or less, for a source darker than read noise makes it, or for more
        than 2⁵³ photons in a pixel.

    References
    ----------
    Basden, Haniff and Mackay (2003), Photon counting strategies with low-light-level CCDs.
    Hirsch, Wareham, Martin-Fernandez, Hobson and Rolfe (2013), A stochastic model for electron
    multiplication charge-coupled devices.
    """

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
