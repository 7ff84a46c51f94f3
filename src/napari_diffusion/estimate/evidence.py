"""Noise, contrast and diffusion time of an image, by every method, side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack, get_args

import numpy as np

from napari_diffusion.core.image import Image
from napari_diffusion.estimate.contrast import contrast_of, gradient_of_noise, gradients_of
from napari_diffusion.estimate.diffusion_time import time_of_least_error, time_to_leave
from napari_diffusion.estimate.noise_measurement import of_image
from napari_diffusion.estimate.noise_sigma import Method, noise_sigma_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.core.grid import GridOptions
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.estimate.measured_noise import NoiseModel

# Of a larger image the middle is measured.
MOST_SAMPLES = 1 << 20

_BINS = 64

# The histogram of the gradients ends at this quantile.
_SHOWN = 0.995


@dataclass(frozen=True, eq=False)
class Evidence:
    """The estimates of `evidence`.

    Attributes
    ----------
    sigmas : dict
        Standard deviation of the noise by each method of `noise_sigma`; the first is that of the
        whole image, which every run uses.
    contrasts : dict
        Contrast by the methods of `contrast` that need no region.
    times : dict
        Diffusion time by its criterion; see `diffusion_time`.
    gradient_edges, gradient_counts : ndarray
        Histogram of the gradients after the smoothing.
    model : NoiseModel or None
        How the noise depends on the intensity; None for an image that is too small.
    smoothing : float
        Standard deviation of the smoothing before the gradient, in world units.
    whole : bool
        Whether all of the image was measured.
    """

    sigmas: dict[str, float]
    contrasts: dict[str, float]
    times: dict[str, float]
    gradient_edges: NDArray[np.float64]
    gradient_counts: NDArray[np.int64]
    model: NoiseModel | None
    smoothing: float = 0.0
    whole: bool = True


def evidence(
    image: ArrayLike | Image,
    smoothing: float = 0.0,
    *,
    stop: StopToken | None = None,
    **options: Unpack[GridOptions],
) -> Evidence:
    """Estimate noise, contrast and diffusion time by every method, with the underlying data.

    Parameters
    ----------
    image : array_like
        2D arrays are read as ``yx``, 3D ones as ``zyx``; name other axes. Of an image of more
        than 2²⁰ pixels the middle is measured.
    smoothing : float
        Standard deviation of the filter's smoothing in world units, applied before the gradient.
    stop : StopToken, optional
        As for `steps`.
    **options
        ``axes, spacing, along, joint_channels, rgb, mask, missing``.

    Returns
    -------
    Evidence
        Estimates by method, the histogram of the gradients, and the noise model.
    """
    from napari_diffusion.engine.threads import Stopped

    given = Image.of(image, **options)
    source = _middle(given)
    sigmas: dict[str, float] = {}
    for way in get_args(Method):
        if stop is not None and stop.is_set():
            raise Stopped
        # The first one is that of the whole image, as a run and the denoiser measure it.
        sigmas[way] = noise_sigma_of(source if sigmas else given, way)
    sigma = sigmas["windows"]
    gradients = gradients_of(source, smoothing)
    contrasts = {
        "robust": contrast_of(source, smoothing),
        "percentile": gradients.quantile(0.9) or 1.0,
        "noise": sigma * gradient_of_noise(source.grid, smoothing) or 1.0,
    }
    times = {
        "least error of Heat": time_of_least_error(source, sigma),
        "half the noise left": time_to_leave(0.5, source.grid),
        "a tenth left": time_to_leave(0.1, source.grid),
    }
    try:
        model = of_image(source, None)
    except ValueError:
        model = None
    edges = np.linspace(0.0, max(gradients.quantile(_SHOWN), 1e-300), _BINS + 1)
    counts = gradients.binned(edges)
    whole = source is given
    return Evidence(sigmas, contrasts, times, edges, counts, model, smoothing, whole)


def _middle(image: Image) -> Image:
    """Return the middle of a large image, of its frames the ones in the middle."""
    shape = image.grid.shape
    room = MOST_SAMPLES // shape[1]
    if math.prod(shape) <= MOST_SAMPLES:
        return image
    part = [slice(None)] * 5
    for left, axis in ((3, 4), (2, 3), (1, 2), (0, 0)):
        most = max(int(room ** (1 / left)) if 0 < left < 3 else room, 1)
        size = min(shape[axis], 1024 if axis > 2 else most)
        room = max(room // size, 1)
        start = (shape[axis] - size) // 2
        part[axis] = slice(start, start + size)
    part[1] = slice(0, shape[1])
    return image.apart(part)
