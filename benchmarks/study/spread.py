"""The spread over seeds: whether what is called posterior obeys the laws of one."""

from __future__ import annotations

from typing import Any

import numpy as np

import napari_diffusion as nd
from benchmarks import images
from benchmarks.study.cases import share, white

SIDE, SEEDS, STEPS = 192, 8, 30
SIGMAS = (0.05, 0.1)
COUNTS = (1, 2, 4, 8)

# How far from 1 + 1/K, from an equal spread and error, and from 90 % covered.
LAW, RATIO, COVERED = 0.15, (0.9, 1.1), (0.85, 0.95)

# Smaller images have too few pixels.
LEAST_SIDE = 128


def recipe(sigma: float) -> nd.Recipe:
    """Return the sampler, which is told the noise."""
    return nd.Recipe(
        num_steps=STEPS,
        starting_noise_scale=sigma,
        schedule=nd.schedules.Karras(end=0.1),
        diffusion_filter=nd.filters.LearnedDiffusion(noise_sigma="step"),
        update="reverse",
    )


def measured(seeds: int) -> dict[str, Any]:
    """Return a row for each image and noise."""
    rows = []
    for name in images.reported(SIDE, LEAST_SIDE):
        truth = images.middle(name, SIDE)
        for sigma in SIGMAS:
            for seed in range(seeds):
                noisy = truth + white(truth.shape, sigma, 500 + seed)
                rows.append([name, sigma, *row(truth, noisy, sigma)])
                print(*rows[-1], flush=True)
    told: Any = nd.Recipe(diffusion_filter=nd.filters.LearnedDiffusion()).resolved(noisy)
    return {"rows": rows, "weights": told.diffusion_filter.weights}


def row(truth: Any, noisy: Any, sigma: float) -> list[Any]:
    """Return the verdict, and with ground truth: the law, spread to error, and the coverage.

    Of K calibrated images the mean of k has the squared error of the mean of all, plus the variance
    of a mean of k drawn from the K.
    """
    found = nd.analysis.seed_spread(noisy, recipe(sigma), seeds=SEEDS, reference=truth, white=True)
    least = np.mean((nd.filters.LearnedDiffusion(noise_sigma=sigma)(noisy) - truth) ** 2)
    square, variance = np.mean((found.mean - truth) ** 2), np.mean(found.spread**2.0)
    figures = [(square + variance * (1 / k - 1 / SEEDS)) / least / (1 + 1 / k) for k in COUNTS]
    ratio = np.sqrt(variance / (square - found.law.variance / SEEDS))
    numbers = [found.law.ratio, *figures, ratio, found.coverage]
    return [found.verdict, *(float(each) for each in numbers)]


def holds(numbers: Any) -> bool:
    """Say whether a case obeys all laws; `numbers` as a row after its verdict."""
    _, *figures, ratio, coverage = numbers
    law = max(abs(each - 1) for each in figures) <= LAW
    return law and RATIO[0] <= ratio <= RATIO[1] and COVERED[0] <= coverage <= COVERED[1]


def lines(values: dict[str, Any]) -> list[str]:
    """Return the section of the page."""
    rows = values["rows"]
    called = [each for each in rows if each[2] == "posterior"]
    made = [
        "## Spread over seeds",
        "",
        f"{len({each[0] for each in rows})} images of at most {SIDE}² × {len(SIGMAS)} noises of "
        f"known σ, {SEEDS} seeds of reverse updates with {STEPS} steps of `LearnedDiffusion`, with "
        f"the weights *photographs* {values['weights'][:14]}. "
        "The verdict uses no ground truth; with it, a case holds if the squared error of the mean "
        "of 1, 2, 4 and 8 images, over that of the filter alone, is within "
        f"{100 * LAW:.0f} % of 1 + 1/K, the calibrated spread {RATIO[0]:g} to {RATIO[1]:g} times "
        f"the error, and {100 * COVERED[0]:.0f} to {100 * COVERED[1]:.0f} % of the pixels lie in "
        "the interval of 90 %.",
        "",
        f"- Called posterior: {share(len(called), len(rows))}; of these hold "
        f"**{share(sum(holds(each[3:]) for each in called), len(called))}**.",
    ]
    for verdict in ("sensitivity", "not tested"):
        others = [each for each in rows if each[2] == verdict]
        held = sum(holds(each[3:]) for each in others)
        made.append(f"- {verdict.capitalize()}: {len(others)}, of which {held} would have held.")
    return [*made, "", *_table(called), ""]


def _table(called: list[Any]) -> list[str]:
    made = [
        "| image | σ | spread / error, estimated | squared error of 1, over that of the law | "
        "of the mean of 8 | calibrated spread / error | 90 % covered | holds |",
        "|---|--:|--:|--:|--:|--:|--:|---|",
    ]
    for name, sigma, _, *numbers in called:
        estimated, one, *_, eight, ratio, coverage = numbers
        made.append(
            f"| {name} | {sigma:g} | {estimated:.2f} | {one:.2f} | {eight:.2f} | {ratio:.2f} | "
            f"{100 * coverage:.1f} % | {'yes' if holds(numbers) else '**no**'} |"
        )
    return made
