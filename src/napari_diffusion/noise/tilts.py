"""The tilts of a specimen, and the frequencies that they measure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np

from napari_diffusion.core.component import Component

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid

Z, Y, X = 2, 3, 4


@dataclass(frozen=True)
class Tilts(Component):
    """What components of a tilt series share: the tilt axis and the range of its angles."""

    tilt_axis: Annotated[
        Literal["y", "x"], {"tooltip": "Axis about which the specimen is tilted."}
    ] = "y"
    min_tilt: Annotated[
        float, {"min": -90.0, "max": 90.0, "unit": "°", "tooltip": "Smallest tilt angle."}
    ] = -60.0
    max_tilt: Annotated[
        float, {"min": -90.0, "max": 90.0, "unit": "°", "tooltip": "Largest tilt angle."}
    ] = 60.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_tilt >= self.max_tilt:
            raise ValueError(
                f"{type(self).__name__}: min_tilt must be less than max_tilt (got "
                f"{self.min_tilt:g} and {self.max_tilt:g})."
            )

    def measured(self, grid: Grid) -> NDArray[np.bool_]:
        """Return which frequencies of a real transform of the image the tilts measure."""
        from napari_diffusion.noise.sampling import spectral_field

        beam, across = self._wedge_axes(grid)
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

    def _wedge_axes(self, grid: Grid) -> tuple[int, int]:
        """Return the axis of the beam and the one across it that the tilts mix with it."""
        pair = (Z, X if self.tilt_axis == "y" else Y) if Z in grid.along_axes else (Y, X)
        if not set(pair) <= set(grid.along_axes):
            first, second = ("zyx"[axis - Z] for axis in pair)
            raise ValueError(
                f"{type(self).__name__} needs the axes {first} and {second} in along "
                f"(got along={grid.along!r})."
            )
        return pair


def _middle(axis: int, cycles: NDArray[Any], grid: Grid) -> NDArray[np.bool_]:
    size = grid.shape[axis]
    return np.asarray((size % 2 == 0) & (np.abs(cycles) * grid.length(axis) > 0.5 - 0.25 / size))
