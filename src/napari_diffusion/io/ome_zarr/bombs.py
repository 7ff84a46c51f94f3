"""Refuses chunks that are cut off or decode to more than a chunk holds, before that is done."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from napari_diffusion.io.file_image import NotReadable
from napari_diffusion.io.ome_zarr.store import codec_name, codecs_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from zarr.types import AnyArray

# Filters can store wider types than those they decode to, and add a little.
_WIDER, _MORE = 8, 1 << 16

# Writers make one stream for each chunk.
_MOST_STREAMS = 100

# The longest header that says how much follows.
_HEAD = 32

_ZSTD = b"\x28\xb5\x2f\xfd"
_NOT_THERE = 2**64 - 1


def check_size(array: AnyArray, path: Path) -> None:
    """Refuse the file of a chunk or a shard that is cut off, or decodes to far too much.

    What is not there, and what codecs have no length in front, is left to the decoder.
    """
    codec, sharding = _outermost(array)
    most = math.prod(array.chunks) * array.dtype.itemsize * _WIDER + _MORE
    try:
        file = path.open("rb")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return
    with file:
        for start, length in _pieces(file, array, sharding):
            file.seek(start)
            decoded = _decoded(file, length, codec, most)
            if decoded is None:
                raise NotReadable(f"{str(path)!r} has a chunk that is broken: it is cut off.")
            if decoded > most:
                raise NotReadable(
                    f"{str(path)!r} would decode to more than {most} bytes, and a chunk holds "
                    f"{(most - _MORE) // _WIDER}: it is not read."
                )


def _outermost(array: AnyArray) -> tuple[str, Any]:
    """Return the name of the codec whose output is stored, and the codec of shards if any."""
    codecs = codecs_of(array)
    sharding = codecs[-1] if codecs and codec_name(codecs[-1]) == "sharding_indexed" else None
    inner = list(sharding.codecs) if sharding else codecs
    while len(inner) > 1 and codec_name(inner[-1]).removeprefix("numcodecs.") == "crc32c":
        inner.pop()
    return codec_name(inner[-1]).removeprefix("numcodecs.") if inner else "", sharding


def _pieces(file: BinaryIO, array: AnyArray, sharding: Any) -> Iterator[tuple[int, int]]:
    """Yield where the encoded chunks in a file are: start and length."""
    size = file.seek(0, 2)
    if sharding is None:
        yield 0, size
        return
    count = math.prod(
        -(-outer // inner) for outer, inner in zip(array.shards or (), array.chunks, strict=True)
    )
    index = count * 16
    checked = any(codec_name(codec) == "crc32c" for codec in sharding.index_codecs)
    first = getattr(sharding.index_location, "value", sharding.index_location) == "start"
    begin = 0 if first else size - index - 4 * checked
    if begin < 0 or size < index + 4 * checked:
        # zarr takes it for a shard without chunks.
        yield 0, 0
        return
    file.seek(begin)
    table = np.frombuffer(file.read(index), "<u8").reshape(-1, 2)
    for start, length in table.tolist():
        if start != _NOT_THERE and start + length <= size:
            yield start, length


def _decoded(file: BinaryIO, length: int, codec: str, most: int) -> int | None:
    """Return the bytes that a piece decodes to, 0 if it does not say; None if it is cut off."""
    if length == 0:
        return None
    if codec in ("gzip", "zlib", "bz2", "lzma"):
        return _unpacked(file.read(length), codec, most)
    head = file.read(min(length, _HEAD))
    if codec == "blosc":
        # Its decoder reads on behind the end of what is cut off.
        cut = len(head) < 16 or int.from_bytes(head[12:16], "little") > length
        return None if cut else int.from_bytes(head[4:8], "little")
    if codec == "lz4" and len(head) >= 4:
        return int.from_bytes(head[:4], "little")
    return _zstd_size(head) if codec == "zstd" and head.startswith(_ZSTD) else 0


def _zstd_size(head: bytes) -> int:
    """Return the length in the header of a zstd frame; 0 if it is left out."""
    flags = head[4] if len(head) > 4 else 0
    single = bool(flags & 0x20)
    width = (int(single), 2, 4, 8)[flags >> 6]
    start = 5 + (not single) + (0, 1, 2, 4)[flags & 3]
    value = int.from_bytes(head[start : start + width], "little")
    return value + 256 * (width == 2)


def _unpacked(data: bytes, codec: str, most: int) -> int:
    """Decode up to one byte more than allowed, and count.

    Decoders go on with all streams that follow each other.
    """
    import lzma
    import zlib

    held = 0
    for _ in range(_MOST_STREAMS):
        decoder = _decoder(codec)
        try:
            held += len(decoder.decompress(data, most + 1 - held))
        except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError):
            return held
        data = decoder.unused_data
        if held > most or not decoder.eof or not data:
            return held
    return most + 1


def _decoder(codec: str) -> Any:
    import bz2
    import lzma
    import zlib

    if codec in ("gzip", "zlib"):
        return zlib.decompressobj(47)
    return bz2.BZ2Decompressor() if codec == "bz2" else lzma.LZMADecompressor()
