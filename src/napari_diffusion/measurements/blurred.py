"""An image blurred by a point spread function."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np

from napari_diffusion.core.array_parameter import ArrayParameter  # noqa: TC001 - types of fields are read
from napari_diffusion.core.method_words import in_terms
from napari_diffusion.measurements.base import NOISE_WORDS, Measurement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid
    from napari_diffusion.core.method_words import Term
    from napari_diffusion.measurements.base import Values

# Standard deviations beyond which a Gaussian is cut off.
_WIDTH = 4

# Along an axis of fewer pixels than these a spread of as many is no wrong pixel size yet.
_SMALL = 8

_Z = 2


@dataclass(frozen=True)
class Blurred(Measurement):
    """Measure the image blurred by a point spread function.

    ``y = psf ∗ x + noise``, the image being mirrored at its border

    Parameters
    ----------
    noise_sigma : float, tuple of float or "auto"
        Standard deviation of the noise of the source in intensity units, 0 or more; one per channel
        if many. Larger values sharpen less. "auto" measures it.
    psf_sigma : float
        Standard deviation of a Gaussian point spread function in world units, 0 or more. Larger
        values sharpen more; too large a value makes rings.
    axial_ratio : float
        How many times as wide the Gaussian is along z.
    psf : ArrayParameter or None
        A measured point spread function in place of the Gaussian, with the axes that the filter
        acts along, in the order of the image. It is centred at its middle pixel, that is at
        ``shape // 2``, and scaled to a sum of 1.

    Notes
    -----
    Use it for images out of focus or taken near the limit of resolution, whose point spread
    function is known and the same everywhere. Not for motion that differs from place to place. What
    the blur has removed is one plausible image, not a measurement.
    """

    display_name: ClassVar[str] = "Blurred image"
    method_name = "blurred"
    terms = in_terms(
        noise_sigma=NOISE_WORDS,
        psf_sigma="Gaussian of {}",
        axial_ratio="{} times as wide along z",
        psf="measured point spread function",
    )

    psf_sigma: Annotated[
        float,
        {
            "min": 0.0,
            "unit": "world",
            "tooltip": "Standard deviation of the Gaussian blur; larger values sharpen more.",
        },
    ] = 1.5
    axial_ratio: Annotated[
        float, {"above": 0.0, "max": 100.0, "tooltip": "Width of the blur along z over its width."}
    ] = 1.0
    psf: Annotated[
        ArrayParameter | None,
        {"tooltip": "A measured point spread function in place of the Gaussian."},
    ] = None

    def method_terms(self) -> Mapping[str, Term]:
        """Return the words of the parameters that count; see `Component.method_terms`."""
        unused: tuple[str, ...] = ("psf",) if self.psf is None else ("psf_sigma", "axial_ratio")
        unused += ("axial_ratio",) if self.axial_ratio == 1 else ()
        return {**self.terms, **dict.fromkeys(unused, "")}

    def check(self, grid: Grid) -> None:
        """Raise if the point spread function does not fit; see `Measurement.check`."""
        super().check(grid)
        self.kernel(grid)

    def kernel(self, grid: Grid) -> NDArray[np.float64]:
        """Return the point spread function in canonical order, with a sum of 1."""
        sizes = self._gaussian_widths(grid) if self.psf is None else {}
        if self.psf is None:
            kernel = np.ones((1,) * 5)
            for axis, sigma in sizes.items():
                kernel = kernel * _gaussian(sigma).reshape(
                    [-1 if i == axis else 1 for i in range(5)]
                )
        else:
            kernel = self._given(grid, self.psf.values.astype(np.float64))
        return kernel / kernel.sum()

    def _gaussian_widths(self, grid: Grid) -> dict[int, float]:
        """Return the standard deviation in pixels along each axis in `along`."""
        found: dict[int, float] = {}
        for axis in grid.along_axes:
            ratio = self.axial_ratio if axis == _Z else 1.0
            found[axis] = self.psf_sigma * ratio / grid.length(axis)
            if not found[axis] <= max(grid.shape[axis], _SMALL):
                raise ValueError(
                    f"Blurred: psf_sigma={self.psf_sigma:g} is {found[axis]:g} pixels along "
                    f"{'tczyx'[axis]}, more than the image has: use a smaller value, or correct "
                    "the pixel size."
                )
        return found

    def _given(self, grid: Grid, psf: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a given point spread function in canonical order; raise if it cannot be one."""
        along = [axis for axis in grid.axes if axis in grid.along]
        if psf.ndim != len(along):
            raise ValueError(
                f"Blurred: psf must have the axes {''.join(along)!r} that the filter acts along "
                f"(got shape {psf.shape})."
            )
        if not psf.sum() > 0:
            raise ValueError(f"Blurred: psf must have a sum greater than 0 (got {psf.sum():g}).")
        order = np.argsort(["tczyx".index(axis) for axis in along])
        shape = [1] * 5
        for axis, size in zip(grid.along_axes, np.array(psf.shape)[order], strict=True):
            shape[axis] = int(size)
            if size > 4 * grid.shape[axis] + 1:
                raise ValueError(
                    f"Blurred: psf has the shape {psf.shape}, far larger than the image: crop it."
                )
        return psf.transpose(order).reshape(shape)

    def forward(self, image: Values, grid: Grid) -> Values:
        """Return the blurred image; see `Measurement.forward`."""
        from scipy import fft

        blur = _blur(self, grid)
        for axis, mirrored in blur.mirrored.items():
            image = np.take(image, mirrored, axis)
        spectrum = fft.rfftn(image, blur.sizes, blur.axes) * blur.transfer
        return np.ascontiguousarray(fft.irfftn(spectrum, blur.sizes, blur.axes)[blur.inner])

    def adjoint(self, measured: Values, grid: Grid) -> Values:
        """Return the values blurred by the mirrored point spread function; see `Measurement`."""
        from scipy import fft

        blur = _blur(self, grid)
        shape = list(measured.shape)
        for axis, size in zip(blur.axes, blur.sizes, strict=True):
            shape[axis] = size
        image = np.zeros(shape)
        image[blur.inner] = measured
        spectrum = fft.rfftn(image, blur.sizes, blur.axes) * np.conj(blur.transfer)
        image = fft.irfftn(spectrum, blur.sizes, blur.axes)
        for axis, mirrored in blur.mirrored.items():
            image = _folded(image, mirrored, axis, grid.shape[axis])
        return image


