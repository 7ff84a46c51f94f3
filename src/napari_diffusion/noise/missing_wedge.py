"""The noise of a tomogram, which lacks a wedge of all frequencies."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np

from napari_diffusion.noise.base import Noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.address import Address
    from napari_diffusion.core.grid import Grid, Shape
    from napari_diffusion.core.noise_scale import NoiseScale
    from napari_diffusion.engine.threads import Threads

Z, Y, X = 2, 3, 4


@dataclass(frozen=True)
class MissingWedge(Noise):
    """Add noise that has only the frequencies which a tilt series measures.

    White normal numbers with the spectrum multiplied by ``|f|^(−exponent/2)`` where the angle
    ``atan(f_z / f_x)`` is one of the tilts and by 0 where it is not; 0 at f = 0 too. f is in cycles
    per world unit. The beam goes along z, and the specimen turns about the tilt axis.

    Parameters
    ----------
    tilt_axis : {"y", "x"}
        The axis that the specimen is turned about; "x" puts f_y in the place of f_x.
    min_tilt : float
        The least tilt in degrees, from −90 to 90.
    max_tilt : float
        The largest tilt in degrees, from −90 to 90, above the least one. A smaller range leaves a
        larger wedge out, and the noise gets longer along z.
    exponent : float
        β, from −4 to 4: how the power falls with the frequency within the range, see `PowerLaw`;
        0 is even.

    Notes
    -----
    Use it for cryo-electron and other limited-angle tomograms, to see what a filter makes of noise
    that is elongated along the beam. Not for single projections. In an image without z, or where
    z does not diffuse, y is taken for the direction of the beam and x for the one across it,
    whatever the tilt axis, as in a slice through a tomogram along the beam.

    The noise of one pixel depends on the size of the whole image, as that of `PowerLaw` does: a
    preview on a crop is approximate.

    Raises
    ------
    ValueError
        When the least tilt is not below the largest, when the axes of the wedge do not diffuse, or
        when the image is too small to have any frequency within it.
    """

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
        cycles = spectral_field.frequencies(grid)
        power = spectral_field.falling(cycles, self.exponent) * self.measured(grid)
        gain = spectral_field.gains(power, grid, "MissingWedge")
        return spectral_field.add_spectral(block, gain, scales, address, grid, executor)

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
        """Say which directions are tilts; a direction and its opposite are one."""
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
            f"MissingWedge needs the axes {'zyx'[pair[0] - Z]} and {'zyx'[pair[1] - Z]} to diffuse "
            f"(got along={grid.along!r})."
        )
    return pair


def _middle(axis: int, cycles: NDArray[Any], grid: Grid) -> NDArray[np.bool_]:
    size = grid.shape[axis]
    return np.asarray((size % 2 == 0) & (np.abs(cycles) * grid.length(axis) > 0.5 - 0.25 / size))
