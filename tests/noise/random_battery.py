"""The long look at the random numbers, a thousand million of them: `make test-random`.

Left out of the ordinary tests, whose files are called test_*. NAPARI_DIFFUSION_NUMBERS sets another
count; where dieharder is installed, its tests see the words too.
"""

from __future__ import annotations

import math
import os
import shutil
import subprocess

import numpy as np
import pytest
from scipy import special, stats

from napari_diffusion.noise import EMCCD, Gaussian, Poisson, PoissonGaussian, Rician, Speckle
from napari_diffusion.noise.sampling import random_numbers

NUMBERS = int(float(os.environ.get("NAPARI_DIFFUSION_NUMBERS", "1e9")))
SIDE = 2048
PLANE = SIDE * SIDE
PLANES = max(1, -(-NUMBERS // PLANE))
# The models are several: each gets a tenth.
MODEL_PLANES = max(1, PLANES // 10)

# Among some hundred tests the least p is below this once in ten thousand runs.
LEAST_P = 1e-6
# A normal number is farther out than this with that probability.
LIMIT = 4.9


def words(index, seed=1, step=0, stream=0, shift=(0, 0)):
    """Return the words of a plane; z is its index."""
    y0, x0 = shift
    keys, z = random_numbers.addresses(
        (1, 1, 1, SIDE, SIDE), (0, 0, index, y0, x0), seed, step, stream
    )
    out = np.empty((1, SIDE, SIDE), np.uint32)
    random_numbers.fill_words(out, keys, z, y0, x0, 0, 1, 0, SIDE, 0)
    return out[0]


def assert_chi_square(seen, expected, constraints=1):
    """Hold counts to expected ones; what is expected less than 25 times is counted together."""
    seen, expected = np.asarray(seen, float).ravel(), np.asarray(expected, float).ravel()
    often = expected >= 25
    pairs = np.array([*zip(seen[often], expected[often], strict=True)])
    rare = np.array([seen[~often].sum(), expected[~often].sum()])
    if rare[1] >= 25:
        pairs = np.vstack([pairs, rare])
    else:
        assert stats.poisson.sf(rare[0] - 1, max(rare[1], 1e-300)) > LEAST_P
    chi = np.sum((pairs[:, 0] - pairs[:, 1]) ** 2 / pairs[:, 1])
    p = stats.chi2.sf(chi, max(len(pairs) - constraints, 1))
    assert LEAST_P < p < 1 - LEAST_P, p


def assert_count(seen, expected):
    """Hold a count of rare events to the number expected."""
    assert stats.poisson.sf(seen - 1, expected) > LEAST_P, (seen, expected)
    assert stats.poisson.cdf(seen, expected) > LEAST_P, (seen, expected)


class TestWords:
    def test_bits_bytes_and_halves_are_even(self):
        halves, bits = np.zeros(1 << 16), np.zeros(32)
        for index in range(PLANES):
            plane = words(index)
            halves += np.bincount(plane.view(np.uint16).ravel(), minlength=1 << 16)
            if index % 16 == 0:
                bits += [np.count_nonzero(plane & np.uint32(1 << i)) for i in range(32)]
        assert_chi_square(halves, np.full(1 << 16, 2 * PLANES * PLANE / (1 << 16)))
        tried = len(range(0, PLANES, 16)) * PLANE
        assert np.abs((bits - tried / 2) / math.sqrt(tried / 4)).max() < LIMIT

    @pytest.mark.parametrize(
        "other",
        [
            {"shift": (0, 1)},
            {"shift": (0, 2)},
            {"shift": (0, 4)},
            {"shift": (1, 0)},
            {"shift": (2**31, 0)},
            {"shift": (0, 2**33)},
            {"seed": 2},
            {"seed": 1 + 2**32},
            {"seed": 2**64 - 1},
            {"step": 1},
            {"stream": 1},
        ],
        ids=str,
    )
    def test_neighbours_and_other_addresses_share_no_bits(self, other):
        agreed = np.zeros(32)
        count = max(1, PLANES // 8)
        for index in range(count):
            unlike = words(index) ^ words(index, **other)
            agreed += [np.count_nonzero(unlike & np.uint32(1 << i)) for i in range(32)]
        tried = count * PLANE
        assert np.abs((agreed - tried / 2) / math.sqrt(tried / 4)).max() < LIMIT

    def test_planes_share_no_bits(self):
        for step in (1, 2, 3):
            unlike = sum(int(np.bitwise_count(words(i) ^ words(i + step)).sum()) for i in range(8))
            tried = 8 * 32 * PLANE
            assert abs(unlike - tried / 2) / math.sqrt(tried / 4) < LIMIT

    @pytest.mark.parametrize("test", [0, 1, 2, 3, 8, 10, 11, 12, 13, 15, 100, 101, 102])
    def test_dieharder(self, test):
        program = shutil.which("dieharder")
        if program is None:
            pytest.skip("dieharder is not installed")
        command = [program, "-g", "200", "-d", str(test)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=False
        ) as running:
            index = 0
            try:
                while running.poll() is None:
                    running.stdin.write(words(index, seed=3).tobytes())
                    index += 1
                running.stdin.close()
            except BrokenPipeError:
                pass
            report = running.stdout.read().decode()
        assert "PASSED" in report or "WEAK" in report, report
        assert "FAILED" not in report, report


def histogram(noise, image_level, scale, low, high, bins, seed=4):
    """Count a model's numbers, plane by plane, in even bins; return counts, edges and extremes."""
    edges = np.linspace(low, high, bins + 1)
    counts, below, above = np.zeros(bins), 0, 0
    image = np.full((SIDE, SIDE), image_level)
    for step in range(MODEL_PLANES):
        found = noise(image, scale, seed=seed, step=step)
        counts += np.histogram(found, edges)[0]
        below += np.count_nonzero(found < low)
        above += np.count_nonzero(found > high)
    return np.concatenate([[below], counts, [above]]), edges


def hold_to(cdf, counts, edges):
    at = np.concatenate([[0.0], cdf(edges), [1.0]])
    assert_chi_square(counts, np.diff(at) * MODEL_PLANES * PLANE)


def test_normal_numbers():
    edges = np.linspace(-7, 7, 3501)
    counts, sums, count = np.zeros(3500), np.zeros(5), PLANES * PLANE
    beyond = dict.fromkeys((3, 4, 5, 6), 0)
    for step in range(PLANES):
        found = Gaussian()(np.zeros((SIDE, SIDE), np.float32), 1.0, seed=5, step=step)
        counts += np.histogram(found, edges)[0]
        wide, far = found.astype(float).ravel(), np.abs(found)
        squares = wide * wide
        sums += [wide.size, wide.sum(), squares.sum(), wide @ squares, squares @ squares]
        for sigmas in beyond:
            beyond[sigmas] += np.count_nonzero(far > sigmas)
    assert_chi_square(counts, np.diff(special.ndtr(edges)) * count)
    # Of the powers of a normal number: mean and variance.
    for order, (mean, variance) in enumerate(((0, 1), (1, 2), (0, 15), (3, 96)), start=1):
        assert abs(sums[order] / count - mean) < LIMIT * math.sqrt(variance / count)
    for sigmas, seen in beyond.items():
        assert_count(seen, count * 2 * special.ndtr(-sigmas))


@pytest.mark.parametrize("rate", [0.01, 0.7, 3.0, 3.999, 10.0, 12.0, 30.0, 100.0, 1e4, 5e4])
def test_poisson_numbers(rate):
    width = 7 * math.sqrt(rate) + 10
    low, high = max(0, math.floor(rate - width)), math.ceil(rate + width)
    counts, edges = histogram(Poisson(gain=1.0), rate, None, low - 0.5, high + 0.5, high - low + 1)
    whole = np.maximum(np.floor(edges), 0)
    hold_to(lambda at: np.where(at < 0, 0.0, special.pdtr(whole, rate)), counts, edges)
    total = counts.sum()
    values = np.arange(low, high + 1)
    for sigmas in (4, 5, 6):
        limit = rate + sigmas * math.sqrt(rate)
        seen = counts[1:-1][values > limit].sum() + counts[-1]
        assert_count(seen, total * special.pdtrc(math.floor(limit), rate))


@pytest.mark.parametrize("rate", [65536.0, 1e6, 1e7])
def test_many_photons(rate):
    root = math.sqrt(rate)
    # Whole numbers: edges half way between, as even as whole steps allow.
    step = max(1, round(root / 64))
    low = math.floor(rate) - 6 * 64 * step - 0.5
    bins = 12 * 64
    counts, edges = histogram(Poisson(gain=1.0), rate, None, low, low + bins * step, bins)
    hold_to(lambda at: special.pdtr(np.floor(at), rate), counts, edges)


@pytest.mark.parametrize("looks", [0.3, 1.0, 1.9, 2.0, 4.0, 30.0, 1e3, 2e4])
def test_speckle(looks):
    exact = stats.gamma(looks, scale=1 / looks)
    low, high = exact.ppf(1e-6), exact.isf(1e-7)
    counts, edges = histogram(Speckle(looks=looks), 1.0, None, low, high, 1500)
    hold_to(exact.cdf, counts, edges)


@pytest.mark.parametrize("level", [0.0, 0.5, 2.0, 10.0])
def test_rician(level):
    exact = stats.rice(level) if level else stats.rayleigh()
    counts, edges = histogram(
        Rician(sigma=1.0, reference=1.0), level, None, max(0, level - 5.5), level + 6, 1200
    )
    hold_to(exact.cdf, counts, edges)


@pytest.mark.parametrize("rate", [0.3, 3.0, 30.0])
def test_camera(rate):
    noise = PoissonGaussian(gain=2.0, offset=100.0, read_noise=0.7)
    k = np.arange(int(rate + 12 * math.sqrt(rate) + 15))
    weights = stats.poisson.pmf(k, rate)

    def cdf(at):
        return special.ndtr((at[:, None] - 100 - 2 * k) / 0.7) @ weights

    high = 100 + 2 * (rate + 6 * math.sqrt(rate) + 5)
    counts, edges = histogram(noise, 100 + 2 * rate, None, 97.0, high, 1500)
    hold_to(cdf, counts, edges)


@pytest.mark.parametrize("rate", [0.3, 3.0, 30.0, 100.0])
def test_multiplied_electrons(rate):
    k = np.arange(1, int(rate + 12 * math.sqrt(rate) + 15))
    weights = stats.poisson.pmf(k, rate)

    def cdf(at):
        return math.exp(-rate) + special.gammainc(k, at[:, None]) @ weights

    high = rate + 7 * math.sqrt(2 * rate) + 8
    counts, edges = histogram(EMCCD(gain=1.0, read_noise=0.0), rate, None, 1e-3, high, 1000)
    hold_to(cdf, counts, edges)
