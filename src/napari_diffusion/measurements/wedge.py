"""A tomogram with a missing wedge."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from napari_diffusion.core.citation import Cite, Estimate
from napari_diffusion.core.method_words import in_terms
from napari_diffusion.measurements.base import NOISE_WORDS, Measurement
from napari_diffusion.noise.tilts import Tilts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid
    from napari_diffusion.core.image import Image
    from napari_diffusion.measurements.base import Values

# Noise of the first step over the standard deviation that is expected in the wedge.
_STARTING = 2.0


@dataclass(frozen=True)
class Wedge(Tilts, Measurement):
    """Measure the frequencies of a tilt series, without the missing wedge.

    ``y = F⁻¹ (w F x) + noise``, w being 1 where the angle ``atan(f_z / f_x)`` lies within the tilt
    range and 0 elsewhere; f is in cycles per world unit, as for the noise `MissingWedge`.

    Parameters
    ----------
    noise_sigma : float, tuple of float or "auto"
        Standard deviation of the noise of the source in intensity units, 0 or more; one per channel
        if many. "auto" measures it.
    tilt_axis : {"y", "x"}
        Axis about which the specimen is tilted; "x" replaces f_x by f_y.
    min_tilt : float
        Smallest tilt angle in degrees, −90 to 90.
    max_tilt : float
        Largest tilt angle in degrees, −90 to 90, above the smallest. A smaller range leaves more to
        be filled.

    Notes
    -----
    Use it for tomograms whose beam is along z. In images without z, or if the filter does not act
    along z, the beam is along y and x is across it, as in a slice of a tomogram along the beam. The
    content of the wedge is one plausible image, not a measurement. A filter that is told
    more noise than there is, is given the measured frequencies with as much noise as it is told.

    References
    ----------
    Kawar, Elad, Ermon and Song (2022), Denoising diffusion restoration models.
    """

    display_name: ClassVar[str] = "Missing wedge"
    keeps_part: ClassVar[bool] = True
    starts = Estimate("twice that expected in the wedge from the power of the other frequencies")
    method_name = "a tilt series about {tilt_axis} from {min_tilt} to {max_tilt}"
    terms = in_terms(noise_sigma=NOISE_WORDS)
    cites: ClassVar[tuple[Cite, ...]] = (*Measurement.cites, Cite("kawar2022"))

    def check(self, grid: Grid) -> None:
        """Raise if the axes of the wedge are not there; see `Measurement.check`."""
        super().check(grid)
        _measured(self, self.grid_of(grid))

    def possible(self, values: Values, grid: Grid) -> Values:
        """Return the values without what they have in the wedge; see `Measurement.possible`."""
        return self.forward(values, grid)

    def starting_scale(self, source: Image) -> float:
        """Return twice the standard deviation expected in the wedge, at least that of the noise.

        A frequency in the wedge is expected to have the power that those of its size have outside,
        minus that of the noise. Much more noise would leave its coarse part in the wedge, which
        looks like the image to filters.
        """
        from napari_diffusion.measurements.radial_power import missing_variance

        noise = float(np.mean(np.square(self.number_per_channel("noise_sigma", source.grid))))
        variance = missing_variance(source, self.measured(source.grid), noise)
        return math.sqrt(max(_STARTING**2 * variance, noise))

    def forward(self, image: Values, grid: Grid) -> Values:
        """Return the image without its wedge; see `Measurement.forward`."""
        from scipy import fft

        axes = grid.along_axes
        sizes = [grid.shape[axis] for axis in axes]
        spectrum = fft.rfftn(image, axes=axes) * _measured(self, grid)
        return fft.irfftn(spectrum, sizes, axes)

    def adjoint(self, measured: Values, grid: Grid) -> Values:
        """Return the values without their wedge; see `Measurement.adjoint`."""
        return self.forward(measured, grid)


@functools.lru_cache(maxsize=4)
def _measured(wedge: Wedge, grid: Grid) -> NDArray[np.bool_]:
    """Return which frequencies of a real transform were measured, in canonical order."""
    found = wedge.measured(grid)
    sizes = iter(found.shape)
    return found.reshape([next(sizes) if axis in grid.along_axes else 1 for axis in range(5)])
