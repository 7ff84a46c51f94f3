"""What PNG and JPEG files say of themselves, read by Pillow without decoding the image."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.forensics.metadata.exif import embedded_thumbnail, exif_facts
from napari_diffusion.forensics.metadata.file_facts import PRIVATE, FileFacts, listed, plain_text
from napari_diffusion.forensics.metadata.icc_profile import icc_facts
from napari_diffusion.forensics.metadata.jpeg_coding import jpeg_facts
from napari_diffusion.forensics.metadata.xmp import xmp_facts
from napari_diffusion.io.tiff.orientation import ORIENTATIONS, upright

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL.ImageFile import ImageFile

# Other readers of Pillow start programs, whatever the name of the file ends with.
_FORMATS = ("PNG", "JPEG")
_ORIENTATION = 0x0112
# Thumbnails have 160 × 120 pixels, and some up to a few hundred.
_MOST_THUMBNAIL = 1 << 20

# Texts of PNG by their keys.
_XMP, _PERSONAL = "XML:com.adobe.xmp", ("Author", "Copyright", "Artist")


def photo_facts(path: Path) -> FileFacts:
    """Return what a PNG or JPEG states; a remark where it is damaged."""
    from PIL import Image

    with warnings.catch_warnings():
        # A photo that declares very many pixels is not decoded here.
        warnings.simplefilter("ignore")
        try:
            with Image.open(path, formats=_FORMATS) as file:
                return _facts(file)
        except Exception as error:  # whatever a damaged file makes of Pillow
            said = f"Its metadata cannot be read: {plain_text(error)}."
            return FileFacts(remarks=(said,))


def _facts(file: ImageFile) -> FileFacts:
    info = file.info
    kind = "PNG" if file.format == "PNG" else "JPEG"
    found = FileFacts((("format", kind), ("pixels", f"{file.width} × {file.height}, {file.mode}")))
    if kind == "PNG":
        found += _png_texts({str(k): plain_text(v) for k, v in info.items() if isinstance(v, str)})
    if info.get("exif"):
        exif = file.getexif()
        found += exif_facts(exif, file.size)
        small = embedded_thumbnail(exif, info["exif"])
        found += _thumbnail(small, exif.get(_ORIENTATION, 1)) if small else FileFacts()
    if isinstance(packet := info.get("xmp"), bytes):
        found += xmp_facts(packet)
    if isinstance(profile := info.get("icc_profile"), bytes):
        found += icc_facts(profile)
    return found + jpeg_facts(file) if kind == "JPEG" else found


def _png_texts(texts: dict[str, str]) -> FileFacts:
    found = [(key, text) for key, text in texts.items() if key not in (_XMP, *_PERSONAL)]
    personal = len(texts.keys() & set(_PERSONAL))
    if personal:
        found.append((f"persons{PRIVATE}", f"{personal} texts, not shown"))
    name = texts.get("Software", "")
    remarks = (f"It names the software that wrote it: {name}.",) if name else ()
    return FileFacts(listed("PNG", found), remarks)


def _thumbnail(stored: bytes, orientation: int) -> FileFacts:
    """Return the thumbnail upright, as the image is read."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(stored), formats=("JPEG",)) as file:
            size = f"{file.width} × {file.height}"
            if file.width * file.height > _MOST_THUMBNAIL:
                return FileFacts((("EXIF: thumbnail", f"{size} pixels, too large to be one"),))
            grey: NDArray[np.float64] = np.asarray(file.convert("L"), np.float64)
    except Exception as error:  # as above
        return FileFacts((("EXIF: thumbnail", f"damaged: {plain_text(error)}"),))
    if orientation in ORIENTATIONS:
        grey = upright(grey, orientation, 0, 1)
    return FileFacts((("EXIF: thumbnail", f"{size} pixels"),), thumbnail=grey)
