"""How much of an image varies at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.estimate.window_spectrum import SIZE
from napari_diffusion.forensics.jpeg.blocks import whole_blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray


def varied(plane: NDArray[Any], by: float) -> NDArray[np.bool_]:
    """Return which whole blocks have values that differ by more than `by`."""
    part = whole_blocks(plane)
    blocks = part.reshape(part.shape[0] // SIZE, SIZE, part.shape[1] // SIZE, SIZE)
    return np.asarray(np.ptp(blocks, axis=(1, 3)) > by)
