"""All groups of similar patches of an image, and the mean of what is made of them."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.filters.denoisers.largest_factor import largest_factor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from napari_diffusion.engine.threads import Threads

    _Sums = tuple[tuple[slice, slice], NDArray[Any], NDArray[Any]]

# Rows of groups whose patches are added up apart from those of others.
BAND = 16


@dataclass(frozen=True)
class Groups:
    """How patches are grouped.

    Attributes
    ----------
    radius, depth : int
        How far they are looked for in the planes, and along the third axis.
    patch, count, stride : int
        Width of a patch, patches of a group, and pixels from one group to the next.
    """

    radius: int
    depth: int
    patch: int
    count: int
    stride: int

    @property
    def compared(self) -> int:
        """With how many patches one is compared."""
        return (2 * self.radius + 1) ** 2 * (2 * self.depth + 1)

    @property
    def members(self) -> int:
        """How many patches a group has: no more than there are, and a multiple of 4."""
        return min(self.count, self.compared // 4 * 4)

    @property
    def margin(self) -> int:
        """How far the patches of a group reach in the planes."""
        return self.radius + self.patch - 1

    def starts(self, origin: int, size: int) -> range:
        """Return where groups begin along an axis of a plane with margins.

        In the whole image that is at multiples of the stride, wherever a block begins.
        """
        first = 1 - self.patch
        first += -(origin + first) % self.stride
        return range(first + self.margin, size + self.margin, self.stride)

    def bands(self, origin: int, size: int) -> list[range]:
        """Return the rows of groups, some together: the same ones wherever a block begins."""

        def band(start: int) -> int:
            return (start - self.margin + origin) // (BAND * self.stride)

        starts = self.starts(origin, size)
        firsts = [next(each) for _, each in itertools.groupby(starts, band)]
        return [range(a, b, self.stride) for a, b in itertools.pairwise([*firsts, starts[-1] + 1])]


def filtered(
    u: NDArray[Any],
    guide: NDArray[Any],
    sigmas: Sequence[float],
    variances: NDArray[Any] | None,
    groups: Groups,
    origin: Sequence[int],
    threads: Threads,
) -> NDArray[Any]:
    """Return u after all groups; channels without noise stay.

    Parameters
    ----------
    u, guide : (C, D, H, W) float32 or float64
        The noisy image, and what says, all of its channels together, how similar patches are.
    sigmas : sequence of float
        The noise of each channel; the largest where it has a map.
    variances : (C, D, H, W) or None
        Of each pixel, over the squares of `sigmas`.
    origin : sequence of 2 int
        Where rows and columns begin in the whole image.
    """
    if not any(sigmas):
        return u.copy()
    wide, deep = groups.margin, groups.depth
    margins = [(0, 0), (deep, deep), (wide, wide), (wide, wide)]
    u, guide = (np.pad(each, margins, "reflect") for each in (u, guide))
    scales = [min(1 / sigma, largest_factor(u.dtype)) if sigma > 0 else 0 for sigma in sigmas]
    # Of two kinds, for either of which kernels are compiled.
    own = np.ones(1) if variances is None else np.pad(variances, margins, "reflect")
    known = np.array(scales, u.dtype), own.astype(u.dtype), groups
    band = functools.partial(
        _band, u, guide, *known, groups.starts(origin[1], u.shape[3] - 2 * wide)
    )
    total, weight = np.zeros_like(u), np.zeros_like(u[0])
    bands = groups.bands(origin[0], u.shape[2] - 2 * wide)
    tasks = list(itertools.product(range(u.shape[1] - 2 * deep), bands))
    for first in range(0, len(tasks), threads.count):
        # In the order of the tasks, whatever the threads.
        for at, sums, counts in _made(band, tasks[first : first + threads.count], threads):
            total[(slice(None), *at)] += sums
            weight[at] += counts
    core = slice(deep, deep + u.shape[1] - 2 * deep), slice(wide, -wide), slice(wide, -wide)
    for c in np.flatnonzero(scales):
        u[c][core] = total[c][core] / weight[core]
    return np.ascontiguousarray(u[(slice(None), *core)])


def _made(
    band: Callable[[int, range], _Sums], tasks: Sequence[tuple[int, range]], threads: Threads
) -> list[_Sums]:
    """Return, for a plane and a band of each task, where their patches lie, sums and counts."""
    made: list[Any] = [None] * len(tasks)

    def work(n: int) -> None:
        made[n] = band(*tasks[n])

    threads.each(work, [(n,) for n in range(len(tasks))])
    return made


def _band(
    u: NDArray[Any],
    guide: NDArray[Any],
    scale: NDArray[Any],
    variances: NDArray[Any],
    groups: Groups,
    lefts: range,
    plane: int,
    tops: range,
) -> _Sums:
    from napari_diffusion.filters.denoisers.group_kernels import filter_groups

    radius, depth, patch, stride = groups.radius, groups.depth, groups.patch, groups.stride
    at = slice(plane, plane + 2 * depth + 1), slice(tops[0] - radius, tops[-1] + groups.margin + 1)
    sums, counts = np.zeros_like(u[(slice(None), *at)]), np.zeros_like(u[0][at])
    members, pixels, kind = groups.members, patch * patch, u.dtype
    columns, compared = len(lefts), groups.compared
    filter_groups(
        u, guide, scale, variances, (depth, radius), (patch, stride),
        (plane, tops[0], lefts[0]), len(tops), sums, counts,
        np.empty((columns - 1) * stride + patch, kind), np.empty((columns, compared), kind),
        np.empty(members, np.int64), np.empty(members, kind), np.empty((members, 3), np.int64),
        np.empty((members, pixels), kind), np.empty((2, pixels, pixels), kind),
        np.empty((pixels, members), kind),
    )  # fmt: skip
    return at, sums, counts
