"""The noise around every pixel: of the calm windows near it, or of its intensity."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Unpack, get_args

import numpy as np

from napari_diffusion.core.image import Image, is_dask
from napari_diffusion.estimate.noise_measurement import of_image
from napari_diffusion.estimate.noise_sigma import noise_sigma_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.core.grid import GridOptions
    from napari_diffusion.estimate.measured_noise import NoiseModel

#: Where the noise of a pixel comes from.
Source = Literal["auto", "windows", "intensity"]

# Pixels along each axis over which the noise is averaged.
TILE = 48

# Standard deviation of the smoothing in pixels before noise follows from an intensity.
_SMOOTHING = 2.0

# No pixel has less than this part of the mean variance: where no photon fell, others could have.
_LEAST = 1e-3


@dataclass(frozen=True, eq=False)
class NoiseMap:
    """The noise around every pixel of an image.

    Attributes
    ----------
    values : ndarray
        Standard deviation in intensity units, in the image's axes, without c for RGB.
    source : {"windows", "intensity"}
        Where it was measured: "intensity" if a noise model explains every channel better.
    """

    values: NDArray[Any]
    source: Literal["windows", "intensity"]


def noise_map(
    image: ArrayLike | Image,
    tile: int = TILE,
    source: Source = "auto",
    **options: Unpack[GridOptions],
) -> NDArray[Any]:
    """Measure the standard deviation of the noise around every pixel.

    "windows": the mean of the finest cosine coefficients of the 8 × 8 windows around a pixel, as in
    `noise_sigma`, with Gaussian weights and those of calm windows: ``1 / (1 + (e / 0.7)⁴)`` with
    ``e = middle / σ² − 1``, the relative energy above the noise at coarser waves. What texture adds
    is subtracted: ``σ² = fine − 2/3 · (middle − fine)``, for it adds about 0.4 times as much to the
    finest as to the middle waves.

    "intensity": `NoiseModel.variance_at` of the smoothed image, with the model of each channel.

    Parameters
    ----------
    image : array_like
        2D arrays are read as ``yx``, 3D ones as ``zyx``; name other axes. In memory.
    tile : int
        Pixels along each axis over which windows are averaged, 8 or more. Smaller tiles follow the
        noise more closely and vary more by chance: by about 4 % at 48 pixels in a plane.
    source : {"auto", "windows", "intensity"}
        "auto" is "intensity" where the noise model is photon noise and explains the energies of the
        windows about as well as the windows around them do, else "windows".
    **options
        ``axes, spacing, along, joint_channels, rgb, mask, missing``.

    Returns
    -------
    ndarray
        In intensity units, of the image's shape; without c for RGB, whose colours get the root mean
        square over them. `noise_sigma` of filters, metrics and `denoise` takes it.

    Raises
    ------
    ValueError
        If source="intensity" and the noise does not depend on the intensity.

    Notes
    -----
    Use it where the noise differs from place to place: uneven illumination, several cameras or
    detectors side by side, depth in tissue. Not for correlated noise, which is underestimated, nor
    for fine texture all over the image, which is mistaken for noise in part.

    Examples
    --------
    >>> import numpy as np, napari_diffusion as nd
    >>> sigma = np.linspace(1.0, 5.0, 256) * np.ones((256, 1))
    >>> noisy = sigma * np.random.default_rng(0).normal(size=(256, 256))
    >>> found = nd.estimate.noise_map(noisy)
    >>> bool(abs(found / sigma - 1).mean() < 0.1)
    True

    References
    ----------
    Ponomarenko, Lukin and others (2007), on windows of least activity; Foi, Trimeche, Katkovnik and
    Egiazarian (2008), Practical Poissonian-Gaussian noise modeling and fitting for single-image
    raw-data.
    """
    return noise_map_of(Image.of(image, **options), tile, source).values


def noise_map_of(image: Image, tile: int = TILE, source: Source = "auto") -> NoiseMap:
    """Return the noise map of an image that has been read in, and where it comes from."""
    from napari_diffusion.estimate.maps.window_map import WindowMap

    _check(image, tile, source)
    channels = list(image.channels())
    windows = [WindowMap.of(channel, tile) for channel in channels]
    models = [None if source == "windows" else _photon_model(channel) for channel in channels]
    lit = [
        None if model is None else _at_intensity(model, channel)
        for model, channel in zip(models, channels, strict=True)
    ]
    if source == "intensity" and any(each is None for each in lit):
        raise ValueError(
            "The noise of this image does not depend on its intensity, as far as can be measured: "
            "use source='windows'."
        )
    better = [
        variance is not None and (own is None or own.is_explained_by(variance))
        for variance, own in zip(lit, windows, strict=True)
    ]
    chosen: Literal["windows", "intensity"] = (
        "intensity" if source == "intensity" or all(better) else "windows"
    )
    found = [None if own is None else own.variance() for own in windows]
    variances = [
        np.full(channel.data.shape, noise_sigma_of(channel) ** 2) if each is None else each
        for each, channel in zip(lit if chosen == "intensity" else found, channels, strict=True)
    ]
    return NoiseMap(_in_axes(np.concatenate(variances, axis=1), image), chosen)


def _check(image: Image, tile: int, source: Source) -> None:
    if source not in get_args(Source):
        raise ValueError(f"source must be one of {', '.join(get_args(Source))} (got {source!r}).")
    if isinstance(tile, bool) or not hasattr(tile, "__index__") or tile < 8:
        raise ValueError(f"tile must be a whole number of 8 or more (got {tile!r}).")
    if is_dask(image.data):
        raise ValueError(
            "noise_map needs the image in memory: give image.compute(), or a part of it."
        )


def _photon_model(channel: Image) -> NoiseModel | None:
    """Return the noise model of a channel, None where it is not photon noise."""
    try:
        model = of_image(channel, None)
    except ValueError:
        return None
    return model if model.kind in ("poisson", "poisson-gaussian") else None


def _at_intensity(model: NoiseModel, channel: Image) -> NDArray[np.float64]:
    from scipy.ndimage import gaussian_filter

    width = [_SMOOTHING if axis in channel.grid.along_axes[-2:] else 0.0 for axis in range(5)]
    values, inside = channel.data.astype(np.float64), channel.mask
    if inside is None:
        smooth = gaussian_filter(values, width)
    else:
        total = gaussian_filter(np.where(inside, values, 0.0), width)
        weight = gaussian_filter(inside.astype(np.float64), width)
        smooth = np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)
    variance = model.variance_at(smooth)
    return np.asarray(np.maximum(variance, _LEAST * variance.mean()))


def _in_axes(variance: NDArray[np.float64], image: Image) -> NDArray[Any]:
    """Return the roots in the image's axes; of colours the root of the mean."""
    grid = image.grid
    if grid.rgb:
        variance = variance.mean(axis=1, keepdims=True)
        grid = dataclasses.replace(grid, axes=grid.axes.replace("c", ""))
    return np.ascontiguousarray(grid.restored(np.sqrt(variance)), image.data.dtype)
