"""An image of which parts are read, as noise and filters take them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.grid import CANONICAL
from napari_diffusion.core.image import Image, computing_type, is_dask
from napari_diffusion.core.no_data import check_present, split_holes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid


@dataclass(frozen=True, eq=False)
class NamedValues:
    """Values somewhere, and the axes that they have.

    Attributes
    ----------
    values : array
        Anything that is indexed by slices: numpy, dask, an array in a file.
    axes : str
        Its axes.
    """

    values: Any
    axes: str

    def part(self, box: Sequence[slice]) -> NDArray[Any]:
        """Return the part under canonical slices, in the order of `axes`."""
        part = self.values[tuple(box[CANONICAL.index(axis)] for axis in self.axes)]
        if is_dask(part):
            part = part.compute(scheduler="synchronous")
        return np.asarray(part)


@dataclass(frozen=True, eq=False)
class StoredImage:
    """The image that a pass reads.

    Attributes
    ----------
    stored : NamedValues
        The values; of colours, with alpha.
    grid : Grid
        Of the whole image.
    mask : NamedValues or None
        Where it may change.
    missing : {"refuse", "ignore"}
        Reject NaN and infinite pixels, or treat them as missing.
    """

    stored: NamedValues
    grid: Grid
    mask: NamedValues | None = None
    missing: str = "refuse"

    def part(self, box: Sequence[slice]) -> Image:
        """Return the part under canonical slices; equal to that of the whole image.

        Raises
        ------
        ValueError
            For values in it that are missing, or too large to compute with.
        """
        # Alpha lies behind the colours, beyond the grid.
        whole = (box[0], slice(None), *box[2:]) if self.grid.rgb else tuple(box)
        axes = dataclasses.replace(self.grid, axes=self.stored.axes)
        values = axes.canonical(self.stored.part(whole))
        alpha = None
        if self.grid.rgb and values.shape[1] == 4:
            values, alpha = values[:, :3], values[:, 3:]
        dtype = computing_type(values.dtype)
        data = np.require(values, dtype, ["C", "W"])
        mask, holes = self._mask(box), None
        if self.missing == "ignore":
            data, mask, holes = split_holes(data, mask)
        check_present(data if mask is None else data[mask], "A tile")
        return Image(data, self.grid.at([part.start for part in box]), mask, alpha, holes)

    def _mask(self, box: Sequence[slice]) -> NDArray[np.bool_] | None:
        if self.mask is None:
            return None
        axes = dataclasses.replace(self.grid, axes=self.mask.axes)
        part = axes.canonical(self.mask.part(box)) != 0
        shape = tuple(each.stop - each.start for each in box)
        return np.ascontiguousarray(np.broadcast_to(part, shape))
