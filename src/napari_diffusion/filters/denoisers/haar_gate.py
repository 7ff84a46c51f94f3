"""Where the gate of `HaarDiffusion` opens: how large a difference must be to be kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_diffusion.filters.denoisers.largest_factor import largest_factor

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

# A coefficient this many standard deviations of its noise large is half kept by the gate.
GATE = 3.0


def scales(levels: list[dict[int, int]], sigma: float, dtype: DTypeLike) -> list[float]:
    """Return 1 / (3 s) per level, finite in the type of an image."""
    sizes, s = [], sigma
    for distances in levels:
        s /= 2 ** (len(distances) / 2)
        sizes.append(min(1 / (GATE * s), largest_factor(dtype)))
    return sizes
