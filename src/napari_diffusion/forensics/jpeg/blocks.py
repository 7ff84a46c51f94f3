"""The 8 × 8 blocks of a JPEG: their values, their coefficients, and maps of a value per block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.estimate.window_spectrum import SIZE, cosines

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Where blocks begin in a plane, y and x, modulo 8.
Origin = tuple[int, int]

#: What a JPEG subtracts before it transforms.
MIDDLE = 128.0


def whole_blocks(plane: NDArray[Any], origin: Origin = (0, 0)) -> NDArray[Any]:
    """Return the part of a plane that whole blocks cover."""
    part = plane[origin[0] :, origin[1] :]
    height, width = (n // SIZE * SIZE for n in part.shape)
    return part[:height, :width]


def coefficients(plane: NDArray[Any], origin: Origin = (0, 0)) -> NDArray[Any]:
    """Return the cosine transform of each whole block, (rows, columns, 8, 8)."""
    part = whole_blocks(plane, origin)
    matrix = cosines().astype(part.dtype)
    shape = part.shape[0] // SIZE, SIZE, part.shape[1] // SIZE, SIZE
    return matrix @ part.reshape(shape).swapaxes(1, 2) @ matrix.T


def spread(values: NDArray[Any], shape: tuple[int, ...], origin: Origin = (0, 0)) -> NDArray[Any]:
    """Return a map of the pixels, each with the value of its block or of the nearest one."""
    at = (
        np.clip((np.arange(n) - start) // SIZE, 0, count - 1)
        for n, start, count in zip(shape, origin, values.shape, strict=True)
    )
    return values[np.ix_(*at)]
