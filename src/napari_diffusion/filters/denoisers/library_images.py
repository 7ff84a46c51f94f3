"""What filters of other libraries have in common: they get independent images, one by one."""

from __future__ import annotations

import abc
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from napari_diffusion.filters.base import Filter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid, Shape
    from napari_diffusion.core.image import Image
    from napari_diffusion.engine.block import Block
    from napari_diffusion.engine.threads import Threads

# A strength as many times above or below the largest value, as a power of two, does no more or
# no less than one at that limit, and squares of their ratio stay far from overflow.
FARTHEST = 40


@dataclass(frozen=True)
class LibraryFilter(Filter):
    """A filter of a library that sees whole images, and whose strength follows from the noise.

    Attributes
    ----------
    strength_name : str
        Which parameter is the strength, in intensity units; at 0 nothing changes.
    per_sigma : float
        Its "auto", in standard deviations of the noise.
    joins_channels : bool
        Whether joint channels go together; else each is an image with one channel.
    """

    takes_mask: ClassVar[bool] = False

    strength_name: ClassVar[str] = "sigma"
    per_sigma: ClassVar[float] = 1.0
    joins_channels: ClassVar[bool] = False

    def resolved(self, image: Image) -> Self:
        """Return this filter with its strength measured on `image`; see `Filter.resolved`."""
        if not self.autos():
            return self
        from napari_diffusion.estimate import noise_sigma_of

        return self.replaced(**{self.strength_name: self.per_sigma * noise_sigma_of(image)})

    def halo(self, grid: Grid) -> Shape | None:
        """Return None: the library sees whole images."""
        del grid
        return None

    @abc.abstractmethod
    def denoised(self, image: NDArray[Any], strength: float, threads: Threads) -> NDArray[Any]:
        """Return what the library makes of one image, an array of the same shape.

        It has the axes in `along`, in canonical order, and then the channels; axes of a single
        pixel are left out, for there is nothing to mix with.
        """

    def apply(self, block: Block) -> NDArray[Any]:
        """Return the filtered images, shared among the threads; see `Filter.apply`."""
        strength = self.number(self.strength_name)
        if not strength:
            return block.values.copy()
        out, axes, threads = (
            np.empty(block.shape, block.dtype),
            block.grid.along_axes,
            block.threads,
        )
        joint = self.joins_channels and block.grid.joint_channels
        batch = [i for i in range(5) if i not in axes and not (joint and i == 1)]
        along = [block.shape[i] for i in axes if block.shape[i] > 1] or [1]

        def work(index: tuple[int, ...]) -> None:
            place = [slice(None)] * 5
            for axis, i in zip(batch, index, strict=True):
                place[axis] = slice(i, i + 1)
            part = np.moveaxis(block.values[tuple(place)], 1, -1)
            image = np.ascontiguousarray(part).reshape(*along, part.shape[-1])
            made = self.denoised(image, strength, threads)
            out[tuple(place)] = np.moveaxis(made.reshape(part.shape), -1, 1)

        threads.each(work, [(index,) for index in np.ndindex(*(block.shape[i] for i in batch))])
        return out


def exponent_of(strength: float, values: NDArray[Any]) -> tuple[int, float]:
    """Return k and strength / 2ᵏ, which is from 1 to 2, for values that are then divided by 2ᵏ.

    Divided by a power of two an image keeps every digit, so what a library makes of it is the
    same up to that factor; but thresholds that a library sets at absolute numbers then mean the
    same for every unit of intensity.
    """
    largest = float(max(values.max(), -values.min()))
    if not largest:
        return 0, 1.0
    # A product becomes infinite where a power would raise.
    strength = min(max(strength, largest * 2.0**-FARTHEST), largest * 2.0**FARTHEST)
    fraction, exponent = math.frexp(strength)
    return exponent - 1, 2 * fraction
