"""Grey images of few photons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import napari_diffusion as nd
from benchmarks import images
from benchmarks.quality import earlier, peers
from benchmarks.quality.cases import PHOTONS, Case, Denoiser, compared, table
from napari_diffusion.domains import Anscombe
from napari_diffusion.engine import Threads

if TYPE_CHECKING:
    from collections.abc import Iterator

PEAKS = (2, 5, 20)

_STABILISED = "stabilised BM3D, given the gain"


def _cases(seeds: int) -> Iterator[Case]:
    for name in filter(images.is_here, PHOTONS):
        truth = images.part(name)
        for peak in PEAKS:
            for seed in range(seeds):
                photons = np.random.default_rng(200 + seed).poisson(truth * peak)
                yield Case(name, peak, truth, photons.astype(np.float32) / np.float32(peak))


def _bm3d(noisy: Any, truth: Any, peak: float) -> Any:
    """BM3D on stabilised values with noise of 1, and the same exact inverse."""
    domain = Anscombe(gain=1 / peak, offset=0.0, read_noise=0.0)
    block = np.ascontiguousarray(noisy[None, None, None])
    flat = peers.bm3d(domain.stabilise(block, Threads())[0, 0, 0], truth, 1.0)
    back = np.ascontiguousarray(flat[None, None, None], np.float32)
    return domain.intensity(back, Threads())[0, 0, 0]


def measured(seeds: int) -> dict[str, Any]:
    shares: dict[str, list[float]] = {}

    def noted(name: str, way: Denoiser) -> Denoiser:
        def call(noisy: Any, truth: Any, peak: float) -> Any:
            image = way(noisy, truth, peak)
            shares.setdefault(name, []).append(float(np.mean(image) / np.mean(truth) - 1))
            return image

        return call

    ways: dict[str, Denoiser] = {
        "denoise": lambda noisy, truth, peak: nd.denoise(noisy),
        "denoise fast": lambda noisy, truth, peak: nd.denoise(noisy, fast=True),
        earlier.NAME: lambda noisy, truth, peak: earlier.denoise(noisy),
    }
    if peers.here("bm3d"):
        ways[_STABILISED] = _bm3d
    ways["the photons themselves"] = lambda noisy, truth, peak: noisy
    chosen = {name: noted(name, way) for name, way in ways.items()}
    return {**compared(_cases(min(seeds, 1)), chosen, frozenset()), "shares": shares}


def lines(found: dict[str, Any]) -> list[str]:
    means = [
        f"{name} {100 * np.mean(np.abs(values)):.2f} % (worst {100 * np.max(np.abs(values)):.2f})"
        for name, values in found["shares"].items()
    ]
    peaks = [f"{peak}: {_against(found, peak)}" for peak in PEAKS if _STABILISED in found["shares"]]
    return [
        "## Few photons\n",
        f"{len({name for name, _ in found['cases']})} grey images as photons with a peak of "
        f"{', '.join(map(str, PEAKS))}, "
        f"{len(found['cases'])} cases. *denoise* measures the noise and stabilises it, "
        "and recognises photon-counting images; "
        "BM3D is given the gain and the same exact unbiased inverse.\n",
        *table(found, ("denoise", "denoise fast")),
        "",
        f"*denoise* minus stabilised BM3D by peak: {'; '.join(peaks)} dB.\n" if peaks else "",
        f"The mean intensity was off by {'; '.join(means)}.\n",
    ]


def _against(found: dict[str, Any], peak: float) -> str:
    pairs = zip(
        found["cases"], found["decibels"]["denoise"], found["decibels"][_STABILISED], strict=True
    )
    own = [ours - other for case, ours, other in pairs if case[1] == peak and other is not None]
    return f"{np.mean(own):+.2f}"
