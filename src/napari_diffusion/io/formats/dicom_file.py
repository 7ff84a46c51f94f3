"""One DICOM file: its tags without the pixels, and its pixels when they are needed."""

from __future__ import annotations

import io
import math
import mmap
import struct
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.io.file_image import NotReadable
from napari_diffusion.io.physical_size import warn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from pydicom import Dataset

_GREY = ("MONOCHROME1", "MONOCHROME2")
_COLOURS = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
_PALETTE = "PALETTE COLOR"

# The markers of a frame's size in JPEG and JPEG-LS.
_JPEG_FRAMES = frozenset({*range(0xC0, 0xD0), 0xF7}) - {0xC4, 0xC8, 0xCC}

# A blank frame may be compressed more than any stream of deflate: small ones always pass.
_MOST_RATIO, _SMALL = 1100, 1 << 26


def tags_of(path: Path) -> Dataset:
    """Return all tags before the pixels; refuse a file that cannot hold the pixels declared."""
    tags = _read(path, stop_before_pixels=True)
    with refusing(path), quiet():
        if "Rows" not in tags:
            kind = getattr(tags.get("SOPClassUID"), "name", "") or "other data"
            raise NotReadable(f"{str(path)!r} holds no image, but {kind}.")
        shape, declared = shape_of(tags), _declared_bytes(tags)
        packed = bool(tags.file_meta.TransferSyntaxUID.is_encapsulated)
    size = path.stat().st_size
    if min(shape) < 1 or declared > (size * _MOST_RATIO + _SMALL if packed else size):
        raise NotReadable(
            f"{str(path)!r} is cut off: it declares {declared} bytes of pixels, and has {size}."
        )
    return tags


def shape_of(tags: Dataset) -> tuple[int, int, int, int]:
    """Return how many frames, rows, columns and values per pixel a file declares."""
    frames = int(tags.get("NumberOfFrames") or 1)
    return frames, int(tags.Rows), int(tags.Columns), int(tags.get("SamplesPerPixel") or 1)


def _declared_bytes(tags: Dataset) -> int:
    each = math.prod(shape_of(tags)) * int(tags.BitsAllocated) / 8
    # Without compression two pixels share their colour.
    shared = tags.get("PhotometricInterpretation") == "YBR_FULL_422"
    return int(each * 2 / 3 if shared else each)


def pixels_of(path: Path) -> tuple[NDArray[Any], bool]:
    """Return the stored values, the frames first, and whether they are RGB colours."""
    from pydicom.pixels.processing import apply_color_lut
    from pydicom.pixels.utils import pixel_array

    tags = _read(path, stop_before_pixels=False)
    kind = str(tags.get("PhotometricInterpretation", ""))
    if kind not in (*_GREY, *_COLOURS, _PALETTE):
        raise NotReadable(f"{str(path)!r} has colours of the kind {kind!r}: save them as RGB.")
    _check_pixels(path, tags)
    with refusing(path), quiet():
        try:
            values = pixel_array(tags)
        except RuntimeError:
            name = tags.file_meta.TransferSyntaxUID.name
            raise NotReadable(
                f"{str(path)!r} is compressed with {name} in a way that is not read here: pip "
                'install "pylibjpeg[all]", or save it without compression.'
            ) from None
        if kind == _PALETTE:
            values = apply_color_lut(values, tags)
        elif kind == _GREY[0]:
            values = _inverted(values, int(tags.BitsStored), bool(tags.PixelRepresentation))
        frames, rows, columns, _ = shape_of(tags)
        rgb = kind not in _GREY
        values = values.reshape((frames, rows, columns, -1) if rgb else (frames, rows, columns))
        values = values.astype(values.dtype.newbyteorder("="), copy=False)
    if kind == _GREY[0]:
        warn(path.name, "shows high values dark (MONOCHROME1): it is read inverted.")
    return values, rgb


