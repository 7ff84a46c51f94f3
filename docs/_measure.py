"""What the added noise does to an image of known ground truth, next to the noise-free run.

The noise-free run is the same recipe with the noise switched off. Run this file to print the
table.
"""

from __future__ import annotations

import functools
from dataclasses import MISSING, dataclass
from typing import TYPE_CHECKING, Any

import _example_images
import numpy as np

import napari_diffusion as nd
from napari_diffusion.filters import FILTERS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.filters import Filter

#: Standard deviation of the noise that the images have before the loop adds its own.
SIGMA = 0.1
SEEDS = (0, 1, 2)
NUM_STEPS = 10
SIZE = 192


@dataclass(frozen=True)
class Result:
    """One filter on one image; PSNR in dB after each step, that of the loop as mean over seeds."""

    image: str
    filter: str
    before: float
    noise_free_run: NDArray[Any]
    loop: NDArray[Any]

    @property
    def at_best(self) -> float:
        """Effect of the noise, each run stopped at its own best step."""
        return float(self.loop.max() - self.noise_free_run.max())

    @property
    def at_end(self) -> float:
        """Effect of the noise after the last step."""
        return float(self.loop[-1] - self.noise_free_run[-1])


def example_images() -> dict[str, NDArray[Any]]:
    """Return images without noise, from 0 to 1."""
    from skimage import data

    return {
        "camera": _cut(data.camera(), 40, 130),
        "astronaut": _cut(data.astronaut().mean(axis=-1), 20, 130),
        "coins": _cut(data.coins(), 40, 40),
    }


def _cut(image: NDArray[Any], y: int, x: int) -> NDArray[Any]:
    return (image[y : y + SIZE, x : x + SIZE] / 255).astype(np.float32)


def psnr(image: NDArray[Any], truth: NDArray[Any]) -> float:
    """Return the peak signal-to-noise ratio in dB, for a range from 0 to 1."""
    return float(-10 * np.log10(np.mean((image.astype(float) - truth) ** 2)))


@functools.cache
def results() -> tuple[Result, ...]:
    """Run every filter of the registry on every image, with the noise and without."""
    return tuple(
        _result(name, truth, chosen)
        for name, truth in example_images().items()
        for chosen in FILTERS
        if all(parameter.default is not MISSING for parameter in chosen.parameters())
    )


def _result(name: str, truth: NDArray[Any], chosen: type[Filter]) -> Result:
    source = nd.noise.Gaussian()(truth, noise_scale=SIGMA, seed=99)
    recipe = nd.PRESETS["explore"].replaced(num_steps=NUM_STEPS, starting_noise_scale="auto")
    own = type(recipe.diffusion_filter) is chosen
    if not own:
        recipe = recipe.replaced(diffusion_filter=chosen())
    recipe = recipe.resolved(source)

    def curve(changed: nd.Recipe) -> NDArray[Any]:
        return np.array([psnr(step.image, truth) for step in nd.steps(source, changed)][:-1])

    loops = [curve(recipe.replaced(seed=seed)) for seed in SEEDS]
    noise_free_run = curve(recipe.replaced(noise=None))
    title = chosen.display_name + " (the preset's own)" * own
    return Result(name, title, psnr(source, truth), noise_free_run, np.mean(loops, axis=0))


def table() -> str:
    """Return the results as a table, and a summary sentence."""
    rows = [
        "| image | filter | source | best noise-free | best noisy | difference | at the end |",
        "|---|---|---|---|---|---|---|",
    ]
    rows += [
        f"| {r.image} | {r.filter} | {r.before:.1f} | {_best(r.noise_free_run)} | {_best(r.loop)} "
        f"| {r.at_best:+.2f} | {r.at_end:+.2f} |"
        for r in results()
    ]
    return "\n".join(rows) + f"\n\n{_verdict()}\n"


def _best(curve: NDArray[Any]) -> str:
    return f"{curve.max():.1f}\u00a0in\u00a0step\u00a0{curve.argmax()}"


def _verdict() -> str:
    changes = [r.at_best for r in results()]
    lowered = sum(change < 0 for change in changes)
    return (
        f"In {lowered} of these {len(changes)} cases the noise lowered the best PSNR, on average "
        f"over all by {-np.mean(changes):.2f} dB."
    )


def spread_of_linear(chosen: Filter, steps: int = NUM_STEPS) -> tuple[float, float]:
    """Return the mean squared error due to the noise under a linear filter: theory, measured.

    The noise of step k passes through the filter num_steps − k times, so the variance that is left
    of it is Σ noise_scale[k]² · ‖filter^(num_steps − k) of an impulse‖².
    """
    schedule = nd.PRESETS["explore"].schedule
    scales = schedule(SIGMA, steps)
    impulse = np.zeros((129, 129), np.float64)
    impulse[64, 64] = 1.0
    recipe = nd.Recipe(steps, SIGMA, None, schedule, chosen)
    energy = [float(np.sum(step.image**2)) for step in nd.steps(impulse, recipe)][:-1]
    theory = sum(scale**2 * energy[steps - 1 - k] for k, scale in enumerate(scales))

    flat = np.zeros((512, 512), np.float32)
    noisy = nd.run(flat, recipe.replaced(noise=nd.noise.Gaussian()))
    return theory, float(np.mean(noisy.image.astype(float) ** 2))


def linear_sentence() -> str:
    """Compare theory and measurement for every filter that claims to be linear."""
    parts = []
    for chosen in FILTERS:
        if chosen.linear:
            theory, measured = spread_of_linear(chosen())
            parts.append(f"{chosen.display_name} {theory:.3e} by theory, {measured:.3e} measured")
    return "; ".join(parts) + "."


@functools.cache
def beside() -> tuple[list[tuple[str, str]], dict[str, bytes]]:
    """Return images of one run next to its noise-free run: their captions, and their files."""
    truth = _example_images.clean()
    source = nd.noise.Gaussian()(truth, noise_scale=SIGMA, seed=99)
    recipe = nd.PRESETS["explore"].replaced(num_steps=NUM_STEPS, starting_noise_scale="auto")
    recipe = recipe.resolved(source)
    looped = [step.image for step in nd.steps(source, recipe)]
    noise_free_run = [step.image for step in nd.steps(source, recipe.replaced(noise=None))]
    shown: list[tuple[str, str]] = []
    files: dict[str, bytes] = {}
    for k in (0, 2, 5):
        trio = [("with noise", looped[k], 0, 1), ("noise-free", noise_free_run[k], 0, 1)]
        trio.append(("difference, 3×", looped[k] - noise_free_run[k], -1 / 6, 1 / 6))
        for word, image, low, high in trio:
            place = f"noise-or-not/step_{k}_{word.split(',')[0].replace(' ', '_')}.png"
            files[place] = _example_images.png(image, low, high)
            shown.append((place, f"step {k}, {word}"))
    return shown, files


if __name__ == "__main__":
    print(table())
    print(linear_sentence())
