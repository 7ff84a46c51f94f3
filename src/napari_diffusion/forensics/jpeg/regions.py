"""Regions whose 8 × 8 blocks begin at another position than usual."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.estimate.jpeg import position_of_blocks
from napari_diffusion.estimate.window_spectrum import SIZE
from napari_diffusion.forensics.copying.outlines import outlines
from napari_diffusion.forensics.jpeg.votes import NONE
from napari_diffusion.forensics.reading import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_diffusion.forensics.jpeg.positions import Positions

# Side of the surroundings of a pixel, and the share of its votes, that belong to a region.
_SIDE, _SHARE = 25, 0.3

# Least area of a region, in pixels.
_LEAST = 4 * SIZE * SIZE

# Positions of which regions are shown, those with the fewest false alarms first.
_MOST = 8


def foreign_places(
    found: Positions, voted: NDArray[np.int8], plane: NDArray[np.float64], index: tuple[int, ...]
) -> Iterator[Place]:
    """Yield the regions of a plane whose blocks begin elsewhere, those of one position together.

    Parameters
    ----------
    found : Positions
    voted : (Y, X) array
        Position that each pixel votes for.
    plane : (Y, X) array
        In grey levels.
    index : tuple of int
        Of the plane.
    """
    from scipy import ndimage

    shown = found.other > 0
    each = np.unique(found.which[shown])
    strongest = sorted(each, key=lambda p: -found.other[shown & (found.which == p)].max())
    for position in strongest[:_MOST]:
        windows = shown & (found.which == position)
        near = found.around_pixels(windows, plane.shape)
        near = ndimage.binary_dilation(near, iterations=SIZE * found.window // 2)
        mask = near & (_share_of(voted, int(position)) > _SHARE)
        nfa = -float(found.other[windows].max())
        for outline in outlines(mask, _LEAST):
            words = origin_words(int(position)) + _confirmed(outline, plane, int(position))
            yield Place(outline, index, nfa, words)


def origin_words(position: int) -> str:
    """Return where blocks begin, in words."""
    y, x = divmod(position, SIZE)
    return f"blocks begin at ({y}, {x}) modulo 8"


def _share_of(voted: NDArray[np.int8], position: int) -> NDArray[np.float32]:
    from scipy import ndimage

    votes, all_votes = (
        ndimage.uniform_filter(each.astype(np.float32), _SIDE)
        for each in (voted == position, voted != NONE)
    )
    return np.asarray(votes / np.maximum(all_votes, 1 / _SIDE))


def _confirmed(outline: NDArray[np.float64], plane: NDArray[np.float64], position: int) -> str:
    """Say whether the steps of the coefficients show the same position in the box of a region."""
    top, left = (max(int(n), 0) for n in outline.min(axis=0))
    bottom, right = (int(n) + 1 for n in outline.max(axis=0))
    seen = position_of_blocks(plane[None, top:bottom, left:right])
    if seen is None:
        return ""
    same = divmod(position, SIZE) == ((seen[0] + top) % SIZE, (seen[1] + left) % SIZE)
    return "; so do the steps of their coefficients" if same else ""
