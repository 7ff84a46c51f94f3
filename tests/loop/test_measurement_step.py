"""The correction by a measurement against the exact posterior of a Gaussian process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from napari_diffusion.loop.measurement_step import corrected

SIZE, CHAINS = 64, 400

_PLACES = np.arange(SIZE)
COVARIANCE = 0.05 * np.exp(-0.5 * ((_PLACES[:, None] - _PLACES) / 4.0) ** 2) + 1e-5 * np.eye(SIZE)
_POWERS, _WAVES = np.linalg.eigh(COVARIANCE)


def _expected(noisy: Any, scale: float) -> Any:
    """Return the mean of the process given noisy values: the exact denoiser."""
    gain = (_WAVES * (_POWERS / (_POWERS + scale**2))) @ _WAVES.T
    return noisy @ gain


def _blur() -> Any:
    distance = np.minimum(_PLACES, SIZE - _PLACES)
    kernel = np.exp(-0.5 * (distance / 3.0) ** 2)
    return np.stack([np.roll(kernel / kernel.sum(), shift) for shift in range(SIZE)])


MATRICES = {
    "inpainting": (np.delete(np.eye(SIZE), np.s_[24:40], 0), 0.01),
    "4x": (np.kron(np.eye(16), np.full((1, 4), 0.25)), 0.02),
    "deblurring": (_blur(), 0.02),
}


@dataclass
class _Matrix:
    matrix: Any
    values: Any
    variance: Any
    summed: tuple[int, ...] = (1,)

    def forward(self, image: Any) -> Any:
        return image @ self.matrix.T

    def adjoint(self, measured: Any) -> Any:
        return measured @ self.matrix


def _measured(name: str, rng: np.random.Generator, count: int = 1) -> _Matrix:
    matrix, sigma = MATRICES[name]
    # With the same bits wherever it runs.
    images = rng.multivariate_normal(np.zeros(SIZE), COVARIANCE, count, method="cholesky")
    values = images @ matrix.T + sigma * rng.standard_normal((count, len(matrix)))
    return _Matrix(matrix, values, np.array(sigma**2))


def _posterior(measured: _Matrix) -> tuple[Any, Any]:
    """Return mean and standard deviation of the process given what was measured."""
    a, c = measured.matrix, COVARIANCE
    spread = a @ c @ a.T + measured.variance * np.eye(len(a))
    gain = np.linalg.solve(spread, a @ c).T
    return gain @ measured.values[0], np.sqrt(np.diag(c - gain @ a @ c))


def _sampled(measured: _Matrix, rounds: int, rng: np.random.Generator, steps: int = 50) -> Any:
    """Return samples by reverse steps that the measurement corrects."""
    root = np.linspace(5.0 ** (1 / 7), 0.003 ** (1 / 7), steps) ** 7
    z = root[0] * rng.standard_normal((CHAINS, SIZE))
    for scale, following in zip(root, [*root[1:], 0.0], strict=True):
        clean = _expected(z, scale)
        at = lambda values, scale=scale: _expected(values, scale)  # noqa: E731
        clean = corrected(at, z, clean, scale, measured, rounds)
        ratio = (following / scale) ** 2
        noise = following * np.sqrt(1 - ratio) * rng.standard_normal(z.shape)
        z = clean + ratio * (z - clean) + noise
    return z


@pytest.mark.parametrize("name", list(MATRICES))
def test_samples_have_the_posterior_mean_and_spread(name: str) -> None:
    rng = np.random.default_rng(0)
    measured = _measured(name, rng)
    mean, deviation = _posterior(measured)
    samples = _sampled(measured, 5, rng)
    wide = deviation > 0.5 * deviation.max()
    bias = np.sqrt(np.mean((samples.mean(0) - mean) ** 2) / np.mean(deviation**2))
    spread = np.sqrt(np.mean(samples.var(0)[wide]) / np.mean(deviation[wide] ** 2))
    assert bias <= 0.25
    assert 0.83 <= spread <= 1.05


@pytest.mark.parametrize("name", list(MATRICES))
def test_samples_fit_what_was_measured_within_its_noise(name: str) -> None:
    """Over many images: samples of the posterior and the image itself then fit equally well."""
    rng = np.random.default_rng(0)
    measured = _measured(name, rng, CHAINS)
    samples = _sampled(measured, 5, rng)
    misfit = (measured.forward(samples) - measured.values) ** 2 / measured.variance
    assert 0.9 <= np.sqrt(misfit.mean()) <= 1.1


def test_without_rounds_the_image_is_the_filtered_one() -> None:
    rng = np.random.default_rng(1)
    measured = _measured("4x", rng)
    clean = rng.standard_normal((1, SIZE))
    np.testing.assert_array_equal(
        corrected(lambda z: z, clean, clean, 1.0, measured, rounds=0), clean
    )


def test_many_rounds_solve_the_equation_of_a_linear_filter() -> None:
    rng = np.random.default_rng(2)
    measured, scale = _measured("inpainting", rng), 0.3
    noisy = rng.standard_normal((2, SIZE))
    clean = _expected(noisy, scale)
    covariance = scale**2 * _expected(np.eye(SIZE), scale)
    a = measured.matrix
    inverse = np.linalg.inv(a @ covariance @ a.T + measured.variance * np.eye(len(a)))
    wanted = clean + (measured.values - clean @ a.T) @ inverse @ a @ covariance
    found = corrected(lambda z: _expected(z, scale), noisy, clean, scale, measured, rounds=60)
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_an_image_that_fits_and_a_filter_without_derivative_change_nothing() -> None:
    rng = np.random.default_rng(3)
    measured = _measured("deblurring", rng)
    flat = np.zeros((1, SIZE))
    fits = _Matrix(measured.matrix, measured.forward(flat), measured.variance)
    np.testing.assert_array_equal(corrected(lambda z: z, flat, flat, 1.0, fits, 3), flat)
    still = corrected(lambda z: 0 * z, flat, flat, 1.0, measured, 3)
    np.testing.assert_array_equal(still, flat)
