"""What axes are called, in files and in napari, and the letters that they are here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: An axis beside t, c, z, y and x.
FURTHER = "?"

_WORDS = {
    "t": ("time", "times", "timepoint", "timepoints", "frame", "frames"),
    "c": (
        "ch",
        "channel",
        "channels",
        "wavelength",
        "wavelengths",
        "color",
        "colour",
        "band",
        "bands",
    ),
    "z": ("plane", "planes", "depth", "slice", "slices", "altitude", "elevation"),
    "y": ("row", "rows", "height", "lat", "latitude", "northing"),
    "x": ("col", "cols", "column", "columns", "width", "lon", "long", "longitude", "easting"),
    FURTHER: (
        *("step", "steps", "seed", "s", "series", "scene", "p", "position", "positions"),
        *("m", "mosaic", "tile", "tiles", "v", "view", "angle", "rotation", "phase"),
        *("illumination", "well", "field", "fov", "sample"),
    ),
}
_LETTERS = {word: letter for letter, words in _WORDS.items() for word in (letter, *words)}

# A unit after a name, as in "Z [um]", "x (µm)" and "time / s", and words that say nothing.
_UNIT = re.compile(r"\s*[\[({/].*")
_EMPTY = re.compile(r"\b(axis|axes|dim|dimension)\b|(?<=[a-z])(axis|dim)$")


def letter_of(name: str) -> str | None:
    """Return the letter of "tczyx" that the name of an axis means, "?" for other known axes.

    None where the name says nothing, such as "0", "dim_1" or "foo".

    Examples
    --------
    >>> from napari_diffusion.core.axis_names import letter_of
    >>> [letter_of(name) for name in ("Z [um]", "lat", "lon", "dim_0", "position")]
    ['z', 'y', 'x', None, '?']
    """
    plain = _UNIT.sub("", name.strip().lower()).replace("_", " ").replace("-", " ")
    return _LETTERS.get(_EMPTY.sub(" ", plain).strip())


def axis_letters(names: Sequence[str], usual: str) -> str:
    """Return one letter per axis: by its name, else by its position.

    Parameters
    ----------
    names : sequence of str
        What the axes are called.
    usual : str
        The letters that axes without names have, the last ones for the last axes.
    """
    named = [letter_of(name) for name in names]
    # Of two axes with one name the right one has it.
    letters = [None if e is None else FURTHER if e in named[k + 1 :] else e
               for k, e in enumerate(named)]  # fmt: skip
    guesses = usual[-len(names) :].rjust(len(names), FURTHER)
    letters = [
        guess if each is None and guess not in named else each
        for each, guess in zip(letters, guesses, strict=True)
    ]
    left = [letter for letter in usual if letter not in letters]
    # What a name elsewhere has taken leaves another letter of the usual ones.
    for place in reversed(range(len(letters))):
        if letters[place] is None:
            letters[place] = left.pop() if left else FURTHER
    return "".join(each or FURTHER for each in letters)
