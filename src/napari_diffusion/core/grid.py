"""The grid of an image: named axes, pixel sizes in world units, and the block at hand."""

from __future__ import annotations

import dataclasses
import math
import numbers
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import dask.array as da
    from numpy.typing import ArrayLike, NDArray

    A = TypeVar("A", NDArray[Any], da.Array)
    Region = slice | Sequence[slice]

CANONICAL = "tczyx"
SPATIAL = "zyx"

Shape = tuple[int, int, int, int, int]


def per_axis(numbers: Iterable[int]) -> Shape:
    """Return one number for each canonical axis."""
    t, c, z, y, x = numbers
    return t, c, z, y, x


class GridOptions(TypedDict, total=False):
    """The keywords that describe an array; the same ones everywhere."""

    axes: str | None
    spacing: float | Sequence[float]
    along: str | None
    joint_channels: bool
    rgb: bool
    mask: ArrayLike | None
    missing: str


@dataclass(frozen=True)
class Grid:
    """Axes, pixel size and extent of an image, and the position of a block in it.

    Attributes
    ----------
    axes : str
        Letters of ``tczyx``, in the order of the array.
    shape : tuple of 5 int
        Extent of the whole image in canonical order (t, c, z, y, x); absent axes count 1.
    along : str
        The axes a filter acts along. Others, except joint channels, are processed one by one.
    spacing : tuple of float
        Pixel size in world units, for each axis of `along`, in that order.
    joint_channels : bool
        Whether the channels share their edges.
    rgb : bool
        Whether c holds red, green, blue and possibly alpha.
    origin : tuple of 5 int
        Canonical position of the first pixel of the block in the whole image.
    masked : bool
        Whether a mask or missing values exclude some pixels.
    """

    axes: str
    shape: Shape
    along: str
    spacing: tuple[float, ...]
    joint_channels: bool = True
    rgb: bool = False
    origin: Shape = (0, 0, 0, 0, 0)
    masked: bool = False

    @classmethod
    def of(
        cls,
        shape: Sequence[int],
        *,
        axes: str | None = None,
        spacing: float | Sequence[float] = 1.0,
        along: str | None = None,
        joint_channels: bool = True,
        rgb: bool = False,
    ) -> Grid:
        """Return the grid of an array of this shape; raise if the keywords are ambiguous."""
        axes = _checked_axes(tuple(shape), axes, rgb)
        if along is None:
            along = "".join(axis for axis in axes if axis in SPATIAL)
        _check_along(along, axes)
        sizes = dict(zip(axes, shape, strict=True))
        if rgb and sizes["c"] not in (3, 4):
            raise ValueError(
                f"rgb=True needs 3 or 4 channels along c (got {sizes['c']}): omit rgb for other "
                "channels."
            )
        return cls(
            axes=axes,
            shape=per_axis(sizes.get(axis, 1) for axis in CANONICAL),
            along=along,
            spacing=_checked_spacing(spacing, along),
            joint_channels=bool(joint_channels),
            rgb=bool(rgb),
        )

    @property
    def along_axes(self) -> tuple[int, ...]:
        """Canonical indices of the axes in `along`, ascending."""
        return tuple(i for i, axis in enumerate(CANONICAL) if axis in self.along)

    @property
    def lengths(self) -> tuple[float, float, float, float, float]:
        """Pixel size along each canonical axis; infinite for axes not in `along`."""
        known = dict(zip(self.along, self.spacing, strict=True))
        t, c, z, y, x = (known.get(axis, math.inf) for axis in CANONICAL)
        return t, c, z, y, x

    def length(self, axis: int) -> float:
        """Pixel size along a canonical axis; infinite if it is not in `along`."""
        return self.lengths[axis]

    def variances(self, sigma: float) -> dict[int, float]:
        """Variance in pixels² of a Gaussian of `sigma` world units, per axis in `along`."""
        widths = {axis: sigma / self.length(axis) for axis in self.along_axes}
        # A product becomes infinite where a power would raise.
        return {axis: width * width for axis, width in widths.items()}

    def at(self, origin: Sequence[int]) -> Grid:
        """Return the grid of a block that starts at `origin` (canonical) in the whole image."""
        return dataclasses.replace(self, origin=per_axis(int(i) for i in origin))

    def canonical(self, array: A) -> A:
        """View an array (numpy or dask) in canonical order; absent axes get length 1."""
        order = [self.axes.index(axis) for axis in CANONICAL if axis in self.axes]
        index = tuple(slice(None) if axis in self.axes else None for axis in CANONICAL)
        return array.transpose(order)[index]

    def restored(self, array: A) -> A:
        """View a canonical array in the order of `axes` again."""
        index = tuple(slice(None) if axis in self.axes else 0 for axis in CANONICAL)
        present = [axis for axis in CANONICAL if axis in self.axes]
        return array[index].transpose([present.index(axis) for axis in self.axes])

    def canonical_slices(self, region: Region) -> tuple[slice, ...]:
        """Turn one slice per axis of `axes` into non-empty canonical slices with both ends."""
        slices = tuple(region) if isinstance(region, tuple | list) else (region,)
        if len(slices) != len(self.axes) or not all(isinstance(s, slice) for s in slices):
            raise ValueError(
                f"region must be one slice per axis of {self.axes!r} (got {region!r})."
            )
        named = dict(zip(self.axes, slices, strict=True))
        full = [named.get(axis, slice(None)) for axis in CANONICAL]
        return tuple(_checked_slice(s, n, region) for s, n in zip(full, self.shape, strict=True))


