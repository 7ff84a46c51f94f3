"""Noise that depends on the intensity: the right distribution, exact, and the same everywhere."""

from __future__ import annotations

import functools
import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import special, stats

import napari_diffusion as nd
from napari_diffusion.core.image import Image
from napari_diffusion.filters import Heat
from napari_diffusion.noise import EMCCD, Poisson, PoissonGaussian, Rician, Speckle
from napari_diffusion.noise.sampling import gamma

# Of every model a component whose noise is plain to see on images of mean 100.
MODELS = (Poisson(), PoissonGaussian(offset=3.0), EMCCD(), Speckle(), Rician())
RATES = (0.01, 3.0, 10.0, 30.0, 100.0, 1e4, 1e7)
# Chance alone goes beyond this once in 30 000 trials.
LIMIT = 4.15


def poisson_numbers(rate, shape, dtype=np.float64, **address):
    """Return Poisson numbers of one rate: gain 1 makes photons of intensities."""
    return Poisson(gain=1.0)(np.full(shape, rate, dtype), None, **address)


def assert_moments(found, expected):
    """Hold mean, variance and the third and fourth central moments to exact ones, within chance.

    Parameters
    ----------
    found : ndarray
        Independent numbers.
    expected : sequence of 8 float
        Mean and central moments 2 … 8 of the distribution.
    """
    mean, *central = expected
    m = dict(zip(range(2, 9), central, strict=True)) | {0: 1.0, 1: 0.0}
    n, differences = found.size, found.ravel() - mean
    assert abs(differences.mean()) < LIMIT * math.sqrt(m[2] / n)
    for order in (2, 3, 4):
        error = math.sqrt((m[2 * order] - m[order] ** 2) / n)
        assert abs(np.mean(differences**order) - m[order]) < LIMIT * error, order


def poisson_moments(rate):
    """Return the mean and the central moments 2 … 8: μ_{n+1} = λ Σ_k C(n, k) μ_k, k < n."""
    m = [1.0, 0.0]
    for n in range(1, 8):
        m.append(rate * sum(math.comb(n, k) * m[k] for k in range(n)))
    return (rate, *m[2:])


class TestPoisson:
    @pytest.mark.parametrize("rate", RATES)
    def test_moments(self, rate):
        found = poisson_numbers(rate, (700, 1000), seed=1)
        np.testing.assert_array_equal(found, np.round(found))
        assert_moments(found, poisson_moments(rate))

    @pytest.mark.parametrize("rate", [0.01, 0.7, 3.0, 4.5, 10.0, 11.99, 12.0, 30.0, 100.0, 1e4])
    def test_frequencies(self, rate):
        found = poisson_numbers(rate, (700, 1000), seed=2).ravel()
        values = np.arange(found.max() + 40)
        expected = stats.poisson.pmf(values, rate) * found.size
        seen = np.bincount(found.astype(int), minlength=len(values))
        # Values too rare for the chi-square distribution are counted together.
        often = expected > 10
        pairs = [*zip(seen[often], expected[often], strict=True)]
        pairs.append((seen[~often].sum(), found.size - expected[often].sum()))
        chi = sum((a - b) ** 2 / b for a, b in pairs if b > 10)
        assert stats.chi2.sf(chi, max(len(pairs) - 1, 1)) > 1e-5

    @pytest.mark.parametrize("rate", [65535.0, 65536.0, 1e5 + 0.5, 1e7, 1e12, 2.0**52])
    def test_large_rates_are_nearly_normal(self, rate):
        """Beyond 65536 another way draws them; the distribution is the quantile's either way."""
        found = np.sort(poisson_numbers(rate, (300, 1000), seed=3).ravel())
        # Whole numbers are compared where the distribution function is flat: half way between.
        values = np.unique(found)
        exact = (
            special.pdtr(values, rate)
            if rate < 1e9
            else special.ndtr((values + 0.5 - rate) / math.sqrt(rate))
        )
        seen = np.searchsorted(found, values, side="right") / found.size
        assert np.abs(seen - exact).max() < 2.4 / math.sqrt(found.size)

    @pytest.mark.parametrize("rate", [0.7, 3.0, 30.0, 1e4])
    def test_tails_have_their_frequency(self, rate):
        found = poisson_numbers(rate, (4000, 1000), np.float32, seed=4)
        for sigmas in (3, 4, 4.5):
            low, high = (rate + sign * sigmas * math.sqrt(rate) for sign in (-1, 1))
            for seen, chance in (
                (np.sum(found > high), stats.poisson.sf(math.floor(high), rate)),
                (np.sum(found < low), stats.poisson.cdf(math.ceil(low) - 1, rate)),
            ):
                assert stats.poisson.sf(seen - 1, found.size * chance) > 1e-5
                assert stats.poisson.cdf(seen, found.size * chance) > 1e-5

    def test_no_photons_without_light(self):
        image = np.zeros((50, 60))
        image[10:20] = 3.0
        found = Poisson()(image, None, seed=5)
        assert not found[:10].any()
        assert not found[20:].any()
        assert found[10:20].any()

    def test_numbers_are_multiples_of_the_gain(self):
        image = np.random.default_rng(0).uniform(0, 100, (50, 60))
        found = Poisson(gain=0.37)(image, None, seed=6)
        counts = found / 0.37
        np.testing.assert_allclose(counts, np.round(counts), rtol=0, atol=1e-9)

    def test_the_scale_is_the_deviation_at_the_mean(self):
        image = np.random.default_rng(0).uniform(0, 100, (50, 60))
        found = Poisson()(image, 5.0, seed=6)
        again = Poisson(gain=25 / image.mean())(image, None, seed=6)
        np.testing.assert_allclose(found, again, rtol=1e-14)

    def test_more_light_gives_no_fewer_photons(self):
        """The number is a quantile of its pixel's uniform number, which no rate changes."""
        before = np.zeros((60, 70))
        for rate in (0.01, 0.5, 3.9, 4.1, 11.9, 12.1, 12.6, 40.0, 1e3, 6e4):
            found = poisson_numbers(rate, (60, 70), seed=7)
            assert (found >= before).all()
            before = found


