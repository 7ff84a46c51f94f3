"""An image that was read from a file, with all that the file says about it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from napari_diffusion.io.units import FRAME, PIXEL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from napari_diffusion.io.step_record import StepRecord

#: Numerator and denominator of X and Y, and TIFF's code of the unit.
Resolution = tuple[tuple[int, int], tuple[int, int], int]


class NotReadable(ValueError):  # noqa: N818 - it says what the file is
    """A file that is there but does not hold an image that can be read; says why."""


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
        One letter of "tczyx" per axis; None where the file does not name them.
    letters : str
        The axes as the file calls them.
    lengths : mapping
        World length of one pixel along an axis, by its letter, where the file knows it.
    unit, time_unit : str
        Unit of the lengths of z, y, x and of t.
    rgb : bool
        Whether c holds colours, a fourth one being alpha.
    resolution : tuple or None
        TIFF's resolution tags as they stand in the file.
    record : dict or None
        What napari-diffusion wrote into the file when it made it.
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
        """World length of one pixel for each axis of z, y and x, in the order of `axes`."""
        return self.spacing_along("".join(axis for axis in self.axes or "" if axis in "zyx"))

    def spacing_along(self, along: str) -> tuple[float, ...]:
        """Return the world length of one pixel for each axis of `along`; unknown ones are 1."""
        return tuple(self.lengths.get(axis, 1.0) for axis in along)

    def replaced(self, **changes: Any) -> Source:
        """Return a copy with some attributes changed."""
        return dataclasses.replace(self, **changes)
