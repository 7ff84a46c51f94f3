"""New noise of the kind that a source has: measured once, drawn as often as needed."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.image import Image
from napari_diffusion.noise import Gaussian

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.analysis.source_noise import SourceNoise
    from napari_diffusion.estimate import NoiseModel

# Far from the seeds that recipes use, so that no noise is drawn twice.
_FIRST_SEED = 1 << 48

# The share of the pixels that counts as background: those with the most similar intensities.
_BACKGROUND = 0.2

# Pixels over which noise is averaged to see the background.
_SMOOTHING = 2.0


def with_fresh_noise(noise: SourceNoise, clean: NDArray[Any], turn: int = 0) -> NDArray[Any]:
    """Return noise-free intensities with new noise of the source's kind.

    Parameters
    ----------
    noise : SourceNoise
        Where its sigma was given, white Gaussian noise of that sigma, at each pixel its own where a
        map was given; else that of its model, which may depend on the intensity and be correlated.
    clean : ndarray
        Canonical (t, c, z, y, x), with the channels of the source; any other size, but with a map
        the size of the source.
    turn : int
        0, 1, 2, …: each has other random numbers, always the same ones.
    """
    made = np.empty_like(clean)
    for c in range(clean.shape[1]):
        one = np.ascontiguousarray(clean[:, c : c + 1])
        seed = _FIRST_SEED + turn * 16 + c
        made[:, c : c + 1] = _noisy(noise, c, one, seed)
    return made


def background_levels(image: Image) -> tuple[float, ...]:
    """Return the intensity of the background of each channel.

    It is the middle of the shortest interval that holds 20 % of the pixels inside the mask, of the
    image smoothed by a Gaussian of 2 pixels along y and x: noise blurs the peak of the background
    among the intensities, and shifts it where it is skewed.
    """
    if "background levels" not in image.known:
        found = tuple(_background_level(channel) for channel in image.channels())
        image.known["background levels"] = found
    return tuple(image.known["background levels"])


def _background_level(channel: Image) -> float:
    from scipy import ndimage

    widths = (0, 0, 0, _SMOOTHING, _SMOOTHING)
    values = ndimage.gaussian_filter(channel.data, widths)
    if channel.mask is not None:
        inside = channel.mask.astype(values.dtype)
        values = ndimage.gaussian_filter(channel.data * inside, widths)[channel.mask]
        values /= ndimage.gaussian_filter(inside, widths)[channel.mask]
    ordered = np.sort(values, axis=None)
    count = max(int(_BACKGROUND * ordered.size), 1)
    start = int(np.argmin(ordered[count - 1 :] - ordered[: ordered.size - count + 1]))
    return float(ordered[start + count // 2])


def blank(image: Image, noise: SourceNoise, turn: int = 0) -> NDArray[Any]:
    """Return an image without objects, canonical: noise of the source at its background level."""
    levels = np.reshape(background_levels(image), (1, -1, 1, 1, 1)).astype(image.data.dtype)
    return with_fresh_noise(noise, np.broadcast_to(levels, image.data.shape), turn)


def fresh_variance(noise: SourceNoise, c: int, clean: NDArray[Any]) -> NDArray[np.float64]:
    """Return the variance that `with_fresh_noise` has in a channel, for noise-free intensities."""
    model = _model_of(noise, c)
    if model is not None and model.gain > 0:
        return model.variance_at(clean)
    scale = _sigma_of(noise, c)
    if model is not None:
        scale = float(np.hypot(scale, np.hypot(model.row_noise, model.column_noise)))
    return np.full(np.shape(clean), scale**2)


def _model_of(noise: SourceNoise, c: int) -> NoiseModel | None:
    """Return the model that the noise of a channel is drawn from; None for white noise."""
    model = noise.models[c] if noise.given is None and len(noise.models) > c else None
    return None if model is None or model.kind == "processed" else model


def _sigma_of(noise: SourceNoise, c: int) -> float:
    sigmas = np.ravel(noise.sigma)
    return float(sigmas[min(c, len(sigmas) - 1)])


def _noisy(noise: SourceNoise, c: int, clean: NDArray[Any], seed: int) -> NDArray[Any]:
    """Return one channel with noise."""
    if noise.map is not None:
        unit = _added(Gaussian(), 1.0, np.zeros_like(clean), seed)
        sigmas = noise.map if noise.map.shape[1] == 1 else noise.map[:, c : c + 1]
        return np.asarray(clean + unit * sigmas.astype(clean.dtype))
    model, sigma = _model_of(noise, c), _sigma_of(noise, c)
    if model is None:
        return _added(Gaussian(), sigma, clean, seed)
    if model.gain == 0:
        # The sigma that filters measure, so that noise and filter fit each other.
        scale = float(np.hypot(sigma, np.hypot(model.row_noise, model.column_noise)))
        return _added(model.noise(), scale, clean, seed)
    return _photon_noise(model, clean, seed)


def _photon_noise(model: NoiseModel, clean: NDArray[Any], seed: int) -> NDArray[Any]:
    dark = clean.dtype.type(model.offset)
    if float(dark) < model.offset:
        # Rounded down, it would be darker than no light.
        dark = np.nextafter(dark, clean.dtype.type(np.inf))
    lit = np.maximum(clean, dark)
    if lit.mean() > model.offset:
        return clean + (_added(model.noise(), model.noise_scale, lit, seed) - lit)
    # Without any light there is no photon noise to be scaled.
    unit = _added(Gaussian(), 1.0, np.zeros_like(clean), seed)
    return clean + unit * np.sqrt(model.variance_at(clean)).astype(clean.dtype)


def _added(noise: Any, scale: float, clean: NDArray[Any], seed: int) -> NDArray[Any]:
    image = Image.of(clean, axes="tczyx", along=_along(clean))
    return np.asarray(noise(dataclasses.replace(image, known={}), scale, seed=seed))


def _along(clean: NDArray[Any]) -> str:
    """Return the spatial axes, z where there are many planes."""
    return "zyx" if clean.shape[2] > 1 else "yx"
