"""The values of one step in an output, in the order of the source's axes, read in parts."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.io import NotReadable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    from numpy.typing import NDArray

    from napari_diffusion.core.merkle_hash import Sliceable

    Region: TypeAlias = tuple[slice, ...]


class StepValues:
    """The values of a step; they can be hashed and compared without being in memory at once.

    Parameters
    ----------
    stored : array
        Of a file; see `core.merkle_hash.Sliceable`.
    letters : str
        The axes of the file, behind that of the steps.
    axes : str
        The axes of the source. One that only the file or only the source has is one pixel long.
    index : int or None
        Where the step is along the first axis of the file; None where that is none of steps.
    dtype : dtype, optional
        The type that was written, where the format has it as another one.
    chunks : tuple of int, optional
        Shape of the chunks of a step in the file; without it the parts of the file are planes.

    Raises
    ------
    NotReadable
        If the file has not these axes.
    """

    def __init__(
        self,
        stored: Sliceable,
        letters: str,
        axes: str,
        index: int | None = None,
        dtype: np.dtype[Any] | None = None,
        chunks: tuple[int, ...] | None = None,
    ) -> None:
        leading = 0 if index is None else 1
        sizes = dict(zip(letters, stored.shape[leading:], strict=False))
        fits = len(letters) == len(sizes) == len(stored.shape) - leading
        if not fits or any(sizes[axis] != 1 for axis in set(letters) - set(axes)):
            raise NotReadable(
                f"it has the shape {tuple(stored.shape)}, and its record the axes {axes}."
            )
        self._stored, self._letters, self._axes, self._index = stored, letters, axes, index
        self._chunks = chunks
        along = dict(zip(letters, chunks or self._plane(list(sizes.values())), strict=True))
        self.shape = tuple(sizes.get(axis, 1) for axis in axes)
        self.chunks = tuple(along.get(axis, 1) for axis in axes)
        self.dtype = np.dtype(stored.dtype if dtype is None else dtype)

    def __getitem__(self, region: Region) -> NDArray[Any]:
        """Return a part, in the order of the source."""
        wanted = dict(zip(self._axes, region, strict=True))
        key = tuple(wanted.get(axis, slice(0, 1)) for axis in self._letters)
        leading = () if self._index is None else (slice(self._index, self._index + 1),)
        part = np.asarray(self._stored[leading + key])
        own = "?" * len(leading) + self._letters
        part = part[tuple(slice(None) if axis in self._axes else 0 for axis in own)]
        there = [axis for axis in own if axis in self._axes]
        part = part.transpose([there.index(axis) for axis in self._axes if axis in there])
        part = part[tuple(slice(None) if axis in there else None for axis in self._axes)]
        return self._as_written(part)

    def regions(self) -> Iterator[tuple[str, Region]]:
        """Yield the parts of the file, its chunks or its planes, each with its name."""
        sizes = dict(zip(self._axes, self.shape, strict=True))
        lengths = [sizes.get(axis, 1) for axis in self._letters]
        parts = self._plane(lengths) if self._chunks is None else self._chunks
        grid = [range(-(-n // size)) for n, size in zip(lengths, parts, strict=True)]
        for at in itertools.product(*grid):
            ends = dict(zip(self._letters, zip(at, parts, lengths, strict=True), strict=True))
            region = tuple(
                slice(k * size, min((k + 1) * size, length))
                for k, size, length in (ends.get(axis, (0, 1, 1)) for axis in self._axes)
            )
            yield self._named(at), region

    def _plane(self, lengths: list[int]) -> tuple[int, ...]:
        within = "yxc" if self._letters.endswith("yxc") else "yx"
        return tuple(
            length if axis in within else 1
            for axis, length in zip(self._letters, lengths, strict=True)
        )

    def _named(self, at: tuple[int, ...]) -> str:
        if self._chunks is not None:
            return f"chunk {at if self._index is None else (self._index, *at)}"
        within = self._plane([2] * len(at))
        deep = [
            f"{axis}={k}" for axis, k, n in zip(self._letters, at, within, strict=True) if n == 1
        ]
        return f"plane {', '.join(deep)}" if deep else ""

    def _as_written(self, part: NDArray[Any]) -> NDArray[Any]:
        if part.dtype == self.dtype:
            return part
        written = part.astype(self.dtype)
        if not np.array_equal(written, part):
            raise NotReadable(f"it holds values that {self.dtype} has not.")
        return written