@functools.cache
def _compiled():
    from numba import njit

    from napari_diffusion.noise.sampling import poisson
    from napari_diffusion.noise.sampling.poisson_exact import inverted

    add_up, expand = poisson._add_up, poisson._expand

    @njit
    def found_by(rates, words, terms):
        n = rates.size
        found, part = np.zeros(n, np.float32), np.empty(n, np.float32)
        narrow = rates.astype(np.float32)
        for i in range(n):
            part[i] = rates[i] - np.floor(rates[i])
        if terms == 14:
            add_up(found, narrow, words, n, 14)
        elif terms == 32:
            add_up(found, narrow, words, n, 32)
        else:
            expand(found, narrow, part, words, n)
        return found

    @njit
    def extremes(rates, words):
        low, high = np.empty(rates.size), np.empty(rates.size)
        for i in range(rates.size):
            bits = np.uint64(words[i]) << np.uint64(32)
            low[i] = inverted(rates[i], bits)
            high[i] = inverted(rates[i], bits | np.uint64(0xFFFFFFFF))
        return low, high

    return found_by, extremes


def sure_and_right(rates, words, terms):
    """Hold what the fast loop finds to the exact quantiles; return the share it leaves open."""
    from napari_diffusion.noise.sampling.poisson import OPEN

    found_by, extremes = _compiled()
    found = found_by(rates, words, terms)
    sure = found != OPEN
    numbers = (found + (0 if terms else np.floor(rates)))[sure]
    for exact in extremes(rates[sure], words[sure]):
        np.testing.assert_array_equal(numbers, exact)
    return np.mean(~sure)


