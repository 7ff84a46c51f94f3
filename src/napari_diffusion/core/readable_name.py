"""Names of files in any bytes, as text that every format and screen can hold."""

from __future__ import annotations

import unicodedata

# Control characters, lone surrogates (bytes that are no text) and what is no character at all.
_INSTEAD = {"Cc": " ", "Cs": "\ufffd"}
_NO_CHARACTERS = {"\ufffe", "\uffff"}


def readable_name(text: str) -> str:
    r"""Return a name that XML, JSON and a terminal can hold.

    Parameters
    ----------
    text : str
        A file name, as `os.fsdecode` returns it: bytes that are no UTF-8 are lone surrogates in it.

    Returns
    -------
    str
        With U+FFFD for those, and a space for each control character.

    Examples
    --------
    >>> import os
    >>> from napari_diffusion.core.readable_name import readable_name
    >>> readable_name(os.fsdecode(b"caf\xe9\n.npy"))
    'caf� .npy'
    """
    return "".join(map(_readable, text))


def readable_text(text: str) -> str:
    """Return a text of a file as `readable_name` does, with its line breaks and tabs."""
    return "".join(each if each in "\n\t" else _readable(each) for each in text)


def _readable(character: str) -> str:
    if character in _NO_CHARACTERS:
        return "\ufffd"
    return _INSTEAD.get(unicodedata.category(character), character)
