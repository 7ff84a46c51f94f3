"""An image from a file, with its axes, pixel sizes, units and record."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from napari_diffusion.core.units import FRAME, PIXEL

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from napari_diffusion.io.step_record import StepRecord

#: Numerator and denominator of X and Y, and TIFF's code of the unit.
Resolution = tuple[tuple[int, int], tuple[int, int], int]


@dataclass(frozen=True)
class Channel:
    """How a file calls and shows one channel.

    Attributes
    ----------
    name : str
        Such as "DAPI"; empty if the file does not say.
    colour : str
        Red, green and blue as six hexadecimal digits; empty if the file does not say.
    limits : tuple of float or None
        The intensities shown as black and as full colour.
    """

    name: str = ""
    colour: str = ""
    limits: tuple[float, float] | None = None


class NotReadable(ValueError):  # noqa: N818 - it describes the file
    """A file that holds no image of a supported format."""


class Stored(Protocol):
    """The values of an image in a file, of which parts are read.

    It can be pickled without reading them: whoever unpickles it opens the file anew, by its path.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]

    @property
    def ndim(self) -> int:
        """The number of axes."""
        ...

    def __getitem__(self, key: tuple[slice, ...], /) -> NDArray[Any]:
        """Return a new array of a part.

        Raises
        ------
        NotReadable
            If the file is damaged there, has changed since it was opened, or is gone.
        """
        ...


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
    place : mapping
        World position of the centre of the first pixel along an axis, by its letter, in the unit
        of the pixel size; 0 for axes that are not there.
    unit, time_unit : str
        Unit of the pixel sizes of z, y, x, and of the frame interval.
    channels : tuple of Channel
        One for each channel; empty if the file does not describe them.
    rgb : bool
        Whether c holds RGB colours, a fourth channel being alpha.
    resolution : tuple or None
        The resolution tags of a TIFF.
    record : dict or None
        The record that napari-diffusion wrote into the file.
    valid : ndarray or dask array of bool, or None
        The shape of the image: False where the file marks a value as no data. None if every
        value is data.
    remarks : tuple of str
        What is incomplete in the file; records of results keep these sentences.
    header : mapping
        Further metadata of the format, which a file written in the same format keeps.
    stored : Stored or None
        What the dask array in `image` is read from, in the same order; None if it is in memory.
    """

    name: str
    image: NDArray[Any]
    axes: str | None = None
    letters: str = ""
    lengths: Mapping[str, float] = field(default_factory=dict)
    place: Mapping[str, float] = field(default_factory=dict)
    unit: str = PIXEL
    time_unit: str = FRAME
    rgb: bool = False
    channels: tuple[Channel, ...] = ()
    resolution: Resolution | None = None
    record: StepRecord | None = None
    valid: NDArray[np.bool_] | None = None
    remarks: tuple[str, ...] = ()
    header: Mapping[str, Any] = field(default_factory=dict)
    stored: Stored | None = None

    @property
    def spacing(self) -> tuple[float, ...]:
        """Pixel size for each axis of z, y and x, in the order of `axes`."""
        return self.spacing_along("".join(axis for axis in self.axes or "" if axis in "zyx"))

    def spacing_along(self, along: str) -> tuple[float, ...]:
        """Return the pixel size for each axis of `along`; unknown ones are 1."""
        return tuple(self.lengths.get(axis, 1.0) for axis in along)

    def replaced(self, **changes: Any) -> Source:
        """Return a copy with some attributes changed; another image comes without `stored`."""
        if "image" in changes:
            changes = {"stored": None} | changes
        return dataclasses.replace(self, **changes)