class TestThePoissonQuantile:
    """What the fast loop finds is what adding up all 64 bits' worth gives."""

    @pytest.mark.parametrize("low", [1e-6, 0.1, 1.0, 3.5, 11.0, 12.0, 50.0, 1e3, 5e4])
    def test_the_loop_without_branches_is_exact(self, low):
        from napari_diffusion.noise.sampling import random_numbers
        from napari_diffusion.noise.sampling.poisson_exact import inverted

        rates = np.geomspace(low, 1.2 * low, 4000).reshape(2, 2000)
        counts = Poisson(gain=1.0)(rates, None, seed=8)
        keys, z = random_numbers.addresses((1, 1, 1, 2, 2000), (0,) * 5, 8)
        words = np.zeros((2, 1, 2, 2000), np.uint32)
        for slot in (0, 1):
            random_numbers.fill_words(words[slot], keys, z, 0, 0, 0, 1, 0, 2, slot)
        bits = (words[0].astype(np.uint64) << np.uint64(32)) | words[1]
        each = zip(rates.ravel(), bits.ravel(), strict=True)
        expected = [inverted(rate, number) for rate, number in each]
        np.testing.assert_array_equal(counts.ravel(), expected)

    @pytest.mark.parametrize(
        ("low", "high", "terms"),
        [(0.0, 4.0, 14), (0.0, 12.0, 32), (12.0, 100.0, 0), (12, 65536, 0)],
    )
    def test_the_loop_is_sure_where_it_is_right(self, low, high, terms):
        """Words close to a step of the quantile, at any rate: right, or left open."""
        random = np.random.default_rng(1)
        rates = random.uniform(low, high, 200_000 if high <= 100 else 20_000)
        steps = special.pdtr(np.floor(random.normal(rates, np.sqrt(rates))).clip(0), rates)
        away = random.choice([-1, 1], rates.size) * 10 ** random.uniform(0, 9, rates.size)
        words = np.clip(steps * 2.0**32 + away, 0, 2.0**32 - 1).astype(np.uint32)
        open_share = sure_and_right(rates, words, terms)
        assert 0 < open_share < 0.6
        words = random.integers(0, 2**32, rates.size, dtype=np.uint32)
        assert 0 < sure_and_right(rates, words, terms) < 0.002

    @pytest.mark.parametrize("rate", [0.01, 0.7, 3.0, 12.0, 30.0, 100.0, 1e4, 6e4])
    def test_the_sum_is_the_quantile(self, rate):
        from napari_diffusion.noise.sampling.poisson_exact import inverted

        random = np.random.default_rng(0)
        bits = random.integers(0, 2**64, 500, dtype=np.uint64)
        # Far out as well, on both sides.
        bits = np.concatenate([bits, bits >> np.uint64(30), ~(bits >> np.uint64(20))])
        found = np.array([inverted(rate, number) for number in bits])
        lower = (bits.astype(float) + 0.5) / 2.0**64
        upper = ((~bits).astype(float) + 0.5) / 2.0**64
        left = lower < upper
        # The smallest k of which the distribution function exceeds u.
        reached = np.where(left, special.pdtr(found, rate), special.pdtrc(found, rate))
        before = np.where(left, special.pdtr(found - 1, rate), special.pdtrc(found - 1, rate))
        close = 1e-11
        assert (reached >= lower * (1 - close))[left].all()
        assert (before <= lower * (1 + close))[left & (found > 0)].all()
        assert (reached <= upper * (1 + close))[~left].all()
        assert (before >= upper * (1 - close))[~left & (found > 0)].all()

    @pytest.mark.parametrize("rate", [65536.0, 65536.99, 7e4, 1e6 + 0.3, 1e9])
    def test_large_rates_stay_under_their_hat(self, rate):
        """A proposal accepted with a chance above 1 would be taken too rarely."""
        from napari_diffusion.noise.sampling import poisson_exact as exact

        root = math.sqrt(rate)
        width = math.floor(root / exact._PER_SIGMA) + 1
        cells = np.arange(exact._CELLS) - exact._CELLS // 2
        for offset in {0, 1, width // 3, width // 2, width - 1}:
            k = np.maximum(math.floor(rate) + cells * width + offset, 0.0)
            wanted = np.array([exact.probability(each, rate) for each in k])
            wanted *= math.sqrt(2 * math.pi * rate)
            assert (wanted <= exact._HATS).all()
            assert wanted[exact._CELLS // 2] > 0.9 * exact._HATS[exact._CELLS // 2]

    def test_alias_tables_give_the_weights(self):
        from napari_diffusion.noise.sampling import poisson_exact as exact

        kept = exact._KEEP.astype(float) / 2.0**56
        found = kept.copy()
        np.add.at(found, exact._OTHER, 1 - kept)
        expected = exact._HATS / exact._HATS.mean()
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)


def gamma_moments(shape):
    """Return the mean and the central moments 2 … 8 of gamma numbers of mean 1."""
    m, theta = [1.0, 0.0], 1 / shape
    for n in range(1, 8):
        m.append(n * theta * (m[n] + shape * theta * m[n - 1]))
    return (1.0, *m[2:])


def density_moments(values, density):
    """Return the mean and the central moments 2 … 8 of a density that is 0 at both ends."""
    step = values[1] - values[0]
    mean = np.sum(values * density) * step
    return (mean, *(np.sum((values - mean) ** n * density) * step for n in range(2, 9)))


class TestSpeckle:
    @pytest.mark.parametrize("looks", [0.3, 1.0, 1.7, 4.0, 30.0, 2e4, 1e7])
    def test_distribution(self, looks):
        image = np.full((700, 1000), 7.0)
        found = Speckle(looks=looks)(image, None, seed=1).ravel() / 7
        assert_moments(found, gamma_moments(looks))
        assert stats.kstest(found, stats.gamma(looks, scale=1 / looks).cdf).pvalue > 1e-5

    def test_highest_coefficients_of_0_are_kept(self, monkeypatch):
        """Kernels read all of them; whether one is exactly 0 depends on the machine."""
        fitted = np.array([1e-6, 1e-2, *[0.0] * 12])
        monkeypatch.setattr(np.polynomial.chebyshev, "chebfit", lambda *args, **options: fitted)
        found = gamma.polynomial.__wrapped__(3e4)
        np.testing.assert_allclose(found, [0.0] * 12 + [1e-2, 1e-6], rtol=1e-6)

    @pytest.mark.parametrize("looks", [0.3, 1.0, 4.0, 1e3])
    def test_tails_have_their_frequency(self, looks):
        image = np.ones((4000, 1000), np.float32)
        found = Speckle(looks=looks)(image, None, seed=2)
        exact = stats.gamma(looks, scale=1 / looks)
        for chance in (1e-3, 1e-4, 1e-5):
            for seen in (np.sum(found < exact.ppf(chance)), np.sum(found > exact.isf(chance))):
                assert stats.poisson.sf(seen - 1, found.size * chance) > 1e-5
                assert stats.poisson.cdf(seen, found.size * chance) > 1e-5

    @pytest.mark.parametrize("looks", [1.0, 1.9, 2.0, 2.1, 7.0, 9999.0, 10001.0, 1e6])
    def test_numbers_are_quantiles(self, looks):
        """Of the 64 bits of their pixel, to the last digits of float32."""
        from napari_diffusion.noise.sampling import random_numbers

        keys, z = random_numbers.addresses((1, 1, 1, 400, 1000), (0,) * 5, 9)
        words = np.zeros((2, 1, 400, 1000), np.uint32)
        for slot in (0, 1):
            random_numbers.fill_words(words[slot], keys, z, 0, 0, 0, 1, 0, 400, slot)
        bits = (words[0].astype(np.uint64) << np.uint64(32)) | words[1]
        lower, upper = ((b[0].astype(float) + 0.5) / 2.0**64 for b in (bits, ~bits))
        exact = np.where(
            lower < upper,
            special.gammaincinv(looks, np.minimum(lower, upper)),
            special.gammainccinv(looks, np.minimum(lower, upper)),
        )
        found = Speckle(looks=looks)(np.ones((400, 1000)), None, seed=9)
        np.testing.assert_allclose(found, exact / looks, rtol=3e-6, atol=3e-8)

    def test_small_noise_of_float64_images_is_not_rounded_away(self):
        image = np.full((300, 400), 100.0)
        noise = (Speckle()(image, 1e-8, seed=3) - image) / 1e-8
        assert noise.std() == pytest.approx(1, rel=0.01)

    def test_zero_stays_zero(self):
        image = np.zeros((50, 60), np.float32)
        image[25:] = 1.0
        found = Speckle()(image, 0.5, seed=4)
        assert not found[:25].any()
        assert (found[25:] > 0).all()

    def test_more_noise_than_there_is_speckle_for(self):
        image = np.full((5, 6), 10.0)
        with pytest.raises(ValueError, match=r"Speckle: noise_scale=1e\+06 means .*: use"):
            Speckle()(image, 1e6)
        assert Speckle()(image, 1e3, seed=5).min() >= 0


class TestRician:
    @pytest.mark.parametrize("level", [0.0, 0.5, 2.0, 10.0, 300.0])
    def test_distribution(self, level):
        image = np.full((700, 1000), 3 * level)
        found = Rician(sigma=3.0, reference=1.0)(image, None, seed=1).ravel() / 3
        exact = stats.rice(level) if level < 50 else stats.norm(level + 0.5 / level)
        if level < 50:
            values = np.linspace(0, level + 12, 200_001)
            assert_moments(found, density_moments(values, exact.pdf(values)))
        assert stats.kstest(found, exact.cdf).pvalue > 1e-5

    def test_darkness_becomes_grey(self):
        found = Rician(sigma=2.0, reference=1.0)(np.zeros((700, 1000)), None, seed=2)
        assert found.mean() == pytest.approx(2 * math.sqrt(math.pi / 2), rel=3e-3)
        assert found.var() == pytest.approx(4 * (2 - math.pi / 2), rel=6e-3)

    @pytest.mark.parametrize("scale", [1e-4, 0.1, 0.999, 1.001, 3.0, 100.0, 1e4])
    def test_the_scale_is_the_deviation(self, scale):
        found = Rician()(np.full((500, 1000), 10.0), scale, seed=3)
        assert found.std() == pytest.approx(scale, rel=5e-3)

    def test_the_solution_is_exact(self):
        from napari_diffusion.noise.rician import deviation_per_sigma, sigma_per_deviation

        for ratio in (0.0, 0.1, 0.9, 2.0, 9.0):
            assert deviation_per_sigma(ratio) == pytest.approx(stats.rice(ratio).std(), rel=1e-9)
        for ratio in (0.0, 1e-9, 0.3, 1.0, 3.0, 30.0, 999.9, 1000.1, 1e9):
            sigma = sigma_per_deviation(ratio)
            assert sigma * deviation_per_sigma(ratio / sigma) == pytest.approx(1, rel=1e-9)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_no_square_leaves_the_range(self, dtype):
        top = 1e32 if dtype == np.float32 else 1e69
        image = np.array([[top, 1.0, 0.0]], dtype)
        found = Rician(sigma=0.1)(image, None, seed=4)
        assert found[0, 0] == image[0, 0]
        if dtype == np.float32:
            assert 0 < abs(found[0, 1] - 1) < 0.7
            assert 0 < found[0, 2] < 0.7
        strong = Rician()(image, top, seed=4)
        assert np.isfinite(strong).all()
        assert (strong > top / 100).all()


def sum_moments(*parts):
    """Return the mean and the central moments 2 … 8 of a sum of independent numbers."""
    total = [1.0] + [0.0] * 8
    for _, *central in parts:
        m = [1.0, 0.0, *central]
        total = [sum(math.comb(n, k) * total[k] * m[n - k] for k in range(n + 1)) for n in range(9)]
    return (sum(part[0] for part in parts), *total[2:])


def times(factor, moments):
    return tuple(factor ** max(n, 1) * m for n, m in zip((1, *range(2, 9)), moments, strict=True))


NORMAL = (0.0, 1.0, 0.0, 3.0, 0.0, 15.0, 0.0, 105.0)


class TestPoissonGaussian:
    @pytest.mark.parametrize("rate", RATES)
    def test_moments(self, rate):
        camera = PoissonGaussian(gain=2.0, offset=100.0, read_noise=3.0, reference=200.0)
        found = camera(np.full((700, 1000), 100.0 + 2 * rate), None, seed=1)
        expected = sum_moments(times(2.0, poisson_moments(rate)), times(3.0, NORMAL))
        assert_moments(found - 100.0, expected)

    @pytest.mark.parametrize("rate", [0.01, 3.0, 30.0])
    def test_distribution(self, rate):
        camera = PoissonGaussian(gain=2.0, offset=100.0, read_noise=0.7, reference=200.0)
        found = camera(np.full((700, 1000), 100.0 + 2 * rate), None, seed=2)
        k = np.arange(int(rate + 10 * math.sqrt(rate) + 10))
        weights = stats.poisson.pmf(k, rate)
        values = np.linspace(90, 100 + 2 * k[-1], 20_001)
        exact = stats.norm.cdf((values[:, None] - 100 - 2 * k) / 0.7) @ weights
        seen = np.searchsorted(np.sort(found.ravel()), values) / found.size
        assert np.abs(seen - exact).max() < 2.4 / math.sqrt(found.size)

    def test_photons_are_those_of_poisson_noise(self):
        image = np.random.default_rng(0).uniform(0, 50, (40, 60))
        camera = PoissonGaussian(gain=2.0, read_noise=0.0)
        expected = Poisson(gain=2.0)(image, None, seed=3)
        np.testing.assert_array_equal(camera(image, None, seed=3), expected)

    def test_the_share_of_read_noise_stays(self):
        """Four times the variance: four times the gain, twice the read noise."""
        image = np.full((40, 60), 50.0)
        camera = PoissonGaussian(gain=2.0, offset=10.0, read_noise=4.0)
        twice = 2 * math.sqrt(2 * 40 + 16)
        expected = camera.replaced(gain=8.0, read_noise=8.0)(image, None, seed=4)
        np.testing.assert_allclose(camera(image, twice, seed=4), expected, rtol=1e-12)

    def test_maps_have_a_number_for_each_pixel(self):
        random = np.random.default_rng(0)
        shape = (40, 1100)
        image = random.uniform(100, 300, (2, 3, *shape))
        maps = {
            "gain": random.uniform(1, 3, shape),
            "offset": random.uniform(80, 95, shape),
            "read_noise": random.uniform(0, 4, shape),
        }
        camera = PoissonGaussian(**maps)
        found = camera(image, None, axes="tzyx", seed=5)
        for y, x in ((0, 0), (3, 511), (3, 512), (39, 1099)):
            alone = PoissonGaussian(**{name: values[y, x] for name, values in maps.items()})
            expected = alone(image, None, axes="tzyx", seed=5)
            np.testing.assert_array_equal(found[..., y, x], expected[..., y, x])

    def test_maps_are_cut_with_regions_and_chunks(self):
        import dask.array as da

        random = np.random.default_rng(0)
        image = random.uniform(100, 300, (60, 90)).astype(np.float32)
        camera = PoissonGaussian(read_noise=random.uniform(0, 40, (60, 90)))
        whole = camera(image, 20.0, seed=6)
        chunked = camera(da.from_array(image, (17, 31)), 20.0, seed=6)
        np.testing.assert_array_equal(chunked.compute(), whole)
        still = nd.Recipe(
            num_steps=1, starting_noise_scale=20.0, noise=camera, diffusion_filter=Heat(time=0.0)
        )
        region = (slice(5, 50), slice(7, 80))
        crop = nd.run(image, still.replaced(seed=6), region=region).image
        np.testing.assert_array_equal(crop, whole[region])

    def test_with_maps_the_scale_is_that_of_the_whole_sensor(self):
        random = np.random.default_rng(0)
        image = np.full((500, 700), 100.0)
        camera = PoissonGaussian(
            gain=random.uniform(0.1, 3, image.shape), read_noise=random.uniform(0, 9, image.shape)
        )
        noise = camera(image, 12.0, seed=7) - image
        assert math.sqrt(np.mean(noise**2)) == pytest.approx(12.0, rel=5e-3)

    def test_values_below_the_offset_get_read_noise(self):
        image = np.full((500, 700), 110.0)
        image[:250] = 95.0
        noise = PoissonGaussian(gain=5.0, offset=100.0, read_noise=2.0)(image, None, seed=8) - image
        assert noise[:250].std() == pytest.approx(2.0, rel=0.01)
        assert noise[250:].std() == pytest.approx(math.sqrt(54.0), rel=0.01)

    def test_the_loop_goes_on_below_the_offset(self):
        image = np.zeros((30, 40))
        image[10:20] = 5.0
        recipe = nd.Recipe(num_steps=4, starting_noise_scale=3.0, noise=PoissonGaussian())
        assert np.isfinite(nd.run(image, recipe).image).all()

    @pytest.mark.parametrize("name", ["gain", "offset", "read_noise"])
    def test_maps_of_another_shape(self, name):
        camera = PoissonGaussian(**{name: np.ones((5, 6))})
        with pytest.raises(ValueError, match=rf"{name} must be a number or an array of the shape "):
            camera(np.full((6, 5), 10.0), 1.0)

    def test_a_mean_of_the_offset(self):
        with pytest.raises(ValueError, match=r"must be greater than the offset 100 \(got 99\)"):
            PoissonGaussian(offset=100.0)(np.full((5, 6), 99.0), 1.0)


class TestEMCCD:
    @pytest.mark.parametrize("rate", [0.01, 3.0, 30.0, 1e4])
    def test_moments(self, rate):
        camera = EMCCD(gain=2.0, offset=100.0, read_noise=0.3, reference=200.0)
        found = camera(np.full((700, 1000), 100.0 + 2 * rate), None, seed=1)
        # Cumulants of a Poisson number of exponential numbers: n! · rate.
        cumulants = [math.factorial(n) * rate for n in range(9)]
        m = [1.0, 0.0]
        for n in range(2, 9):
            total = cumulants[n]
            total += sum(math.comb(n - 1, k - 1) * cumulants[k] * m[n - k] for k in range(2, n))
            m.append(total)
        expected = sum_moments(times(2.0, (rate, *m[2:])), times(0.3, NORMAL))
        assert_moments(found - 100.0, expected)

    @pytest.mark.parametrize("rate", [0.3, 3.0, 30.0, 40.0])
    def test_distribution(self, rate):
        found = EMCCD(gain=1.0, read_noise=0.0)(np.full((700, 1000), rate), None, seed=2).ravel()
        k = np.arange(1, int(rate + 10 * math.sqrt(rate) + 10))
        weights = stats.poisson.pmf(k, rate)
        values = np.linspace(1e-3, 3 * k[-1], 5001)
        exact = math.exp(-rate) + special.gammainc(k, values[:, None]) @ weights
        seen = np.searchsorted(np.sort(found), values) / found.size
        assert np.abs(seen - exact).max() < 2.4 / math.sqrt(found.size)

    def test_multiplication_doubles_the_variance(self):
        image = np.full((500, 700), 40.0)
        found = EMCCD(gain=2.0, read_noise=0.0)(image, None, seed=3)
        assert found.var() == pytest.approx(2 * 2 * 40, rel=0.01)
        assert found.mean() == pytest.approx(40, rel=1e-3)

    def test_gamma_numbers_are_quantiles(self):
        """From the table and from the series, at their seam too."""
        from napari_diffusion.noise.sampling.camera import multiplied, tables

        z = np.linspace(-8, 8, 33) + 1e-3
        tail = special.ndtr(-np.abs(z))
        for count in (1.0, 2.0, 31.0, 32.0, 33.0, 34.0, 100.0, 1e5):
            low, high = special.gammaincinv(count, tail), special.gammainccinv(count, tail)
            exact = np.where(z < 0, low, high)
            found = [multiplied(count, each, tables()) for each in z]
            np.testing.assert_allclose(found, exact, rtol=3e-5 / math.sqrt(count))


@pytest.mark.parametrize("component", MODELS, ids=lambda component: type(component).__name__)
class TestAddresses:
    def test_a_crop_has_the_numbers_of_the_whole(self, component):
        still = nd.Recipe(
            num_steps=1, starting_noise_scale=20.0, noise=component, diffusion_filter=Heat(time=0.0)
        )
        image = np.random.default_rng(0).uniform(0, 200, (3, 20, 1100)).astype(np.float32)
        whole = nd.run(image, still, axes="zyx").image
        for x in (0, 1, 2, 3, 511, 512, 513):
            region = (slice(1, 3), slice(x % 7, 15), slice(x, 1090))
            crop = nd.run(image, still, axes="zyx", region=region).image
            np.testing.assert_array_equal(crop, whole[region])

    def test_chunks_and_threads_change_nothing(self, component, monkeypatch):
        import dask.array as da

        image = np.random.default_rng(0).uniform(0, 200, (300, 1100)).astype(np.float32)
        whole = component(image, 20.0, seed=2**64 - 1)
        chunked = component(da.from_array(image, (77, 129)), 20.0, seed=2**64 - 1)
        np.testing.assert_array_equal(chunked.compute(), whole)
        monkeypatch.setenv("NAPARI_DIFFUSION_THREADS", "3")
        np.testing.assert_array_equal(component(image, 20.0, seed=2**64 - 1), whole)

    def test_far_coordinates_have_numbers_of_their_own(self, component):
        """Up to the last address there is; the shape and the place of a block do not matter."""
        from napari_diffusion import Grid
        from napari_diffusion.core.address import Address
        from napari_diffusion.engine.block import Block

        typed, last = component.replaced(reference=100.0), (2**32 - 1,) * 4
        block = np.full((1, 1, 1, 1, 600), 100.0, np.float32)
        found = []
        last_address = Address(2**64 - 1, 2**32 - 1)
        for x0, part in ((2**34 - 600, block), (2**34 - 77, block[..., :77])):
            grid = Grid.of((1, 600)).at((*last, x0))
            part = Block(np.ascontiguousarray(part), grid)
            found.append(typed.add(part, (20.0,), last_address))
        np.testing.assert_array_equal(found[0][..., -77:], found[1])
        near = typed.add(Block(block, Grid.of((1, 600))), (20.0,), last_address)
        assert np.mean(near == found[0]) < 0.2

    def test_neighbours_steps_and_seeds_are_not_alike(self, component):
        image = np.full((400, 500), 100.0)

        def noise(**address):
            return component(image, 20.0, **address) - image

        first = noise(seed=1)
        others = [noise(seed=2), noise(seed=1, step=1), noise(seed=1 + 2**32)]
        others += [np.roll(first, 1, axis) for axis in (0, 1)] + [np.roll(first, 2, 1)]
        for other in others:
            assert abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < LIMIT / math.sqrt(2e5)

    def test_each_channel_may_have_its_own_scale(self, component):
        image = np.full((2, 200, 300), 100.0)
        found = component(image, (5.0, 20.0), axes="cyx", seed=3)
        np.testing.assert_array_equal(found[0], component(image, 5.0, axes="cyx", seed=3)[0])
        np.testing.assert_array_equal(found[1], component(image, 20.0, axes="cyx", seed=3)[1])
        assert not np.array_equal(found[0], found[1])

    def test_float64_images_get_the_same_numbers(self, component):
        image = np.random.default_rng(0).integers(0, 200, (30, 70)).astype(float)
        narrow = component(image.astype(np.float32), 20.0, seed=4)
        np.testing.assert_allclose(component(image, 20.0, seed=4), narrow, rtol=3e-6, atol=1e-3)


# The least values that an image may have, of whole numbers of which it may consist.
SMALLEST = {np.float32: float(np.finfo(np.float32).smallest_subnormal), np.float64: 2.0**-230}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["even", "wide", "sparse", "tiny", "whole"])
def test_the_mean_is_exact_in_any_order(kind, dtype):
    import dask.array as da

    from napari_diffusion.noise.sampling.mean_intensity import mean_of

    random = np.random.default_rng(0)
    image = {
        "even": lambda: random.uniform(1, 2, (50, 70)),
        "wide": lambda: random.normal(size=(50, 70)) * 10 ** random.uniform(-9, 9, (50, 70)),
        "sparse": lambda: random.normal(size=(50, 70)) * (random.random((50, 70)) > 0.7),
        "tiny": lambda: random.integers(0, 9, (50, 70)) * SMALLEST[dtype],
        "whole": lambda: random.integers(-9, 2000, (50, 70)),
    }[kind]()
    image = image.astype(dtype)
    for mask in (None, random.random(image.shape) > 0.4):
        values = (image if mask is None else image[mask]).ravel().tolist()
        expected = float(sum(map(Fraction, values)) / len(values))
        assert mean_of(Image.of(image, mask=mask)) == expected
        assert mean_of(Image.of(da.from_array(image, (17, 31)), mask=mask)) == expected


