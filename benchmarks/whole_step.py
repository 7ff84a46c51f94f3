"""A whole step of the loop: noise, then one sub-step of rational Perona–Malik."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

import napari_diffusion as nd
from benchmarks import peers
from benchmarks.cases import Case, Setting, Side, example_image, here, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

UNIT = "pixel and step"
STEPS = 5
SCALE, CONTRAST, TAU = 0.02, 0.1, 0.2


def step(setting: Setting) -> Iterator[Case]:
    image = example_image(setting.plane)
    recipe = nd.Recipe(
        num_steps=STEPS,
        starting_noise_scale=SCALE,
        noise=nd.noise.Gaussian(),
        schedule=nd.schedules.Constant(),
        diffusion_filter=nd.filters.PeronaMalik(contrast=CONTRAST, time=TAU),
        final_filter=None,
        seed=0,
    )

    def run() -> None:
        for _ in nd.steps(image, recipe):
            pass

    yield Case(
        "whole-step",
        f"A whole step, noise and Perona–Malik, {name_of(setting.plane)}",
        UNIT,
        Side("steps(), every step given out", run, image.size * STEPS),
        tuple(here(setting, *_peers(image))),
    )


def _peers(image: np.ndarray) -> list[Any]:
    return [
        (peers.MEDPY, functools.partial(_medpy, image)),
        (peers.SCIPY, functools.partial(_scipy, image)),
        (peers.SIMPLEITK, functools.partial(_simpleitk, image)),
    ]


def _loop(image: np.ndarray, smoothed: Any) -> Any:
    rng = np.random.Generator(np.random.SFC64(0))

    def run() -> None:
        u = image
        for _ in range(STEPS):
            noise = rng.standard_normal(u.shape, dtype=np.float32)
            noise *= np.float32(SCALE)
            noise += u
            u = smoothed(noise)

    return run


def _medpy(image: np.ndarray) -> Side:
    def smoothed(noisy: np.ndarray) -> Any:
        return peers.MEDPY.loaded.anisotropic_diffusion(
            noisy, niter=1, kappa=CONTRAST, gamma=TAU, option=2
        )

    return Side("numpy SFC64 and MedPy, option 2", _loop(image, smoothed), image.size * STEPS)


def _scipy(image: np.ndarray) -> Side:
    def smoothed(noisy: np.ndarray) -> Any:
        return peers.SCIPY.loaded.gaussian_filter(noisy, 1.0)

    return Side(
        "numpy SFC64 and scipy gaussian_filter, σ = 1",
        _loop(image, smoothed),
        image.size * STEPS,
        "a blur instead of Perona–Malik",
    )


def _simpleitk(image: np.ndarray) -> Side:
    sitk = peers.SIMPLEITK.loaded
    given = sitk.GetImageFromArray(image)

    def run() -> None:
        noisy = sitk.AdditiveGaussianNoise(given, SCALE, 0.0, 1)
        sitk.GradientAnisotropicDiffusion(noisy, 0.125, 1.0, 1, 1)

    return Side(
        "SimpleITK noise and GradientAnisotropicDiffusion",
        run,
        image.size,
        "conductance relative to the mean gradient",
    )
