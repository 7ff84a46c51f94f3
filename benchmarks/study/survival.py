"""Feature survival: what was predicted on a noisy image, beside what was measured with the truth.

What is measured: spots are put into the clean image, before fresh noise, at other places, and the
recipe runs as it was resolved for the prediction. Where spots lie, how much of them is kept and
which are found is computed here once more, apart from the study's own code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import napari_diffusion as nd
from benchmarks.study.cases import NAMES, RECIPES, SIGMAS, Case, cases

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES = (0.7, 1.5, 3.0)
CONTRASTS = (0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)
FALSE_RATE = 10.0

# Spots of each size and contrast that are measured, and the distance between two in pixels.
COUNT, PITCH = 96, 44

# Width of the Gaussian mean that gives the local strength of scores, in pixels.
LOCAL = 20.0


@dataclass(frozen=True)
class Spots:
    """Spots in one image: their places, and which size and contrast each has."""

    places: Any
    sizes: Any
    contrasts: Any

    def light(self, shape: tuple[int, ...], sigma: float) -> Any:
        """Return the spots alone."""
        made = np.zeros(shape)
        for place, size, contrast in zip(self.places, self.sizes, self.contrasts, strict=True):
            where, spot = spot_at(place, size, shape)
            made[where] += contrast * sigma * spot
        return made.astype(np.float32)


def spot_at(place: Any, size: float, shape: tuple[int, ...]) -> tuple[Any, Any]:
    """Return the window around a place, and a Gaussian of height 1 in it."""
    reach = int(4 * size + 2)
    where = tuple(
        slice(max(round(p) - reach, 0), min(round(p) + reach + 1, n))
        for p, n in zip(place, shape, strict=True)
    )
    y, x = (np.arange(part.start, part.stop) - p for part, p in zip(where, place, strict=True))
    return where, np.exp(-(y[:, None] ** 2 + x[None, :] ** 2) / (2 * size**2))


def dealt(shape: tuple[int, ...]) -> Iterator[Spots]:
    """Yield spots until there are enough of each size and contrast."""
    random = np.random.default_rng(77)
    pairs = [(size, contrast) for size in SIZES for contrast in CONTRASTS]
    deck = np.concatenate([random.permutation(len(pairs)) for _ in range(COUNT)])
    while len(deck):
        first = 14 + random.random(2) * 10
        ticks = [np.arange(f, n - 14, PITCH) for f, n in zip(first, shape, strict=True)]
        places = np.stack(np.meshgrid(*ticks, indexing="ij"), -1).reshape(-1, 2)
        places = places + random.uniform(-4, 4, places.shape)
        here, deck = deck[: len(places)], deck[len(places) :]
        sizes, contrasts = np.array([pairs[k] for k in here]).T
        yield Spots(places[: len(here)], sizes, contrasts)


def measured_spots(case: Case) -> tuple[dict[Any, list[float]], dict[Any, list[bool]]]:
    """Return how much of each spot is kept and whether it is found, by size and contrast.

    Found is what stands out of the noise that the recipe leaves at the place: of the results on
    the ground truth with fresh noise, what differs from their mean.
    """
    groups = list(dealt(case.truth.shape))
    noises = [case.fresh(k) for k in range(len(groups))]
    # What the recipe adds itself is noise in its results too.
    recipes = [case.recipe.replaced(seed=case.recipe.seed + 1 + k) for k in range(len(groups))]
    without = np.array([
        nd.run(case.truth + noise, recipe).image
        for noise, recipe in zip(noises, recipes, strict=True)
    ])  # fmt: skip
    left = (without - without.mean(axis=0)) * np.sqrt(len(groups) / (len(groups) - 1))
    detectors = {size: detector(left, size) for size in SIZES}
    kept: dict[Any, list[float]] = {(r, c): [] for r in SIZES for c in CONTRASTS}
    found: dict[Any, list[bool]] = {key: [] for key in kept}
    for k, spots in enumerate(groups):
        light = spots.light(case.truth.shape, case.sigma)
        seen = nd.run(case.truth + light + noises[k], recipes[k]).image - without[k]
        scores = {size: nd.analysis.Blobs(size).scores(seen + left[k]) for size in SIZES}
        for place, r, c in zip(spots.places, spots.sizes, spots.contrasts, strict=True):
            where, spot = spot_at(place, r, case.truth.shape)
            kept[r, c].append(float((seen[where] * spot).sum() / (spot**2).sum() / c / case.sigma))
            y, x = np.rint(place).astype(int)
            reach = max(round(r), 1)
            near = scores[r][y - reach : y + reach + 1, x - reach : x + reach + 1]
            level, least = detectors[r]
            found[r, c].append(bool(near.max() > least * level[y, x]))
    return kept, found


def detector(noise: Any, size: float) -> tuple[Any, float]:
    """Return the local strength of scores in noise, and which multiple gives the false rate."""
    from scipy.ndimage import gaussian_filter

    blobs = nd.analysis.Blobs(size)
    scores = [blobs.scores(each) for each in noise]
    level = np.sqrt(gaussian_filter(np.mean(np.square(scores), axis=0), LOCAL))
    places = [blobs.peaks(each) for each in noise]
    peaks = [height / level[tuple(at.astype(int).T)] for at, height in places]
    highest = np.sort(np.concatenate(peaks))[::-1]
    expected = FALSE_RATE * noise.size / 1e6
    return level, float(np.interp(expected, np.arange(len(highest)) + 0.5, highest))


def limit(shares: Any, contrasts: Any) -> float | None:
    """Return the contrast at which half is found, between those tried; None outside."""
    from scipy.optimize import isotonic_regression

    rising = isotonic_regression(np.asarray(shares, float)).x
    if rising[0] >= 0.5 or rising[-1] < 0.5:
        return None
    k = int(np.argmax(rising >= 0.5))
    part = (0.5 - rising[k - 1]) / (rising[k] - rising[k - 1])
    low, high = np.log(contrasts[k - 1 : k + 1])
    return float(np.exp(low + part * (high - low)))


def measured(seeds: int) -> dict[str, Any]:
    """Return one row for each case, size and contrast, and one for each case and size."""
    kept_rows, limit_rows = [], []
    for case in cases(seeds):
        study = nd.analysis.feature_survival(
            case.noisy, case.recipe, kinds=("spot",), sizes=SIZES, contrasts=CONTRASTS,
            false_rate=FALSE_RATE,
        )  # fmt: skip
        kept, found = measured_spots(case)
        key = [case.name, case.recipe_name, case.sigma]
        noise = float(np.median([cell.intensity / cell.contrast for cell in study.cells]))
        for cell in study.cells:
            real = kept[cell.size, cell.contrast]
            kept_rows.append([*key, cell.size, cell.contrast, cell.kept, float(np.mean(real))])
        for size in SIZES:
            shares = [float(np.mean(found[size, c])) for c in CONTRASTS]
            told = next(
                each for each in study.limits_of_detection
                if each.size == size and each.share == 0.5
            )  # fmt: skip
            # Contrasts are multiples of the noise as the study measured it.
            real_limit, factor = limit(shares, CONTRASTS), noise / case.sigma
            shown = None if told.contrast is None else told.contrast * factor
            limit_rows.append([*key, size, shown, real_limit, told.text])
        errors = [abs(row[5] - row[6]) for row in kept_rows if row[:3] == key]
        print(
            *key, f"kept {np.median(errors):.3f}", [row[4:] for row in limit_rows[-3:]], flush=True
        )
    return {"kept": kept_rows, "limits": limit_rows}


def lines(values: dict[str, Any]) -> list[str]:
    """Return the section of the page."""
    errors = np.array([abs(row[5] - row[6]) for row in values["kept"]])
    known = [row for row in values["limits"] if row[4] is not None and row[5] is not None]
    apart = np.array([abs(row[4] / row[5] - 1) for row in known])
    outside = [row for row in values["limits"] if row[4] is None and row[5] is None]
    one = len(values["limits"]) - len(known) - len(outside)
    head = [
        "## Feature survival",
        "",
        f"{len(NAMES)} images × {len(SIGMAS)} noises × {len(RECIPES)} recipes; spots of radius "
        f"{', '.join(map(str, SIZES))} pixels at {len(CONTRASTS)} contrasts from {CONTRASTS[0]} to "
        f"{CONTRASTS[-1]} σ. *Predicted*: on the noisy image alone, 24 runs at most. *Measured*: "
        f"{COUNT} spots of each kind in the clean image, before fresh noise, at other places.",
        "",
        f"Kept contrast, predicted minus measured: median of the absolute error "
        f"**{np.median(errors):.3f}**, 90 % of {len(errors)} cells below "
        f"{np.quantile(errors, 0.9):.3f}.",
        "",
        f"Limit of detection (50 %): median of the relative error "
        f"**{100 * np.median(apart):.1f} %**, 90 % of {len(apart)} limits below "
        f"{100 * np.quantile(apart, 0.9):.0f} %. In "
        f"{len(outside)} cases both say that it is outside the contrasts tried, in {one} only one "
        "does.",
        "",
        "| recipe | kept: median error | limit: median error | spots of 0.7 px at 4 σ: kept, "
        "predicted, measured |",
        "|---|--:|--:|--:|",
    ]  # fmt: skip
    for recipe in RECIPES:
        cells = [row for row in values["kept"] if row[1] == recipe]
        limits = [row for row in known if row[1] == recipe]
        small = [row for row in cells if row[3] == 0.7 and row[4] == 4.0]
        head.append(
            f"| {recipe} | {np.median([abs(r[5] - r[6]) for r in cells]):.3f} | "
            f"{100 * np.median([abs(r[4] / r[5] - 1) for r in limits]):.1f} % | "
            f"{np.mean([r[5] for r in small]):.2f}, {np.mean([r[6] for r in small]):.2f} |"
        )
    return [*head, ""]