@pytest.mark.parametrize("component", MODELS, ids=lambda component: type(component).__name__)
class TestReference:
    IMAGE = np.random.default_rng(0).uniform(0, 200, (40, 60))

    def test_is_the_mean_of_the_source(self, component):
        recipe = nd.Recipe(starting_noise_scale=9.0, noise=component)
        resolved = recipe.resolved(self.IMAGE)
        assert resolved.noise.reference == pytest.approx(self.IMAGE.mean(), rel=1e-15)
        assert not resolved.noise.autos()

    def test_does_not_depend_on_chunks(self, component):
        import dask.array as da

        mask = self.IMAGE > 20
        for options in ({}, {"mask": mask}):
            image = Image.of(self.IMAGE, **options)
            expected = component.resolved(image)
            for chunks in ((7, 60), (40, 11), (13, 17)):
                lazy = Image.of(da.from_array(self.IMAGE, chunks), **options)
                assert component.resolved(lazy) == expected

    def test_may_be_typed(self, component):
        typed = component.replaced(reference=50.0)
        image = np.full((300, 400), 50.0)
        assert typed(image, 5.0, seed=1).std() == pytest.approx(5.0, rel=0.01)

    def test_an_unresolved_noise_says_so(self, component):
        with pytest.raises(ValueError, match='is still "auto"'):
            component.natural_scale()

    def test_a_starting_noise_scale_of_none_is_what_the_parameters_make(self, component):
        recipe = nd.Recipe(num_steps=1, starting_noise_scale=None, noise=component, seed=5)
        assert nd.Recipe.from_json(recipe.to_json()) == recipe
        assert not recipe.is_resolved
        resolved = recipe.resolved(self.IMAGE)
        assert resolved.starting_noise_scale == resolved.noise.natural_scale()
        still = recipe.replaced(diffusion_filter=Heat(time=0.0))
        expected = component(self.IMAGE, None, seed=5)
        np.testing.assert_array_equal(nd.run(self.IMAGE, still).image, expected)


