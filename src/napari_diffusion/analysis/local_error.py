"""Estimated local error: where a step is closer to the ground truth than the source is."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from napari_diffusion.analysis.trial import Trial
from napari_diffusion.core.image import Image, is_dask
from napari_diffusion.core.whole_number import checked_whole
from napari_diffusion.loop.preview import shortened
from napari_diffusion.metrics import Sure, View
from napari_diffusion.metrics.statistics.risk_estimate import slopes_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.analysis.source_noise import GivenSigma
    from napari_diffusion.core.grid import Grid, GridOptions
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.loop.recipe import Recipe

# Pixels in a tile, over which the noise of the estimate averages out.
TILE_SAMPLES = 1024


@dataclass(frozen=True, eq=False)
class LocalError:
    """The expected error of a step minus that of its source, around every pixel.

    Attributes
    ----------
    values : ndarray
        In intensity units, in the image's axes; the root mean square over colours, without c. Below
        0, down to −noise_sigma, the step is closer to the ground truth than the source; above 0 it
        is farther away, because structure was removed.
    step : int
        Index of the step.
    noise_sigma : float or tuple of float
        The expected error of the source: the standard deviation of its noise; of a map the root
        mean square.
    tile : int
        Size of the tile over which the error is averaged, in pixels along each axis.
    """

    values: NDArray[Any]
    step: int
    noise_sigma: float | tuple[float, ...]
    tile: int


def local_error(
    image: ArrayLike | Image,
    recipe: Recipe,
    *,
    step: int | None = None,
    tile: int | None = None,
    noise_sigma: GivenSigma | None = None,
    white: bool | None = None,
    region: tuple[slice, ...] | None = None,
    stop: StopToken | None = None,
    **options: Unpack[GridOptions],
) -> LocalError:
    """Estimate, without ground truth, the error of a step around every pixel.

    ``√⟨r⟩ − σ``, ``r = (u − y)² − σ² + 2σ² · b·(u(y + εb) − u(y)) / ε``, with the source y, the
    image u of the step, the noise σ and a random b of ±1: r is Stein's unbiased estimate of
    ``(u − truth)²``, as in the metric `Sure`, and ⟨r⟩ its mean over a tile with Gaussian weights.

    Parameters
    ----------
    image, recipe, region, stop, **options
        As for `steps`.
    step : int, optional
        Index of the step. Default: the last one.
    tile : int, optional
        Size of the tile over which r is averaged, in pixels along each axis that diffuses. Default:
        32 in a plane and 10 in a volume. Smaller tiles show more detail and are noisier: over n
        pixels the estimate of ⟨r⟩ has a standard deviation of about √(2/n) σ².
    noise_sigma : float, tuple of float or array, optional
        Standard deviation of the noise, that of each channel, or that of each pixel, such as
        `estimate.noise_map`; measured by default. With a map the values are ``√⟨r⟩ − √⟨σ²⟩``.
    white : bool, optional
        Whether the noise is white and equally strong everywhere, with a map once the image is
        divided by it; measured by default.

    Returns
    -------
    LocalError
        Its values, in intensity units.

    Raises
    ------
    ValueError
        If the noise is not white, or there is none: then the estimate would be misleading.

    Notes
    -----
    Use it to see where a filter begins to remove structure: there the values rise above 0. Not as
    the error bar of a pixel: it is the mean over a tile, and valid only for white noise.

    Examples
    --------
    >>> import numpy as np, napari_diffusion as nd
    >>> noisy = np.random.default_rng(0).normal(size=(64, 64)).astype("float32")
    >>> recipe = nd.Recipe(num_steps=1, noise=None, diffusion_filter=nd.filters.Heat(time=1.0))
    >>> error = nd.analysis.local_error(noisy, recipe, noise_sigma=1.0, white=True)
    >>> bool(error.values.max() < -0.4)  # a flat image: less noise is closer to the ground truth
    True

    References
    ----------
    Stein (1981), Estimation of the mean of a multivariate normal distribution. Ramani, Blu and
    Unser (2008), Monte-Carlo SURE.
    """
    source = Image.of(image, **options)
    if is_dask(source.data):
        raise ValueError("local_error needs the image in memory: give image.compute().")
    trial = Trial.of(
        source,
        shortened(recipe, checked_whole("step", step, 0)),
        {},
        noise_sigma=noise_sigma,
        region=region or (slice(None),) * len(source.grid.axes),
        stop=stop,
    )
    grid = source.grid
    side = checked_whole("tile", tile, 1) or round(TILE_SAMPLES ** (1 / len(grid.along)))
    view = trial.last_views([Sure()])["perturbed"]
    _check_noise(view, white)
    sigmas = np.reshape(view.noise_sigma, (1, -1, 1, 1, 1))
    if view.noise_map is not None:
        sigmas = view.noise_map.astype(np.float64)
    squared = _averaged(_squared_error(view, sigmas), view, grid, side)
    if view.noise_map is not None:
        sigmas = np.sqrt(_averaged(sigmas**2, view, grid, side))
    last = trial.whole.recipe.last_step
    return LocalError(_in_axes(squared, sigmas, view, grid), last, view.noise_sigma, side)


def _check_noise(view: View, white: bool | None) -> None:
    if white is not None:
        view = dataclasses.replace(view, white=white)
    doubt = Sure().doubt(view)
    if doubt:
        raise ValueError(
            f"The estimated local error would be misleading here. {doubt} If you know the noise, "
            "give noise_sigma=… and white=True."
        )


def _squared_error(view: View, sigmas: NDArray[Any]) -> NDArray[Any]:
    """Return Stein's estimate of (image − truth)² at every pixel."""
    assert view.probed is not None
    assert view.probe is not None
    change = np.square(view.image.astype(np.float64) - view.source)
    if view.noise_map is not None:
        slope = slopes_of(view.image, view.probed, view.probe)
        return np.asarray(change + sigmas**2 * (2 * slope - 1))
    probe = view.probe.astype(np.float64)
    size = np.mean(np.square(probe), axis=(0, 2, 3, 4), keepdims=True)
    answer = probe * (view.probed.astype(np.float64) - view.image)
    slope = np.divide(answer, size, out=np.zeros_like(answer), where=size > 0)
    return np.asarray(change + sigmas**2 * (2 * slope - 1))


