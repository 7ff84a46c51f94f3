"""An image: its values in canonical order, its grid, its mask and its alpha channel."""

from __future__ import annotations

import dataclasses
import inspect
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from napari_diffusion.core.dask_array import is_dask as is_dask
from napari_diffusion.core.grid import CANONICAL, Grid, GridOptions, per_axis
from napari_diffusion.core.named_axes import named_axes, values_of
from napari_diffusion.core.no_data import both_inside, kept_holes, unmasked, without_holes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import dask.array as da
    from numpy.typing import ArrayLike, DTypeLike, NDArray

    Array = NDArray[Any] | da.Array

_EXACT_INTEGER = 2**24


@dataclass(frozen=True, eq=False)
class Image:
    """An image in canonical order, and what is needed to return it as the user gave it.

    Attributes
    ----------
    data : array
        Values in canonical order (t, c, z, y, x), float32 or float64, without alpha; missing
        values are 0.
    grid : Grid
        Axes, pixel size and extent of the whole image, and the position of `data` in it.
    mask : ndarray of bool or None
        Canonical, of the shape of `data`: True where the image may change.
    alpha : array or None
        The alpha channel, which is not filtered.
    holes : array or None
        The missing values of ``missing="ignore"``: NaN, infinity and no-data marks; 0 everywhere
        else.
    known : dict
        Cached results about this image: estimates, and components resolved on it.
    """

    data: Any
    grid: Grid
    mask: Any = None
    alpha: Any = None
    holes: Any = None
    known: dict[Any, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, image: ArrayLike | Image, **options: Unpack[GridOptions]) -> Image:
        """Convert an array to an image; raise if it cannot be processed.

        An `Image` is returned unchanged, so that several runs convert it once. What a masked array
        masks is outside of the mask. The names of the dimensions of an array of xarray or zarr are
        its axes unless `axes` is given.

        Raises
        ------
        TypeError
            For values that are not real numbers of at most 64 bits.
        ValueError
            For empty or 0-D arrays, ambiguous axes, missing values, values too large or too small
            to compute with, a mask that does not fit.
        """
        if isinstance(image, Image):
            return image
        mask, missing = options.pop("mask", None), options.pop("missing", "refuse")
        if missing not in ("refuse", "ignore"):
            raise ValueError(f"missing must be 'refuse' or 'ignore' (got {missing!r}).")
        if options.get("axes") is None:
            options["axes"] = named_axes(image, bool(options.get("rgb")))
        array, own = unmasked(values_of(image))
        _check_type(array)
        grid = Grid.of(array.shape, **options)  # type: ignore[misc]
        values = grid.canonical(array)
        alpha = None
        if grid.rgb and values.shape[1] == 4:
            values, alpha = values[:, :3], values[:, 3:]
            grid = dataclasses.replace(grid, shape=tuple(values.shape))
        inside = None if mask is None else canonical_mask(mask, grid)
        inside = both_inside(inside, own, grid)
        dtype = _floating_type(values)
        if is_dask(array):
            data = values.astype(dtype)
        else:
            # Kernels never write it, but numba would compile them anew for read-only arrays.
            data = np.require(_planes(dtype, values), requirements=["C", "W"])
        data, inside, holes = without_holes(data, inside, missing)
        grid = dataclasses.replace(grid, masked=inside is not None)
        return cls(data, grid, inside, alpha, holes)

    def with_data(self, data: Any) -> Image:
        """Return the same image with other values, of which nothing is known yet."""
        return dataclasses.replace(self, data=data, known={})

    def restored(self, data: Any, fresh: bool = False) -> Any:
        """Return a new array with the original axes, alpha channel and missing values.

        `fresh` data are not used elsewhere and may become the result.
        """
        if self.holes is not None:
            data, fresh = kept_holes(data, self.holes), True
        if is_dask(data):
            return self.grid.restored(self._with_alpha(data))
        image = self.grid.restored(data)
        if fresh and self.alpha is None and data.flags.owndata and image.flags.c_contiguous:
            # In place, because a view would not own its memory.
            data.resize(image.shape, refcheck=False)
            return data
        if not self.grid.rgb:
            return np.array(image, order="C")
        return self._colours(data)

    def _colours(self, data: NDArray[Any]) -> NDArray[Any]:
        """Return a new array of the colours and alpha, one channel after the other for speed."""
        parts = [data[:, c : c + 1] for c in range(data.shape[1])]
        parts += [] if self.alpha is None else [self.alpha]
        sizes = dict(zip(CANONICAL, (data.shape[0], len(parts), *data.shape[2:]), strict=True))
        image = np.empty([sizes[axis] for axis in self.grid.axes], data.dtype)
        canonical = self.grid.canonical(image)
        for c, part in enumerate(parts):
            canonical[:, c : c + 1] = part
        return image

    def _with_alpha(self, data: Any) -> Any:
        if self.alpha is None:
            return data
        return np.concatenate([data, self.alpha.astype(data.dtype)], axis=1)

    def channels(self) -> Iterator[Image]:
        """Yield each channel as a separate image."""
        shape = (self.grid.shape[0], 1, *self.grid.shape[2:])
        for c in range(self.grid.shape[1]):
            part = (slice(None), slice(c, c + 1))
            yield Image(
                data=_contiguous(self.data[part]),
                grid=dataclasses.replace(self.grid, shape=shape),
                mask=None if self.mask is None else _contiguous(self.mask[part]),
            )

    def cut(self, slices: Sequence[slice]) -> Image:
        """Return the part of this image under canonical slices, with its position in the whole."""
        part = tuple(slices)
        origin = [s.start + o for s, o in zip(part, self.grid.origin, strict=True)]
        rgba = (part[0], slice(None), *part[2:])
        return Image(
            data=_contiguous(self.data[part]),
            grid=self.grid.at(origin),
            mask=None if self.mask is None else _contiguous(self.mask[part]),
            alpha=None if self.alpha is None else self.alpha[rgba],
            holes=None if self.holes is None else self.holes[part],
        )

    def apart(self, box: Sequence[slice]) -> Image:
        """Return the part under canonical slices as an image of its own, at the same place."""
        part = dataclasses.replace(self, alpha=None, holes=None).cut(box)
        grid = dataclasses.replace(part.grid, shape=per_axis(part.data.shape))
        return dataclasses.replace(part, grid=grid)


