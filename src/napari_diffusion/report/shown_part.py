"""Which part of the images a report shows, and how far it is reduced: alike for all of them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.grid import CANONICAL
from napari_diffusion.report.png_image import reduced

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid
    from napari_diffusion.core.merkle_hash import Sliceable

#: The longest side of an image, in pixels.
LONGEST_SIDE = 1024

# Of larger planes so many pixels a side are read.
_MOST_READ = 4096

# Of more planes the one with most change is looked for among so many.
_MOST_COMPARED = 64

_NAMES = {"t": "frame", "z": "plane", "y": "row"}


@dataclass(frozen=True, eq=False)
class ShownPart:
    """A plane of an image.

    Attributes
    ----------
    grid : Grid
        Of the image.
    place : mapping
        Where the plane is along the axes that are not in it, such as ``{"t": 0, "z": 12}``.
    why : str
        Why it is this plane; empty where there is no other.
    longest : int
        The longest side in pixels.
    """

    grid: Grid
    place: Mapping[str, int]
    why: str = ""
    longest: int = LONGEST_SIDE

    @property
    def plane_axes(self) -> str:
        """The axes that are shown, the vertical one first."""
        return "".join(axis for axis in "zyx" if axis in self.grid.axes)[-2:]

    @property
    def extent(self) -> dict[str, int]:
        """How many pixels of the image are shown along each axis of the plane."""
        sizes = dict(zip(CANONICAL, self.grid.shape, strict=True))
        return {axis: min(sizes[axis], _MOST_READ) for axis in self.plane_axes}

    @property
    def channels(self) -> int:
        """How many images there are: channels, or 1 for colours."""
        return 1 if self.grid.rgb else self.grid.shape[1]

    @property
    def factor(self) -> int:
        """How many pixels of the image are one that is shown, along either side."""
        return -(-max(self.extent.values()) // self.longest)

    @property
    def ratio(self) -> float:
        """Width over height, pixel sizes included; 100 at most."""
        extent = self.extent
        return self.ratio_of((extent.get(self.plane_axes[:-1], 1), extent[self.plane_axes[-1]]))

    def ratio_of(self, shape: tuple[int, ...]) -> float:
        """Return width over height of so many rows and columns, pixel sizes included."""
        lengths = dict(zip(self.grid.along, self.grid.spacing, strict=True))
        tall = shape[0] * lengths.get(self.plane_axes[:-1], 1.0)
        wide = shape[1] * lengths.get(self.plane_axes[-1], 1.0)
        return float(np.clip(wide / tall, 0.01, 100))

    def with_longest(self, longest: int) -> ShownPart:
        """Return the same plane with another longest side."""
        return dataclasses.replace(self, longest=longest)

    def plane(self, values: Sliceable, channel: int = 0) -> NDArray[np.float64]:
        """Return the plane of an image, (rows, columns) or with three colours, not reduced."""
        return plane_at(values, self.grid, self.place, channel)

    def reduced(self, values: Sliceable, channel: int = 0) -> NDArray[np.float64]:
        """Return the plane as it is shown."""
        return reduced(self.plane(values, channel), self.factor)

    def in_words(self) -> str:
        """Return which plane it is and how far it is reduced, in sentences."""
        sizes = dict(zip(CANONICAL, self.grid.shape, strict=True))
        where = [
            f"{_NAMES[axis]} {at} of {sizes[axis]}"
            for axis, at in self.place.items()
            if sizes[axis] > 1
        ]
        said = f"Shown is {', '.join(where)} (counted from 0), {self.why}. " if where else ""
        if any(n < sizes[axis] for axis, n in self.extent.items()):
            size = " × ".join(str(n) for n in self.extent.values())
            said += f"Of this plane the middle {size} pixels are shown. "
        if self.factor > 1:
            said += (
                f"Each pixel shown is the mean of {self.factor} × {self.factor} pixels, which "
                "makes noise and fine structure look weaker than they are. "
            )
        return said.strip()


def shown_part(
    grid: Grid, before: Sliceable | None, after: Sliceable, longest: int = LONGEST_SIDE
) -> ShownPart:
    """Return the plane where two images differ most; without a second image the middle one."""
    apart = [
        axis for axis in grid.axes if axis in "tz" and axis not in ShownPart(grid, {}).plane_axes
    ]
    sizes = dict(zip(CANONICAL, grid.shape, strict=True))
    middle = {axis: sizes[axis] // 2 for axis in apart}
    if before is None or all(sizes[axis] == 1 for axis in apart):
        return ShownPart(grid, middle, "the middle", longest)
    count = int(np.prod([sizes[axis] for axis in apart]))
    tried = np.unique(np.linspace(0, count - 1, min(count, _MOST_COMPARED)).round().astype(int))
    found = [
        {axis: int(k) for axis, k in zip(apart, at, strict=True)}
        for at in zip(*np.unravel_index(tried, [sizes[axis] for axis in apart]), strict=True)
    ]
    place = max(found, key=lambda at: _change(before, after, grid, at))
    among = f" among {len(found)} that were compared" if len(found) < count else ""
    return ShownPart(grid, place, f"the one that changed most{among}", longest)


def plane_at(
    values: Sliceable, grid: Grid, place: Mapping[str, int], channel: int = 0
) -> NDArray[np.float64]:
    """Return one plane of an image, with the colours last."""
    at: dict[str, int] = {**place, "c": channel}
    shown = "".join(axis for axis in "zyx" if axis in grid.axes)[-2:] + "c" * grid.rgb
    region = tuple(
        _centred(size) if axis in shown else slice(at[axis], at[axis] + 1)
        for axis, size in zip(grid.axes, values.shape, strict=True)
    )
    part: NDArray[Any] = np.asarray(values[region])
    part = part[tuple(slice(None) if axis in shown else 0 for axis in grid.axes)]
    left = [axis for axis in grid.axes if axis in shown]
    part = part.transpose([left.index(axis) for axis in shown])
    part = part[..., :3] if grid.rgb else part
    part = part[np.newaxis] if part.ndim == 1 + grid.rgb else part
    return part.astype(np.float64)


def _centred(size: int) -> slice:
    """Return the middle of an axis, all of it where that is not too long."""
    kept = min(size, _MOST_READ)
    start = (size - kept) // 2
    return slice(start, start + kept)


def _change(before: Sliceable, after: Sliceable, grid: Grid, place: Mapping[str, int]) -> float:
    """Return the mean absolute change of the first channel in a plane."""
    difference = plane_at(after, grid, place) - plane_at(before, grid, place)
    finite = difference[np.isfinite(difference)]
    return float(np.abs(finite).mean()) if finite.size else 0.0
