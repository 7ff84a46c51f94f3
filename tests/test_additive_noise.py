"""Noise that does not count photons: its distribution, its spectrum, its place."""

from __future__ import annotations

import numpy as np
import pytest
from dask import array as da
from scipy import signal, stats

import napari_diffusion as nd
from napari_diffusion import Grid
from napari_diffusion.drive import Drive
from napari_diffusion.filters import Heat
from napari_diffusion.noise import (
    Address,
    Correlated,
    FilmGrain,
    Gaussian,
    MissingWedge,
    PowerLaw,
    Quantisation,
    SaltPepper,
    Stripes,
    Sum,
    Uniform,
)
from napari_diffusion.picture import Picture

KERNEL = np.array([[1.0, 0.0, -2.0], [0.5, 3.0, 1.0], [0.0, 0.25, 0.0]])

LOCAL = (
    Uniform(),
    Quantisation(),
    Quantisation("added"),
    Quantisation("none"),
    Sum(),
    Sum((Gaussian(), Correlated(), Sum((Gaussian(), Stripes()))), weights=(1.0, 2.0, 0.5)),
    Correlated(),
    Correlated(kernel=KERNEL),
    Stripes(),
    Stripes("columns", drift=7.0),
    Stripes("rows", drift=2.5, fixed=True),
    SaltPepper(low=-1.0, high=2.0, reference=0.3),
    FilmGrain(white_level=1.5, reference=0.3),
    FilmGrain(curve="root", reference=0.3),
)
GLOBAL = (PowerLaw(), PowerLaw(-0.5), MissingWedge(), Sum((Gaussian(), PowerLaw())))


def named(member):
    return f"{member}".replace("napari_diffusion.", "")[:60]


def noise_of(member, shape, scale=1.0, dtype=np.float64, seed=0, **options):
    """Return the noise that a member adds to an image of zeros."""
    return member(np.zeros(shape, dtype), scale, seed=seed, **options)


def distance(sample, cdf):
    """Return the Kolmogorov–Smirnov distance times √n, above 2 once in 1500 samples."""
    found = stats.kstest(sample.ravel(), cdf)
    return found.statistic * np.sqrt(sample.size)


def correlation(a, b):
    """Return the correlation of two samples times √n, a standard normal number if there is none."""
    return np.corrcoef(a.ravel(), b.ravel())[0, 1] * np.sqrt(a.size)


class TestUniform:
    def test_is_uniform_between_its_limits(self):
        found = noise_of(Uniform(), (1000, 1500), scale=2.0)
        limit = 2.0 * np.sqrt(3.0)
        assert abs(found).max() <= limit
        assert abs(found).max() > limit * (1 - 1e-5)
        assert distance(found, stats.uniform(-limit, 2 * limit).cdf) < 2
        for wrong in (1.01, 0.99):
            assert distance(found, stats.uniform(-limit * wrong, 2 * limit * wrong).cdf) > 2

    def test_float32_pictures_get_the_same_numbers(self):
        single, double = (noise_of(Uniform(), (9, 13), dtype=t) for t in (np.float32, np.float64))
        np.testing.assert_allclose(single, double, rtol=1e-7)


class TestQuantisation:
    image = np.random.default_rng(0).normal(3.0, 20.0, (800, 1000))
    scale = 0.7
    step = np.sqrt(12.0) * scale

    def error(self, dither, image=None):
        image = self.image if image is None else image
        return Quantisation(dither)(image, self.scale) - image

    def test_without_dither_is_rounding(self):
        rounded = Quantisation("none")(self.image, self.scale)
        np.testing.assert_allclose(rounded, self.step * np.round(self.image / self.step))
        assert self.error("none").std() == pytest.approx(self.scale, rel=2e-3)
        np.testing.assert_array_equal(rounded, Quantisation("none")(self.image, self.scale, seed=7))

    @pytest.mark.parametrize("value", [0.0, 0.3, 1.0, -17.21])
    def test_with_subtractive_dither_the_error_is_uniform_whatever_the_value(self, value):
        flat = self.error("subtractive", np.full((500, 800), value))
        assert distance(flat, stats.uniform(-self.step / 2, self.step).cdf) < 2

    def test_with_subtractive_dither_the_error_does_not_depend_on_the_signal(self):
        error = self.error("subtractive")
        assert distance(error, stats.uniform(-self.step / 2, self.step).cdf) < 2
        assert distance(error, stats.uniform(-self.step / 2, 1.01 * self.step).cdf) > 2
        within = (self.image / self.step) % 1
        counts, *_ = np.histogram2d(within.ravel(), error.ravel(), bins=8)
        assert stats.chi2_contingency(counts).pvalue > 1e-5

    def test_added_dither_stays_in_the_picture_and_is_right_on_average(self):
        value = 0.3 * self.step
        out = Quantisation("added")(np.full((500, 800), value), self.scale)
        np.testing.assert_allclose(np.unique(out / self.step), (0.0, 1.0), atol=1e-12)
        error = np.sqrt(0.3 * 0.7 / out.size) * self.step
        assert abs(out.mean() - value) < 4.5 * error

    def test_steps_finer_than_the_numbers_leave_them(self):
        image = np.array([[1e30, -3e20, 1.0, 0.0]], np.float32)
        for scale in (1e-40, 1e-30, 1e-12):
            for dither in ("none", "added", "subtractive"):
                found = Quantisation(dither)(image, scale)
                np.testing.assert_allclose(found, image, atol=4 * scale)


