"""How near the denoiser comes to the truth, beside others: writes docs/benchmarks/quality.md.

python -m benchmarks.quality [--seeds N] [--output FILE]

The pictures here were never looked at while the denoiser was made; noise is white, not clipped.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import napari_diffusion as nd

# Which pictures, and where a part of 256² begins in them; all ship with scikit-image.
PICTURES = {
    "chelsea": (0, 100),
    "coffee": (100, 150),
    "rocket": (100, 200),
    "gravel": (0, 0),
    "page": (0, 0),
    "hubble_deep_field": (0, 0),
}
SIGMAS = (0.04, 0.08, 0.15)
WEIGHTS = (0.5, 0.7, 0.9, 1.1, 1.4, 1.8, 2.3, 3.0)

Denoiser = Callable[[np.ndarray, np.ndarray, float], np.ndarray]


def clean(name: str) -> np.ndarray:
    from skimage import color, data

    image = getattr(data, name)()
    grey = color.rgb2gray(image) if image.ndim == 3 else image / 255.0
    y, x = PICTURES[name]
    return np.asarray(grey[y : y + 256, x : x + 256], np.float32)


def decibels(image: np.ndarray, truth: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((image - truth) ** 2)))


def total_variation(noisy: np.ndarray, truth: np.ndarray, sigma: float) -> np.ndarray:
    """The best of eight weights, chosen with the truth at hand."""
    from skimage.restoration import denoise_tv_chambolle

    tried = (denoise_tv_chambolle(noisy, w * sigma, eps=1e-4, max_num_iter=200) for w in WEIGHTS)
    return max(tried, key=lambda image: decibels(image, truth))


def bm3d(noisy: np.ndarray, truth: np.ndarray, sigma: float) -> np.ndarray:
    """BM3D with the true noise."""
    import bm3d as package

    del truth
    return np.asarray(package.bm3d(noisy.astype(float), sigma))


def denoisers() -> dict[str, Denoiser]:
    found: dict[str, Denoiser] = {
        "denoise": lambda noisy, truth, sigma: nd.denoise(noisy),
        "denoise fast": lambda noisy, truth, sigma: nd.denoise(noisy, fast=True),
        "total variation, tuned with the truth": total_variation,
    }
    try:
        import bm3d as package  # noqa: F401
    except ImportError:
        return found
    return {**found, "BM3D, given the true noise": bm3d}


def measured(seeds: int) -> tuple[dict[str, np.ndarray], dict[str, float], list[float]]:
    """Return decibels of every case, seconds of CPU per case, and errors of the noise estimate."""
    chosen = denoisers()
    table: dict[str, list[float]] = {name: [] for name in chosen}
    spent = dict.fromkeys(chosen, 0.0)
    estimates = []
    for name in PICTURES:
        truth = clean(name)
        for sigma in SIGMAS:
            for seed in range(seeds):
                noise = nd.noise.Gaussian()(np.zeros_like(truth), sigma, seed=100 + seed)
                noisy = truth + noise
                estimates.append(nd.estimate.noise_sigma(noisy) / sigma - 1)
                for method, call in chosen.items():
                    before = time.process_time()
                    table[method].append(decibels(call(noisy, truth, sigma), truth))
                    spent[method] += time.process_time() - before
            print(name, sigma, {m: round(v[-1], 2) for m, v in table.items()}, flush=True)
    arrays = {name: np.array(values) for name, values in table.items()}
    return arrays, {m: s / len(estimates) for m, s in spent.items()}, estimates


def page(seeds: int) -> str:
    table, spent, estimates = measured(seeds)
    cases = len(estimates)
    lines = [
        "# Quality of denoising\n",
        "`make bench-quality` writes this page. Six pictures of 256² that ship with scikit-image "
        "and were kept apart when the denoiser was chosen, white Gaussian noise of "
        f"{', '.join(map(str, SIGMAS))} of the range, {seeds} seeds: {cases} cases. Decibels are "
        "`−10 log₁₀ mean (u − truth)²` for a range of 1; differences are *denoise*, or *denoise "
        "fast*, less the other, with the 95 % interval of the mean.\n",
        "| method | mean dB | *denoise*: mean | median | worst | *fast*: mean | worst | CPU ms |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, values in table.items():
        full, fast = table["denoise"] - values, table["denoise fast"] - values
        half = 1.96 * full.std(ddof=1) / np.sqrt(cases)
        cells = [
            name,
            f"{values.mean():.2f}",
            f"{full.mean():+.2f} ± {half:.2f}",
            *(f"{each:+.2f}" for each in (np.median(full), full.min(), fast.mean(), fast.min())),
            f"{1000 * spent[name]:.0f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    if "BM3D, given the true noise" not in table:
        lines.append("\nBM3D is missing: it was not installed.")
    errors = np.array(estimates)
    lines.append(
        f"\nThe noise was estimated to {100 * np.sqrt(np.mean(errors**2)):.1f} % (root mean "
        f"square), at worst {100 * np.abs(errors).max():.0f} % off. *denoise* and *denoise fast* "
        "use that estimate, the others the true number.\n"
    )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--output", type=Path, default=Path("docs/benchmarks/quality.md"))
    options = parser.parse_args()
    text = page(options.seeds)
    options.output.write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    main()
