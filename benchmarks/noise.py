"""Gaussian noise: the numbers of one step, and adding them to the image."""

from __future__ import annotations

import concurrent.futures
import functools
from typing import TYPE_CHECKING, Any

import numpy as np

import napari_diffusion as nd
from benchmarks import peers
from benchmarks.cases import Case, Setting, Side, copying, example_image, here, name_of
from napari_diffusion.core import Address, Image
from napari_diffusion.engine import Threads

if TYPE_CHECKING:
    from collections.abc import Iterator

UNIT = "sample"
SCALE = 0.1
NUMBERS_ONLY = "the numbers alone; ours are added to the image too"


def gaussian(setting: Setting) -> Iterator[Case]:
    for shape in (setting.plane, *setting.volumes[1:]):
        image = example_image(shape)
        noise = nd.noise.Gaussian()
        read = Image.of(image)
        yield Case(
            "noise-gaussian",
            f"Gaussian noise, {name_of(shape)}",
            UNIT,
            Side("noise.Gaussian", lambda i=image, n=noise: n(i, noise_scale=SCALE), image.size),
            (
                *here(setting, *_peers(image, setting.threads)),
                Side(
                    "noise.Gaussian, without reading in and giving back",
                    lambda r=read, n=noise: n.add(r.data, SCALE, Address(0, 0), r.grid, Threads()),
                    image.size,
                    own=True,
                ),
                copying(image),
            ),
        )


def moments(noise: Any) -> str:
    """Say whether numbers are standard normal as far as mean and variance tell."""
    values = np.asarray(noise, np.float64)
    error = max(abs(values.mean()), abs(values.var() - 1) / np.sqrt(2)) * np.sqrt(values.size)
    return "" if error < 5 else f"NOT standard normal, off by {error:.1f} standard errors"


def _peers(image: np.ndarray, threads: int) -> list[Any]:
    drawn = [
        (peers.NUMPY, functools.partial(_numpy, image, generator))
        for generator in ("SFC64", "PCG64", "Philox")
    ]
    if threads > 1:
        drawn = [(_Threaded(), functools.partial(_numpy_shared, image, threads))]
    return [
        *drawn,
        (peers.OPENCV, functools.partial(_opencv, image)),
        (peers.SKIMAGE, functools.partial(_skimage, image)),
        (peers.SIMPLEITK, functools.partial(_simpleitk, image)),
    ]


class _Threaded:
    """numpy's generators, of which several may run at once."""

    def ready(self, threads: int) -> bool:
        del threads
        return True


def _said(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def _numpy(image: np.ndarray, generator: str) -> Side:
    rng = np.random.Generator(getattr(np.random, generator)(0))

    def run() -> Any:
        return rng.standard_normal(image.shape, dtype=np.float32)

    note = _said(NUMBERS_ONLY, moments(run()))
    return Side(f"numpy {generator} standard_normal", run, image.size, note)


def _numpy_shared(image: np.ndarray, threads: int) -> Side:
    """One generator a thread, each filling its share."""
    rngs = [np.random.Generator(np.random.SFC64(i)) for i in range(threads)]
    pool = concurrent.futures.ThreadPoolExecutor(threads)

    def run() -> Any:
        shares = np.array_split(np.empty(image.shape, np.float32), threads)
        drawn = [
            pool.submit(rng.standard_normal, dtype=np.float32, out=share)
            for rng, share in zip(rngs, shares, strict=True)
        ]
        return [each.result() for each in drawn]

    return Side(f"numpy SFC64 standard_normal × {threads}", run, image.size, NUMBERS_ONLY)


def _opencv(image: np.ndarray) -> Side:
    cv, out = peers.OPENCV.loaded, np.empty_like(image)

    def run() -> Any:
        return cv.randn(out, 0.0, 1.0)

    return Side("OpenCV randn", run, image.size, _said(NUMBERS_ONLY, moments(run())))


def _skimage(image: np.ndarray) -> Side:
    def run() -> Any:
        return peers.SKIMAGE.loaded.random_noise(image, "gaussian", clip=False, var=SCALE**2)

    note = moments((run() - image) / SCALE)
    return Side("scikit-image random_noise", run, image.size, note)


def _simpleitk(image: np.ndarray) -> Side:
    sitk = peers.SIMPLEITK.loaded
    given = sitk.GetImageFromArray(image)

    def run() -> Any:
        return sitk.AdditiveGaussianNoise(given, SCALE, 0.0, 1)

    note = moments((sitk.GetArrayFromImage(run()) - image) / SCALE)
    return Side("SimpleITK AdditiveGaussianNoise", run, image.size, note)
