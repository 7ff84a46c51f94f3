"""How far a measured noise and a measured background may be from the true ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.analysis.fresh_noise import (
    background_levels,
    fresh_variance,
    with_fresh_noise,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.analysis.source_noise import SourceNoise
    from napari_diffusion.core.image import Image

# Times that the noise is measured anew, with numbers that no blank uses.
_TIMES, _FIRST_TURN = 8, 1 << 53

# Pixels over which the scene is smoothed.
_SMOOTHING = 1.5


def noise_error(image: Image, noise: SourceNoise) -> tuple[float, float]:
    """Return the standard errors of the σ measured and of the background's intensity, by σ.

    By the parametric bootstrap: the image smoothed, with fresh noise of the measured kind, is
    measured again 8 times. The root mean squares of the logarithm of new by old σ, at the
    background's intensity, and of the difference of both intensities by σ, hold the chance and the
    bias of the measurement. The error of a σ that was given is 0.

    References
    ----------
    Efron and Tibshirani (1993), An introduction to the bootstrap.
    """
    from scipy import ndimage

    scene = ndimage.gaussian_filter(image.data, (0, 0, 0, _SMOOTHING, _SMOOTHING))
    given = noise.given is not None or noise.model is not None
    levels = np.array(background_levels(image))
    old = _sigmas(noise, levels)
    if not (old > 0).all():
        return 0.0, 0.0
    logs, distances = [], []
    for turn in range(_TIMES):
        again = image.with_data(with_fresh_noise(noise, scene, _FIRST_TURN + turn))
        distances.append((np.array(background_levels(again)) - levels) / old)
        new = old if given else _sigmas(type(noise)(again), levels)
        logs.append(np.log(np.maximum(new, 1e-300 * old) / old))
    return _root_mean_square(logs), _root_mean_square(distances)


def _sigmas(noise: SourceNoise, levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the standard deviation of each channel at its level."""
    return np.sqrt([float(fresh_variance(noise, c, level)) for c, level in enumerate(levels)])


def _root_mean_square(found: list[NDArray[np.float64]]) -> float:
    from scipy import stats

    # Student's quantile by the normal one: so few times tell the error roughly.
    rough = float(stats.t.isf(0.025, _TIMES) / stats.norm.isf(0.025))
    return rough * float(np.sqrt(np.mean(np.square(found))))
