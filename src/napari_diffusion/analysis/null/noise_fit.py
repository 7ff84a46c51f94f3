"""Whether simulated noise is the noise that an image shows where it is flattest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.analysis.fresh_noise import (
    background_levels,
    blank,
    fresh_variance,
)
from napari_diffusion.analysis.measured_run import middle_of
from napari_diffusion.estimate import finding_text
from napari_diffusion.estimate.finding import DESCRIBING, serious
from napari_diffusion.estimate.noise_measurement import LIVELIER, of_image, windows_of
from napari_diffusion.estimate.window_spectrum import FINE, LIVELY, summary

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.analysis.source_noise import SourceNoise
    from napari_diffusion.core.image import Image
    from napari_diffusion.estimate import NoiseModel

# Standard deviations may differ by this factor, and by a share of texture that passes for noise.
_STRONGER, _WEAKER = 1.25, 0.8

# What says nothing against a noise: too little was seen to tell.
_NEUTRAL = (*DESCRIBING, "alike", "few windows", "rows", "columns")

# A pixel is an impulse if it is so many σ from the mean of the 5 × 5 around it, where these vary
# by no more than this factor beyond the noise.
_IMPULSE, _CALM, _SIDE = 6.0, 1.4, 5

# Impulses that speak against a noise: so many, and this share of the flat pixels.
_FEWEST_IMPULSES, _IMPULSES = 5, 1e-4

# How much more than by chance the variance may differ between windows; fewer do not tell.
_UNEVEN, _FEWEST_WINDOWS = 0.25, 200


def misfits(image: Image, noise: SourceNoise) -> tuple[str, ...]:
    """Return what in an image speaks against its noise being that which is simulated, in words.

    The noise is measured in the flattest windows of the image and of a simulated blank alike: what
    it shows there must be what it shows here. Besides, isolated pixels far from all around them,
    and windows whose variance differs by more than chance allows, speak against it.
    """
    levels = background_levels(image)
    simulated = image.with_data(blank(image, noise))
    found: list[str] = []
    for c, (real, drawn) in enumerate(zip(middle_of(image), middle_of(simulated), strict=True)):
        try:
            seen, expected = of_image(real, None), of_image(drawn, None)
        except ValueError as error:
            found.append(f"Whether the noise fits the image could not be told. {error}")
            continue
        found += [
            finding_text(each)
            for each in serious(seen.findings, _NEUTRAL)
            if expected.finding(each.name) is None
        ]
        found += _strength(noise, c, seen, expected, levels[c])
        found += _impulses(real, noise, c)
        found += _uneven(real, seen, drawn, expected)
    return tuple(dict.fromkeys(found))


def _strength(
    noise: SourceNoise, c: int, seen: NoiseModel, expected: NoiseModel, level: float
) -> list[str]:
    """Return where the noise of the image is stronger or weaker than the simulated one."""
    if seen.sigma == 0 and expected.sigma == 0:
        return []
    at = np.array([level, *np.quantile(seen.levels, (0.1, 0.9))])
    drawn = fresh_variance(noise, c, at)
    # What the measurement makes of the noise that was drawn, such as of correlated noise.
    share = expected.sigma**2 / max(float(drawn[0]), 1e-300)
    ratios = np.sqrt(seen.variance_at(at) / np.maximum(share * drawn, 1e-300))
    worst = int(np.argmax(np.abs(np.log(np.maximum(ratios, 1e-300)))))
    if _WEAKER < ratios[worst] < _STRONGER:
        return []
    side = "stronger" if ratios[worst] > 1 else "weaker"
    return [
        f"Where the image is flattest, at intensity {at[worst]:.4g}, its noise is {side} than the "
        f"simulated one, by the factor {ratios[worst]:.2g}."
    ]


def _impulses(image: Image, noise: SourceNoise, c: int) -> list[str]:
    """Return that single pixels are far from all around them."""
    from scipy import ndimage

    count, flat = 0, 0
    others = _SIDE**2 - 1
    for plane, inside in windows_of(image).planes():
        values = np.asarray(plane, np.float64)
        values = values - values.mean()
        around = ndimage.uniform_filter(values, _SIDE) * (others + 1) - values
        squares = ndimage.uniform_filter(values**2, _SIDE) * (others + 1) - values**2
        mean = around / others
        expected = fresh_variance(noise, c, mean + np.asarray(plane, np.float64).mean())
        calm = (squares - others * mean**2) / (others - 1) < _CALM * expected
        calm &= True if inside is None else np.asarray(inside)
        far = (values - mean) ** 2 > _IMPULSE**2 * expected
        count += int(np.count_nonzero(calm & far))
        flat += int(np.count_nonzero(calm))
    if count < max(_FEWEST_IMPULSES, _IMPULSES * flat):
        return []
    return [
        f"{count} single pixels of flat parts are more than {_IMPULSE:g} σ from all around them: "
        "impulses, hot pixels or objects of one pixel, which the simulated noise does not have."
    ]


def _uneven(image: Image, seen: NoiseModel, blank: Image, expected: NoiseModel) -> list[str]:
    """Return that the noise of flat windows differs by more than chance, at the same intensity."""
    excess, count = _dispersion(image, seen)
    usual, _ = _dispersion(blank, expected)
    if count < _FEWEST_WINDOWS or excess < usual + _UNEVEN + 3 * np.sqrt(8 / count):
        return []
    return [
        "The noise differs from place to place by more than the simulated one does (its variance "
        f"in flat windows varies {excess / max(usual, 1e-9):.2g} times as much): it is uneven, or "
        "has strong outliers."
    ]


def _dispersion(image: Image, model: NoiseModel) -> tuple[float, int]:
    """Return the variance of the windows' variances by that of chance, and of how many windows."""
    windows = windows_of(image)
    table = summary(windows)
    expected = np.maximum(model.variance_at(table[:, 0]), 1e-300)
    activity = table[:, 1] / expected
    if not len(activity):
        return 1.0, 0
    calm = activity <= max(LIVELIER * LIVELY.sum(), float(np.quantile(activity, 0.05)))
    ratios: NDArray[Any] = table[calm, 2] / expected[calm]
    chance = 2 / FINE.sum() * float(ratios.mean()) ** 2
    return float(ratios.var()) / max(chance, 1e-300), int(calm.sum())
