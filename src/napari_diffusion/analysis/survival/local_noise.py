"""The noise where an object is placed, and regions with different noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.analysis.study import Study
    from napari_diffusion.estimate import NoiseModel

# Where the noise of the brightest third is this much stronger than that of the darkest, there are
# regions.
_DIFFERENT = 1.3

# Radius of the mean that is the intensity around a place, in pixels.
_AROUND = 3.0


@dataclass(frozen=True, eq=False)
class LocalNoise:
    """The noise of the studied part.

    Attributes
    ----------
    sigma : ndarray
        Standard deviation at every pixel, canonical; one channel for RGB images.
    region : ndarray of int
        Number of the region at every pixel, of the same shape.
    num_regions : int
        How many regions there are; 1 where the noise is much the same everywhere.
    gains : tuple of float
        Intensity of a photon in each channel; 0 where noise does not depend on the intensity.
    """

    sigma: NDArray[np.float32]
    region: NDArray[np.int8]
    num_regions: int
    gains: tuple[float, ...]

    @classmethod
    def of(cls, study: Study) -> LocalNoise:
        """Measure the noise of the part that is studied."""
        models = _photon_models(study)
        sigma = _sigma_of(study, models)
        if not sigma.any():
            raise ValueError(
                "No noise was found in the image, and contrasts are multiples of its standard "
                "deviation: give noise_sigma=…."
            )
        region, count = _regions(sigma, _inside(study))
        gains = tuple(0.0 if model is None else model.gain for model in models)
        return cls(sigma, region, count, gains)

    def names(self) -> tuple[str, ...]:
        """Return the names of the regions; none where there is only one."""
        if self.num_regions == 1:
            return ()
        names = ("dark", "middle", "bright") if any(self.gains) else ("calm", "middle", "noisy")
        return names if self.num_regions == 3 else (names[0], names[2])

    def sigma_in(self, region: int) -> float:
        """Return the median standard deviation of a region."""
        return float(np.median(self.sigma[self.region == region]))


def map_of(study: Study) -> NDArray[Any] | None:
    """Return the standard deviation of the noise at every pixel, where it was given as a map."""
    if study.noise.map is None:
        return None
    return np.broadcast_to(study.noise.map, study.image.data.shape)[study.run.core]


def merged(values: NDArray[Any], study: Study) -> NDArray[Any]:
    """Return canonical values as detectors see them: the mean of the colours of an RGB image."""
    return values.mean(axis=1, keepdims=True) if study.grid.rgb else values


def merged_mask(mask: NDArray[np.bool_], study: Study) -> NDArray[np.bool_]:
    """Return the pixels that count in all colours of an RGB image."""
    return np.asarray(mask.all(axis=1, keepdims=True)) if study.grid.rgb else mask


def _photon_models(study: Study) -> tuple[NoiseModel | None, ...]:
    """Return the model of each channel whose noise depends on the intensity."""
    channels = study.image.data.shape[1]
    models = study.noise.models if study.noise.given is None else ()
    return tuple(
        models[c] if c < len(models) and models[c].gain > 0 and models[c].kind != "processed"
        else None
        for c in range(channels)
    )  # fmt: skip


def _around(study: Study) -> NDArray[np.float32]:
    """Return the mean intensity around every pixel of the studied part."""
    from scipy.ndimage import gaussian_filter

    along = study.grid.along_axes
    width = [_AROUND if axis in along and axis >= 2 else 0.0 for axis in range(5)]
    return np.asarray(gaussian_filter(study.run.source.astype(np.float32), width))


def _sigma_of(study: Study, models: tuple[NoiseModel | None, ...]) -> NDArray[np.float32]:
    shape = study.run.source.shape
    noise_map = map_of(study)
    if noise_map is not None:
        found = noise_map.astype(np.float32)
        return np.sqrt(np.square(found).mean(axis=1, keepdims=True)) if study.grid.rgb else found
    sigmas = np.resize(np.asarray(study.noise.sigma, np.float32), shape[1])
    found = np.empty(shape, np.float32)
    around = _around(study) if any(models) else None
    for c, (model, sigma) in enumerate(zip(models, sigmas, strict=True)):
        if model is None or around is None:
            found[:, c] = sigma
        else:
            found[:, c] = np.sqrt(model.variance_at(around[:, c]))
    if study.grid.rgb:
        found = np.sqrt(np.square(found).mean(axis=1, keepdims=True))
    return found


def _inside(study: Study) -> NDArray[np.bool_] | None:
    mask = study.run.image.mask
    return None if mask is None else merged_mask(mask[study.run.core], study)


def _regions(
    sigma: NDArray[np.float32], mask: NDArray[np.bool_] | None
) -> tuple[NDArray[np.int8], int]:
    """Return the third of the noise in which each pixel lies; one region if they hardly differ."""
    region = np.zeros(sigma.shape, np.int8)
    different = False
    for c in range(sigma.shape[1]):
        values = sigma[:, c] if mask is None else sigma[:, c][mask[:, c]]
        if not values.size:
            continue
        low, first, second, high = np.quantile(values, (1 / 6, 1 / 3, 2 / 3, 5 / 6))
        region[:, c] = (sigma[:, c] > first).astype(np.int8) + (sigma[:, c] > second)
        different |= bool(high > _DIFFERENT * low)
    if not different:
        return np.zeros_like(region), 1
    # Of a map with two values one third is empty.
    present, places = np.unique(region, return_inverse=True)
    return places.reshape(sigma.shape).astype(np.int8), len(present)
