"""The parts of docs/learned.md: sources of weights, and images that reverse updates make."""

from __future__ import annotations

import functools
from collections import Counter
from typing import Any

import _example_images
import numpy as np

import napari_diffusion as nd

Files = dict[str, "str | bytes"]

# Pixels of a page for each pixel of a digit, the noise that digits begin with, and their mean.
_ENLARGED, _START, _MEAN = 14, 3.0, 0.3

_STEPS, _SHOWN, _SEEDS = 60, (0, 12, 20, 26, 32, 38, 46, 59), 7

_MAKING = nd.Recipe(
    num_steps=_STEPS,
    starting_noise_scale=_START,
    schedule=nd.schedules.Karras(end=0.01),
    diffusion_filter=nd.filters.GaussianMixture(noise_sigma="step"),
    update="reverse",
)

# Which of the digits is halved, and how often it is completed.
_HALVED, _HALVES = _SEEDS - 1, 5

# Steps of the restored face that are shown.
_RESTORED = (0, 8, 12, 16, 20, 29)

# Steps and seeds of the photograph.
_FEW, _SEEN, _ROUNDS = 30, (0, 10, 20, 29), 4


def sources() -> str:
    """Return the sources of the shipped photographs, images of one author in one row."""
    listed = nd.learning.about("photographs").get("learned_from", [])
    if not listed:
        return "The weights of this version do not name their sources.\n"
    groups = Counter((author, licence, package) for package, _, _, author, licence in listed)
    rows = ["| author | licence | package | images |", "|---|---|---|---|"]
    rows += [
        f"| {author} | {licence} | {package} | {count} |"
        for (author, licence, package), count in sorted(groups.items())
    ]
    return "\n".join(rows) + f"\n\n{len(listed)} images in all.\n"


def digits() -> str:
    """Return in words what the small prior was learned from, and how well it holds."""
    about = nd.learning.about("digits")
    ((package, version, _, author, licence),) = about["learned_from"]
    return (
        f"The weights *digits* are {about['gaussians']} Gaussians, learned from "
        f"{about['images']} digits of 8 × 8 pixels: {author}, {licence}, from {package} {version}. "
        "Held out, one half of a digit predicts the other with "
        f"{100 * about['explained']:.0f} % less squared error than the mean image does.\n"
    )


@functools.cache
def from_noise() -> tuple[list[tuple[str, str]], Files]:
    """Return a digit that is made from noise, step by step, and others."""
    noise, steps = _noise(), _made()
    images = {"the noise it starts with": noise[0] / _START / 4 + _MEAN}
    images |= {f"step {k}": steps[k][0] for k in _SHOWN}
    images |= {f"from other noise, {k}": steps[-1][k] for k in range(1, _SEEDS)}
    return _strip("digit", {name: _enlarged(each) for name, each in images.items()})


def _noise() -> Any:
    """Return the noise that digits are made from."""
    start = np.full((_SEEDS, 8, 8), _MEAN, np.float32)
    return nd.noise.Gaussian()(start, _START, seed=5, axes="tyx")


@functools.cache
def _made() -> list[Any]:
    """Return the steps from noise to digits."""
    return [step.image for step in nd.steps(_noise(), _MAKING, axes="tyx")]


def _enlarged(digit: Any) -> Any:
    """Return a digit as ink on paper, a square for each pixel."""
    return np.kron(1 - digit, np.ones((_ENLARGED, _ENLARGED)))


@functools.cache
def from_noisy() -> tuple[list[tuple[str, str]], Files]:
    """Return a noisy photograph on its way, other seeds, and their mean and spread."""
    noisy = _example_images.noisy()
    recipe = nd.Recipe(
        num_steps=_FEW,
        starting_noise_scale=_example_images.NOISE,
        schedule=nd.schedules.Karras(end=0.05),
        diffusion_filter=nd.filters.LearnedDiffusion(noise_sigma="step"),
        update="reverse",
    )
    steps = [step.image for step in nd.steps(noisy, recipe)]
    runs = [steps[-1], *(nd.run(noisy, recipe.replaced(seed=k)).image for k in range(1, _ROUNDS))]
    spread = np.std(runs, axis=0, ddof=1)
    images = {f"source, σ = {_example_images.NOISE}": noisy}
    images |= {f"step {k}": steps[k] for k in _SEEN}
    images |= {f"seed {k}": runs[k] for k in range(1, _ROUNDS)}
    images |= {
        f"mean of {_ROUNDS}": np.mean(runs, axis=0),
        "their spread, × 10": np.clip(10 * spread, 0, 1),
    }
    return _strip("photograph", images)


@functools.cache
def halves() -> tuple[list[tuple[str, str]], Files]:
    """Return a digit whose lower half is missing, and what it may have been."""
    whole = _made()[-1][_HALVED]
    missing = np.repeat([0.0, 1.0], 4)[:, None] * np.ones(8)
    measured = nd.measurements.Masked(noise_sigma=0.02, missing=missing)
    recipe = _MAKING.replaced(measurement=measured)
    runs = [nd.run(whole, recipe.replaced(seed=seed)).image for seed in range(_HALVES)]
    images = {"the last digit above": whole, "what was measured": whole * (1 - missing)}
    images |= {f"seed {seed}": each for seed, each in enumerate(runs)}
    images |= {f"mean of {_HALVES}": np.mean(runs, axis=0)}
    return _strip("half", {name: _enlarged(each) for name, each in images.items()})


@functools.cache
def restored() -> tuple[list[tuple[str, str]], Files]:
    """Return the damaged face on its way from noise to an image."""
    sample = nd.samples.damaged_face()
    assert sample.truth is not None
    part = (slice(44, 132), slice(34, 122))
    recipe = nd.Recipe.from_dict(sample.recipe)
    steps = [step.image for step in nd.steps(sample.image[part], recipe, missing="ignore")]
    images = {"source": np.nan_to_num(sample.image[part])}
    images |= {f"step {k}": steps[k] for k in _RESTORED}
    images |= {"ground truth": sample.truth[part]}
    return _strip("face", {name: each / sample.truth.max() for name, each in images.items()})


def _strip(kind: str, images: dict[str, Any]) -> tuple[list[tuple[str, str]], Files]:
    """Return captions and files of images."""
    shown = [(f"learned/{kind}_{n}.png", caption) for n, caption in enumerate(images)]
    files: Files = {
        place: _example_images.png(image)
        for (place, _), image in zip(shown, images.values(), strict=True)
    }
    return shown, files


#: What makes the images of each part of the page.
SHOWN = {
    "from a noisy photograph": from_noisy,
    "restored face": restored,
    "from noise": from_noise,
    "halves of a digit": halves,
}


def shown(name: str) -> str:
    """Return the text that shows the images of a part of the page."""
    return _example_images.strip(SHOWN[name]()[0])
