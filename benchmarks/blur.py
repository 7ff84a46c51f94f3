"""Heat and Gaussian blur to a given width, with the error of each side."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

import napari_diffusion as nd
from benchmarks import peers
from benchmarks.cases import Case, Setting, Side, copying, difference, example_image, here, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

UNIT = "sample"


def heat(setting: Setting) -> Iterator[Case]:
    for sigma in (1.0, 3.0):
        yield _case(setting, setting.plane, sigma)
    for shape in setting.volumes:
        yield _case(setting, shape, 3.0)


def _case(setting: Setting, shape: tuple[int, ...], sigma: float) -> Case:
    image = example_image(shape)
    exact = Exact(image, sigma)
    ours = nd.filters.Heat(time=sigma**2 / 2)
    wrapped = nd.filters.Gaussian(sigma=sigma)
    return Case(
        "heat",
        f"Heat to σ = {sigma:g}, {name_of(shape)}",
        UNIT,
        Side(f"Heat ({exact.errors(ours(image))})", lambda: ours(image), image.size),
        (
            *here(setting, *_peers(image, sigma, exact)),
            Side(
                "Gaussian (scipy's, in tiles)",
                lambda: wrapped(image),
                image.size,
                exact.errors(wrapped(image)),
                own=True,
            ),
            copying(image),
        ),
    )


class Exact:
    """The two exact solutions on an image with mirrored borders, mode by mode, in float64.

    Heat on the grid of pixels, and heat in continuous space on the cosine series through them.
    They differ where the image changes from pixel to pixel, and no filter can meet both.
    """

    def __init__(self, image: np.ndarray, sigma: float) -> None:
        from scipy import fft

        self.margin = math.ceil(6 * sigma)
        modes = fft.dctn(image.astype(np.float64))
        self.on_grid, self.continuous = (
            fft.idctn(modes * _decay(image.shape, sigma, rate)) for rate in (_grid_rate, np.square)
        )

    def errors(self, result: Any) -> str:
        margin = min(self.margin, (min(result.shape) - 1) // 2)
        grid, continuous = (
            difference(exact, result, margin) for exact in (self.on_grid, self.continuous)
        )
        border = max(difference(self.on_grid, result), difference(self.continuous, result))
        other = "; another border" if border > 30 * max(grid, continuous, 1e-5) else ""
        return f"error {grid:.0e} to heat on the grid, {continuous:.0e} in space{other}"


def _grid_rate(omega: np.ndarray) -> np.ndarray:
    return 4 * np.sin(omega / 2) ** 2


def _decay(shape: tuple[int, ...], sigma: float, rate: Any) -> np.ndarray:
    decay = np.ones((), float)
    for n in shape:
        omega = np.pi * np.arange(n) / n
        decay = np.multiply.outer(decay, np.exp(-(sigma**2) / 2 * rate(omega)))
    return decay


def _peers(image: np.ndarray, sigma: float, exact: Exact) -> list[Any]:
    sides = [
        (peers.SCIPY, functools.partial(_scipy, image, sigma, exact)),
        (peers.DIPLIB, functools.partial(_diplib, image, sigma, exact)),
        (peers.SIMPLEITK, functools.partial(_simpleitk, image, sigma, exact)),
    ]
    if image.ndim == 2:
        sides.append((peers.OPENCV, functools.partial(_opencv, image, sigma, exact)))
    return sides


def _scipy(image: np.ndarray, sigma: float, exact: Exact) -> Side:
    def run() -> Any:
        return peers.SCIPY.loaded.gaussian_filter(image, sigma)

    return Side("scipy gaussian_filter", run, image.size, exact.errors(run()))


def _diplib(image: np.ndarray, sigma: float, exact: Exact) -> Side:
    dip = peers.DIPLIB.loaded
    given = dip.Image(image)

    def run() -> Any:
        return dip.Gauss(given, sigmas=[sigma])

    return Side("DIPlib Gauss", run, image.size, exact.errors(np.asarray(run())))


def _simpleitk(image: np.ndarray, sigma: float, exact: Exact) -> Side:
    sitk = peers.SIMPLEITK.loaded
    given = sitk.GetImageFromArray(image)

    def run() -> Any:
        return sitk.SmoothingRecursiveGaussian(given, [sigma] * image.ndim)

    errors = exact.errors(sitk.GetArrayFromImage(run()))
    return Side("SimpleITK SmoothingRecursiveGaussian", run, image.size, errors)


def _opencv(image: np.ndarray, sigma: float, exact: Exact) -> Side:
    cv = peers.OPENCV.loaded

    def run() -> Any:
        return cv.GaussianBlur(image, (0, 0), sigma, borderType=cv.BORDER_REFLECT)

    return Side("OpenCV GaussianBlur", run, image.size, exact.errors(run()))
