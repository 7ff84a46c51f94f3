"""The correction of a filtered image by what was measured, by conjugate gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Values = NDArray[np.float64]

# Size of a change by which the derivative of the filter is measured, as a fraction of the noise.
_CHANGE = 0.05


class Measured(Protocol):
    """What was measured of an image, in float64; see `napari_diffusion.measurements.Measured`."""

    @property
    def values(self) -> Values:
        """The measured values."""

    @property
    def variance(self) -> Values:
        """Variance of their noise."""

    @property
    def summed(self) -> tuple[int, ...]:
        """The axes over which what was measured belongs to one image."""

    def forward(self, image: Values) -> Values:
        """Return what would be measured of an image."""

    def adjoint(self, measured: Values) -> Values:
        """Return the adjoint of `forward` for values in the place of the measured ones."""


def corrected(
    denoise: Callable[[Values], NDArray[Any]],
    noisy: NDArray[Any],
    clean: NDArray[Any],
    scale: Values | float,
    measured: Measured,
    rounds: int,
) -> Values:
    """Return the image expected from a noisy one and from what was measured of it.

    ``x₀ + C Aᵀ (A C Aᵀ + σ²)⁻¹ (y − A x₀)``, ``C = s² ∂D/∂z``

    For a filter D that returns the mean of all images x with ``z = x + s · noise``, C is their
    covariance, and the result their mean given y, as if they were normally distributed. The
    inverse is that of some rounds of conjugate gradients, and the derivative a finite difference
    of the filter, so that each round but for x₀ filters once. All sums are in float64 and in the
    order of the pixels.

    Parameters
    ----------
    denoise : callable
        The filter D of this step.
    noisy, clean : ndarray
        The noisy image z, and ``x₀ = D(z)``.
    scale : float or ndarray
        Standard deviation s of the noise in z.
    measured : Measured
        Of each image apart: A, its adjoint, y and the variance σ².
    rounds : int
        0 returns x₀. More fit the measured values better; one alone can be worse than none.

    References
    ----------
    Boys, Girolami, Pidstrigach, Reich, Mosca and Akyildiz (2024), Tweedie moment projected
    diffusions for inverse problems, for the covariance; Hestenes and Stiefel (1952), Methods of
    conjugate gradients for solving linear systems.
    """
    z, start = noisy.astype(np.float64), clean.astype(np.float64)
    image, residual = start.copy(), measured.values - measured.forward(start)
    direction, size = residual.copy(), _squares(residual, measured)
    for _ in range(rounds):
        moved = _covariance(measured.adjoint(direction), denoise, z, start, scale, measured)
        change = measured.forward(moved) + measured.variance * direction
        along = _products(direction, change, measured)
        # Where nothing is left, or the filter has no covariance that way, nothing moves.
        length = _ratio(size, along)
        image += length * moved
        residual -= length * change
        left = _squares(residual, measured)
        direction, size = residual + _ratio(left, size) * direction, left
    return image


def _covariance(
    direction: Values,
    denoise: Callable[[Values], NDArray[Any]],
    noisy: Values,
    clean: Values,
    scale: Values | float,
    measured: Measured,
) -> Values:
    """Return C times a direction: s² times the derivative of the filter along it."""
    mean = np.mean(direction * direction, axis=measured.summed, keepdims=True)
    step = _ratio(_CHANGE * np.asarray(scale), np.sqrt(mean))
    change = denoise(noisy + step * direction) - clean
    return _ratio(np.square(scale), step) * change


def _squares(values: Values, measured: Measured) -> Values:
    return _products(values, values, measured)


def _products(a: Values, b: Values, measured: Measured) -> Values:
    return np.add.reduce(a * b, axis=measured.summed, keepdims=True)


def _ratio(part: Any, whole: Any) -> Values:
    """Return a quotient, 0 where nothing is positive to divide by."""
    part, whole = np.broadcast_arrays(np.asarray(part, np.float64), whole)
    return np.divide(part, whole, out=np.zeros(whole.shape), where=whole > 1e-300)
