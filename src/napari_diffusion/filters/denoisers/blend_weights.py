"""The weights of `Blend` that make Stein's estimate of the squared error least."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.filters.denoisers.bounded_lstsq import least_within
from napari_diffusion.filters.denoisers.fitting_tiles import tiles
from napari_diffusion.filters.denoisers.guided_filter import is_solid

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid
    from napari_diffusion.core.image import Image
    from napari_diffusion.core.noise_map import NoiseField
    from napari_diffusion.engine.block import Block

    Stages = Callable[[Block], list[NDArray[Any]]]
    #: A part of an image with what lies around it, and where it lies in it.
    Box = tuple[Block, tuple[slice, ...]]

# The weights are few: these pixels suffice, in boxes spread over the image. What lies farther away
# from a box than this hardly changes what filters make of it.
SAMPLES = 1 << 16
BOXES = 2
AROUND = 48

# Size of the probe over the noise: small against it, large against round-off.
PROBE = 0.05

# Weights beyond are no blend any more: they come of noise that is not what it is taken to be. With
# negative ones few photons, whose noise is no Gaussian, were denoised up to 2.8 dB worse.
LEAST, MOST = 0.0, 1.25
# In volumes filters err alike, and with many pixels behind them their differences count.
LEAST_IN_VOLUMES = -0.5

# Variance of the prior of a weight.
PRIOR = 0.3


class Answers:
    """What filters make of a block with a very small change.

    Parameters
    ----------
    stages : callable
        Returns what each filter makes of a block.
    noise : NoiseField
        That of the image. Where it has a map, the change of a pixel is in proportion to its own
        noise.
    block : Block
        Without the change.

    Attributes
    ----------
    again : list of ndarray
        Of the changed block, filter by filter.
    variances : ndarray or None
        Of the noise of each pixel of the block over that of `sigmas`, where it has a map.
    """

    def __init__(self, stages: Stages, noise: NoiseField, block: Block) -> None:
        from napari_diffusion.engine.probe_kernel import add_probe

        self.sigmas, self.block, self._probed = noise.sigmas, block, np.empty_like(block.values)
        self.variances = noise.variances(block.grid.origin, block.shape)
        size = np.array([PROBE * sigma for sigma in self.sigmas], block.dtype)
        origin = np.array(block.grid.origin, np.int64)
        axes = {*block.grid.along_axes, *((1,) if block.grid.joint_channels else ())}
        apart = np.array([axis in axes for axis in range(5)], np.int64)
        values = block.values if self.variances is None else np.zeros_like(block.values)
        add_probe(values, origin, apart, size, self._probed)
        size = size.reshape(1, -1, 1, 1, 1)
        if self.variances is not None:
            share = np.sqrt(self.variances).astype(block.dtype)
            self._probed = block.values + self._probed * share
            size = size * share
        # A pixel without noise is not changed, and has a slope of 0.
        self._squares = np.where(size > 0, np.square(size.astype(np.float64)), 1.0)
        self.again = stages(block.with_values(self._probed))

    def slopes(
        self, stages: list[NDArray[Any]], part: tuple[int | slice, ...]
    ) -> list[NDArray[Any]]:
        """Return ∂f(x)/∂y(x) of each filter, up to a mean of 0, in a part in float64."""
        squares = np.broadcast_to(self._squares, self.block.shape)[part]
        # What the image's type made of the step, not the step itself.
        step = (self._probed[part].astype(np.float64) - self.block.values[part]) / squares
        return [
            step * (b[part].astype(np.float64) - a[part])
            for a, b in zip(stages, self.again, strict=True)
        ]


def is_small(grid: Grid) -> bool:
    """Return whether the fit of weights is most of the work on an image; never on a volume."""
    return math.prod(grid.shape) // grid.shape[1] <= 2 * SAMPLES and not is_solid(grid)


def fitting_boxes(image: Image, halo: Sequence[int] | None, small: bool) -> list[Box]:
    """Return the parts of an image that weights are fitted on.

    Parameters
    ----------
    image : Image
        The source.
    halo : sequence of 5 int or None
        How far the filters reach.
    small : bool
        Whether to take only a part of a small image, and less around it.
    """
    around = AROUND // 2 if small else AROUND
    reach = image.grid.shape if halo is None else [min(each, around) for each in halo]
    # In volumes what lies around a box is most of the work: one smaller box.
    few = (SAMPLES // 2, 1) if small or is_solid(image.grid) else (SAMPLES, BOXES)
    return list(tiles(image, reach, *few))


def of_least_error(
    stages: Stages, count: int, noise: NoiseField, boxes: Sequence[Box]
) -> tuple[float, ...]:
    """Return the weights of all filters, of the first to the last channel.

    Parameters
    ----------
    stages : callable
        Returns what each filter makes of a block.
    count : int
        How many filters there are.
    noise : NoiseField
        That of the source.
    boxes : sequence of (Block, tuple of slice)
        As `fitting_boxes` returns them; without noise none are needed.
    """
    sigmas = noise.sigmas
    sums = [Sums(count - 1) for _ in sigmas]
    solid = any(is_solid(block.grid) for block, _ in boxes)
    least = LEAST_IN_VOLUMES if solid else LEAST
    for block, inner in boxes:
        made = stages(block)
        answers = Answers(stages, noise, block)
        slopes, variances = answers.slopes(made, (slice(None),)), answers.variances
        for c, total in enumerate(sums):
            part = (inner[0], slice(c, c + 1), *inner[2:])
            if sigmas[c] > 0:
                own = None if variances is None else variances[part]
                total.add(*_in_units(block.values, made, slopes, part, sigmas[c], own))
    found: list[float] = []
    for total in sums:
        a = total.weights(least) if total.samples else np.zeros(count - 1)
        found += [1 - float(a.sum()), *a.tolist()]
    return tuple(found)


def _in_units(
    y: NDArray[Any],
    stages: list[NDArray[Any]],
    slopes: list[NDArray[Any]],
    part: tuple[slice, ...],
    sigma: float,
    variance: NDArray[Any] | None,
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any] | None]:
    """Return changes G, slopes z, residual y − f₀ and variance of a part, flat, in units of sigma.

    The slopes are those times the variance of the noise.
    """
    first = stages[0][part].astype(np.float64).ravel()
    G = np.array([(s[part].ravel() - first) / sigma for s in stages[1:]])
    z = np.array([(s[part] - slopes[0][part]).ravel() for s in slopes[1:]])
    own = None if variance is None else variance.ravel()
    return G, z if own is None else z * own, (y[part].ravel() - first) / sigma, own


class Sums:
    """What the weights follow from, summed over pixels; in units of the noise.

    ``M = G Gᵀ``, ``c = G (y − f₀) − Σ z`` and ``V``, the variance of c:
    ``2 Σ (z − z̄)(z − z̄)ᵀ + M``; where the variance of the noise differs from pixel to pixel, the
    last term is ``Σ variance · G Gᵀ``.
    """

    def __init__(self, count: int) -> None:
        self.M, self.zz = np.zeros((count, count)), np.zeros((count, count))
        self.c, self.z, self.samples = np.zeros(count), np.zeros(count), 0
        self._noisy: NDArray[Any] | None = None

    def add(
        self,
        G: NDArray[Any],
        z: NDArray[Any],
        rest: NDArray[Any],
        variance: NDArray[Any] | None = None,
    ) -> None:
        """Add pixels along the last axis."""
        self.M += G @ G.T
        if variance is not None:
            self._noisy = (0.0 if self._noisy is None else self._noisy) + (variance * G) @ G.T
        self.zz += z @ z.T
        self.c += G @ rest - z.sum(axis=1)
        self.z += z.sum(axis=1)
        self.samples += z.shape[1]

    def weights(self, least: float = LEAST) -> NDArray[Any]:
        """Return the mean of the weights, given what was seen and their prior."""
        noisy = self.M if self._noisy is None else self._noisy
        V = 2 * (self.zz - np.outer(self.z, self.z) / self.samples) + noisy
        return least_within(*_posterior(self.M, V, self.c, PRIOR), least, MOST)


def least_error(M: NDArray[Any], V: NDArray[Any], c: NDArray[Any], prior: float) -> NDArray[Any]:
    """Return (M V⁻¹ M + I / prior)⁻¹ M V⁻¹ c, for stacks of matrices too."""
    precision, right = _posterior(M, V, c, prior)
    return np.asarray(np.linalg.solve(precision, right[..., None])[..., 0])


def _posterior(
    M: NDArray[Any], V: NDArray[Any], c: NDArray[Any], prior: float
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return M V⁻¹ M + I / prior and M V⁻¹ c."""
    eye = np.eye(M.shape[-1])
    trace = np.trace(M, axis1=-2, axis2=-1)[..., None, None]
    V = V + (1e-9 * trace + math.ulp(1.0)) * eye
    MV = np.swapaxes(np.linalg.solve(V, M), -1, -2)
    return MV @ M + eye / prior, (MV @ c[..., None])[..., 0]
