"""Windows of a plane that are equal to the bit, under the eight symmetries of the square."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.forensics.copying.affine_map import AffineMap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

# Side of a window, in pixels: smaller ones recur by chance where little happens.
SIDE = 12

# Linear parts, y and x, of the symmetries; the first moves only. A quarter turn the other way is
# this one seen from the other part.
SYMMETRIES = tuple(
    np.array(rows)
    for rows in (
        [[1, 0], [0, 1]], [[-1, 0], [0, -1]], [[0, 1], [-1, 0]],
        [[1, 0], [0, -1]], [[-1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, -1], [-1, 0]],
    )
)  # fmt: skip

# Share of neighbours of a window that differ; in an image enlarged twofold half of them do.
LEAST_DIFFERENT = 0.33

# Bits of a hash by which most windows without a partner are put aside, before any search: places
# for at least so many times the windows of a plane, as long as the table fits the memory.
_PLACES, _MOST_BITS = 16, 27

# Maps followed for each symmetry; windows that must agree on one.
_MOST_MAPS, LEAST_WINDOWS = 6, 30


@dataclass(frozen=True, eq=False)
class Equal:
    """A map, and the part whose windows are equal to the bit to the mapped ones."""

    map: AffineMap
    part: NDArray[np.bool_]


def equal_parts(
    plane: NDArray[np.float64], textured: NDArray[np.bool_], poll: Callable[[], None]
) -> Iterator[Equal]:
    """Yield the parts of a plane that stand twice to the bit; `textured` windows alone count.

    `poll` is called before each symmetry: it raises where the search shall stop.
    """
    values = np.ascontiguousarray(plane + 0.0, np.float64).view(np.uint64)
    base = _hashes(values, SYMMETRIES[0])
    order = np.argsort(base[textured], kind="stable")
    at = np.flatnonzero(textured)[order]
    known = base.ravel()[at]
    for symmetry in SYMMETRIES:
        poll()
        if symmetry is SYMMETRIES[0]:  # neighbours in the order, for each window finds itself first
            same = known[1:] == known[:-1]
            one, two = at[:-1][same], at[1:][same]
        else:
            one, two = _partners(_hashes(values, symmetry), textured, known, at)
        yield from _maps(np.stack(np.divmod(one, base.shape[1]), axis=1),
                         np.stack(np.divmod(two, base.shape[1]), axis=1),
                         symmetry, plane.shape)  # fmt: skip


def textured_windows(plane: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return the windows in which many neighbours differ, along y and along x.

    Flat and clipped parts, and drawn lines, recur without having been copied.
    """
    from scipy import ndimage

    found = np.ones((plane.shape[0] - SIDE + 1, plane.shape[1] - SIDE + 1), bool)
    for axis in (0, 1):
        differs = np.diff(plane, axis=axis, append=np.take(plane, [-1], axis=axis)) != 0
        share = ndimage.uniform_filter(differs.astype(np.float32), SIDE)
        start = SIDE // 2
        found &= (
            share[start : start + found.shape[0], start : start + found.shape[1]] > LEAST_DIFFERENT
        )
    return found


def _hashes(values: NDArray[np.uint64], symmetry: NDArray[Any]) -> Hashes:
    """Return Σ a(i) b(j) v(i, j) of each window seen through a symmetry, modulo 2⁶⁴."""
    random = np.random.Generator(np.random.Philox(key=np.array([16, SIDE], np.uint64)))
    rows, columns = random.integers(1, 2**64 - 1, (2, SIDE), np.uint64) | np.uint64(1)
    # The weights, moved against the symmetry, give the hash of the window moved with it.
    along_y, along_x = (rows, columns) if symmetry[0, 0] else (columns, rows)
    sign_y, sign_x = symmetry.sum(axis=0)
    along_y, along_x = along_y[:: int(sign_y)], along_x[:: int(sign_x)]
    height, width = (n - SIDE + 1 for n in values.shape)
    mixed = values * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    down = sum(weight * mixed[i : i + height] for i, weight in enumerate(along_y))
    return np.asarray(sum(w * down[:, j : j + width] for j, w in enumerate(along_x)), np.uint64)


def _partners(
    hashes: Hashes, textured: NDArray[np.bool_], known: Hashes, at: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return windows, and others whose own hash is theirs through the symmetry."""
    bits = min((_PLACES * len(known)).bit_length(), _MOST_BITS)
    table, unused = np.zeros(1 << bits, bool), np.uint64(64 - bits)
    table[known >> unused] = True
    ours = np.flatnonzero(textured)
    wanted = hashes.ravel()[ours]
    may = table[wanted >> unused]
    ours, wanted = ours[may], wanted[may]
    place = np.minimum(np.searchsorted(known, wanted), max(len(known) - 1, 0))
    hit = known[place] == wanted if len(known) else np.zeros(0, bool)
    return ours[hit], at[place[hit]] if len(known) else ours[hit]


def _maps(
    one: NDArray[Any], two: NDArray[Any], symmetry: NDArray[Any], shape: tuple[int, ...]
) -> Iterator[Equal]:
    """Yield the shifts that most pairs of windows share; overlapping windows do not count."""
    apart = np.abs(one - two).max(axis=1) >= SIDE if len(one) else np.zeros(0, bool)
    one, two = one[apart], two[apart]
    centre = (SIDE - 1) / 2
    shifts = np.rint((two + centre) - (one + centre) @ symmetry.T).astype(np.int64)
    back = -shifts @ symmetry
    turned = _is_before(back, shifts) | ((back == shifts).all(axis=1) & _is_before(two, one))
    if not (symmetry == [[0, 1], [-1, 0]]).all():  # a map and the way back are one
        one = np.where(turned[:, None], two, one)
        shifts = np.where(turned[:, None], back, shifts)
    different, which, counts = np.unique(shifts, axis=0, return_inverse=True, return_counts=True)
    for each in np.argsort(counts, kind="stable")[::-1][:_MOST_MAPS]:
        if counts[each] < LEAST_WINDOWS:
            break
        part = np.zeros((shape[0] + 1, shape[1] + 1), np.int32)
        y, x = one[which.ravel() == each].T
        for sign, down, right in ((1, 0, 0), (-1, SIDE, 0), (-1, 0, SIDE), (1, SIDE, SIDE)):
            np.add.at(part, (y + down, x + right), sign)
        covered = part.cumsum(axis=0).cumsum(axis=1)[:-1, :-1] > 0
        yield Equal(AffineMap(symmetry.astype(float), different[each].astype(float)), covered)


def _is_before(one: NDArray[Any], two: NDArray[Any]) -> NDArray[np.bool_]:
    """Say which rows of two arrays are in order, by y, then by x."""
    equal = one[:, 0] == two[:, 0]
    return np.asarray((one[:, 0] < two[:, 0]) | (equal & (one[:, 1] < two[:, 1])))
