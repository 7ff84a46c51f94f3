"""Removed structure: alarms where only noise was removed, and where a filter was too strong."""

from __future__ import annotations

from typing import Any

import numpy as np

import napari_diffusion as nd
from benchmarks import images
from benchmarks.study.cases import NAMES, RECIPES, SIDE, SIGMAS, cases, share, white

RATE = 0.05

# Highest frequency of the scenes in cycles per pixel, how many there are, and their side.
CUT, SCENES, SCENE_SIDE = 0.12, 240, 256


def projected(image: Any) -> Any:
    """Return an image without the frequencies above CUT: an exact projection."""
    y, x = (np.fft.fftfreq(n) for n in image.shape)
    kept = np.hypot(y[:, None], x[None, :]) <= CUT
    return np.fft.ifft2(np.fft.fft2(image.astype(np.float64)) * kept).real


def scene(kind: str, seed: int) -> Any:
    """Return an image without frequencies above CUT, from 0.2 to 0.8."""
    random = np.random.default_rng(seed)
    made = np.zeros((SCENE_SIDE, SCENE_SIDE))
    y, x = np.mgrid[:SCENE_SIDE, :SCENE_SIDE]
    if kind == "random field":
        f = np.hypot(*np.meshgrid(*[np.fft.fftfreq(SCENE_SIDE)] * 2))
        spectrum = np.fft.fft2(random.normal(size=made.shape))
        made = np.fft.ifft2(spectrum / np.maximum(f, 1 / SCENE_SIDE)).real
    elif kind == "discs":
        for _ in range(25):
            cy, cx, r = *random.uniform(0, SCENE_SIDE, 2), random.uniform(5, 40)
            made[(y - cy) ** 2 + (x - cx) ** 2 < r**2] = random.uniform(0, 1)
    elif kind == "photograph":
        name = NAMES[seed // len(KINDS) % len(NAMES)]
        made = images.middle(name, SCENE_SIDE).astype(np.float64)
    made = projected(made)
    return 0.2 + 0.6 * (made - made.min()) / max(float(np.ptp(made)), 1e-9)


KINDS = ("random field", "discs", "photograph", "flat")


def with_noise(truth: Any, sigma: float, photons: bool, seed: int) -> Any:
    """Return a scene with white noise, or with photon noise as strong at 0.5."""
    if not photons:
        return (truth + white(truth.shape, sigma, seed)).astype(np.float32)
    gain = sigma**2 / 0.5
    return (gain * np.random.default_rng(seed).poisson(truth / gain)).astype(np.float32)


def false_alarms(count: int) -> list[list[Any]]:
    """Return a row for each scene of which exactly the noise above CUT was removed."""
    rows = []
    recipe = nd.filters.Custom(projected)
    for seed in range(count):
        kind, photons = KINDS[seed % 4], seed // 4 % 2 == 1
        sigma = SIGMAS[seed // 8 % 3]
        noisy = with_noise(scene(kind, seed), sigma, photons, 5000 + seed)
        found = nd.analysis.removed_structure(noisy, recipe, false_alarm_rate=RATE, seed=seed)
        rows.append([kind, photons, sigma, found.removed, found.noise_fit.fits])
        print(*rows[-1], flush=True)
    return rows


def too_strong(sigma: float) -> dict[str, nd.Recipe]:
    """Return recipes that smooth more than noise of this strength needs."""

    def once(chosen: Any) -> nd.Recipe:
        return nd.Recipe(num_steps=1, noise=None, diffusion_filter=chosen)

    return {
        "Gaussian, 2 pixels": once(nd.filters.Gaussian(2.0)),
        "total variation, weight 4 σ": once(nd.filters.TotalVariation(4 * sigma)),
        "reaction diffusion, noise × 2": once(nd.filters.ReactionDiffusion(noise_sigma=2 * sigma)),
    }


def power(seeds: int) -> list[list[Any]]:
    """Return a row for each image and recipe: the alarm, and how much structure was removed."""
    rows = []
    for case in cases(seeds):
        rows.append(_row(case, case.recipe_name, case.recipe, False))
        if case.recipe_name == next(iter(RECIPES)):
            rows += [_row(case, *item, True) for item in too_strong(case.sigma).items()]
    return rows


def _row(case: Any, name: str, recipe: nd.Recipe, strong: bool) -> list[Any]:
    found = nd.analysis.removed_structure(case.noisy, recipe, false_alarm_rate=RATE)
    results = [nd.run(case.truth + case.fresh(k), found.recipe).image for k in range(4)]
    lost = float(np.sqrt(np.mean((np.mean(results, axis=0) - case.truth) ** 2))) / case.sigma
    row = [case.name, case.sigma, name, strong, found.removed, lost]
    print(*row, flush=True)
    return row


def measured(seeds: int) -> dict[str, Any]:
    """Return the rows of both parts."""
    return {"noise": false_alarms(SCENES * seeds), "structure": power(seeds)}


def lines(values: dict[str, Any]) -> list[str]:
    """Return the section of the page."""
    alarms = [row[3] for row in values["noise"]]
    made = [
        "## Removed structure",
        "",
        f"*Only noise was removed*: {len(alarms)} scenes of {SCENE_SIDE}² without frequencies "
        f"above {CUT} cycles per pixel (random fields, discs, photographs, flat; white and photon "
        f"noise, three strengths), and as the filter the projection onto these frequencies: what "
        f"it leaves has the structure of the ground truth. At a stated false-alarm rate of "
        f"{100 * RATE:.0f} % there were alarms in **{share(sum(alarms), len(alarms))}**.",
        "",
        f"*Structure was removed*: {len(NAMES)} images of {SIDE}² × {len(SIGMAS)} noises. *Lost* "
        "is the root mean square of the ground truth minus the mean result over four noises, in "
        "multiples of the noise: what the filter removes of the structure, and blurs.",
        "",
        "| recipe | alarms | lost where alarmed | lost elsewhere |",
        "|---|--:|--:|--:|",
    ]
    for name in dict.fromkeys(row[2] for row in values["structure"]):
        rows = [row for row in values["structure"] if row[2] == name]
        yes, no = ([row[5] for row in rows if row[4] is here] for here in (True, False))
        cells = [f"{np.median(each):.2f} σ" if each else "–" for each in (yes, no)]
        strong = ", too strong" if rows[0][3] else ""
        made.append(f"| {name}{strong} | {share(len(yes), len(rows))} | {' | '.join(cells)} |")
    return [*made, ""]