@dataclass(frozen=True, eq=False)
class _Blur:
    """A convolution in Fourier space.

    Attributes
    ----------
    axes, sizes : tuple of int
        The axes of the transform, and their sizes with the margin.
    mirrored : dict
        For each axis, the pixels that the image with its mirrored margin consists of.
    transfer : ndarray
        Transform of the point spread function.
    inner : tuple of slice
        Where the blurred image lies.
    """

    axes: tuple[int, ...]
    sizes: tuple[int, ...]
    mirrored: dict[int, NDArray[np.intp]]
    transfer: NDArray[np.complex128]
    inner: tuple[slice, ...]


@functools.lru_cache(maxsize=4)
def _blur(measurement: Blurred, grid: Grid) -> _Blur:
    from scipy import fft

    kernel, axes = measurement.kernel(grid), grid.along_axes
    mirrored: dict[int, Any] = {}
    inner = [slice(None)] * 5
    for axis in axes:
        size, width = grid.shape[axis], kernel.shape[axis]
        margin = (width - 1 - width // 2, width // 2)
        mirrored[axis] = np.pad(np.arange(size), margin, mode="symmetric")
        inner[axis] = slice(width - 1, width - 1 + size)
    sizes = tuple(fft.next_fast_len(len(each), real=True) for each in mirrored.values())
    return _Blur(axes, sizes, mirrored, fft.rfftn(kernel, sizes, axes), tuple(inner))


def _gaussian(sigma: float) -> NDArray[np.float64]:
    """Return a Gaussian of a standard deviation in pixels."""
    distance = np.arange(-math.ceil(_WIDTH * sigma), math.ceil(_WIDTH * sigma) + 1)
    return np.asarray(np.exp(-0.5 * np.square(distance / max(sigma, 1e-6))))


def _folded(image: Values, mirrored: NDArray[np.intp], axis: int, size: int) -> Values:
    """Return the sum of all that was taken of each pixel along an axis."""
    out = np.zeros((size, *np.delete(image.shape, axis)))
    np.add.at(out, mirrored, np.moveaxis(image, axis, 0)[: len(mirrored)])
    return np.moveaxis(out, 0, axis)
