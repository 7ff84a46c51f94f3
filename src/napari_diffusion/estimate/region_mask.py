"""A region that something is measured in, within the mask of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def within(region: ArrayLike, mask: ArrayLike | None, name: str = "region_mask") -> NDArray[Any]:
    """Return where a region and a mask are; `name` is what the user calls the region."""
    region = np.asarray(region)
    if mask is None:
        return region
    mask = np.asarray(mask)
    if mask.shape != region.shape:
        raise ValueError(
            f"{name} and mask must have the same shape (got {region.shape} and {mask.shape})."
        )
    return (region != 0) & (mask != 0)
