"""Parts spread over a large image that represent all of it."""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from napari_diffusion.analysis.measured_run import SAMPLES
from napari_diffusion.core.array_parameter import ArrayParameter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.image import Image
    from napari_diffusion.loop.recipe import Recipe

T = TypeVar("T", bound=np.generic)

# Pixels in all, and parts along each axis: the content of an image differs more from place to
# place than the best step does from part to part.
SAMPLES_OF_PARTS, ACROSS = 1 << 18, 4

# Parts begin where the blocks of a JPEG do.
_BLOCK = 8


def have_parts(image: Image, recipe: Recipe) -> bool:
    """Say whether a recipe can run on parts: on a large plane, without a value for each pixel.

    An `ArrayParameter` in the recipe has one value for each pixel of the whole image.
    """
    grid = image.grid
    plane = grid.shape[0] == grid.shape[2] == 1 and grid.along_axes == (3, 4)
    large = math.prod(grid.shape) > SAMPLES and min(grid.shape[3:]) >= ACROSS * _side(image)
    return plane and large and not _has_array(recipe)


def parts_of(image: Image) -> Image:
    """Return evenly spaced squares as the frames of one image."""
    side, (height, width) = _side(image), image.grid.shape[3:]
    corners = [
        [int((k + 0.5) * n / ACROSS - side / 2) // _BLOCK * _BLOCK for k in range(ACROSS)]
        for n in (height, width)
    ]
    squares = [
        (slice(None),) * 3 + (slice(y, y + side), slice(x, x + side))
        for y, x in itertools.product(*corners)
    ]

    def cut(values: NDArray[T]) -> NDArray[T]:
        return np.concatenate([values[part] for part in squares])

    data, axes = cut(image.data), image.grid.axes
    grid = dataclasses.replace(
        image.grid, axes=axes if "t" in axes else f"t{axes}", shape=tuple(data.shape)
    )
    names = ("noise_sigma", "windows")
    known = {names: image.known[names]} if names in image.known else {}
    return dataclasses.replace(
        image,
        data=data,
        grid=grid,
        mask=None if image.mask is None else cut(image.mask),
        alpha=None,
        holes=None,
        known=known,
    )


def _side(image: Image) -> int:
    of_each = SAMPLES_OF_PARTS // (ACROSS**2 * image.grid.shape[1])
    return max(math.isqrt(of_each) // _BLOCK, 1) * _BLOCK


def _has_array(value: object) -> bool:
    if isinstance(value, ArrayParameter):
        return True
    if isinstance(value, tuple):
        return any(_has_array(each) for each in value)
    if not dataclasses.is_dataclass(value):
        return False
    return any(_has_array(getattr(value, each.name)) for each in dataclasses.fields(value))
