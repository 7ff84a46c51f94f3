"""Noise limited to the frequencies of a tilt series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from napari_diffusion.core.method_words import in_terms
from napari_diffusion.noise.base import Noise
from napari_diffusion.noise.tilts import Tilts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.address import Address
    from napari_diffusion.core.grid import Grid, Shape
    from napari_diffusion.core.noise_scale import Scales
    from napari_diffusion.engine.block import Block


@dataclass(frozen=True)
class MissingWedge(Tilts, Noise):
    """Add noise limited to the frequencies that a tilt series measures.

    ``|f|^(−exponent/2)`` multiplies the spectrum of white Gaussian noise where the angle ``atan(f_z
    / f_x)`` lies within the tilt range; outside it, and at f = 0, the spectrum is 0. f is in cycles
    per world unit. The beam is along z, and the specimen is tilted about the tilt axis.

    Parameters
    ----------
    tilt_axis : {"y", "x"}
        Axis about which the specimen is tilted; "x" replaces f_x by f_y.
    min_tilt : float
        Smallest tilt angle in degrees, −90 to 90.
    max_tilt : float
        Largest tilt angle in degrees, −90 to 90, above the smallest. A smaller range leaves a
        larger missing wedge and elongates the noise along z.
    exponent : float
        Power-law exponent of the spectrum within the range, β from −4 to 4, see `PowerLaw`; 0 is
        white. Larger values make coarser noise.

    Notes
    -----
    Use it for cryo-electron and other limited-angle tomograms, to test a filter on noise elongated
    along the beam. Not for single projections. In images without z, or if the noise does not act
    along z, the beam is along y and x is across it, whatever the tilt axis, as in a slice of a
    tomogram along the beam.

    The noise of a pixel depends on the size of the whole image, as for `PowerLaw`: a preview on a
    crop is approximate.

    Raises
    ------
    ValueError
        If the smallest tilt is not below the largest, the noise does not act along the axes of the
        wedge, or the image is too small to contain any of its frequencies.
    """

    method_name = (
        "Gaussian noise limited to the frequencies of a tilt series about {tilt_axis} from "
        "{min_tilt} to {max_tilt}"
    )
    terms = in_terms(exponent="spectral exponent {}")

    white: ClassVar[bool] = False

    exponent: Annotated[
        float,
        {"min": -4.0, "max": 4.0, "tooltip": "Power-law exponent of the spectrum (0 = white)."},
    ] = 0.0

    def halo(self, grid: Grid) -> Shape | None:
        """Return None: the noise belongs to the image as a whole."""
        del grid
        return None

    def add(self, block: Block, scales: Scales, address: Address) -> NDArray[Any]:
        """Return block + noise; see `Noise.add`."""
        from napari_diffusion.noise.sampling import spectral_field

        cycles = spectral_field.frequencies(block.grid)
        power = spectral_field.falling(cycles, self.exponent) * self.measured(block.grid)
        gain = spectral_field.gains(power, block.grid, "MissingWedge")
        return spectral_field.add_spectral(block, gain, scales, address)
