"""Reads PNG and JPEG photos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.io import memory
from napari_diffusion.io.file_image import NotReadable, Source
from napari_diffusion.io.memory import written_bytes
from napari_diffusion.io.physical_size import warn
from napari_diffusion.io.tiff.orientation import ORIENTATIONS, upright

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL.Image import Image as PillowImage
    from PIL.ImageFile import ImageFile

# Other readers of Pillow start programs, whatever the name of the file ends with.
_FORMATS = ("PNG", "JPEG")
_GREY = ("1", "L", "F", "I")
_INKS = ("CMYK", "LAB", "HSV")
_ORIENTATION = 0x0112
# What begins a scan of a JPEG; photos have up to about a dozen, and some more in thumbnails.
_SCAN, _MOST_SCANS = b"\xff\xda", 100
_LONGEST = 1 << 30


def read_photo(path: Path, lazy: bool | None = None) -> Source:
    """Read a photo upright: grey intensities as they are, any kind of colours as RGB or RGBA."""
    del lazy
    from PIL import Image

    try:
        with Image.open(path, formats=_FORMATS) as file:
            _check(path, file)
            _check_scans(path, file)
            _warn_of_rest(path.name, file)
            orientation = file.getexif().get(_ORIENTATION, 1)
            image = _deep_colours(path) if _has_deep_colours(path, file) else _pixels(file)
    except Image.DecompressionBombError as error:
        raise NotReadable(
            f"{str(path)!r} declares more pixels than a photo has: save it as TIFF or OME-Zarr."
        ) from error
    except (OSError, SyntaxError, RuntimeError) as error:
        if getattr(error, "errno", None):
            raise
        # Decoders speak of parts of a file, and do not name it.
        raise NotReadable(f"{str(path)!r} is damaged or no photo: {error}.") from error
    if orientation in ORIENTATIONS:
        image = upright(image, orientation, 0, 1)
    axes = "yx" if image.ndim == 2 else "yxc"
    return Source(name=path.name, image=image, axes=axes, rgb=image.ndim == 3)


def _check(path: Path, file: ImageFile) -> None:
    if file.mode in _INKS:
        raise NotReadable(f"{str(path)!r} has {file.mode} colours: convert it to RGB or grey.")
    # At most four channels of 16 bits.
    declared, free = file.width * file.height * 8, memory.free_memory()
    if declared > free:
        raise NotReadable(
            f"{str(path)!r} needs up to {written_bytes(declared)} of memory, and "
            f"{written_bytes(free)} are free: convert it to OME-Zarr, which is read in chunks."
        )


def _check_scans(path: Path, file: ImageFile) -> None:
    """Refuse a JPEG of very many scans, each of which takes as long as the whole image."""
    if file.format != "JPEG":
        return
    size = path.stat().st_size
    if size > _LONGEST:
        raise NotReadable(f"{str(path)!r} is {written_bytes(size)} long: no photo is.")
    count = path.read_bytes().count(_SCAN)
    if count > _MOST_SCANS:
        raise NotReadable(f"{str(path)!r} stores its pixels in {count} scans: it is damaged.")


def _warn_of_rest(name: str, file: ImageFile) -> None:
    """Warn of what is in a photo and is not read."""
    frames = getattr(file, "n_frames", 1)
    if frames > 1:
        warn(name, f"holds {frames} images: only the first one is read.")
    if _is_grey(file) and "transparency" in file.info:
        warn(name, f"shows grey {file.info['transparency']} as transparent: it is read as grey.")


def _has_deep_colours(path: Path, file: ImageFile) -> bool:
    # Pillow reads colours of 16 bits as 8. The header has bit depth, colour type.
    if file.format != "PNG":
        return False
    with open(path, "rb") as raw:
        header = raw.read(26)
    return len(header) == 26 and header[24] == 16 and header[25] != 0


def _deep_colours(path: Path) -> NDArray[Any]:
    """Return colours of 16 bits, as RGB or RGBA."""
    import imagecodecs

    image = np.asarray(imagecodecs.png_decode(path.read_bytes()))
    # Grey and alpha.
    return image[..., [0, 0, 0, 1]] if image.shape[-1] == 2 else image


def _is_grey(image: PillowImage) -> bool:
    return image.mode in _GREY or image.mode.startswith("I;16")


def _pixels(image: PillowImage) -> NDArray[Any]:
    """Return grey intensities unchanged, and any kind of colours as RGB or RGBA."""
    if _is_grey(image):
        return np.array(image)
    transparent = image.mode in ("LA", "PA", "RGBA", "La", "RGBa")
    transparent = transparent or "transparency" in image.info
    return np.array(image.convert("RGBA" if transparent else "RGB"))
