"""What a recipe with a measurement asks of a source, and the image that it restores."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.image import is_dask
from napari_diffusion.filters.denoisers.guided_filter import noise_sigmas, with_noise
from napari_diffusion.loop.measurement_step import corrected
from napari_diffusion.measurements import Measured, Measurement

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_diffusion.core.image import Image
    from napari_diffusion.core.noise_scale import NoiseScale
    from napari_diffusion.filters import Filter

# Variance that the filter is told over that of what was measured, from which on it is corrected.
_FAR = 4.0


def check_measurement(measurement: Any, rounds: Any, update: str, domain: object) -> None:
    """Raise for a measurement that does not go with the rest of a recipe; see `Recipe`."""
    if isinstance(rounds, bool) or not hasattr(rounds, "__index__") or not 0 <= rounds <= 100:
        raise ValueError(f"rounds must be a whole number from 0 to 100 (got {rounds!r}).")
    if measurement is None:
        return
    if not isinstance(measurement, Measurement):
        hint = " object, with brackets" * isinstance(measurement, type)
        raise TypeError(f"measurement must be a measurement{hint} or None (got {measurement!r}).")
    if update != "reverse":
        raise ValueError(
            f"A measurement corrects the images of reverse updates (got update={update!r}): use "
            'update="reverse" and a filter with noise_sigma="step", such as LearnedDiffusion.'
        )
    if domain is not None:
        raise ValueError(
            "A measurement is linear in the intensities, and a domain changes them (got "
            f"domain={domain!r}): use domain=None."
        )


def check_whole(source: Image, region: object, first_step: int) -> None:
    """Raise where a measurement would not see the whole source in memory."""
    if is_dask(source.data):
        raise ValueError(
            "A measurement restores the image as a whole, in memory (got a dask array): pass a "
            "part that fits the memory, such as image[0].compute()."
        )
    if region is not None:
        raise ValueError(
            "A measurement restores the image as a whole (got a region): pass that part of the "
            "image alone."
        )
    if first_step:
        raise ValueError(
            f"A run with a measurement cannot go on from a step (got first_step={first_step}), "
            "since the source was measured and not the step: start again from the source."
        )


def resolved_measurement(measurement: Measurement, source: Image) -> Measurement:
    """Return a measurement with the noise of each channel, and what else it measures."""
    sigmas = noise_sigmas(measurement.noise_sigma, source)
    return with_noise(measurement, sigmas).resolved(source)


def filled(source: Image) -> Image:
    """Return a source whose missing pixels have the mean of the others, for filters to measure."""
    if source.mask is None:
        return source
    data, known = source.data, source.mask
    mean = np.add.reduce(data[known], dtype=np.float64) / max(np.count_nonzero(known), 1)
    grid = dataclasses.replace(source.grid, masked=False)
    whole = np.where(known, data, data.dtype.type(mean))
    return dataclasses.replace(source, data=whole, grid=grid, mask=None, holes=None, known={})


def told_noise(chosen: Filter, noise_scale: NoiseScale) -> NoiseScale:
    """Return the noise that a filter of a step takes an image to have, which sets its covariance.

    That is another than the noise scale where it is told "1.5 × step" or a number.
    """
    told = getattr(chosen, "noise_sigma", noise_scale)
    return told if isinstance(told, float | int | tuple) else noise_scale


def with_measured(
    noisy: NDArray[Any], noise: NDArray[Any], told: NoiseScale, measured: Measured
) -> NDArray[Any]:
    """Return the noisy image of a reverse step, holding what was measured in its own place.

    ``z + y + √(1 − (σ / s)²) · A noise − A z`` where the noise s that the filter is told is at
    least σ; else z. For measurements that keep a part of the image: that part then holds what was
    measured, with as much noise as the filter is told.

    Parameters
    ----------
    noisy, noise : ndarray
        Canonical: z, and the noise of the step, whose scale is the one told.
    told : float or tuple of float
        s, or that of each channel.
    measured : Measured
        What was measured.

    References
    ----------
    Kawar, Elad, Ermon and Song (2022), Denoising diffusion restoration models.
    """
    scale = np.reshape(told, (1, -1, 1, 1, 1)).astype(np.float64)
    left = 1 - measured.variance / np.maximum(np.square(scale), 1e-300)
    z = noisy.astype(np.float64)
    placed = measured.values + np.sqrt(np.maximum(left, 0)) * measured.forward(noise.astype(float))
    return np.where(left >= 0, z + placed - measured.forward(z), z).astype(noisy.dtype)


def corrected_image(
    denoise: Callable[[NDArray[Any]], NDArray[Any]],
    noisy: NDArray[Any],
    clean: NDArray[Any],
    noise_scale: NoiseScale,
    measured: Measured,
    rounds: int,
) -> NDArray[Any]:
    """Return the filtered image of a reverse step, corrected by what was measured.

    Parameters
    ----------
    denoise : callable
        The filter of this step, of values of the type of the image.
    noisy, clean : ndarray
        Canonical: the noisy image and what the filter made of it.
    noise_scale : float or tuple of float
        Of the noise that the filter is told, or of that of each channel.
    measured : Measured
        What was measured.
    rounds : int
        Of conjugate gradients.
    """
    dtype = clean.dtype
    scale = np.reshape(noise_scale, (1, -1, 1, 1, 1)).astype(np.float64)
    # With what was measured in its place and hardly more noise, the filter needs no correction.
    needed = ~np.array(measured.keeps_part) | (np.square(scale) >= _FAR * measured.variance)
    if not needed.any():
        return clean
    image = corrected(
        lambda values: denoise(values.astype(dtype)), noisy, clean, scale, measured, rounds
    )
    return np.where(needed, image, clean).astype(dtype)
