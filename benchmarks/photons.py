"""Noise that depends on the signal, and wild pixels: whole calls on an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import napari_diffusion as nd
from benchmarks import peers
from benchmarks.cases import Case, Setting, Side, copying, example_image, here, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

UNIT = "sample"
RATES = (3.0, 100.0)
SCALE = 0.1
FRACTION = 0.05


def poisson(setting: Setting) -> Iterator[Case]:
    shape = setting.plane
    for rate in RATES:
        image = (rate * (0.5 + example_image(shape))).astype(np.float32)
        noise = nd.noise.Poisson(gain=1.0)
        yield Case(
            "noise-poisson",
            f"Poisson noise, about {rate:g} photons, {name_of(shape)}",
            UNIT,
            Side("noise.Poisson", lambda i=image, n=noise: n(i, None), image.size),
            (
                *here(setting, (peers.NUMPY, lambda i=image: _numpy_poisson(i))),
                copying(image),
            ),
        )


def _numpy_poisson(image: np.ndarray) -> Side:
    rng = np.random.Generator(np.random.SFC64(0))
    return Side("numpy SFC64 poisson", lambda: rng.poisson(image), image.size)


def others(setting: Setting) -> Iterator[Case]:
    """Speckle, Rician noise, salt and pepper."""
    image = (0.5 + example_image(setting.plane)).astype(np.float32)
    size = name_of(setting.plane)
    yield _case(setting, "speckle", f"Speckle, {size}", nd.noise.Speckle(), image, _speckle)
    yield _case(setting, "rician", f"Rician noise, {size}", nd.noise.Rician(), image, _rician)
    wild = nd.noise.SaltPepper(low=0.0, high=1.0, reference=1.0)
    yield _case(setting, "salt-pepper", f"Salt and pepper, {size}", wild, image, _salt_pepper)


def _case(
    setting: Setting, name: str, title: str, noise: Any, image: np.ndarray, peer: Any
) -> Case:
    return Case(
        f"noise-{name}",
        title,
        UNIT,
        Side(f"noise.{type(noise).__name__}", lambda: noise(image, SCALE), image.size),
        (*here(setting, peer(image)), copying(image)),
    )


def _speckle(image: np.ndarray) -> Any:
    def side() -> Side:
        call = peers.SKIMAGE.loaded.random_noise
        note = "Gaussian factors, not gamma"
        run = lambda: call(image, "speckle", clip=False, var=SCALE**2)  # noqa: E731
        return Side("scikit-image random_noise, speckle", run, image.size, note)

    return peers.SKIMAGE, side


def _rician(image: np.ndarray) -> Any:
    rng = np.random.Generator(np.random.SFC64(0))

    def run() -> Any:
        n = rng.standard_normal((2, *image.shape), dtype=np.float32)
        return np.hypot(image + np.float32(SCALE) * n[0], np.float32(SCALE) * n[1])

    return peers.NUMPY, lambda: Side("numpy SFC64, twice, and hypot", run, image.size)


def _salt_pepper(image: np.ndarray) -> Any:
    def side() -> Side:
        call = peers.SKIMAGE.loaded.random_noise
        run = lambda: call(image, "s&p", amount=FRACTION)  # noqa: E731
        return Side("scikit-image random_noise, s&p", run, image.size)

    return peers.SKIMAGE, side
