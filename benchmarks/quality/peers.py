"""The other denoisers: with the true noise, or tuned with the ground truth at hand."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.quality.cases import decibels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.quality.cases import Denoiser

# Weights of the total variation, by σ.
WEIGHTS = (0.5, 0.7, 0.9, 1.1, 1.4, 1.8, 2.3, 3.0)

# Numbers of iterations that are looked at, and contrasts: by σ, or the library's own.
ITERATIONS = (3, 6, 12, 24, 48)
CONTRASTS = (1.0, 1.7, 2.8, 4.5)
CONDUCTANCES = (0.5, 1.0, 2.0, 4.0)


def here(*modules: str) -> bool:
    """Say whether all of some modules can be imported."""
    return all(importlib.util.find_spec(name) is not None for name in modules)


def _best(images: Iterator[Any], truth: Any) -> Any:
    return max(images, key=lambda image: decibels(image, truth))


def total_variation(noisy: Any, truth: Any, sigma: float) -> Any:
    """The best of eight weights."""
    from skimage.restoration import denoise_tv_chambolle

    tried = (denoise_tv_chambolle(noisy, w * sigma, eps=1e-4, max_num_iter=200) for w in WEIGHTS)
    return _best(tried, truth)


def bm3d(noisy: Any, truth: Any, sigma: float) -> Any:
    import bm3d as package

    del truth
    return np.asarray(package.bm3d(noisy.astype(float), sigma))


def bm3d_rgb(noisy: Any, truth: Any, sigma: float) -> Any:
    import bm3d as package

    del truth
    return np.asarray(package.bm3d_rgb(noisy.astype(float), sigma))


def bm4d(noisy: Any, truth: Any, sigma: float) -> Any:
    import bm4d as package

    del truth
    return np.asarray(package.bm4d(noisy.astype(float), sigma))


def _simpleitk(name: str) -> Denoiser:
    def best(noisy: Any, truth: Any, sigma: float) -> Any:
        import SimpleITK

        del sigma

        def goes_on(image: Any, conductance: float, count: int) -> Any:
            filtered = getattr(SimpleITK, name)(
                SimpleITK.GetImageFromArray(image),
                timeStep=0.125,
                conductanceParameter=conductance,
                numberOfIterations=count,
            )
            return SimpleITK.GetArrayFromImage(filtered)

        return _best(_sweep(noisy, CONDUCTANCES, goes_on), truth)

    return best


def _medpy(option: int) -> Denoiser:
    def best(noisy: Any, truth: Any, sigma: float) -> Any:
        from medpy.filter.smoothing import anisotropic_diffusion

        def goes_on(image: Any, contrast: float, count: int) -> Any:
            return anisotropic_diffusion(image, count, contrast, 0.2, option=option)

        return _best(_sweep(noisy, [sigma * c for c in CONTRASTS], goes_on), truth)

    return best


def _diplib(conductance: str) -> Denoiser:
    def best(noisy: Any, truth: Any, sigma: float) -> Any:
        import diplib

        def goes_on(image: Any, contrast: float, count: int) -> Any:
            return np.asarray(
                diplib.PeronaMalikDiffusion(image, count, contrast, 0.25, conductance)
            )

        return _best(_sweep(noisy, [sigma * c for c in CONTRASTS], goes_on), truth)

    return best


def _sweep(noisy: Any, contrasts: Any, goes_on: Callable[[Any, float, int], Any]) -> Iterator[Any]:
    """Yield what every contrast has made after 3, 6, 12, 24 and 48 iterations."""
    for contrast in contrasts:
        image, done = noisy, 0
        for count in ITERATIONS:
            image, done = goes_on(image, contrast, count - done), count
            yield image


def diffusions() -> dict[str, Denoiser]:
    """Return the diffusion filters of other libraries that are here, each tuned per case."""
    found: dict[str, Denoiser] = {}
    if here("SimpleITK"):
        found["SimpleITK gradient, tuned"] = _simpleitk("GradientAnisotropicDiffusion")
        found["SimpleITK curvature, tuned"] = _simpleitk("CurvatureAnisotropicDiffusion")
    if here("medpy"):
        found["MedPy exponential, tuned"] = _medpy(1)
        found["MedPy rational, tuned"] = _medpy(2)
    if here("diplib"):
        found["DIPlib Gauss, tuned"] = _diplib("Gauss")
        found["DIPlib Tukey, tuned"] = _diplib("Tukey")
    return found
