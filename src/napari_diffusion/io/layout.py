"""The order of axes in which an image is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

#: The axes beside which OME-Zarr allows one of steps.
STACKABLE = ("yx", "zyx")

# Large enough to be read in one go, small enough for many of them.
_SLAB_BYTES = 1 << 26


@dataclass(frozen=True)
class Layout:
    """The axes of a file: canonical order, y and x always there.

    Attributes
    ----------
    given : str
        The image's own axes.
    axes : str
        The file's axes; c comes last where it holds colours that the format puts last.
    """

    given: str
    axes: str

    @classmethod
    def of(cls, given: str, *, colours_last: bool = False) -> Layout:
        """Return the layout for an image with these axes."""
        axes = "".join(axis for axis in "tczyx" if axis in given or axis in "yx")
        return cls(given, axes.replace("c", "") + "c" if colours_last else axes)

    def shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape in the file of an image of this shape."""
        sizes = dict(zip(self.given, shape, strict=True))
        return tuple(sizes.get(axis, 1) for axis in self.axes)

    def arranged(self, image: NDArray[Any]) -> NDArray[Any]:
        """View an image (numpy or dask) in the order of the file."""
        order = [self.given.index(axis) for axis in self.axes if axis in self.given]
        index = tuple(slice(None) if axis in self.given else None for axis in self.axes)
        return image.transpose(order)[index]

    def given_back(self, stored: Any) -> Any:
        """View what is in the order of the file (numpy or dask) in that of the image again."""
        index = tuple(slice(None) if axis in self.given else 0 for axis in self.axes)
        present = [axis for axis in self.axes if axis in self.given]
        return stored[index].transpose([present.index(axis) for axis in self.given])


def slabs(image: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Cut an image (numpy or dask) along its first axis into parts of at most 64 MB."""
    row = max(image.nbytes // max(image.shape[0], 1), 1)
    rows = max(_SLAB_BYTES // row, 1)
    for start in range(0, image.shape[0], rows):
        yield np.ascontiguousarray(image[start : start + rows])


def planes(image: NDArray[Any], ndim: int) -> Iterator[NDArray[Any]]:
    """Cut an image (numpy or dask) into its planes of `ndim` axes, in order."""
    if image.ndim == ndim:
        yield np.ascontiguousarray(image)
        return
    for part in image:
        yield from planes(part, ndim)
