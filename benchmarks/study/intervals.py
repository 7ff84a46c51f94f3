"""Prediction intervals: how often the ground truth, and a repeat, lies within them."""

from __future__ import annotations

from typing import Any

import numpy as np

import napari_diffusion as nd
from benchmarks import images
from benchmarks.study.cases import RECIPES, SIGMAS, white

COVERAGE = 0.9
SIDE = 256

# Smaller images have too few blocks.
LEAST = 100


def measured(seeds: int) -> dict[str, Any]:
    """Return a row for each image, noise and recipe."""
    rows = []
    for name in images.reported(SIDE, LEAST):
        truth = images.middle(name, SIDE)
        for sigma in SIGMAS:
            for seed in range(seeds):
                noisy, second, third = (
                    truth + white(truth.shape, sigma, 300 + 3 * seed + k) for k in range(3)
                )
                for recipe_name, recipe in RECIPES.items():
                    row = _row(noisy, second, third, truth, recipe)
                    rows.append([name, sigma, recipe_name, *row])
                    print(*rows[-1], flush=True)
    return {"rows": rows}


def _row(noisy: Any, second: Any, third: Any, truth: Any, recipe: nd.Recipe) -> list[Any]:
    """Return coverage and width of the interval and of the constant one, and that of a repeat."""
    # The noise is white here, however an image's own texture looks.
    free = nd.analysis.prediction_interval(noisy, recipe, of="noise-free", reference=truth,
                                           coverage=COVERAGE, white=True)  # fmt: skip
    repeat = nd.analysis.prediction_interval(noisy, recipe, of="repeat", second=second,
                                             coverage=COVERAGE)  # fmt: skip
    inside = (repeat.low <= third) & (third <= repeat.high)
    return [
        free.coverage_measured,
        free.constant_coverage,
        free.mean_width / free.constant_width,
        float(inside.mean()),
        repeat.mean_width / repeat.constant_width,
    ]


def lines(values: dict[str, Any]) -> list[str]:
    """Return the section of the page."""
    rows = values["rows"]
    table = np.array([row[3:] for row in rows], float)
    means = table.mean(axis=0)
    found = len({row[0] for row in rows})
    made = [
        "## Prediction intervals",
        "",
        f"{found} images of at most {SIDE}² × {len(SIGMAS)} noises × {len(RECIPES)} recipes; the "
        f"noise is measured; nominal coverage {100 * COVERAGE:.0f} %.",
        "",
        f"*For the noise-free value* the interval held the ground truth in "
        f"**{100 * means[0]:.1f} %** of the pixels on average; of single cases 5 % were below "
        f"{100 * np.quantile(table[:, 0], 0.05):.0f} % and 5 % above "
        f"{100 * np.quantile(table[:, 0], 0.95):.0f} %. An interval of constant width held it in "
        f"{100 * means[1]:.1f} %; the local one was {means[2]:.2f} × as wide on average.",
        "",
        f"*For a repeat acquisition* the interval, set on a second one, held a third one in "
        f"**{100 * means[3]:.1f} %** ({100 * table[:, 3].min():.1f} … "
        f"{100 * table[:, 3].max():.1f}); it was {means[4]:.3f} × as wide as the constant one.",
        "",
        "| recipe | noise-free: coverage | width to constant | repeat: coverage |",
        "|---|--:|--:|--:|",
    ]
    for recipe in RECIPES:
        cells = table[[row[2] == recipe for row in rows]].mean(axis=0)
        made.append(
            f"| {recipe} | {100 * cells[0]:.1f} % | {cells[2]:.2f} | {100 * cells[3]:.1f} % |"
        )
    return [*made, ""]