class TestSum:
    def test_is_the_sum_of_its_members_noise(self):
        image = np.random.default_rng(0).random((40, 50))
        members, weights = (Gaussian(), Stripes(), Uniform()), (3.0, 4.0, 12.0)
        found = Sum(members, weights)(image, 1.3, seed=4) - image
        grid, block = Grid.of(image.shape), image[None, None, None]
        expected = 0.0
        for k, (member, weight) in enumerate(zip(members, weights, strict=True)):
            address = Address(4, 0, 16 * k)
            expected = expected + member.add(block, 0.1 * weight, address, grid, Drive()) - block
        np.testing.assert_allclose(found, expected[0, 0, 0], atol=1e-13)

    def test_of_one_is_that_one(self):
        image = np.random.default_rng(0).random((40, 50))
        for weights in (None, (7.0,), (1e-300,)):
            found = Sum((Gaussian(),), weights)(image, 0.4)
            np.testing.assert_array_equal(found, Gaussian()(image, 0.4))

    def test_has_the_scale_whatever_the_weights(self):
        for weights in (None, (1.0, 1.0), (1.0, 1e-30), (1e300, 1e300), (0.0, 5.0)):
            found = noise_of(Sum(weights=weights), (1000, 1000))
            assert found.std() == pytest.approx(1.0, rel=4e-3)

    def test_equal_members_have_numbers_of_their_own(self):
        """√n of the same numbers would be √n as much; of nested sums too."""
        pair = Sum((Gaussian(), Gaussian()))
        for member in (pair, Sum((pair, pair)), Sum((pair, Gaussian(), Sum((Gaussian(),))))):
            found = noise_of(member, (700, 1000))
            assert found.std() == pytest.approx(1.0, rel=4e-3)

    def test_scales_by_channel(self):
        found = noise_of(Sum(), (3, 400, 500), (0.5, 0.0, 2.0), axes="cyx")
        np.testing.assert_allclose(found.std(axis=(1, 2)), (0.5, 0.0, 2.0), rtol=1e-2)

    def test_says_what_each_member_gets(self):
        found = Sum((Gaussian(), Stripes()), weights=(3.0, 4.0)).in_words(1.0)
        assert found == "Gaussian 0.6 + Stripes 0.8"

    def test_reaches_as_far_as_its_members(self):
        grid = Grid.of((20, 30))
        assert Sum().halo(grid) == (0, 0, 0, 0, 0)
        assert Sum((Gaussian(), PowerLaw())).halo(grid) is None

    def test_claims_what_all_its_members_do(self):
        assert Sum().claims == Gaussian().claims
        assert "white" not in Sum((Gaussian(), Stripes())).claims
        still = Quantisation("none")
        assert "random" not in Sum((still, still)).claims
        assert "random" in Sum((still, Gaussian())).claims

    def test_survives_json(self):
        recipe = nd.Recipe(noise=Sum((Gaussian(), Sum()), weights=(1.0, 2.0)))
        assert nd.Recipe.from_json(recipe.to_json()) == recipe

    @pytest.mark.parametrize(
        ("weights", "words"),
        [
            ((1.0,), r"one for each of the 2 members \(got 1\)"),
            ((0.0, 0.0), r"not all be 0"),
            ((1.0, -1.0), r"at least 0.*\(got -1\.0\)"),
        ],
    )
    def test_refuses_weights_that_do_not_fit(self, weights, words):
        with pytest.raises(ValueError, match=rf"Sum: weights must .*{words}"):
            Sum(weights=weights)


