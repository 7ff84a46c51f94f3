"""A noise sigma for an image: one number per channel, or a map of one number per pixel."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.array_parameter import ArrayParameter
from napari_diffusion.core.grid import CANONICAL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from napari_diffusion.core.component import Component
    from napari_diffusion.core.grid import Grid
    from napari_diffusion.core.noise_scale import Scales

#: What a map may leave out, in the order in which its axes are looked for.
_LEFT_OUT = ("", "c", "t", "tc", "tcz")


@dataclass(frozen=True, eq=False)
class NoiseField:
    """The noise of the pixels of an image.

    Attributes
    ----------
    sigmas : tuple of float
        Standard deviation of the noise of each channel; the largest one of it where there is a map.
    whole : ndarray or None
        Standard deviation at each pixel of the whole image, canonical; axes of length 1 stand for
        all of that axis. None where every channel has one number.
    """

    sigmas: Scales
    whole: NDArray[Any] | None = None

    @classmethod
    def of(cls, component: Component, grid: Grid) -> NoiseField:
        """Return that of a component's `noise_sigma`; raise if it does not fit the image."""
        given = getattr(component, "noise_sigma")  # noqa: B009 - not every component has one
        if not isinstance(given, ArrayParameter):
            return cls(component.number_per_channel("noise_sigma", grid))
        whole = canonical_map(given, grid, type(component).__name__)
        sigmas = np.broadcast_to(_largest(given, grid.at((0,) * 5)), grid.shape[1])
        return cls(tuple(float(each) for each in sigmas), whole)

    def channels(self) -> Iterator[NoiseField]:
        """Yield the noise of each channel alone."""
        for c, sigma in enumerate(self.sigmas):
            many = self.whole is not None and self.whole.shape[1] > 1
            own = self.whole if self.whole is None or not many else self.whole[:, c : c + 1]
            yield NoiseField((sigma,), own)

    def at(self, origin: Sequence[int], shape: Sequence[int]) -> NDArray[Any] | None:
        """Return the map of a part of the image, a view of its shape; None where there is none."""
        return None if self.whole is None else np.broadcast_to(self._part(origin, shape), shape)

    def variances(self, origin: Sequence[int], shape: Sequence[int]) -> NDArray[np.float64] | None:
        """Return the variance of a part of the image over that of `sigmas`, from 0 to 1."""
        if self.whole is None:
            return None
        here = self._part(origin, shape)
        largest = np.reshape([sigma or 1.0 for sigma in self.sigmas], (1, -1, 1, 1, 1))
        return np.broadcast_to(np.square(here / largest[:, : here.shape[1]]), shape)

    def _part(self, origin: Sequence[int], shape: Sequence[int]) -> NDArray[Any]:
        assert self.whole is not None
        part = tuple(
            slice(None) if size == 1 else slice(first, first + extent)
            for size, first, extent in zip(self.whole.shape, origin, shape, strict=True)
        )
        return self.whole[part]


def canonical_map(given: ArrayParameter, grid: Grid, owner: str) -> NDArray[Any]:
    """Return a map in canonical order, with length 1 along the axes that it leaves out.

    It has the axes of the image, or all but c, t or both, or is one plane; an axis of length 1
    stands for all of that axis.

    Raises
    ------
    ValueError
        If its shape is none of these.
    """
    sizes = dict(zip(CANONICAL, grid.shape, strict=True))
    values = given.values
    for left_out in _LEFT_OUT:
        axes = "".join(axis for axis in grid.axes if axis not in left_out)
        fits = len(axes) == values.ndim and all(
            n in (1, sizes[axis]) for n, axis in zip(values.shape, axes, strict=True)
        )
        if axes and fits:
            return dataclasses.replace(grid, axes=axes).canonical(values)
    shape = tuple(sizes[axis] for axis in grid.axes)
    raise ValueError(
        f"{owner}: noise_sigma has the shape {values.shape}, and the image {shape} with the axes "
        f"{grid.axes!r}: give a map of that shape, without c or t, or of one plane."
    )


@functools.lru_cache(maxsize=32)
def _largest(given: ArrayParameter, grid: Grid) -> NDArray[np.float64]:
    """Return the largest value of each channel of a map, or of all where it has no channels."""
    found = canonical_map(given, grid, "").max(axis=(0, 2, 3, 4))
    return np.asarray(found, np.float64)
