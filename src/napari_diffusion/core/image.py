"""An image: its values in canonical order, its grid, its mask and its alpha channel."""

from __future__ import annotations

import dataclasses
import inspect
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from napari_diffusion.core.grid import CANONICAL, Grid, GridOptions, per_axis

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import dask.array as da
    from numpy.typing import ArrayLike, DTypeLike, NDArray

    Array = NDArray[Any] | da.Array

_EXACT_INTEGER = 2**24


def is_dask(image: object) -> bool:
    """Return whether an image is a dask array, without importing dask."""
    return type(image).__module__.split(".")[0] == "dask" and hasattr(image, "chunks")


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
        The missing (NaN or infinite) values of ``missing="ignore"``; 0 everywhere else.
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

        An `Image` is returned unchanged, so that several runs convert it once.

        Raises
        ------
        TypeError
            For values that are not real numbers of at most 64 bits.
        ValueError
            For empty or 0-D arrays, ambiguous axes, NaN or infinite values, a mask that does not
            fit.
        """
        if isinstance(image, Image):
            return image
        mask, missing = options.pop("mask", None), options.pop("missing", "refuse")
        if missing not in ("refuse", "ignore"):
            raise ValueError(f"missing must be 'refuse' or 'ignore' (got {missing!r}).")
        array: Any = image if is_dask(image) else _as_array(image)
        _check_type(array)
        grid = Grid.of(array.shape, **options)  # type: ignore[misc]
        values = grid.canonical(array)
        alpha = None
        if grid.rgb and values.shape[1] == 4:
            values, alpha = values[:, :3], values[:, 3:]
            grid = dataclasses.replace(grid, shape=tuple(values.shape))
        inside = None if mask is None else canonical_mask(mask, grid)
        if is_dask(image):
            if missing == "ignore":
                raise ValueError(
                    "missing='ignore' does not work with dask arrays: use mask=isfinite(image) and "
                    "fill the missing values, or compute the array."
                )
            grid = dataclasses.replace(grid, masked=inside is not None)
            return cls(values.astype(_floating_type(values)), grid, inside, alpha)
        # Kernels never write it, but numba would compile them anew for arrays that are read-only.
        data = np.require(_planes(_floating_type(values), values), requirements=["C", "W"])
        data, inside, holes = _without_holes(data, inside, missing)
        grid = dataclasses.replace(grid, masked=inside is not None)
        return cls(data, grid, inside, alpha, holes)

    def with_data(self, data: Any) -> Image:
        """Return the same image with other values, of which nothing is known yet."""
        return dataclasses.replace(self, data=data, known={})

    def restored(self, data: Any, fresh: bool = False) -> Any:
        """Return a new array with the original axes, alpha channel and missing values.

        `fresh` data are not used elsewhere and may become the result.
        """
        if is_dask(data):
            return self.grid.restored(self._with_alpha(data))
        if self.holes is not None:
            data, fresh = np.where(np.isfinite(self.holes), data, self.holes), True
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


def _as_array(image: Any) -> NDArray[Any]:
    if isinstance(image, np.ma.MaskedArray):
        raise TypeError(
            "Masked arrays are not supported: use image.filled(0) and "
            "mask=~numpy.ma.getmaskarray(image)."
        )
    return np.asarray(image)


def _check_type(array: Any) -> None:
    dtype = array.dtype
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
    sizes = dict(zip(CANONICAL, grid.shape, strict=True))
    if grid.rgb:
        sizes.pop("c")
    for left_out in ("", "c", "t", "tc"):
        axes = "".join(axis for axis in grid.axes if axis not in left_out)
        if grid.rgb and "c" in axes:
            continue
        if axes and array.shape == tuple(sizes[axis] for axis in axes):
            canonical = dataclasses.replace(grid, axes=axes).canonical(array)
            inside = np.broadcast_to(canonical != 0, grid.shape)
            return _contiguous(inside)
    raise ValueError(
        f"A mask must have the image's shape, with or without c and t (got {array.shape} for "
        f"axes {grid.axes!r} of {tuple(sizes.get(a, grid.shape[1]) for a in grid.axes)})."
    )


def _without_holes(data: Any, mask: Any, missing: str) -> tuple[Any, Any, Any]:
    """Return (data, mask, missing values); raise for values close to overflow."""
    limit = np.finfo(data.dtype).max / 64
    if mask is None and _none_beyond(data, limit):
        return data, mask, None
    inside = data if mask is None else data[mask]
    low, high = (inside.min(), inside.max()) if inside.size else (0.0, 0.0)
    if np.isfinite(low) and np.isfinite(high):
        if max(-low, high) > limit:
            raise ValueError(
                f"Values from {low:g} to {high:g} are too large to compute with in {data.dtype}: "
                "divide the image by a constant first."
            )
        if mask is None or np.isfinite(data).all():
            return data, mask, None
    finite = np.isfinite(data)
    if missing == "refuse" and not (mask is not None and finite[mask].all()):
        count = int(np.count_nonzero(~(finite if mask is None else finite[mask])))
        raise ValueError(
            f"The image has {count} NaN or infinite value{'s' * (count > 1)}: use missing='ignore' "
            "to treat them as missing."
        )
    holes = np.where(finite, 0, data).astype(data.dtype)
    filled = np.where(finite, data, 0).astype(data.dtype)
    return filled, finite if mask is None else (finite & mask), holes


def _none_beyond(data: NDArray[Any], limit: Any) -> bool:
    """Return whether all values are finite and no magnitude exceeds the limit.

    As whole numbers, the bits of values of one sign have the values' order, and those of NaN and
    infinity lie beyond. An image without negative values is read once.
    """
    unsigned, signed = (np.uint32, np.int32) if data.itemsize == 4 else (np.uint64, np.int64)
    last = int(data.dtype.type(limit).view(unsigned))
    highest = int(data.view(unsigned).max())
    if highest <= last:
        return True
    sign = 1 << (8 * data.itemsize - 1)
    return highest - sign <= last and int(data.view(signed).max()) <= last
