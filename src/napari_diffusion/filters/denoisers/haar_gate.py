"""Where the gate of `HaarDiffusion` opens: how large a difference must be to be kept."""

from __future__ import annotations

# A coefficient this many standard deviations of its noise large is half kept by the gate.
GATE = 3.0


def scales(levels: list[dict[int, int]], sigma: float) -> list[float]:
    """Return 1 / (3 s) per level, finite in any type."""
    sizes, s = [], sigma
    for distances in levels:
        s /= 2 ** (len(distances) / 2)
        sizes.append(min(1 / (GATE * s), 1e37))
    return sizes
