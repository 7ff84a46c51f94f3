"""Opens arrays and groups of zarr stores from anywhere: nothing outside them is read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from napari_diffusion.io import memory
from napari_diffusion.io.file_image import NotReadable
from napari_diffusion.io.memory import written_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import zarr
    from zarr.types import AnyArray

# More chunks than this make a graph of tasks that takes minutes to build.
_MOST_CHUNKS = 10**7
# The index of a shard is read for each of its chunks.
_MOST_IN_SHARD = 10**6

# What zarr reads whole before it looks at it.
_METADATA = ("zarr.json", ".zarray", ".zgroup", ".zattrs", ".zmetadata")
_LONGEST = 100_000_000

# Chunks of this size are read however little memory seems to be free.
_SMALL = 1 << 28

# Beyond it sizes are no integers of the system.
_MOST_BYTES = 2**63 - 1

# Decoders of numbers. Others of numcodecs make Python objects, and one of them runs code.
_CODECS = {
    *("bytes", "transpose", "sharding_indexed", "endian"),
    *("blosc", "zstd", "lz4", "gzip", "zlib", "bz2", "lzma", "pcodec", "zfpy"),
    *("crc32", "crc32c", "adler32", "fletcher32", "jenkins_lookup3"),
    *("delta", "fixedscaleoffset", "quantize", "bitround", "packbits", "astype", "shuffle"),
}
_IMAGES = "imagecodecs_"


def has_metadata(path: Path) -> bool:
    """Return whether a folder is a zarr array or group; refuse metadata that may have no end.

    Raises
    ------
    NotReadable
        If they are a pipe or a device, or longer than any.
    """
    for name in _METADATA:
        file = path / name
        if file.exists() and not (file.is_file() and file.stat().st_size <= _LONGEST):
            raise NotReadable(f"{str(file)!r} is no file, or longer than any metadata are.")
    return any((path / name).exists() for name in _METADATA)


def opened(path: Path) -> AnyArray | zarr.Group:
    """Open an array or a group.

    Raises
    ------
    NotReadable
        If there is none, or its metadata are broken.
    """
    import zarr

    has_metadata(path)
    try:
        # Who unpickles an array may be in another folder.
        return zarr.open(str(path.absolute()), mode="r")
    except FileNotFoundError:
        raise NotReadable(f"{str(path)!r} is a folder that contains no zarr image.") from None
    except RecursionError:
        raise NotReadable(f"{str(path)!r} has metadata that are nested too deeply.") from None
    except OSError:
        raise
    except Exception as error:
        why = str(error) or type(error).__name__
        raise NotReadable(f"{str(path)!r} has zarr metadata that cannot be read: {why}") from error


def within(store: Path, relative: object) -> Path:
    """Return the path of something in a store; refuse what lies elsewhere."""
    if not isinstance(relative, str) or "\0" in relative:
        raise NotReadable(f"{str(store)!r} names a path that is none: {relative!r}.")
    path = store / relative
    if not path.resolve().is_relative_to(store.resolve()):
        raise NotReadable(
            f"{str(store)!r} names an image outside of itself, {relative!r}: it is not read."
        )
    return path


def opened_array(store: Path, relative: object) -> tuple[AnyArray, Path]:
    """Open an array of a store, and return its folder too."""
    import zarr

    path = within(store, relative)
    if not path.is_dir():
        raise NotReadable(f"{str(store)!r} names a level {relative!r} that is not there.")
    array = opened(path)
    if not isinstance(array, zarr.Array):
        raise NotReadable(f"{str(store)!r} names a level {relative!r} that is no array.")
    return array, path


def check_array(array: AnyArray, path: Path) -> None:
    """Refuse an array that holds no numbers, or that cannot be read in parts."""
    name = str(path)
    if array.ndim == 0 or array.dtype.kind not in "biufc":
        raise NotReadable(f"{name!r} holds no image: an array of {array.ndim} axes, {array.dtype}.")
    for codec in _codec_names(array):
        if codec.removeprefix("numcodecs.") not in _CODECS and not codec.startswith(_IMAGES):
            raise NotReadable(
                f"{name!r} is encoded with {codec!r}, which is not supported: save it with "
                "another codec, such as zstd."
            )
    if 0 in array.shape:
        raise NotReadable(f"{name!r} holds no pixels: its shape is {array.shape}.")
    if math.prod(array.shape) * array.dtype.itemsize > _MOST_BYTES:
        raise NotReadable(f"{name!r} declares more pixels than any memory has addresses.")
    count = math.prod(grid_shape(array))
    if count > _MOST_CHUNKS:
        raise NotReadable(
            f"{name!r} has {float(count):.3g} chunks: {_MOST_CHUNKS} at most are read."
        )
    within_one = math.prod(file_chunks(array)) // math.prod(array.chunks)
    if within_one > _MOST_IN_SHARD:
        raise NotReadable(
            f"{name!r} has shards of {within_one} chunks: {_MOST_IN_SHARD} at most are read."
        )
    size, free = math.prod(array.chunks) * array.dtype.itemsize, memory.free_memory()
    if size > max(free, _SMALL):
        raise NotReadable(
            f"{name!r} has chunks of {written_bytes(size)}, and {written_bytes(free)} of memory "
            "are free: save it with smaller chunks."
        )


def file_chunks(array: AnyArray) -> tuple[int, ...]:
    """Return the shape of what is in one file: a chunk, or a shard of several."""
    return array.shards or array.chunks


def grid_shape(array: AnyArray) -> tuple[int, ...]:
    """Return how many files there are along each axis."""
    return tuple(
        -(-length // max(size, 1))
        for length, size in zip(array.shape, file_chunks(array), strict=True)
    )


def codecs_of(array: AnyArray) -> list[Any]:
    """Return the codecs in the order of encoding, as zarr has them."""
    metadata: Any = array.metadata
    if metadata.zarr_format == 3:
        return list(metadata.codecs)
    return [each for each in (*(metadata.filters or ()), metadata.compressor) if each is not None]


def codec_name(codec: Any) -> str:
    """Return the name of a codec, of zarr or of numcodecs."""
    if hasattr(codec, "codec_id"):
        return str(codec.codec_id)
    return str(codec.to_dict()["name"])


def _codec_names(array: AnyArray) -> Iterator[str]:
    for codec in codecs_of(array):
        yield codec_name(codec)
        for inner in (*getattr(codec, "codecs", ()), *getattr(codec, "index_codecs", ())):
            yield codec_name(inner)
