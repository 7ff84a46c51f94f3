"""Power-law noise: pink, brown and all between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from napari_diffusion.core.citation import Cite
from napari_diffusion.noise.base import Noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.address import Address
    from napari_diffusion.core.grid import Grid, Shape
    from napari_diffusion.core.noise_scale import Scales
    from napari_diffusion.engine.block import Block


@dataclass(frozen=True)
class PowerLaw(Noise):
    """Add noise at all scales, whose power spectrum follows a power law 1/f^β.

    ``|f|^(−exponent/2)`` multiplies the spectrum of white Gaussian noise, with f in cycles per
    world unit along the axes the noise acts along, and 0 at f = 0, so that the mean of every image
    stays the same. The variance over the whole image is noise_scale², averaged over random seeds.

    Parameters
    ----------
    exponent : float
        Power-law exponent β of the spectrum, −4 to 4: 0 is white, 1 pink, 2 brown noise. Larger
        values make clouds; negative values leave only the finest grain.

    Notes
    -----
    Use it for background drift, uneven illumination, vibration and natural texture. Not where only
    neighbours are correlated (`Correlated`).

    The noise of a pixel depends on the size of the whole image, so cropping before or after adding
    noise gives different results, and a preview on a crop is approximate. Regions of a larger image
    are exact, but each is computed from the whole image if it is cut along an axis the noise acts
    along. Frames and separate channels are independent. The noise is periodic: opposite borders
    match.

    Raises
    ------
    ValueError
        If the image has a single pixel along all the axes the noise acts along.

    References
    ----------
    Timmer and König (1995), On generating power law noise.
    """

    display_name: ClassVar[str] = "Power-law (coloured)"
    method_name = "Gaussian noise with a power spectrum falling as 1/f^{exponent}"
    cites = (Cite("timmer1995"),)
    white: ClassVar[bool] = False

    exponent: Annotated[
        float,
        {
            "min": -4.0,
            "max": 4.0,
            "tooltip": "Power-law exponent of the spectrum: 0 white, 1 pink, 2 brown.",
        },
    ] = 1.0

    def halo(self, grid: Grid) -> Shape | None:
        """Return None: the noise belongs to the image as a whole."""
        del grid
        return None

    def add(self, block: Block, scales: Scales, address: Address) -> NDArray[Any]:
        """Return block + noise; see `Noise.add`."""
        from napari_diffusion.noise.sampling import spectral_field

        power = spectral_field.falling(spectral_field.frequencies(block.grid), self.exponent)
        gain = spectral_field.gains(power, block.grid, "PowerLaw")
        return spectral_field.add_spectral(block, gain, scales, address)
