"""ICC: which colours the values of a file stand for, and who wrote the profile."""

from __future__ import annotations

import struct

from napari_diffusion.forensics.metadata.file_facts import FileFacts, listed, plain_text

_HEADER, _MOST_TAGS = 128, 100


def icc_facts(profile: bytes) -> FileFacts:
    """Return what the header of an ICC profile states, and its name."""
    if len(profile) < _HEADER or profile[36:40] != b"acsp":
        return FileFacts((("ICC", f"{len(profile)} bytes that are no profile"),))
    year, month, day = struct.unpack(">3H", profile[24:30])
    found = [
        ("profile", _name(profile)),
        ("colours", plain_text(profile[16:20])),
        ("date", f"{year:04d}-{month:02d}-{day:02d}" if year else ""),
        ("made by", plain_text(profile[80:84].rstrip(b"\0"))),
        ("size", f"{len(profile)} bytes"),
    ]
    return FileFacts(listed("ICC", found))


def _name(profile: bytes) -> str:
    """Return the description of a profile, of version 2 or 4."""
    (count,) = struct.unpack(">I", profile[_HEADER : _HEADER + 4].rjust(4, b"\0"))
    for i in range(min(count, _MOST_TAGS)):
        entry = profile[_HEADER + 4 + 12 * i :][:12]
        if len(entry) < 12:
            return ""
        name, place, size = struct.unpack(">4sII", entry)
        if name == b"desc":
            return _described(profile[place : place + min(size, 10_000)])
    return ""


def _described(tag: bytes) -> str:
    if tag[:4] == b"desc" and len(tag) > 12:
        (length,) = struct.unpack(">I", tag[8:12])
        return plain_text(tag[12 : 12 + min(length, 1000)].rstrip(b"\0"))
    if tag[:4] == b"mluc" and len(tag) >= 28:
        length, place = struct.unpack(">II", tag[20:28])
        return plain_text(tag[place : place + min(length, 1000)].decode("utf-16-be", "replace"))
    return ""
