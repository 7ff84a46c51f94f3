"""Noise limited to the frequencies of a tilt series."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np

from napari_diffusion.core.method_words import in_terms
from napari_diffusion.noise.base import Noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.address import Address
    from napari_diffusion.core.grid import Grid, Shape
    from napari_diffusion.core.noise_scale import Scales
    from napari_diffusion.engine.block import Block

Z, Y, X = 2, 3, 4


@dataclass(frozen=True)
class MissingWedge(Noise):
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

    tilt_axis: Annotated[
        Literal["y", "x"], {"tooltip": "Axis about which the specimen is tilted."}
    ] = "y"
    min_tilt: Annotated[
        float, {"min": -90.0, "max": 90.0, "unit": "°", "tooltip": "Smallest tilt angle."}
    ] = -60.0
    max_tilt: Annotated[
        float, {"min": -90.0, "max": 90.0, "unit": "°", "tooltip": "Largest tilt angle."}
    ] = 60.0
    exponent: Annotated[
        float,
        {"min": -4.0, "max": 4.0, "tooltip": "Power-law exponent of the spectrum (0 = white)."},
    ] = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_tilt >= self.max_tilt:
            raise ValueError(
                "MissingWedge: min_tilt must be less than max_tilt (got "
                f"{self.min_tilt:g} and {self.max_tilt:g})."
            )

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

    def measured(self, grid: Grid) -> NDArray[np.bool_]:
        """Return which frequencies of a real transform of the image the tilts measure."""
        from napari_diffusion.noise.sampling import spectral_field

        beam, across = _wedge_axes(grid, self.tilt_axis)
        cycles = dict(zip(grid.along_axes, spectral_field.frequencies(grid), strict=True))
        along_beam, other = cycles[beam], cycles[across]
        # At the middle of an even size a frequency stands for its negative too.
        ends = _middle(beam, along_beam, grid) | _middle(across, other, grid)
        inside = self._within(along_beam, other)
        return inside & (self._within(-along_beam, other) | ~ends)

    def _within(self, along_beam: NDArray[Any], across: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which directions are within the tilts; opposite directions are one."""
        low, high = math.radians(self.min_tilt), math.radians(self.max_tilt)
        angle = np.arctan2(np.where(across < 0, -along_beam, along_beam), np.abs(across))
        # Both ends of the beam's direction are one, and the tilt axis lies in every tilt.
        inside = (low <= angle) & (angle <= high)
        upright = (across == 0) & (along_beam != 0)
        inside |= upright & (max(-self.min_tilt, self.max_tilt) == 90)
        return np.asarray(inside | ((across == 0) & (along_beam == 0)))


def _wedge_axes(grid: Grid, tilt_axis: str) -> tuple[int, int]:
    """Return the axis of the beam and the one across it that the tilts mix with it."""
    pair = (Z, X if tilt_axis == "y" else Y) if Z in grid.along_axes else (Y, X)
    if not set(pair) <= set(grid.along_axes):
        raise ValueError(
            f"MissingWedge needs the axes {'zyx'[pair[0] - Z]} and {'zyx'[pair[1] - Z]} in along "
            f"(got along={grid.along!r})."
        )
    return pair


def _middle(axis: int, cycles: NDArray[Any], grid: Grid) -> NDArray[np.bool_]:
    size = grid.shape[axis]
    return np.asarray((size % 2 == 0) & (np.abs(cycles) * grid.length(axis) > 0.5 - 0.25 / size))
