"""What the pixels of a TIFF file mean: which kinds are read, and which of them are colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.io.file_image import NotReadable
from napari_diffusion.io.physical_size import warn
from napari_diffusion.io.stored.file_parts import ChangedParts

if TYPE_CHECKING:
    import tifffile
    from numpy.typing import NDArray

    from napari_diffusion.io.stored.file_parts import Box, FileParts

_WHITE_IS_ZERO, _RGB, _PALETTE, _YCBCR, _COLOUR_FILTERS = 0, 2, 3, 6, 32803
_ORDINARY = (0, 1, 2, 3, 4, 6, _COLOUR_FILTERS, 34892, 51177, 52527)
_REFUSED = {
    5: "CMYK",
    8: "CIELab",
    9: "ICCLab",
    10: "ITULab",
    32844: "LogL",
    32845: "LogLuv",
}
# tifffile turns YCbCr into RGB in these only.
_JPEG = (6, 7, 34892, 33007)
_APERIO_YCBCR = 33003
_UNDEFINED, _COMPLEX = 4, (5, 6)
_ALPHA = (1, 2)
_PREMULTIPLIED = 1


def check_kind(path: str, page: tifffile.TiffPage) -> None:
    """Refuse pixels that are no intensities, or that cannot be decoded."""
    photometric = int(page.photometric)
    bits: Any = page.bitspersample
    if photometric in _REFUSED:
        raise NotReadable(
            f"{path!r} has {_REFUSED[photometric]} colours: convert it to RGB or grey."
        )
    if page.sampleformat in _COMPLEX:
        raise NotReadable(f"{path!r} has complex values: save their magnitude or phase.")
    if page.dtype is None or isinstance(bits, tuple):
        raise NotReadable(
            f"{path!r} has values of {bits} bits in sample format {int(page.sampleformat)}, which "
            "are not supported: convert it to 8 or 16 bits or to float32."
        )
    if page.samplesperpixel > 1 and page.planarconfig not in (1, 2):
        raise NotReadable(
            f"{path!r} is damaged: its colours are stored in an unknown order "
            f"({page.planarconfig!r})."
        )
    if _is_ycbcr(page) and not _becomes_rgb(page):
        raise NotReadable(f"{path!r} has YCbCr colours without JPEG: convert it to RGB.")
    if page.is_subsampled and page.compression not in _JPEG:
        raise NotReadable(f"{path!r} has subsampled colours: convert it to RGB.")
    _check_codec(path, page)


def warn_of_kind(name: str, page: tifffile.TiffPage) -> None:
    """Warn of pixels that are read, and may be taken for something else."""
    photometric = int(page.photometric)
    if photometric == _PALETTE:
        warn(name, "is a palette image: its values are read as indices, without colours.")
    if photometric == _COLOUR_FILTERS:
        warn(
            name,
            "is the raw image of a colour sensor, whose neighbouring pixels differ in colour: "
            "convert it to RGB before filtering.",
        )
    if photometric not in _ORDINARY:
        warn(name, f"has an unknown kind of colours ({photometric}): its values are kept.")
    if page.sampleformat == _UNDEFINED:
        warn(name, f"does not say what its values are: they are read as {page.dtype}.")


def white_value(
    name: str, page: tifffile.TiffPage, dtype: np.dtype[np.generic]
) -> np.generic | None:
    """Return what values are subtracted from, so that more is lighter; None if it is already."""
    if int(page.photometric) != _WHITE_IS_ZERO:
        return None
    if dtype.kind not in "bu":
        warn(name, f"says that 0 is white, which is unusual for {dtype}: values are kept.")
        return None
    warn(name, "is stored with 0 as white: its values are inverted, so that light is high.")
    return dtype.type(1 if dtype.kind == "b" else 2**page.bitspersample - 1)


def inverted(image: NDArray[Any], white: np.generic) -> NDArray[Any]:
    """Return the values, which are not needed any more, subtracted from that of white."""
    if image.dtype.kind == "b":
        return ~image
    return np.asarray(np.subtract(white, image, out=image))


class InvertedValues(ChangedParts):
    """Values in a file that are inverted when they are read; parameters as of `inverted`."""

    def __init__(self, held: FileParts, white: np.generic) -> None:
        super().__init__(held)
        self._white = white

    def read(self, box: Box) -> NDArray[Any]:
        """Return a new array of the values in a box."""
        return inverted(self.held.read(box), self._white)


def is_colour(name: str, page: tifffile.TiffPage, samples: int) -> bool:
    """Return whether the samples of a pixel are RGB, a fourth being alpha."""
    extra = page.extrasamples[0] if page.extrasamples else None
    if int(page.photometric) not in (_RGB, _YCBCR):
        if extra in _ALPHA:
            warn(name, f"has alpha in channel {samples}: it is read like the other channels.")
        return False
    if samples == 4 and extra is None:
        warn(name, "does not say what its fourth channel is: all four are read as channels.")
    if samples == 4 and extra == _PREMULTIPLIED:
        warn(name, "has colours multiplied by alpha: they are read as they are.")
    return samples == 3 or (samples == 4 and extra in _ALPHA)


def same_kind(path: str, pages: list[tifffile.TiffPage | tifffile.TiffFrame | None]) -> None:
    """Refuse files of one set that differ in the kind of their pixels."""
    keyframes = {page.keyframe for page in pages if page is not None}
    kinds = {(key.shape, key.dtype, int(key.photometric)) for key in keyframes if key is not None}
    if len(kinds) > 1:
        raise NotReadable(f"{path!r} has planes of different kinds: read its files one by one.")


def _is_ycbcr(page: tifffile.TiffPage) -> bool:
    return int(page.photometric) == _YCBCR or page.compression == _APERIO_YCBCR


def _becomes_rgb(page: tifffile.TiffPage) -> bool:
    return (
        page.compression in _JPEG
        and page.samplesperpixel == 3
        and page.planarconfig == 1
        and not page.extrasamples
    )


def _check_codec(path: str, page: tifffile.TiffPage) -> None:
    plain = page.compression == 1 and page.predictor == 1 and page.fillorder == 1
    if plain and page.bitspersample in (8, 16, 32, 64):
        return
    try:
        import imagecodecs  # noqa: F401
    except ImportError as error:
        kind = getattr(page.compression, "name", page.compression)
        raise NotReadable(
            f"{path!r} is compressed or packed ({kind}), which needs another package: "
            "pip install imagecodecs."
        ) from error
