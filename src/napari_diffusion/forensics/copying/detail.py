"""Fine detail that two parts share: that of a copy is the same, that of similar objects is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.forensics.copying.growing import box_around, taken

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.forensics.copying.affine_map import AffineMap

# Widths of detail, in pixels: finer than JPEG leaves none, coarser is the shape of objects.
FINE, COARSE = 0.75, 1.5

# Correlation of the fine detail of a copy, at least. Similar objects of untouched images reach
# 0.85, and copies after JPEG-85 have 0.95 or more.
SHARED = 0.9

# Pixels at the edge of a part that do not count, for there a copy is blended in.
_EDGE = 4


def shared_detail(
    plane: NDArray[Any], found: AffineMap, part: NDArray[np.bool_], other: NDArray[Any]
) -> float:
    """Return the correlation of the fine detail of a part with that of its partner in `other`.

    Windows of one design, and the halves of a symmetric object, have the same shape, but each has
    its own noise and its own small differences; a copy has those of the original.
    """
    from scipy import ndimage

    inner = ndimage.binary_erosion(part, iterations=_EDGE)
    inner = inner if inner.any() else part
    box = box_around(np.argwhere(inner), plane.shape, 2 * _EDGE)
    places = np.moveaxis(np.mgrid[box], 0, -1)
    partner = taken(other, found(places.reshape(-1, 2)), order=3).reshape(places.shape[:2])
    own, its = _fine(plane[box]), _fine(partner)
    use = inner[box] & ~np.isnan(its)
    own, its = own[use], its[use]
    size = float(np.sqrt((own @ own) * (its @ its)))
    return float(own @ its) / size if size > 0 else 0.0


def _fine(values: NDArray[Any]) -> NDArray[np.float64]:
    from scipy import ndimage

    coarse = ndimage.gaussian_filter(values, COARSE, truncate=3.0)
    return np.asarray(ndimage.gaussian_filter(values, FINE) - coarse, np.float64)
