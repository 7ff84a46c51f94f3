"""Texts from file names and metadata, as every format can hold them."""

from __future__ import annotations

import re

# What XML cannot hold, escaped or not, and UTF-8 cannot either.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def plain_text(text: str) -> str:
    """Return a text without control characters, and halves of characters.

    Examples
    --------
    >>> from napari_diffusion.io.plain_text import plain_text
    >>> plain_text("DAPI" + chr(0))
    'DAPI'
    """
    return _FORBIDDEN.sub("", text)