@pytest.mark.parametrize("component", MODELS, ids=lambda component: type(component).__name__)
class TestRefusals:
    def test_a_mean_of_0_or_less(self, component):
        for image in (np.zeros((5, 6)), np.full((5, 6), -1.0)):
            with pytest.raises(
                ValueError, match=r"mean of the image must be greater than 0 \(got .*\): shift"
            ):
                component(image, 1.0)

    def test_negative_intensities(self, component):
        image = np.full((50, 60), 10.0)
        image[2, 3] = -1000.0
        recipe = nd.Recipe(starting_noise_scale=1.0, noise=component)
        for work in (lambda: recipe.noise(image, 1.0), lambda: next(nd.steps(image, recipe))):
            with pytest.raises(ValueError, match=r"intensities must be .* or more.* \(got -1000\)"):
                work()

    def test_lazily_in_the_chunk_that_has_them(self, component):
        import dask.array as da

        if hasattr(component, "read_noise"):
            component = component.replaced(read_noise=0.0)
        image = np.full((8, 8), 10.0)
        image[7, 7] = -1000.0
        lazy = component.replaced(reference=10.0)(da.from_array(image, 4), 1.0)
        assert np.isfinite(lazy[:4].compute()).all()
        with pytest.raises(ValueError, match=r"intensities must be .* or more"):
            lazy.compute()

    def test_what_lies_outside_a_mask_may_be_negative(self, component):
        image = np.full((5, 6), 10.0)
        image[2, 3] = -1000.0
        found = component(image, 1.0, mask=image > 0)
        assert found[2, 3] == -1000.0
        with_hole = np.where(image > 0, image, np.nan)
        again = component(with_hole, 1.0, missing="ignore")
        np.testing.assert_array_equal(again[image > 0], found[image > 0])


def test_more_photons_than_can_be_counted():
    image = np.full((5, 6), 10.0)
    with pytest.raises(ValueError, match=r"Poisson: noise_scale=1e-09 .*, more than 900.*: use"):
        Poisson()(image, 1e-9)
    with pytest.raises(ValueError, match=r"more than 900"):
        Poisson()(image, 1e-200)
    assert Poisson()(image, 1e-6).std() == pytest.approx(1e-6, rel=0.5)


@pytest.mark.parametrize(
    ("cls", "parameter"),
    [
        (Poisson, "gain"),
        (Poisson, "reference"),
        (PoissonGaussian, "gain"),
        (EMCCD, "gain"),
        (Speckle, "looks"),
        (Rician, "sigma"),
    ],
)
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_parameters_are_greater_than_0(cls, parameter, value):
    with pytest.raises(ValueError, match=rf"{cls.__name__}: {parameter} must be a finite number"):
        cls(**{parameter: value})
