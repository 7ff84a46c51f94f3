"""Whether simulated noise is the noise of a background region of the image."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.analysis.fresh_noise import blank
from napari_diffusion.estimate.background import Residual, autocovariance, residuals
from napari_diffusion.estimate.noise_measurement import windows_of
from napari_diffusion.estimate.whiteness import FEWEST

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.analysis.source_noise import SourceNoise
    from napari_diffusion.core.image import Image

# Blanks that tell how much the statistics of one vary.
_BLANKS = 8

# Lags at which correlation is compared, in pixels.
_REACH = 8

# A statistic fits within so many standard deviations of the blanks, and these distances: of the
# logarithm of the standard deviation, the skewness, the kurtosis, and correlations.
_DEVIATIONS = 5.0
_STRENGTH, _SKEWNESS, _KURTOSIS, _CORRELATION = 0.08, 0.2, 0.4, 0.08


def background_misfits(
    image: Image, noise: SourceNoise, background: NDArray[np.bool_]
) -> tuple[str, ...]:
    """Return in what a background differs from simulated noise there, in words.

    Compared are standard deviation, skewness, kurtosis, and the correlation up to 8 pixels, of what
    is left without the slope that fits best.
    """
    found: list[str] = []
    if (count := int(background.sum())) < FEWEST:
        return (f"The background has {count} pixels, too few to tell whether the noise fits.",)
    for c in range(image.grid.shape[1]):
        seen = _statistics(image, background, c)
        drawn = np.array(
            [
                _statistics(image.with_data(blank(image, noise, turn)), background, c)
                for turn in range(_BLANKS)
            ]
        )
        away = seen - drawn.mean(axis=0)
        allowed = _DEVIATIONS * drawn.std(axis=0, ddof=1) + _floors(len(seen))
        found += _words(away, np.abs(away) > allowed)
    return tuple(dict.fromkeys(found))


def _floors(count: int) -> NDArray[np.float64]:
    return np.array([_STRENGTH, _SKEWNESS, _KURTOSIS] + [_CORRELATION] * (count - 3))


def _words(away: NDArray[Any], differs: NDArray[np.bool_]) -> list[str]:
    found = []
    if differs[0]:
        found.append(
            f"The background varies {np.exp(away[0]):.2g} times as much as the simulated noise (in "
            "standard deviation)."
        )
    if differs[1] or differs[2]:
        found.append(
            "The intensities of the background are distributed otherwise than the simulated noise "
            f"(skewness {away[1]:+.2g}, kurtosis {away[2]:+.2g}): clipped, impulses, or objects."
        )
    if differs[3:].any():
        lag = int(np.flatnonzero(differs[3:])[0]) % _REACH + 1
        worst = away[3:][np.argmax(np.abs(away[3:]))]
        found.append(
            f"Neighbours in the background are correlated otherwise than in the simulated noise "
            f"(by {worst:+.2g}, from {lag} pixels on): structure, stripes, or correlated noise."
        )
    return found


def _statistics(image: Image, background: NDArray[np.bool_], c: int) -> NDArray[np.float64]:
    """Return the logarithm of the deviation, skewness, kurtosis, and correlations along y and x."""
    part = (slice(None), slice(c, c + 1))
    one = next(
        dataclasses.replace(image, data=image.data[part], mask=background[part],
                            grid=dataclasses.replace(image.grid, shape=background[part].shape))
        .channels()
    )  # fmt: skip
    left: list[Residual] = residuals(windows_of(one).planes())
    values = np.concatenate([each.values[each.where] for each in left])
    variance = float((values**2).mean())
    deviation = np.sqrt(max(variance, 1e-300))
    moments = [float((values**power).mean()) / deviation**power for power in (3, 4)]
    lags = autocovariance(left, _REACH) / max(variance, 1e-300)
    across = lags[_REACH, _REACH + 1 :], lags[_REACH + 1 :, _REACH]
    return np.array([np.log(deviation), *moments, *across[0], *across[1]])
