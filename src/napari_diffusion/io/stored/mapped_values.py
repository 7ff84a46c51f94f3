"""Values that lie in a file one after the other, as they are in memory."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.io.stored.file_parts import FileParts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import DTypeLike, NDArray

    from napari_diffusion.io.stored.file_parts import Box
    from napari_diffusion.io.stored.file_state import FileState

# No more of a file than this is in memory beside what was read of it.
_MAPPED_BYTES = 1 << 24


class MappedValues(FileParts):
    """Values in a file that is mapped into memory only while a part of it is read.

    Parameters
    ----------
    file : FileState
        It holds them all.
    start : int
        The byte where they begin.
    shape, held : tuple of int, dtype
        Of one axis or more, as they are in the file, the last axis running fastest.
    order : sequence of int, optional
        The axes of the file in the order that they are wanted in.
    dtype : dtype, optional
        That they are wanted in.
    """

    def __init__(
        self,
        file: FileState,
        start: int,
        shape: Sequence[int],
        held: DTypeLike,
        *,
        order: Sequence[int] | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        self._file, self._start, self._held = file, start, np.dtype(held)
        order = tuple(range(len(shape)) if order is None else order)
        self._sizes = tuple(shape)
        self.shape = tuple(shape[axis] for axis in order)
        self.dtype = self._held if dtype is None else np.dtype(dtype)
        self.piece = (1,) * len(shape)
        self.order = tuple(np.argsort(order).tolist())

    def read(self, box: Box) -> NDArray[Any]:
        """Return a new array of the values in a box."""
        out = np.empty([each.stop - each.start for each in box], self.dtype)
        values, inside = out.transpose(self.order), [box[axis] for axis in self.order]
        strides = self._strides()
        rows = max(_MAPPED_BYTES // strides[0], 1)
        with self._file.opened() as file:
            for first in range(inside[0].start, inside[0].stop, rows):
                some = slice(first, min(first + rows, inside[0].stop))
                done = slice(some.start - inside[0].start, some.stop - inside[0].start)
                values[done] = self._mapped(file, [some, *inside[1:]], strides)
        return out

    def _mapped(self, file: Any, box: list[slice], strides: list[int]) -> NDArray[Any]:
        """Map the bytes from the first to the last value of a box."""
        pairs = list(zip(box, strides, strict=True))
        first = sum(each.start * stride for each, stride in pairs)
        last = sum((each.stop - 1) * stride for each, stride in pairs)
        length = last - first + self._held.itemsize
        held = np.memmap(file, np.uint8, "r", self._start + first, (length,))
        return np.ndarray([each.stop - each.start for each in box], self._held, held, 0, strides)

    def _strides(self) -> list[int]:
        behind = (self._sizes[axis + 1 :] for axis in range(self.ndim))
        return [math.prod(each) * self._held.itemsize for each in behind]