def _averaged(values: NDArray[Any], view: View, grid: Grid, side: int) -> NDArray[Any]:
    """Return means over tiles with Gaussian weights, of the values inside the mask."""
    from scipy.ndimage import gaussian_filter

    width = [side / math.sqrt(12) if axis in grid.along_axes else 0.0 for axis in range(5)]
    if view.mask is None:
        return np.asarray(gaussian_filter(values, width))
    total = gaussian_filter(np.where(view.mask, values, 0.0), width)
    weight = gaussian_filter(view.mask.astype(np.float64), width)
    return np.divide(total, weight, out=np.zeros_like(total), where=view.mask)


def _in_axes(squared: NDArray[Any], sigmas: NDArray[Any], view: View, grid: Grid) -> NDArray[Any]:
    """Return the roots minus the noise, in the image's axes; 0 outside the mask."""
    inside = view.mask
    if grid.rgb:
        squared = squared.mean(axis=1, keepdims=True)
        sigmas = np.sqrt(np.mean(np.square(sigmas), axis=1, keepdims=True))
        inside = None if inside is None else inside[:, :1]
        grid = dataclasses.replace(grid, axes=grid.axes.replace("c", ""))
    values = np.sqrt(np.maximum(squared, 0.0)) - sigmas
    if inside is not None:
        values = np.where(inside, values, 0.0)
    return np.ascontiguousarray(grid.restored(values), view.source.dtype)
