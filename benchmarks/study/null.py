"""Null test: the 95 % intervals of its rates, beside the rates of many more blanks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import napari_diffusion as nd
from benchmarks.study.cases import RECIPES, share

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_diffusion.analysis import Detector

# Intensity of the background, and the size of images.
LEVEL, SIDE = 0.4, 256

# Blanks that give the long-run rate: five megapixels.
LONG = 80

# Photons: the intensity of one, for noise of 0.08 at an intensity of 0.5.
GAIN = 0.08**2 / 0.5


def scene() -> Any:
    """Return a background with brighter discs on a third of it, at whose edges nothing is sharp."""
    from scipy.ndimage import gaussian_filter

    random = np.random.default_rng(3)
    y, x = np.mgrid[:SIDE, :SIDE]
    made = np.full((SIDE, SIDE), LEVEL)
    for _ in range(22):
        cy, cx, r = *random.uniform(0, SIDE, 2), random.uniform(8, 26)
        made[(y - cy) ** 2 + (x - cx) ** 2 < r**2] = random.uniform(0.5, 0.9)
    return gaussian_filter(made, 1.0)


def noises() -> dict[str, Callable[[Any, int], Any]]:
    """Return what adds each kind of noise to an image, from a seed."""

    def gaussian(sigma: float) -> Callable[[Any, int], Any]:
        return lambda image, seed: np.random.default_rng(seed).normal(image, sigma)

    def photons(image: Any, seed: int) -> Any:
        return GAIN * np.random.default_rng(seed).poisson(image / GAIN)

    return {"white, 0.04": gaussian(0.04), "white, 0.15": gaussian(0.15), "photons": photons}


def detectors(sd: float) -> dict[str, Detector | None]:
    """Return detectors for results of pure noise with this standard deviation."""
    return {
        "default": None,
        "threshold": nd.analysis.Threshold(LEVEL + 4 * sd),
        "blobs": nd.analysis.Blobs(1.5, 5 * sd),
    }


def measured(seeds: int) -> dict[str, Any]:
    """Return a row for each recipe, noise, detector and image: rate, interval, long-run rate."""
    rows = []
    blank = np.full((SIDE, SIDE), LEVEL)
    for recipe_name, recipe in RECIPES.items():
        for noise_name, noisy in noises().items():
            images = [noisy(scene(), k).astype(np.float32) for k in range(3 * seeds)]
            chosen = recipe.resolved(images[0])
            results = [
                nd.run(noisy(blank, 1000 + k).astype(np.float32),
                       chosen.replaced(seed=k)).image
                for k in range(LONG)
            ]  # fmt: skip
            sd = float(np.std(results))
            for name, detector in detectors(sd).items():
                for seed, image in enumerate(images):
                    found = nd.analysis.null_test(image, chosen, detector=detector, seed=seed)
                    step, looked = found.steps[-1], found.detector
                    count = sum(len(looked.objects(each)) for each in results)
                    rate = count / (LONG * SIDE**2 / 1e6)
                    rows.append([
                        recipe_name, noise_name, name, step.rate, step.rate_low, step.rate_high,
                        rate, count, found.fits,
                    ])  # fmt: skip
                    print(*rows[-1], flush=True)
    return {"rows": rows}


def lines(values: dict[str, Any]) -> list[str]:
    """Return the section of the page."""
    rows = values["rows"]
    held = [low <= rate <= high for _, _, _, _, low, high, rate, _, _ in rows]
    made = [
        "## Null test",
        "",
        f"Images of {SIDE}² of discs on a background, with white noise and photons; the recipes as "
        "resolved on them, the noise measured. False objects are counted by the default detector, "
        "a threshold of 4 standard deviations of the result, and blobs. The interval of the rate "
        f"against the rate in {LONG} blanks with the true noise, {LONG * SIDE**2 / 1e6:.1f} "
        "megapixels: it held in "
        f"**{share(sum(held), len(held))}**. The noise model was found to fit in "
        f"{share(sum(row[-1] for row in rows), len(rows))}.",
        "",
        "| recipe | " + " | ".join(detectors(1.0)) + " |",
        "|---|" + "--:|" * len(detectors(1.0)),
    ]
    for recipe in RECIPES:
        cells = []
        for name in detectors(1.0):
            these = [row for row in rows if row[0] == recipe and row[2] == name]
            rates = [row[6] for row in these]
            passed = sum(row[4] <= row[6] <= row[5] for row in these)
            cells.append(f"{min(rates):.0f} … {max(rates):.0f}; {passed} of {len(these)}")
        made.append(f"| {recipe} | {' | '.join(cells)} |")
    return [*made, "", "Long-run rates per megapixel, and how often the interval held.", ""]
