"""How well the noise is measured."""

from __future__ import annotations

from typing import Any

import numpy as np

import napari_diffusion as nd
from benchmarks.quality.cases import white


def measured(seeds: int) -> dict[str, Any]:
    """Return the relative errors of the standard deviation of white noise, by image."""
    errors: dict[str, list[float]] = {}
    for case in white(max(seeds, 4)):
        error = nd.estimate.noise_sigma(case.noisy) / case.strength - 1
        errors.setdefault(case.name, []).append(float(error))
    return errors


def lines(found: dict[str, Any]) -> list[str]:
    every = np.concatenate([np.array(values) for values in found.values()])
    worst = max(found, key=lambda name: np.abs(found[name]).max())
    return [
        "## The noise itself\n",
        f"White noise on the grey images, {len(every)} cases: the standard deviation was found "
        f"to {100 * np.sqrt(np.mean(every**2)):.1f} % (root mean square), the median error was "
        f"{100 * np.median(np.abs(every)):.1f} %, the worst "
        f"{100 * np.abs(every).max():.1f} % (on {worst}).\n",
    ]
