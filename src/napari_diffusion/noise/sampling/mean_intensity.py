"""The mean of an image, the same to the last bit in whatever order its pixels come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.image import is_dask
from napari_diffusion.engine.counting import Measurement, inside, intensities
from napari_diffusion.engine.executor import tallied

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.image import Image


def mean_of(image: Image) -> float:
    """Return the mean of all pixels inside the mask, of all frames and channels.

    Fractions of the same exponent are added up as whole numbers, which no order can change.
    """
    if is_dask(image.data):
        total = tallied(Measurement(image, intensities, (0,) * 5, _ExactSum, inside))
    else:
        total = _ExactSum()
        total.add(inside(image.data, image.mask))
    if not total.count:
        raise ValueError("The mask contains no pixels: use another mask.")
    return total.whole / (total.count * _ONES)


# So many of the smallest parts that are added up make 1.
_ONES = 1 << 1075


class _ExactSum:
    """Adds up numbers.

    Attributes
    ----------
    whole : int
        Their sum as a whole number of the smallest parts.
    count : int
        How many they are.
    """

    def __init__(self) -> None:
        self.whole = self.count = 0

    def add(self, values: NDArray[Any]) -> None:
        """Add up some more."""
        from napari_diffusion.noise.sampling.exact_sum import EXPONENTS, add_up, add_up_narrow

        # Kernels never write it, but numba would compile them anew for arrays that are read-only.
        flat = np.require(np.ascontiguousarray(values).reshape(-1), requirements=["C", "W"])
        sums = np.zeros((2, EXPONENTS), np.int64)
        if flat.dtype == np.float32:
            add_up_narrow(sums, flat, flat.view(np.uint32))
        else:
            add_up(sums, flat)
        self.count += flat.size
        # An exponent of 0 has no leading one and counts as 1.
        self.whole += sum(
            (int(a) + (int(b) << 26)) << max(exponent, 1)
            for exponent, (a, b) in enumerate(sums.T)
            if a or b
        )
