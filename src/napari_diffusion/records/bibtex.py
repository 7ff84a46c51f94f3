"""One entry of a BibTeX file, in ASCII."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Combining accents and the commands that TeX has for them.
_ACCENTS = {
    "\u0300": "`",
    "\u0301": "'",
    "\u0302": "^",
    "\u0303": "~",
    "\u0308": '"',
    "\u030a": "r",
    "\u030c": "v",
    "\u0327": "c",
}
_LETTERS = {"ß": r"{\ss}", "æ": r"{\ae}", "ø": r"{\o}", "ł": r"{\l}", "–": "--", "’": "'"}
_SPECIAL = {"&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_", "$": r"\$"}

# Identifiers stand as they are.
_VERBATIM = ("doi", "url", "eprint")


def entry(kind: str, key: str, fields: Mapping[str, str]) -> str:
    """Return an entry with its fields, accents as TeX commands.

    Raises
    ------
    ValueError
        For a letter that has no command.
    """
    lines = [f"  {name} = {{{_field(kind, name, text)}}}" for name, text in fields.items()]
    return f"@{kind}{{{key},\n" + ",\n".join(lines) + "\n}\n"


def _field(kind: str, name: str, text: str) -> str:
    if name in _VERBATIM:
        return text
    ascii_text = escaped(text)
    return _with_capitals(ascii_text) if name == "title" and kind != "book" else ascii_text


def escaped(text: str) -> str:
    """Return a text in ASCII for TeX."""
    found = "".join(_LETTERS.get(c) or _SPECIAL.get(c) or _accented(c) for c in text)
    if not found.isascii():
        raise ValueError(f"{text!r} has a letter without a TeX command: add it to bibtex.py.")
    return found


def _accented(letter: str) -> str:
    parts = unicodedata.normalize("NFD", letter)
    base = parts[0]
    for mark in parts[1:]:
        accent = _ACCENTS.get(mark)
        if accent is None:
            return letter
        space = " " if accent.isalpha() else ""
        base = f"{{\\{accent}{space}{base}}}"
    return base


def _with_capitals(title: str) -> str:
    """Protect capitals, which many styles turn to small letters, save that of the first word."""
    first, *rest = title.split(" ")
    words = [first if first[1:] == first[1:].lower() else f"{{{first}}}"]
    words += [word if word == word.lower() or "{" in word else f"{{{word}}}" for word in rest]
    return re.sub(r"([:,;.]+)\}", r"}\1", " ".join(words))
