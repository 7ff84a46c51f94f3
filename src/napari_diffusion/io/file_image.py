"""An image from a file, with its axes, pixel sizes, units and record."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from napari_diffusion.core.units import FRAME, PIXEL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from napari_diffusion.io.step_record import StepRecord

#: Numerator and denominator of X and Y, and TIFF's code of the unit.
Resolution = tuple[tuple[int, int], tuple[int, int], int]


class NotReadable(ValueError):  # noqa: N818 - it describes the file
    """A file that holds no image of a supported format."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Source:
    """An image from a file.

    Attributes
    ----------
    name : str
        Name of the file, without its folder.
    image : ndarray or dask array
        The values, in the type and the order of the file.
    axes : str or None
        One letter of "tczyx" per axis; None if the file does not name them.
    letters : str
        The axes as they are called in the file.
    lengths : mapping
        Pixel size along an axis, by its letter, for the axes that have one in the file.
    unit, time_unit : str
        Unit of the pixel sizes of z, y, x, and of the frame interval.
    rgb : bool
        Whether c holds RGB colours, a fourth channel being alpha.
    resolution : tuple or None
        The resolution tags of a TIFF.
    record : dict or None
        The record that napari-diffusion wrote into the file.
    """

    name: str
    image: NDArray[Any]
    axes: str | None = None
    letters: str = ""
    lengths: Mapping[str, float] = field(default_factory=dict)
    unit: str = PIXEL
    time_unit: str = FRAME
    rgb: bool = False
    resolution: Resolution | None = None
    record: StepRecord | None = None

    @property
    def spacing(self) -> tuple[float, ...]:
        """Pixel size for each axis of z, y and x, in the order of `axes`."""
        return self.spacing_along("".join(axis for axis in self.axes or "" if axis in "zyx"))

    def spacing_along(self, along: str) -> tuple[float, ...]:
        """Return the pixel size for each axis of `along`; unknown ones are 1."""
        return tuple(self.lengths.get(axis, 1.0) for axis in along)

    def replaced(self, **changes: Any) -> Source:
        """Return a copy with some attributes changed."""
        return dataclasses.replace(self, **changes)
