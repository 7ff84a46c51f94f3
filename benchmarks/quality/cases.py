"""The images, their noise, and how results are compared."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import images
from benchmarks.quality.kept import kept

# Other parts of these were looked at while designs of learned filters were compared.
_SEEN = ("chelsea", "coffee", "rocket", "gravel", "page", "hubble_deep_field")

# Parts of 256² of images; nothing was tuned on them.
GREY = tuple(each.name for each in images.photographs("report") if each.name not in _SEEN)
COLOURS = ("flower", "china", "macaws", "garden", "tulips", "histo", "lab_scene")
PHOTONS = (
    "nuclear", "nuclei", "neuron", "neocortex", "macaws", "reptile_skin", "particles", "chest_xray"
)  # fmt: skip
# Few, for the filters that are tuned on each case take long.
DIFFUSED = ("macaws", "street", "reptile_skin", "histo")
SIGMAS = (0.04, 0.08, 0.15)

Denoiser = Callable[[Any, Any, float], Any]


@dataclass(frozen=True)
class Case:
    """A noisy image: its name, how strong the noise is, the ground truth and what is seen."""

    name: str
    strength: float
    truth: Any
    noisy: Any


def white(seeds: int, colour: bool = False, of: tuple[str, ...] = GREY) -> Iterator[Case]:
    """Yield images with white Gaussian noise, not clipped."""
    for name in filter(images.is_here, COLOURS if colour else of):
        truth = images.part(name, colour)
        for sigma in SIGMAS:
            for seed in range(seeds):
                noise = np.random.default_rng(100 + seed).normal(size=truth.shape)
                yield Case(name, sigma, truth, (truth + sigma * noise).astype(np.float32))


def decibels(image: Any, truth: Any) -> float:
    return float(-10 * np.log10(np.mean((np.asarray(image, np.float64) - truth) ** 2)))


def compared(
    cases: Iterator[Case],
    ways: Mapping[str, Denoiser],
    first_seed_only: frozenset[str],
    others: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """Return decibels of every case and way, and the mean seconds of CPU of each way.

    Slow ways are run on the first seed of an image and strength alone; figures of others are kept.
    """
    found: dict[str, Any] = {"cases": [], "decibels": {name: [] for name in ways}}
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for case in cases:
        key = [case.name, case.strength]
        again = key in found["cases"]
        found["cases"].append(key)
        for name, way in ways.items():
            if again and name in first_seed_only:
                found["decibels"][name].append(None)
                continue
            reached = functools.partial(_reached, way, case)
            value, seconds = kept(name, case.noisy, reached) if name in others else reached()
            spent[name].append(seconds)
            found["decibels"][name].append(value)
        shown = {name: values[-1] for name, values in found["decibels"].items()}
        print(*key, {name: v and round(v, 2) for name, v in shown.items()}, flush=True)
    found["seconds"] = {name: float(np.mean(values)) for name, values in spent.items()}
    return found


def _reached(way: Denoiser, case: Case) -> tuple[float, float]:
    """Return decibels and seconds of CPU."""
    before = time.process_time()
    image = way(case.noisy, case.truth, case.strength)
    seconds = time.process_time() - before
    return decibels(image, case.truth), seconds


def interval(differences: list[float], names: list[str]) -> tuple[float, float]:
    """Return the 95 % interval of the mean over images drawn anew, with all their cases."""
    values, of = np.array(differences), np.array(names)
    parts = [values[of == name] for name in dict.fromkeys(names)]
    random = np.random.default_rng(0)
    drawn = random.integers(len(parts), size=(4000, len(parts)))
    sums, counts = np.array([p.sum() for p in parts]), np.array([len(p) for p in parts])
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def table(found: dict[str, Any], ours: tuple[str, ...]) -> list[str]:
    """Return the rows of a table: each way, and what ours are better by."""
    head = [
        "against",
        "mean dB",
        *(f"{name}: mean (95 %), median, worst, better in" for name in ours),
    ]
    rows = [f"| {' | '.join(head)} | CPU ms |", "|---|--:|" + "--:|" * len(ours) + "--:|"]
    for name, values in found["decibels"].items():
        there = [i for i, value in enumerate(values) if value is not None]
        cells = [name, f"{np.mean([values[i] for i in there]):.2f}"]
        for own in ours:
            differences = [found["decibels"][own][i] - values[i] for i in there]
            of = [found["cases"][i][0] for i in there]
            cells.append("–" if name == own else _better_by(differences, of))
        rows.append(f"| {' | '.join(cells)} | {1000 * found['seconds'][name]:.0f} |")
    return rows


def _better_by(differences: list[float], names: list[str]) -> str:
    """Return the mean, its interval where images are many, median, worst and share above 0."""
    said = f"**{np.mean(differences):+.2f}**"
    if len(set(names)) > 1:
        low, high = interval(differences, names)
        said += f" ({low:+.2f} … {high:+.2f})"
    better = 100 * np.mean(np.array(differences) > 0)
    return f"{said}, {np.median(differences):+.2f}, {min(differences):+.2f}, {better:.0f} %"
