"""The base class of camera noise: gain, offset and read noise."""

from __future__ import annotations

import abc
import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from napari_diffusion.core.array_parameter import ArrayParameter
from napari_diffusion.core.image import is_dask
from napari_diffusion.noise.sampling.planes import made_by
from napari_diffusion.noise.sampling.signal_dependent import Signal, check_rate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.address import Address
    from napari_diffusion.core.grid import Grid
    from napari_diffusion.core.image import Image
    from napari_diffusion.core.noise_scale import Scales
    from napari_diffusion.engine.block import Block

_MAPPED = ("gain", "offset", "read_noise")

# Read noise does not reach farther below the offset than this many times itself.
_READ_NOISES = 10.0


@dataclass(frozen=True)
class Exposure(Signal, abc.ABC):
    """A camera: photons counted above an offset, and read noise.

    A component has the fields gain, offset, read_noise (numbers or arrays) and reference.
    """

    #: How many times the variance of the photons the variance of the signal is.
    excess: ClassVar[float] = 1.0

    def sensor(self, name: str) -> NDArray[np.float64]:
        """Return a parameter as an array: of one number, or one per pixel of a plane."""
        value = getattr(self, name)
        array = value.values if isinstance(value, ArrayParameter) else np.full((1, 1), value)
        return np.ascontiguousarray(array, np.float64)

    def deviation(self) -> float:
        """Return the standard deviation at the reference with the parameters as typed."""
        return math.sqrt(_variance(self))

    def factor(self, scale: float) -> float:
        """Return how many times gain and read variance are what is typed, to make the scale."""
        typed = self.deviation()
        return 1.0 if scale == typed else (scale / typed) ** 2

    def resolved(self, image: Image) -> Self:
        """Return this noise with its reference; raise if arrays or the image do not fit."""
        self._check_maps(image.grid)
        chosen = super().resolved(image)
        middle = float(np.mean(self.sensor("offset")))
        if chosen.level <= middle:
            raise ValueError(
                f"{type(self).__name__}: the mean of the image must be greater than the offset "
                f"{middle:g} (got {chosen.level:g}): set the offset of the camera, the intensity "
                "without light."
            )
        if chosen != self and not is_dask(image.data):
            self._check_darkest(image)
        return chosen

    def _check_maps(self, grid: Grid) -> None:
        plane = grid.shape[3:]
        for name in _MAPPED:
            shape = self.sensor(name).shape
            if isinstance(getattr(self, name), ArrayParameter) and shape != plane:
                raise ValueError(
                    f"{type(self).__name__}: {name} must be a number or an array of the shape "
                    f"{plane} of a plane, y by x (got shape {shape})."
                )

    def _check_darkest(self, image: Image) -> None:
        """Raise for a source darker than read noise can explain."""
        values = image.data if image.mask is None else image.data[image.mask]
        reads = float(self.sensor("read_noise").max())
        limit = float(self.sensor("offset").min()) - _READ_NOISES * reads
        if (darkest := float(values.min())) < limit:
            raise ValueError(
                f"{type(self).__name__}: intensities must be {limit:g} or more, "
                f"{_READ_NOISES:g} read noises below the offset (got {darkest:g}): set the offset "
                "of the camera, or shift the image."
            )

    def in_words(self, scale: float) -> str:
        """Return the number of photons at the reference."""
        light = self.level - float(np.mean(self.sensor("offset")))
        try:
            photons = light / (float(np.mean(self.sensor("gain"))) * self.factor(scale))
        except ArithmeticError:
            # Numbers at the end of what a float can hold say nothing of photons.
            return ""
        return f"{photons:.3g} photons at {self.level:.4g}"

    def lowest(self) -> float:
        """Return the lowest intensity that is taken: read noise in the steps before has no end."""
        if self.sensor("read_noise").any():
            return -math.inf
        return float(self.sensor("offset").min())

    def check_largest(self, highest: float, scales: Scales) -> None:
        """Raise for more photons in a pixel than can be computed."""
        brightest = highest - float(self.sensor("offset").min())
        gain = float(self.sensor("gain").min())
        for each in scales:
            if each:
                check_rate(type(self).__name__, brightest, gain * self.factor(each), each)

    def add(self, block: Block, scales: Scales, address: Address) -> NDArray[Any]:
        """Return what the camera reads out; see `Noise.add`."""
        from napari_diffusion.noise.sampling.camera import expose, no_tables, tables

        window = tuple(
            slice(start, start + size)
            for start, size in zip(block.grid.origin[3:], block.shape[3:], strict=True)
        )
        sensor = [self.sensor(name) for name in _MAPPED]
        # Kernels never write it, but numba would compile them anew for arrays that are read-only.
        cut = [
            np.require(each if each.size == 1 else each[window], requirements=["C", "W"])
            for each in sensor
        ]
        multiplied = tables() if self.excess > 1 else no_tables()
        arguments = [(*cut, self.factor(each) if each else 0.0, multiplied) for each in scales]
        return made_by(expose, block, arguments, address)


@functools.lru_cache(maxsize=64)
def _variance(camera: Exposure) -> float:
    """Return the variance at the reference with the parameters as typed, over the sensor."""
    gain, offset, read_noise = (camera.sensor(name) for name in _MAPPED)
    with np.errstate(over="ignore"):
        photons = camera.excess * gain * np.maximum(camera.level - offset, 0)
        return float(np.mean(photons)) + float(np.mean(read_noise**2))
