"""The images, their noise and the recipes that the studies are tried on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import napari_diffusion as nd
from benchmarks import images

if TYPE_CHECKING:
    from collections.abc import Iterator

# Six images for reporting, of different kinds.
NAMES = ("gravel", "hubble_deep_field", "rocket", "coffee", "grass", "ascent")
SIGMAS = (0.04, 0.08, 0.15)
SIDE = 384

RECIPES = {
    "explore": nd.PRESETS["explore"],
    "edge-enhancing": nd.Recipe(
        num_steps=1, noise=None, diffusion_filter=nd.filters.EdgeEnhancing(time=2.0)
    ),
    "total variation": nd.Recipe(
        num_steps=1, noise=None, diffusion_filter=nd.filters.TotalVariation()
    ),
    "denoise fast": nd.PRESETS["denoise fast"],
}


@dataclass(frozen=True)
class Case:
    """A noisy image and a recipe resolved on it.

    Attributes
    ----------
    name, recipe_name : str
    sigma : float
        Standard deviation of the noise; intensities reach from 0 to 1.
    truth, noisy : ndarray
    recipe : Recipe
    """

    name: str
    recipe_name: str
    sigma: float
    truth: Any
    noisy: Any
    recipe: nd.Recipe

    def fresh(self, seed: int) -> Any:
        """Return another noise of the same kind."""
        return white(self.truth.shape, self.sigma, 10_000 + seed)


def white(shape: tuple[int, ...], sigma: float, seed: int) -> Any:
    """Return white Gaussian noise."""
    return (sigma * np.random.default_rng(seed).normal(size=shape)).astype(np.float32)


def cases(seeds: int = 1) -> Iterator[Case]:
    """Yield every image with every noise and recipe."""
    for name in NAMES:
        truth = images.middle(name, SIDE)
        for sigma in SIGMAS:
            for seed in range(seeds):
                noisy = truth + white(truth.shape, sigma, seed)
                for called, recipe in RECIPES.items():
                    yield Case(name, called, sigma, truth, noisy, recipe.resolved(noisy))


def share(passed: int, total: int) -> str:
    """Return a share with its 95 % interval."""
    low, high = share_interval(passed, total)
    return f"{100 * passed / total:.1f} % ({100 * low:.1f} … {100 * high:.1f}; {passed} of {total})"


def share_interval(passed: int, total: int) -> tuple[float, float]:
    """Return the 95 % interval of a share, by Clopper and Pearson."""
    from scipy.stats import beta

    low = beta.ppf(0.025, passed, total - passed + 1) if passed else 0.0
    high = beta.ppf(0.975, passed + 1, total - passed) if passed < total else 1.0
    return float(low), float(high)
