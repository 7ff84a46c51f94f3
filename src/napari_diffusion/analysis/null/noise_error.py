"""How far a measured noise may be from the true one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.analysis.fresh_noise import (
    background_levels,
    fresh_variance,
    with_fresh_noise,
)

if TYPE_CHECKING:
    from napari_diffusion.analysis.source_noise import SourceNoise
    from napari_diffusion.core.image import Image

# Times that the noise is measured anew, with numbers that no blank uses.
_TIMES, _FIRST_TURN = 8, 1 << 53

# Pixels over which the scene is smoothed.
_SMOOTHING = 1.5


def noise_error(image: Image, noise: SourceNoise) -> float:
    """Return the relative standard error of the σ measured, at the background's intensity.

    By the parametric bootstrap: the image smoothed, with fresh noise of the measured kind, is
    measured again 8 times. The root mean square of the logarithm of new by old σ holds the chance
    and the bias of the measurement; 0 where the noise was given.

    References
    ----------
    Efron and Tibshirani (1993), An introduction to the bootstrap.
    """
    from scipy import ndimage

    if noise.given is not None or noise.model is not None:
        return 0.0
    scene = ndimage.gaussian_filter(image.data, (0, 0, 0, _SMOOTHING, _SMOOTHING))
    levels = background_levels(image)
    logs = []
    for turn in range(_TIMES):
        again = image.with_data(with_fresh_noise(noise, scene, _FIRST_TURN + turn))
        for c, level in enumerate(levels):
            old, new = (
                float(fresh_variance(each, c, np.array(level)))
                for each in (noise, type(noise)(again))
            )
            if old > 0 and new > 0:
                logs.append(np.log(new / old) / 2)
    return float(np.sqrt(np.mean(np.square(logs)))) if logs else 0.0
