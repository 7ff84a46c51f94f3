"""The array that a pass writes: a zarr array in which each tile is one file, written whole."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.grid import CANONICAL
from napari_diffusion.io.durability import sync_tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import DTypeLike, NDArray

    from napari_diffusion.runs.passes.tiling import Tiling


@dataclass(frozen=True)
class PassArray:
    """An array on disk, or still to be made there.

    A tile is whole if its file is there, which gets its name when it is written, and the checksums
    in it hold.

    Attributes
    ----------
    path : path
        Its folder.
    axes : str
        Its axes: those of the image's file, in canonical order.
    """

    path: Path
    axes: str

    def create(
        self, tiling: Tiling, channels: int, dtype: DTypeLike, *, compressed: bool = False
    ) -> None:
        """Make the array if it is not there; `channels` counts alpha too."""
        import zarr
        from zarr.codecs import BloscCodec, Crc32cCodec

        if (self.path / "zarr.json").exists():
            return
        sizes = [list(each) for each in (tiling.shape, tiling.tile, tiling.chunk)]
        for each in sizes:
            each[1] = channels
        shape, shards, chunks = (self._named(each) for each in sizes)
        zarr.create_array(
            str(self.path),
            shape=shape,
            shards=shards,
            chunks=chunks,
            dtype=np.dtype(dtype).newbyteorder("="),
            # Of floats it makes less than zstd alone, in half the time.
            compressors=[*[BloscCodec(cname="lz4", shuffle="shuffle")] * compressed, Crc32cCodec()],
            dimension_names=list(self.axes),
            zarr_format=3,
            # A tile that is not there has been lost, then, and not left out.
            config={"write_empty_chunks": True},
        )

    def opened(self) -> Any:
        """Return the array of zarr."""
        import zarr

        return zarr.open_array(str(self.path), mode="r+")

    def write(self, core: Sequence[slice], values: NDArray[Any]) -> None:
        """Write a tile; `values` have the axes of the array."""
        array = self.opened()
        file = self._file(array, core)
        # At the end of an axis zarr would read what is there, and that may be broken.
        file.unlink(missing_ok=True)
        array[self._named(core)] = values

    def is_whole(self, core: Sequence[slice]) -> bool:
        """Return whether a tile is there, to the last bit."""
        array = self.opened()
        if not self._file(array, core).exists():
            return False
        try:
            array[self._named(core)]
        except Exception:  # whatever a decoder raises of what it does not know
            return False
        return True

    def sync(self) -> None:
        """Have the disk hold all that was written."""
        sync_tree(self.path)

    def remove(self) -> None:
        """Remove the array."""
        shutil.rmtree(self.path, ignore_errors=True)

    def _file(self, array: Any, core: Sequence[slice]) -> Path:
        sizes = zip(self._named(core), array.shards, strict=True)
        key = array.metadata.encode_chunk_key(tuple(part.start // n for part, n in sizes))
        return Path(self.path, key)

    def _named(self, each: Sequence[Any]) -> tuple[Any, ...]:
        """Return what stands for canonical axes for those of the array; all of the channels."""
        chosen = {axis: each[CANONICAL.index(axis)] for axis in self.axes}
        if isinstance(chosen.get("c"), slice):
            chosen["c"] = slice(0, None)
        return tuple(chosen.values())