def autocorrelation(noise, lags):
    """Return the mean products of a noise and itself shifted by (dy, dx) pairs of 0 or more."""
    height, width = noise.shape
    return np.array(
        [np.mean(noise[dy:, dx:] * noise[: height - dy, : width - dx]) for dy, dx in lags]
    )


class TestCorrelated:
    lags = ((0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (2, 2), (0, 4), (4, 0))

    @pytest.mark.parametrize("sigma", [0.4, 1.0, 2.3])
    def test_has_the_kernel_s_autocorrelation(self, sigma):
        found = np.mean(
            [
                autocorrelation(noise_of(Correlated(sigma), (700, 700), seed=k), self.lags)
                for k in range(6)
            ],
            axis=0,
        )
        at = np.arange(-20, 21)
        weights = np.exp(-0.5 * (at / sigma) ** 2) * (abs(at) <= int(4 * sigma + 0.5))
        products = np.correlate(weights, weights, "full")[40:] / (weights**2).sum()
        expected = [products[dy] * products[dx] for dy, dx in self.lags]
        # One number in about 4πσ² is independent.
        chance = 4.5 * np.sqrt(2 * max(4 * np.pi * sigma**2, 1) / (6 * 700**2))
        np.testing.assert_allclose(found, expected, atol=chance)
        assert chance < 0.035

    def test_of_a_typed_kernel_has_its_autocorrelation(self):
        kernel = KERNEL / np.linalg.norm(KERNEL)
        expected = signal.correlate2d(kernel, kernel)[2:, 2:]
        noises = [noise_of(Correlated(kernel=7 * KERNEL), (700, 700), seed=k) for k in range(6)]
        lags = list(np.ndindex(3, 3))
        found = np.mean([autocorrelation(each, lags) for each in noises], axis=0)
        np.testing.assert_allclose(found, expected.ravel(), atol=0.008)

    def test_of_a_typed_kernel_is_the_convolution_of_white_numbers(self):
        """White numbers begin a reach before the picture."""
        found = noise_of(Correlated(kernel=KERNEL), (20, 30), seed=5)
        white = noise_of(Gaussian(), (22, 32), seed=5)
        expected = signal.convolve2d(white, KERNEL / np.linalg.norm(KERNEL), "valid")
        np.testing.assert_allclose(found, expected, atol=1e-6)

    def test_widths_are_in_world_units(self):
        fine = noise_of(Correlated(2.0), (30, 40), spacing=(0.5, 2.0))
        white = noise_of(Gaussian(), (30 + 32, 40 + 8))
        rows, columns = (np.exp(-0.5 * (np.arange(-4 * s, 4 * s + 1) / s) ** 2) for s in (4, 1))
        kernel = np.outer(rows, columns)
        expected = signal.convolve2d(white, kernel / np.linalg.norm(kernel), "valid")
        np.testing.assert_allclose(fine, expected, atol=2e-6)

    def test_no_width_is_white_noise(self):
        found = noise_of(Correlated(0.0), (20, 30))
        np.testing.assert_array_equal(found, noise_of(Gaussian(), (20, 30)))
        assert "white" in Correlated(0.0).claims

    def test_a_volume_has_a_kernel_along_z(self):
        kernel = np.ones((3, 1, 1))
        found = noise_of(Correlated(kernel=kernel), (9, 20, 30))
        white = noise_of(Gaussian(), (11, 20, 30))
        expected = (white[:-2] + white[1:-1] + white[2:]) / np.sqrt(3)
        np.testing.assert_allclose(found, expected, atol=1e-6)

    @pytest.mark.parametrize(
        ("kernel", "words"),
        [
            (np.ones((2, 3)), r"kernel must have an odd size .*\(got shape \(2, 3\)\)"),
            (np.zeros((3, 3)), r"kernel must not be 0 everywhere"),
            (np.ones((101, 101)), r"kernel=.*, more than 10000: cut"),
        ],
    )
    def test_refuses_kernels_without_a_middle_or_a_norm(self, kernel, words):
        with pytest.raises(ValueError, match=f"Correlated: {words}"):
            Correlated(kernel=kernel)

    def test_refuses_what_does_not_fit_the_picture(self):
        with pytest.raises(ValueError, match=r"at most 2 axes, as many as diffuse"):
            noise_of(Correlated(kernel=np.ones((1, 3, 3))), (20, 30))
        with pytest.raises(ValueError, match=r"sigma=600 is 1200 samples, more than 1000: give"):
            noise_of(Correlated(600.0), (20, 30), spacing=0.5)


class TestStripes:
    def test_without_drift_are_the_same_from_end_to_end(self):
        rows, columns = (noise_of(Stripes(d), (300, 400)) for d in ("rows", "columns"))
        assert (rows == rows[:, :1]).all()
        assert (columns == columns[:1]).all()
        assert len(np.unique(rows)) == 300
        assert len(np.unique(columns)) == 400

    @pytest.mark.parametrize("direction", ["rows", "columns"])
    def test_are_independent_normal_numbers(self, direction):
        shape = (200_000, 1) if direction == "rows" else (1, 200_000)
        found = noise_of(Stripes(direction), shape, scale=0.3).ravel()
        assert distance(found, stats.norm(0, 0.3).cdf) < 2
        assert distance(found, stats.norm(0, 0.3 * 1.03).cdf) > 2
        assert abs(correlation(found[1:], found[:-1])) < 4.5

    def test_planes_frames_and_channels_have_their_own(self):
        found = noise_of(Stripes(), (2, 2, 2, 500, 3), axes="tczyx")[..., 0].reshape(8, 500)
        assert (abs(np.corrcoef(found) - np.eye(8)) < 4.5 / np.sqrt(500)).all()

    @pytest.mark.parametrize("drift", [0.0, 6.0])
    def test_fixed_ones_are_everywhere_those_of_the_first_plane(self, drift):
        found = noise_of(Stripes(drift=drift, fixed=True), (2, 2, 2, 50, 30), axes="tczyx")
        alone = noise_of(Stripes(drift=drift), (50, 30))
        np.testing.assert_array_equal(found, np.broadcast_to(alone, found.shape))

    @pytest.mark.parametrize("direction", ["rows", "columns"])
    def test_drift_turns_a_stripe_into_another(self, direction):
        """Everywhere of variance 1, alike at a fraction of the drift, strangers at four times."""
        found = noise_of(
            Stripes(direction, drift=20.0), (40_000, 121)[:: 1 - 2 * (direction == "columns")]
        )
        stripes = found if direction == "rows" else found.T
        variance = (stripes**2).mean(axis=0)
        assert abs(variance - 1).max() < 5 * np.sqrt(2 / 40_000)
        assert abs(variance.mean() - 1) < 4.5 * np.sqrt(2 / 6 / 40_000)
        first = stripes[:, 0]
        assert np.mean(first * stripes[:, 2]) > 0.98
        assert 0.4 < np.mean(first * stripes[:, 20]) < 0.8
        assert abs(np.mean(first * stripes[:, 80])) < 4.5 / np.sqrt(40_000)
        assert abs(np.mean(stripes[1:] * stripes[:-1])) < 0.01

    def test_drift_is_in_world_units(self):
        fine = noise_of(Stripes(drift=5.0), (30, 80), spacing=(1.0, 0.25))
        np.testing.assert_array_equal(fine, noise_of(Stripes(drift=20.0), (30, 80)))

    def test_drift_is_smooth(self):
        found = noise_of(Stripes(drift=100.0), (50, 2000))
        assert abs(np.diff(found, 2)).max() < 30 / 100**2


def mean_spectrum(member, shape, seeds, **options):
    """Return the mean power of each frequency of a real transform, 1 for white noise."""
    axes = range(len(shape))
    return np.mean(
        [
            abs(np.fft.rfftn(noise_of(member, shape, seed=k, **options), axes=axes)) ** 2
            for k in range(seeds)
        ],
        axis=0,
    ) / np.prod(shape)


class TestPowerLaw:
    @pytest.mark.parametrize("exponent", [-1.0, 0.0, 1.0, 2.0, 3.0])
    def test_power_falls_with_the_frequency(self, exponent):
        seeds, shape, spacing = 40, (96, 110), (2.0, 0.5)
        power = mean_spectrum(PowerLaw(exponent), shape, seeds, spacing=spacing)
        y = np.fft.fftfreq(96, 2.0)[:, None]
        x = np.fft.rfftfreq(110, 0.5)[None, :]
        frequency = np.hypot(y, x)
        # The log of a mean of exponential numbers has a variance of about 1/seeds.
        inner = frequency > 0
        slope, offset = np.polyfit(np.log(frequency[inner]), np.log(power[inner]), 1)
        chance = np.sqrt(2 / seeds / inner.sum()) / np.log(frequency[inner]).std()
        assert abs(slope + exponent) < 4.5 * chance
        assert 4.5 * chance < 0.03
        expected = offset + slope * np.log(frequency[inner])
        assert abs(np.mean((np.log(power[inner]) - expected) ** 2) * seeds - 1) < 0.1

    @pytest.mark.parametrize("shape", [(64, 64), (63, 65), (64, 63), (9, 8, 10), (1, 50), (50, 1)])
    def test_has_no_mean_and_the_variance_asked_for(self, shape):
        axes = {2: "yx", 3: "zyx"}[len(shape)]
        noises = [noise_of(PowerLaw(1.0), shape, 3.0, seed=k, axes=axes) for k in range(400)]
        assert max(abs(each.mean()) for each in noises) < 1e-6
        variances = np.array([each.var() for each in noises])
        error = variances.std() / np.sqrt(len(variances))
        assert abs(variances.mean() - 9.0) < 4.5 * error
        assert 4.5 * error < 0.9

    def test_of_exponent_0_is_white_noise_without_its_mean(self):
        found, white = noise_of(PowerLaw(0.0), (60, 70)), noise_of(Gaussian(), (60, 70))
        expected = (white - white.mean()) * np.sqrt(4200 / 4199)
        np.testing.assert_allclose(found, expected, atol=3e-6)

    def test_frames_and_channels_apart_are_independent(self):
        found = noise_of(PowerLaw(0.5), (3, 2, 60, 70), axes="tcyx").reshape(6, -1)
        assert (abs(np.corrcoef(found) - np.eye(6)) < 0.1).all()
        alone = noise_of(PowerLaw(0.5), (60, 70))
        np.testing.assert_array_equal(found[0], alone.ravel())

    def test_spreads_along_time_where_that_diffuses(self):
        found = noise_of(PowerLaw(4.0), (40, 20, 30), axes="tyx", along="tyx")
        assert np.corrcoef(found[:-1].ravel(), found[1:].ravel())[0, 1] > 0.8

    @pytest.mark.parametrize("spacing", [1e-90, 1e90, (1e-40, 1e40)])
    def test_survives_any_spacing(self, spacing):
        for exponent in (-4.0, 4.0):
            found = noise_of(PowerLaw(exponent), (20, 30), spacing=spacing)
            assert np.isfinite(found).all()
            assert 0.1 < found.std() < 5

    def test_refuses_a_single_sample(self):
        with pytest.raises(ValueError, match=r"PowerLaw: a picture of 1 × 1 samples has no freq"):
            noise_of(PowerLaw(), (1, 1))


class TestMissingWedge:
    @pytest.mark.parametrize("shape", [(24, 25, 26), (25, 24, 27), (16, 16, 16)])
    @pytest.mark.parametrize(("low", "high"), [(-60.0, 60.0), (-40.0, 65.0), (10.0, 30.0)])
    @pytest.mark.parametrize("tilt_axis", ["y", "x"])
    def test_has_no_frequency_that_no_tilt_measures(self, shape, low, high, tilt_axis):
        spacing = (2.0, 1.0, 0.5)
        member = MissingWedge(tilt_axis, low, high)
        spectrum = abs(np.fft.fftn(noise_of(member, shape, seed=3, spacing=spacing)))
        f = np.meshgrid(
            *(np.fft.fftfreq(n, h) for n, h in zip(shape, spacing, strict=True)), indexing="ij"
        )
        beam, across = f[0], f[2] if tilt_axis == "y" else f[1]
        with np.errstate(divide="ignore", invalid="ignore"):
            angle = np.degrees(np.arctan(beam / across))
        inside = (low <= angle) & (angle <= high) | (beam == 0) & (across == 0)
        inside[0, 0, 0] = False
        # The middle of an even size is two frequencies in one.
        sizes = (shape[0], shape[2] if tilt_axis == "y" else shape[1])
        middle = np.zeros(shape, bool)
        for each, axis, size in (
            (beam, 0, sizes[0]),
            (across, 2 if tilt_axis == "y" else 1, sizes[1]),
        ):
            middle |= (size % 2 == 0) & np.isclose(abs(each), 0.5 / spacing[axis])
        assert spectrum[~inside & ~middle].max() < 1e-4 * spectrum.max()
        assert spectrum[inside & ~middle].min() > 1e-3 * spectrum.max() / np.sqrt(spectrum.size)

    def test_is_even_where_it_is_measured(self):
        power = mean_spectrum(MissingWedge(), (32, 9, 32), 60)
        inside = np.array(
            np.broadcast_to(MissingWedge().measured(Grid.of((32, 9, 32))), power.shape)
        )
        inside[0, 0, 0] = False
        assert power[~inside].max() < 1e-8
        level = power[inside].mean()
        # Means of 60 exponential numbers, or of 60 squares where a frequency is its own negative.
        assert power[inside].min() > 0.3 * level
        assert power[inside].max() < 2.5 * level

    def test_has_the_variance_asked_for(self):
        noises = [
            noise_of(MissingWedge(exponent=1.0), (20, 21, 22), 3.0, seed=k) for k in range(60)
        ]
        variances = np.array([each.var() for each in noises])
        error = variances.std() / np.sqrt(len(variances))
        assert abs(variances.mean() - 9.0) < 4.5 * error < 0.5

    def test_every_tilt_is_noise_without_a_wedge(self):
        found = noise_of(MissingWedge(min_tilt=-90.0, max_tilt=90.0), (10, 12, 14))
        np.testing.assert_allclose(found, noise_of(PowerLaw(0.0), (10, 12, 14)), atol=1e-6)

    def test_is_elongated_along_the_beam(self):
        found = noise_of(MissingWedge(min_tilt=-30.0, max_tilt=30.0), (40, 40, 40))
        beside = [np.mean(found * np.roll(found, 1, axis)) for axis in range(3)]
        assert beside[0] > 0.5
        assert abs(beside[1]) < 0.05
        assert beside[2] < 0.2

    def test_in_a_plane_the_beam_goes_along_y(self):
        plane = noise_of(MissingWedge(), (30, 31))
        volume = noise_of(MissingWedge(), (30, 1, 31))
        assert plane.std() == pytest.approx(1, abs=0.1)
        assert np.mean(abs(np.fft.fft2(plane)) ** 2 < 1e-6) == pytest.approx(
            np.mean(abs(np.fft.fft2(volume[:, 0])) ** 2 < 1e-6), abs=1e-9
        )

    def test_refuses_tilts_in_disorder_and_axes_that_do_not_diffuse(self):
        with pytest.raises(ValueError, match=r"min_tilt must be less than max_tilt \(got 5 and 5"):
            MissingWedge(min_tilt=5.0, max_tilt=5.0)
        with pytest.raises(ValueError, match=r"needs the axes y and x to diffuse \(got along='y'"):
            noise_of(MissingWedge(), (10, 12), along="y")
        with pytest.raises(ValueError, match=r"MissingWedge: a picture of 40 × 1 samples"):
            noise_of(MissingWedge(), (40, 1))


def outliers(found, image, value):
    return np.count_nonzero((found == value) & (image != value))


class TestSaltPepper:
    image = np.random.default_rng(0).uniform(0.2, 0.7, (1000, 1200))

    def test_replaces_the_fraction_typed(self):
        member = SaltPepper(fraction=0.5, salt=0.3, low=0.0, high=1.0)
        found, n = member(self.image), self.image.size
        for value, p in ((1.0, 0.5 * 0.3), (0.0, 0.5 * 0.7)):
            chance = 4.5 * np.sqrt(p * (1 - p) * n)
            assert abs(outliers(found, self.image, value) - p * n) < chance < 0.01 * p * n
        kept = (found != 0) & (found != 1)
        np.testing.assert_array_equal(found[kept], self.image[kept])

    @pytest.mark.parametrize("salt", [0.0, 0.5, 0.9, 1.0])
    @pytest.mark.parametrize("scale", [0.01, 0.07])
    def test_the_scale_is_the_standard_deviation_at_the_reference(self, salt, scale):
        member = SaltPepper(salt=salt, low=-0.1, high=0.5, reference=0.15)
        p = member.fraction_at(scale)
        deviation, weight = np.array([-0.25, 0.35]), np.array([1 - salt, salt])
        mean, square = (p * weight * deviation).sum(), (p * weight * deviation**2).sum()
        assert square - mean**2 == pytest.approx(scale**2, rel=1e-9)
        natural = member.replaced(fraction=p).natural_scale()
        assert natural == pytest.approx(scale, rel=1e-9)

    def test_automatic_values_are_those_of_the_source(self):
        image = np.array([[1.0, 2.0], [4.0, 9.0]])
        picture = Picture.of(image)
        expected = SaltPepper(low=1.0, high=9.0, reference=4.0)
        assert SaltPepper().resolved(picture, picture.grid) == expected
        lazy = Picture.of(da.from_array(image, chunks=1))
        assert SaltPepper().resolved(lazy, lazy.grid) == expected
        masked = Picture.of(image, mask=np.array([[1, 1], [1, 0]], bool))
        found = SaltPepper(reference=0.0).resolved(masked, masked.grid)
        assert found == SaltPepper(low=1.0, high=4.0, reference=0.0)

    def test_all_may_be_outliers(self):
        member = SaltPepper(low=0.0, high=1.0, reference=0.5)
        found = member(self.image, 0.5)
        assert set(np.unique(found)) == {0.0, 1.0}
        assert SaltPepper(fraction=0.0, low=0.0, high=1.0)(self.image) is not self.image

    @pytest.mark.parametrize(
        ("changes", "scale", "words"),
        [
            ({"low": 1.0, "high": 0.0}, None, r"low must be less than high \(got 1 and 0\)"),
            ({}, 0.51, r"noise_scale=0\.51 is more than 0\.5, .* of 0 and 1 can make: give a"),
            ({"salt": 1.0}, 0.26, r"noise_scale=0\.26 is more than 0\.25"),
            ({"fraction": 1.1}, None, r"fraction must be .*at most 1 \(got 1\.1\)"),
        ],
    )
    def test_refuses_what_cannot_be(self, changes, scale, words):
        typed = {"low": 0.0, "high": 1.0, "reference": 0.5, **changes}
        with pytest.raises(ValueError, match=f"^SaltPepper: {words}"):
            SaltPepper(**typed)(self.image, scale)

    def test_refuses_a_constant_source_without_values_to_take(self):
        with pytest.raises(ValueError, match="low must be less than high"):
            SaltPepper()(np.ones((5, 6)), 0.1)

    def test_says_that_it_must_be_resolved(self):
        block = np.zeros((1, 1, 1, 5, 6), np.float32)
        with pytest.raises(ValueError, match=r'"auto" is known with the picture only'):
            SaltPepper().add(block, 0.1, Address(), Grid.of((5, 6)), Drive())


class TestFilmGrain:
    @pytest.mark.parametrize(
        ("curve", "relative"),
        [
            ("root", lambda x: np.sqrt(x / 4.0)),
            ("midtones", lambda x: np.sqrt(x * (10.0 - x) / 24.0)),
        ],
    )
    def test_follows_the_curve(self, curve, relative):
        member = FilmGrain(size=0.0, curve=curve, white_level=10.0, reference=4.0)
        for level in (0.5, 4.0, 9.0):
            found = member(np.full((700, 1000), level), 0.3) - level
            expected = 0.3 * relative(level)
            assert distance(found, stats.norm(0, expected).cdf) < 2
            assert distance(found, stats.norm(0, 1.01 * expected).cdf) > 2
        for level in (0.0, -1.0, *((10.0, 11.0) if curve == "midtones" else ())):
            image = np.full((7, 10), level)
            np.testing.assert_array_equal(member(image, 0.3), image)

    def test_is_as_coarse_as_correlated_noise(self):
        member = FilmGrain(size=1.5, white_level=2.0, reference=1.0)
        found = member(np.ones((50, 60)), 0.3, seed=4) - 1.0
        expected = noise_of(Correlated(1.5), (50, 60), 0.3, seed=4)
        np.testing.assert_allclose(found, expected, atol=1e-6)

    def test_takes_white_and_the_reference_from_the_source(self):
        picture = Picture.of(np.array([[1.0, 2.0], [4.0, 9.0]]))
        found = FilmGrain(strength=0.25).resolved(picture, picture.grid)
        assert found == FilmGrain(strength=0.25, white_level=9.0, reference=4.0)
        assert found.natural_scale() == 1.0
        assert found.in_words(1.0) == "25 % of 4"

    def test_refuses_what_has_no_grain(self):
        with pytest.raises(ValueError, match=r"FilmGrain: reference=4 has no grain, being white"):
            FilmGrain()(np.full((5, 6), 4.0), 0.1)
        assert FilmGrain(curve="root")(np.full((5, 6), 4.0), 0.1).std() > 0.05
        with pytest.raises(ValueError, match=r"FilmGrain: .*greater than 0 \(got -1\)"):
            FilmGrain()(np.array([[-7.0, 5.0]]), 0.1)
        with pytest.raises(ValueError, match=r"FilmGrain: size=5000 is 5000 samples, more than"):
            FilmGrain(size=5000.0, curve="root")(np.full((5, 6), 4.0), 0.1)


# --- The same bits wherever they are made ---


def still(member, scale=0.5):
    return nd.Recipe(
        num_steps=2, starting_noise_scale=scale, noise=member, diffusion_filter=Heat(time=0.0)
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("member", [*LOCAL, *GLOBAL], ids=named)
def test_a_crop_has_the_bits_of_the_whole(member, dtype):
    image = np.random.default_rng(0).random((4, 21, 34)).astype(dtype)
    whole = nd.run(image, still(member), axes="zyx").image
    for x in (0, 1, 2, 3, 10):
        region = (slice(1, 3), slice(x, 15), slice(x, 33 - x // 2))
        crop = nd.run(image, still(member), axes="zyx", region=region).image
        np.testing.assert_array_equal(crop, whole[region])


@pytest.mark.parametrize("member", [*LOCAL, *GLOBAL], ids=named)
def test_parts_of_a_picture_have_the_bits_of_the_whole(member):
    """Of members that reach everywhere too, told where the part lies."""
    block = np.random.default_rng(0).random((2, 1, 5, 21, 34)).astype(np.float32)
    grid = Grid.of(block.shape, axes="tczyx")
    address = Address(7, 3, 2)
    whole = member.add(block, 0.5, address, grid, Drive())
    for origin in ((0, 0, 0, 0, 0), (1, 0, 2, 5, 3), (0, 0, 4, 20, 33)):
        part = tuple(slice(first, first + 9) for first in origin)
        cut = np.ascontiguousarray(block[part])
        found = member.add(cut, 0.5, address, grid.at(origin), Drive())
        np.testing.assert_array_equal(found, whole[part])


@pytest.mark.parametrize("member", [*LOCAL, *GLOBAL], ids=named)
def test_chunks_have_the_bits_of_the_whole(member):
    image = np.random.default_rng(0).random((3, 21, 34)).astype(np.float32)
    for axes in ("zyx", "tyx"):
        expected = member(image, 0.5, seed=9, axes=axes)
        for chunks in ((1, 8, 9), (2, 21, 5)):
            lazy = member(da.from_array(image, chunks=chunks), 0.5, seed=9, axes=axes)
            np.testing.assert_array_equal(lazy.compute(scheduler="synchronous"), expected)


@pytest.mark.parametrize("member", [*LOCAL, *GLOBAL], ids=named)
def test_threads_change_no_bit(member, monkeypatch):
    image = np.random.default_rng(0).random((2, 2, 300, 1000)).astype(np.float32)
    made = []
    for threads in ("1", "3"):
        monkeypatch.setenv("NAPARI_DIFFUSION_THREADS", threads)
        made.append(member(image, 0.5, axes="tcyx"))
    np.testing.assert_array_equal(*made)


@pytest.mark.parametrize("member", [*LOCAL, *GLOBAL], ids=named)
def test_a_plane_is_the_first_of_a_stack(member):
    image = np.random.default_rng(0).random((3, 21, 34)).astype(np.float32)
    stack = member(image, 0.5, axes="tyx")
    np.testing.assert_array_equal(stack[0], member(image[0], 0.5))


@pytest.mark.parametrize("member", [*LOCAL, *GLOBAL], ids=named)
def test_float64_pictures_get_the_same_noise(member):
    if isinstance(member, Quantisation | SaltPepper | FilmGrain):
        return
    single, double = (noise_of(member, (21, 34), dtype=t) for t in (np.float32, np.float64))
    np.testing.assert_allclose(single, double, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("member", [*LOCAL, *GLOBAL], ids=named)
def test_channels_have_scales_of_their_own(member):
    image = np.full((3, 40, 50), 0.25, np.float32)
    found = member(image, (0.5, 0.0, 0.8), axes="cyx")
    np.testing.assert_array_equal(found[1], image[1])
    if isinstance(member, Quantisation | SaltPepper):
        return
    even = member(image, 0.4, axes="cyx") - image
    np.testing.assert_allclose((found - image)[0], 1.25 * even[0], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose((found - image)[2], 2.0 * even[2], rtol=1e-6, atol=1e-6)
