"""How far similar patches are looked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from napari_diffusion.filters.denoisers.guided_filter import is_solid, third_ratio

if TYPE_CHECKING:
    from napari_diffusion.core.grid import Grid

# With how many patches one is compared in a volume at most, where nobody says.
MOST = 1200


def search_radii(
    radius: int | Literal["auto"], depth: int | Literal["auto"], usual: int, grid: Grid
) -> tuple[int, int]:
    """Return how far patches are looked for in the planes and along the third axis, in pixels.

    A radius that is "auto" is the usual one; in volumes as much of it as compares few enough.
    """
    wide = usual if radius == "auto" else radius
    while (
        radius == "auto" and (2 * wide + 1) ** 2 * (2 * search_depth(depth, wide, grid) + 1) > MOST
    ):
        wide -= 1
    return wide, search_depth(depth, wide, grid)


def search_depth(depth: int | Literal["auto"], radius: int, grid: Grid) -> int:
    """Return how far patches are looked for along the third axis; "auto": as far as in planes."""
    if depth == "auto":
        return round(radius / third_ratio(grid)) if is_solid(grid) else 0
    return depth if len(grid.along_axes) > 2 else 0