@contextmanager
def quiet() -> Iterator[None]:
    """Hide what pydicom says of tags that nobody uses here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def refusing(path: Path) -> Iterator[None]:
    """Turn whatever a broken file makes pydicom raise into one sentence."""
    try:
        yield
    except (NotReadable, MemoryError, ImportError):
        raise
    except Exception as error:
        why = (str(error) or type(error).__name__).splitlines()[0].rstrip(".: ")
        raise NotReadable(f"{str(path)!r} cannot be read: {why}.") from error


def _read(path: Path, *, stop_before_pixels: bool) -> Dataset:
    from pydicom import dcmread

    if not path.stat().st_size:
        raise NotReadable(f"{str(path)!r} is no DICOM file: it is empty.")
    # A file as long as it is: of a mapped one no tag can ask for more bytes than there are.
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held,
        refusing(path),
        quiet(),
    ):
        if held[128:132] != b"DICM":
            raise NotReadable(f"{str(path)!r} is no DICOM file: it has no word DICM at byte 128.")
        _check_not_deflated(path, held)
        return dcmread(held, stop_before_pixels=stop_before_pixels)  # type: ignore[arg-type]


def _check_not_deflated(path: Path, held: mmap.mmap) -> None:
    # pydicom unpacks such a file as a whole, however much that is.
    from pydicom.filereader import read_dataset
    from pydicom.uid import DeflatedExplicitVRLittleEndian

    held.seek(132)
    meta = read_dataset(
        held,  # type: ignore[arg-type]
        is_implicit_VR=False,
        is_little_endian=True,
        stop_when=lambda tag, vr, length: tag >> 16 != 2,
    )
    held.seek(0)
    if meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
        raise NotReadable(
            f"{str(path)!r} is compressed as a whole: unpack it, for example with dcmconv +te."
        )


def _check_pixels(path: Path, tags: Dataset) -> None:
    """Refuse what nothing here decodes, and pixels of other sizes than declared."""
    from pydicom.pixels.decoders.base import get_decoder

    from napari_diffusion.io.formats import dicom_codecs

    syntax = tags.file_meta.TransferSyntaxUID
    dicom_codecs.register()
    with refusing(path):
        decoder = get_decoder(syntax)
    if not decoder.is_available:
        raise NotReadable(
            f"{str(path)!r} is compressed with {syntax.name}, which needs another package: pip "
            'install "pylibjpeg[all]".'
        )
    if not syntax.is_encapsulated and "PixelData" in tags:
        declared, held = _declared_bytes(tags), len(tags.PixelData)
        if declared > held:
            raise NotReadable(
                f"{str(path)!r} is cut off: it declares {declared} bytes of pixels, and holds "
                f"{held}."
            )
    if "JPEG" not in syntax.name:
        return
    frames, rows, columns, _ = shape_of(tags)
    for size in _sizes_in(path, tags, frames):
        if size != (columns, rows):
            raise NotReadable(
                f"{str(path)!r} is broken: it declares {columns} × {rows} pixels, and a frame has "
                f"{size[0]} × {size[1]}."
            )


def _sizes_in(path: Path, tags: Dataset, frames: int) -> Iterator[tuple[int, int]]:
    """Yield width and height of each compressed frame, by its own header."""
    from PIL import Image
    from pydicom.encaps import generate_frames

    with refusing(path), quiet():
        for frame in generate_frames(tags.PixelData, number_of_frames=frames):
            if frame.startswith(b"\xff\xd8"):
                yield _jpeg_size(frame)
                continue
            try:
                with Image.open(io.BytesIO(frame)) as image:
                    yield image.size
            except (OSError, Image.DecompressionBombError):
                raise NotReadable(f"{str(path)!r} has a broken JPEG 2000 frame.") from None


def _jpeg_size(frame: bytes) -> tuple[int, int]:
    """Return width and height of a JPEG or JPEG-LS stream; 0 if it says none."""
    at = 2
    while at + 9 <= len(frame) and frame[at] == 0xFF:
        if frame[at + 1] in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", frame, at + 5)
            return width, height
        at += 2 + int.from_bytes(frame[at + 2 : at + 4], "big") if frame[at + 1] != 0xFF else 1
    return 0, 0


def _inverted(values: NDArray[Any], bits: int, signed: bool) -> NDArray[Any]:
    # The sum of the least and the greatest value that these bits can have.
    total = -1 if signed else 2**bits - 1
    return np.asarray(total - values.astype(np.int64)).astype(values.dtype)