def _contiguous(array: Any) -> Any:
    return array if is_dask(array) else np.ascontiguousarray(array)


def _check_type(array: Any) -> None:
    dtype = array.dtype
    if dtype.kind == "c":
        raise TypeError(
            f"An image must hold real numbers (got {dtype}): use its magnitude, abs(image), or "
            "image.real and image.imag one by one."
        )
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        raise TypeError(
            f"An image must hold integers, bool, float16, float32 or float64 (got {dtype}): "
            "convert it, for example with image.astype('float64')."
        )
    if any(size != size for size in array.shape):
        raise ValueError(
            f"The size of the dask array is unknown (got shape {array.shape}): call "
            "image.compute_chunk_sizes() first."
        )
    if array.ndim == 0 or 0 in array.shape:
        raise ValueError(f"An image must have at least one pixel (got shape {array.shape}).")


def computing_type(dtype: DTypeLike) -> np.dtype[np.floating[Any]]:
    """Return float64 for float64 and float32 for everything else, in native byte order."""
    given = np.dtype(dtype)
    return np.dtype(np.float64 if given.kind == "f" and given.itemsize == 8 else np.float32)


def _floating_type(values: Any) -> np.dtype[np.floating[Any]]:
    """Return the type to compute in; warn if integers lose digits in it."""
    dtype = values.dtype
    if dtype.kind in "iu" and dtype.itemsize >= 4 and not is_dask(values):
        low, high = int(values.min()), int(values.max())
        if max(-low, high) > _EXACT_INTEGER:
            warnings.warn(
                f"Integers from {low} to {high} are rounded to float32, which is exact up to "
                f"±{_EXACT_INTEGER} only: use image.astype('float64') to keep them.",
                stacklevel=_frames_of_ours(),
            )
    return computing_type(dtype)


def _planes(dtype: Any, values: NDArray[Any]) -> NDArray[Any]:
    """Return canonical values in C order, unchanged if they already are."""
    if values.dtype == dtype and values.flags.c_contiguous:
        return values
    out = np.empty(values.shape, dtype)
    # Interleaved colours are read faster one channel after the other.
    for c in range(values.shape[1]):
        out[:, c] = values[:, c]
    return out


def _frames_of_ours() -> int:
    """Count the calls inside this package, so that a warning points to the line that called it."""
    frame, count = inspect.currentframe(), 0
    while frame is not None and frame.f_globals.get("__name__", "").startswith("napari_diffusion"):
        frame, count = frame.f_back, count + 1
    return count


def canonical_mask(mask: Any, grid: Grid) -> Any:
    """Return a mask for all axes, or for all but c or t, as canonical booleans."""
    array = mask if is_dask(mask) else np.asarray(mask)
    if array.dtype.kind not in "bui":
        raise TypeError(f"A mask must hold booleans or integer labels (got {array.dtype}).")
    axes = mask_axes(array.shape, grid)
    canonical = dataclasses.replace(grid, axes=axes).canonical(array)
    return _contiguous(np.broadcast_to(canonical != 0, grid.shape))


def mask_axes(shape: Sequence[int], grid: Grid) -> str:
    """Return the axes of a mask of this shape: all of the image, or all but c or t.

    Raises
    ------
    ValueError
        If it fits none of them.
    """
    sizes = dict(zip(CANONICAL, grid.shape, strict=True))
    if grid.rgb:
        sizes.pop("c")
    for left_out in ("", "c", "t", "tc"):
        axes = "".join(axis for axis in grid.axes if axis not in left_out)
        if grid.rgb and "c" in axes:
            continue
        if axes and tuple(shape) == tuple(sizes[axis] for axis in axes):
            return axes
    raise ValueError(
        f"A mask must have the image's shape, with or without c and t (got {tuple(shape)} for "
        f"axes {grid.axes!r} of {tuple(sizes.get(a, grid.shape[1]) for a in grid.axes)})."
    )
