"""What TIFF files say of themselves in the tags of their first page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_diffusion.forensics.metadata.file_facts import FileFacts, listed, plain_text
from napari_diffusion.forensics.metadata.icc_profile import icc_facts
from napari_diffusion.forensics.metadata.xmp import xmp_facts

if TYPE_CHECKING:
    from pathlib import Path

_SHOWN = ("Make", "Model", "Software", "DateTime", "ImageDescription")
_XMP, _ICC = 700, 34675

# Longer values are no text that anyone reads; they are not loaded.
_MOST = 1 << 22


def tiff_facts(path: Path) -> FileFacts:
    """Return what a TIFF states; a remark where it is damaged."""
    import tifffile

    from napari_diffusion.io.tiff.storage import complaints

    try:
        with complaints(), tifffile.TiffFile(path) as file:
            return _facts(file.pages.first)
    except Exception as error:  # whatever a damaged file makes of tifffile
        return FileFacts(remarks=(f"Its metadata cannot be read: {plain_text(error)}.",))


def _facts(page: Any) -> FileFacts:
    tags = page.tags
    size = f"{page.imagewidth} × {page.imagelength}"
    found = [(name, plain_text(_value(tags.get(name)))) for name in _SHOWN if name in tags]
    facts = FileFacts((
        ("format", "TIFF"), ("pixels", f"{size}, {page.dtype}"),
        ("TIFF: compression", plain_text(page.compression.name)), *listed("TIFF", found),
    ))  # fmt: skip
    if name := dict(found).get("Software"):
        facts += FileFacts(remarks=(f"It names the software that wrote it: {name}.",))
    if isinstance(packet := _value(tags.get(_XMP)), bytes):
        facts += xmp_facts(packet)
    if isinstance(profile := _value(tags.get(_ICC)), bytes):
        facts += icc_facts(profile)
    return facts


def _value(tag: Any) -> Any:
    """Return the value of a tag, if it is not very long."""
    if tag is None:
        return ""
    return tag.value if tag.valuebytecount <= _MOST else f"{tag.valuebytecount} bytes, not read"
