"""Places as shapes: numbered outlines, and pairs in one colour with a line between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_diffusion.widgets.inspect.inspected import corners
from napari_diffusion.widgets.inspect.trace_words import place_words
from napari_diffusion.widgets.layers.step_records import KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from napari.layers import Shapes
    from numpy.typing import NDArray

    from napari_diffusion.forensics import Place
    from napari_diffusion.widgets.inspect.inspected import Inspected
    from napari_diffusion.widgets.layers.step_records import Entries

    Corners = Callable[[NDArray[Any], tuple[int, ...]], NDArray[Any]]

#: Colours that are told apart with any colour vision, and that pass no judgement.
COLOURS = ("#e69f00", "#56b4e9", "#cc79a7", "#f0e442", "#4f7fe0", "#c9c9c9")

# A line is so wide, as a part of the longer side of the image.
_WIDTH = 1 / 250

# A line ends before the numbers in the centres of a pair, by this part of their distance.
_SHORT = 0.1


class _Shape(NamedTuple):
    corners: NDArray[Any]
    kind: str
    colour: str
    number: str
    words: str


def places_layer(
    places: Sequence[Place],
    inspected: Inspected,
    name: str,
    record: Entries,
    partners: bool = False,
) -> Shapes:
    """Return places as shapes; `partners` are those that lie in the reference."""
    from napari.layers import Shapes

    other = inspected.reference
    style, shape = inspected.style, inspected.source.fold.shape
    at: Corners = inspected.corners
    if partners:
        assert other is not None
        assert other.fold is not None
        assert other.style is not None
        style, shape, at = other.style, other.fold.shape, _in(other.fold.letters, other.fold.shape)
    made = list(_shapes(places, at, partners))
    colours = [each.colour for each in made]
    placed: dict[str, Any] = {**style.placed}
    # What is there is told beside the list: long words would run out of the image.
    text = {"string": "{number}", "size": 18, "anchor": "center"}
    text["color"] = {"array": _rgba(colours), "default": COLOURS[0]}
    return Shapes(
        [each.corners for each in made],
        shape_type=[each.kind for each in made],
        name=name,
        metadata={KEY: record},
        edge_color=colours,
        face_color="transparent",
        edge_width=max(1.0, max(shape[-3:]) * _WIDTH),
        features={
            "number": [each.number for each in made],
            "place": [each.words for each in made],
        },
        text=text,
        ndim=len(style.placed["scale"]),
        **placed,
    )


def _shapes(places: Sequence[Place], at: Corners, partners: bool) -> Iterator[_Shape]:
    """Yield the shapes of all places, or of their partners in the reference."""
    for turn, place in enumerate(places):
        colour, number = COLOURS[turn % len(COLOURS)], str(turn + 1)
        words, partner = place_words(place), place.partner
        if partners:
            if partner is not None and place.partner_image:
                yield _Shape(at(partner, place.partner_plane), "polygon", colour, number, words)
            continue
        own = at(place.outline, place.plane)
        yield _Shape(own, "polygon", colour, number, words)
        if partner is None or place.partner_image:
            continue
        theirs = at(partner, place.partner_plane)
        yield _Shape(theirs, "polygon", colour, number, words)
        if place.plane == place.partner_plane:  # a line through planes would be in none of them
            centres = np.stack([own.mean(axis=0), theirs.mean(axis=0)])
            ends = centres + _SHORT * np.diff(centres, axis=0) * [[1], [-1]]
            yield _Shape(ends, "line", colour, "", "")


def _in(letters: str, shape: tuple[int, ...]) -> Corners:
    own = letters.removesuffix("c") if letters.endswith("yxc") else letters
    return lambda outline, plane: corners(own, shape, outline, plane)


def _rgba(colours: Sequence[str]) -> NDArray[np.float64]:
    parts = [[int(each[i : i + 2], 16) / 255 for i in (1, 3, 5)] for each in colours]
    return np.array([[*each, 1.0] for each in parts]).reshape(-1, 4)
