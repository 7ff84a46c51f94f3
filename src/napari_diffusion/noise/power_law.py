"""Noise at every scale: pink, brown and all between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from napari_diffusion.noise.base import Noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.address import Address
    from napari_diffusion.core.grid import Grid, Shape
    from napari_diffusion.core.noise_scale import NoiseScale
    from napari_diffusion.engine.threads import Threads


@dataclass(frozen=True)
class PowerLaw(Noise):
    """Add noise whose power falls with a power of the frequency: 1/f^β.

    White normal numbers with the spectrum multiplied by ``|f|^(−exponent/2)``, f in cycles per
    world unit along the axes that diffuse; 0 at f = 0, so that every image keeps its mean to
    round-off. The variance, which is noise_scale² on average over the seeds, is that over the whole
    image.

    Parameters
    ----------
    exponent : float
        β, from −4 to 4: 0 is white, 1 pink, 2 brown noise. Larger makes clouds, negative values
        leave only the finest grain.

    Notes
    -----
    Use it for drifts of the background, uneven illumination, vibration and natural texture. Not
    where neighbours alone are alike, see `Correlated`.

    The noise of one pixel depends on the size of the whole image, so a crop taken out before has
    other noise than one taken out after; a preview on a crop is approximate. Parts of a larger
    image are exact, but each is made of the whole, as long as the axes that diffuse are cut.
    Frames and channels apart are independent. Opposite borders are alike, as the noise goes on
    periodically.

    Raises
    ------
    ValueError
        For images of a single pixel along all the axes that diffuse.

    References
    ----------
    Timmer and König (1995), On generating power law noise.
    """

    display_name: ClassVar[str] = "Power-law (coloured)"
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

    def add(
        self,
        block: NDArray[Any],
        scale: NoiseScale,
        address: Address,
        grid: Grid,
        executor: Threads,
    ) -> NDArray[Any]:
        """Return block + noise; see `Noise.add`."""
        from napari_diffusion.noise.sampling import spectral_field

        scales = scale if isinstance(scale, tuple) else (scale,) * block.shape[1]
        power = spectral_field.falling(spectral_field.frequencies(grid), self.exponent)
        gain = spectral_field.gains(power, grid, "PowerLaw")
        return spectral_field.add_spectral(block, gain, scales, address, grid, executor)
