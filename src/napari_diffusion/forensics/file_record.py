"""File record: what the file of an image says of how it was made."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from napari_diffusion.forensics.base import Evidence, Need, Null, Trace
from napari_diffusion.forensics.reading import NOTHING, Reading

if TYPE_CHECKING:
    from pathlib import Path

    from napari_diffusion.engine.threads import Threads
    from napari_diffusion.forensics.metadata.file_facts import FileFacts
    from napari_diffusion.forensics.reading import Number, TraceMap

_PIECE = 1 << 20

# Below this correlation a thumbnail is named first.
_AGREES = 0.9


@dataclass(frozen=True)
class FileRecord(Trace):
    """What the file says of itself: records, software, dates, coding, and its thumbnail.

    The record of this program and whether it holds; C2PA; EXIF, XMP, ICC and texts; the
    quantisation table, the sampling of colours and the scans of a JPEG; tags of a TIFF; the SHA-256
    of the file. A map shows ``thumbnail − image``, both with the same mean and standard deviation.

    Notes
    -----
    Use it first: it is quick, and it says which of the other traces can be read. All of it is text
    that anyone can write and most services remove, so that its absence says nothing. Positions are
    marked as private, and names of persons are not shown. Nothing is fetched from the network. C2PA
    needs c2pa-python: ``pip install "napari-diffusion[c2pa]"``.

    References
    ----------
    Kee and Farid (2010), Digital image authentication from thumbnails.
    Kee, Johnson and Farid (2011), Digital image authentication from JPEG headers.
    """

    needs: ClassVar[frozenset[Need]] = frozenset({"file"})
    null: ClassVar[Null] = "none"
    assumes: ClassVar[str] = "The file is the one the image was read from, and was not saved again."
    misleads: ClassVar[tuple[str, ...]] = (
        "Anyone can write metadata, and most web services and many programs remove or renew them.",
        "Cameras and phones process every image, and name software too; converting or turning an "
        "image writes the name of a program as well.",
        "Thumbnails of cameras show another crop, tone or sharpness, and some programs never renew "
        "them.",
        "A signature says who signed a record, and not that what it records is so.",
    )

    def worthless(self, evidence: Evidence) -> str:
        """Return why no file can be read; see `Trace.worthless`."""
        path = evidence.file
        if path is not None and not path.exists():
            return "The file of this image is not there any more."
        if path is not None and not (path.is_file() or path.is_dir()):
            return "The file of this image is a pipe or a device."
        return ""

    def read(self, evidence: Evidence) -> Reading:
        """Return the facts of the file, and the difference of its thumbnail; see `Trace.read`."""
        path = evidence.file
        assert path is not None
        found = _found(path, evidence.threads)
        compared = _compared(evidence, found)
        remarks = found.remarks
        if compared is not None and compared[1].value < _AGREES:
            remarks = (
                "The thumbnail in the file differs from the image: see the map. This also happens "
                "with crops, changes of tone, and cameras that show another frame.",
                *remarks,
            )
        return Reading(
            self,
            maps=compared[:1] if compared else (),
            numbers=compared[1:] if compared else (),
            facts=found.facts,
            remarks=(*(remarks or (NOTHING,)), *found.hints),
        )


def _compared(evidence: Evidence, found: FileFacts) -> tuple[TraceMap, Number] | None:
    from napari_diffusion.forensics.metadata.thumbnail import thumbnail_difference

    if found.thumbnail is None:
        return None
    return thumbnail_difference(evidence.image, found.thumbnail)


def _found(path: Path, threads: Threads) -> FileFacts:
    """Return all facts of a file; of a folder, such as OME-Zarr, its record."""
    from napari_diffusion.forensics.metadata.c2pa_record import c2pa_facts
    from napari_diffusion.forensics.metadata.file_facts import LONGEST, FileFacts
    from napari_diffusion.forensics.metadata.own_record import record_facts
    from napari_diffusion.forensics.metadata.photo import photo_facts
    from napari_diffusion.forensics.metadata.tiff_tags import tiff_facts

    found = record_facts(path)
    if not path.is_file():
        return found
    ending, size = path.suffix.lower(), path.stat().st_size
    if ending in (".tif", ".tiff"):
        found += tiff_facts(path)
    elif ending in (".png", ".jpg", ".jpeg"):
        found += photo_facts(path) if size <= LONGEST else FileFacts()
    if size <= LONGEST:
        found += c2pa_facts(path)
    else:
        found += FileFacts(hints=("It is longer than any photo: metadata of photos are not read.",))
    own = (("size", f"{size} bytes"), ("SHA-256 of the file", _sha256(path, threads)))
    return FileFacts(own) + found


def _sha256(path: Path, threads: Threads) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(_PIECE):
            threads.poll()
            digest.update(piece)
    return digest.hexdigest()
