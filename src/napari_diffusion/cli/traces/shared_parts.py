"""Parts that the inspected images share with one another."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from napari_diffusion.core.results import ResultTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_diffusion.core.image import Image
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.forensics.base import Trace
    from napari_diffusion.forensics.copying.panels import SharedPart

#: The trace with which several images are compared, by its name.
COPIES = "Copies"

_COLUMNS = ("first image", "centre (y, x)", "second image", "centre (y, x)", "part",
            "log₁₀ of the number of false alarms")  # fmt: skip


def asked(traces: Sequence[Trace], images: Sequence[tuple[str, Image]]) -> bool:
    """Say whether images are to be compared with one another."""
    return len(images) > 1 and any(type(trace).__name__ == COPIES for trace in traces)


def shared_parts(images: Sequence[tuple[str, Image]], stop: StopToken) -> tuple[SharedPart, ...]:
    """Compare every image of one plane with every other."""
    from napari_diffusion.forensics.copying.panels import compare_panels

    return compare_panels([each for each in images if _is_plane(each[1])], stop=stop)


def shared_table(found: Sequence[SharedPart], images: Sequence[tuple[str, Image]]) -> ResultTable:
    """Return the shared parts in rows; the title says what was compared."""
    count = sum(_is_plane(image) for _, image in images)
    pairs = count * (count - 1) // 2
    said = "Parts that two images share" if found else "Nothing that this method can see"
    left = len(images) - count
    if not pairs:
        return ResultTable(f"Not compared: {left} of {len(images)} images have several planes.",
                           _COLUMNS, ())  # fmt: skip
    without = f"; {left} with several planes were left out" if left else ""
    return ResultTable(
        f"{said}: {count} images, {pairs} pair{'s' * (pairs > 1)}; the number of false alarms "
        f"counts every pair{without}. Images of one specimen or series, and insets, share parts "
        "too.",
        _COLUMNS,
        tuple(map(_row, found)),
    )


def shared_values(found: Sequence[SharedPart]) -> list[dict[str, Any]]:
    """Return the shared parts as plain values for JSON."""
    return [
        {
            "first": each.first,
            "second": each.second,
            "words": each.place.words,
            "log10_nfa": each.place.log10_nfa,
            "outline": each.place.outline.tolist(),
            "partner": None if each.place.partner is None else each.place.partner.tolist(),
        }
        for each in found
    ]


def _row(found: SharedPart) -> tuple[str | float, ...]:
    place = found.place
    nfa = math.nan if place.log10_nfa is None else place.log10_nfa
    return (found.first, _centre(place.outline), found.second, _centre(place.partner),
            place.words, nfa)  # fmt: skip


def _centre(outline: Any) -> str:
    if outline is None:
        return "–"
    y, x = outline.mean(axis=0)
    return f"{y:.0f}, {x:.0f}"


def _is_plane(image: Image) -> bool:
    t, c, z, _, _ = image.grid.shape
    return t == z == 1 and (c == 1 or image.grid.rgb)
