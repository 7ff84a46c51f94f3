"""The strength of the stabilised noise where photons are few."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.image import is_dask
from napari_diffusion.domains.expected_values import mean_of_f
from napari_diffusion.engine.plane_reading import planes

if TYPE_CHECKING:
    from collections.abc import Iterator

    import dask.array as da
    from numpy.typing import NDArray

    from napari_diffusion.core.image import Array, Image

# From so many photons on the variance is 1 to within some per cent.
_MANY = 12.0

# Photons are counted in blocks of so many pixels along the last two axes.
_BLOCK = 6

# Nodes of the table, denser for few photons.
_NODES = 48

# Photons that the darkest blocks count as, so that an image without any has a mean.
_DARK = 1e-3

# The least variance: an image without any light has none.
_LEAST = 0.05


def mean_variance(image: Image, gain: float, offset: float, squared: float) -> float:
    """Return the mean variance of stabilised values, weighted with √photons, 0.05 or more.

    An error of a stabilised value is the larger in intensity the more photons there are; but where
    they are few, noise that is taken to be too strong costs more than noise taken to be too weak.

    Parameters
    ----------
    image : Image
        Noisy, in intensities.
    gain, offset : float
        Of the camera.
    squared : float
        Its read noise, in photons².
    """
    nodes, variances = _table(squared)
    total, count = 0.0, 0.0
    for values in _blocks(image):
        photons = np.maximum((values - offset) / gain, _DARK)
        found = np.interp(photons, nodes, variances)
        weights = np.sqrt(photons)
        total += float((weights * found).sum())
        count += float(weights.sum())
    return max(total / count, _LEAST) if count else 1.0


@functools.lru_cache(maxsize=16)
def _table(squared: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return means of photons, and the variance of f at each."""
    nodes = _MANY * np.linspace(0.0, 1.0, _NODES) ** 2
    return nodes, mean_of_f(nodes, squared, 2.0) - mean_of_f(nodes, squared) ** 2


def _blocks(image: Image) -> Iterator[NDArray[np.float64]]:
    """Yield the mean intensities of the blocks inside the mask, plane by plane."""
    y, x = image.data.shape[3:]
    high, wide = min(_BLOCK, y), min(_BLOCK, x)
    whole = (..., slice(y // high * high), slice(x // wide * wide))
    data, mask = image.data[whole], None if image.mask is None else image.mask[whole]
    if is_dask(data):
        # The means of many planes have room where the planes have none.
        data = _lazy_means(data, high, wide)
        mask = None if mask is None else _lazy_means(mask, high, wide) == 1
        high = wide = 1
    for plane, inside in planes(data, mask):
        means = _means(plane, high, wide)
        yield (means if inside is None else means[_means(inside, high, wide) == 1]).ravel()


def _lazy_means(array: Array, high: int, wide: int) -> da.Array:
    """Return the means of the blocks of all planes, in bands of whole rows of blocks."""
    import dask.array as da

    lazy = da.asarray(array)
    bands = lazy.rechunk({3: max(lazy.chunksize[3] // high, 1) * high, 4: -1})
    columns = bands.shape[4] // wide

    def means(band: NDArray[Any]) -> NDArray[np.float64]:
        out = np.empty((*band.shape[:3], band.shape[3] // high, columns))
        for place in np.ndindex(*band.shape[:3]):
            out[place] = _means(band[place], high, wide)
        return out

    chunks = (*bands.chunks[:3], tuple(n // high for n in bands.chunks[3]), (columns,))
    return da.map_blocks(means, bands, dtype=np.float64, chunks=chunks, meta=np.empty((0,) * 5))


def _means(plane: NDArray[Any], high: int, wide: int) -> NDArray[np.float64]:
    rows, columns = plane.shape[0] // high, plane.shape[1] // wide
    blocks = np.asarray(plane, np.float64).reshape(rows, high, columns, wide)
    return np.asarray(blocks.mean(axis=(1, 3)))