def _checked_slice(part: slice, size: int, region: Region) -> slice:
    start, stop, step = part.indices(size)
    if step != 1 or stop <= start:
        raise ValueError(f"region must consist of non-empty slices with step 1 (got {region!r}).")
    return slice(start, stop)


def _checked_axes(shape: tuple[int, ...], axes: str | None, rgb: bool) -> str:
    if axes is None:
        axes = _guessed_axes(shape, rgb)
    if not isinstance(axes, str):
        raise TypeError(f"axes must be a string such as 'zyx' (got {axes!r}).")
    if set(axes) - set(CANONICAL) or len(set(axes)) != len(axes):
        raise ValueError(
            f"axes must name each axis once, from the letters t, c, z, y, x (got {axes!r})."
        )
    if len(axes) != len(shape):
        raise ValueError(
            f"axes={axes!r} names {len(axes)} axes, but the array has {len(shape)} (got shape "
            f"{shape}): name each axis once."
        )
    if rgb and "c" not in axes:
        raise ValueError(f"rgb=True needs an axis c (got axes {axes!r}).")
    return axes


def _guessed_axes(shape: tuple[int, ...], rgb: bool) -> str:
    if rgb and len(shape) == 3:
        return "yxc"
    if len(shape) == 2:
        return "yx"
    if len(shape) == 3:
        if shape[-1] in (3, 4) and min(shape[:2]) >= 30:
            raise ValueError(
                f"An array of shape {shape} may be a colour image or a volume: set axes='yxc', "
                "rgb=True or axes='zyx'."
            )
        return "zyx"
    raise ValueError(
        f"An array with {len(shape)} axes (shape {shape}) needs the names of its axes: set, for "
        "example, axes='tyx', 'czyx' or 'tczyx'."
    )


def _check_along(along: str, axes: str) -> None:
    if not isinstance(along, str):
        raise TypeError(f"along must be a string such as 'zyx' (got {along!r}).")
    if "c" in along:
        raise ValueError(
            f"along must not contain c (got {along!r}): filters do not mix channels; with "
            "joint_channels=True they share their edges."
        )
    if not along or set(along) - set(axes) or len(set(along)) != len(along):
        raise ValueError(
            f"along must name at least one of the axes {axes!r}, each once (got {along!r})."
        )


def _numbers(spacing: ArrayLike) -> tuple[float, ...]:
    try:
        values = np.asarray(spacing, float)
    except (TypeError, ValueError):
        values = np.empty((0, 0))
    if values.ndim != 1 or isinstance(spacing, str):
        raise TypeError(f"spacing must be a number or a list of numbers (got {spacing!r}).")
    return tuple(float(value) for value in values)


def _checked_spacing(spacing: float | Sequence[float], along: str) -> tuple[float, ...]:
    if getattr(spacing, "ndim", None) == 0:
        spacing = spacing.item()  # type: ignore[union-attr]
    if isinstance(spacing, numbers.Real):
        lengths = (float(spacing),) * len(along)
    else:
        lengths = _numbers(spacing)
    if len(lengths) != len(along):
        raise ValueError(
            f"spacing must be one number, or one per axis of along={along!r} "
            f"(got {len(lengths)}: {spacing!r})."
        )
    if not all(1e-100 <= length <= 1e100 for length in lengths):
        raise ValueError(f"spacing must be greater than 0, from 1e-100 to 1e100 (got {spacing!r}).")
    return lengths
