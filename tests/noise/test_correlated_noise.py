"""Noise that neighbours have in common: its correlation, its spectrum, its strength."""

from __future__ import annotations

import numpy as np
import pytest
from noise_samples import correlation, distance, noise_of
from scipy import signal, stats

from napari_diffusion import Grid
from napari_diffusion.core.image import Image
from napari_diffusion.noise import (
    Correlated,
    FilmGrain,
    Gaussian,
    MissingWedge,
    PowerLaw,
    Stripes,
)

KERNEL = np.array([[1.0, 0.0, -2.0], [0.5, 3.0, 1.0], [0.0, 0.25, 0.0]])


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
        """White numbers begin a reach before the image."""
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
            (np.ones((101, 101)), r"kernel=.*, more than 10000: crop"),
        ],
    )
    def test_refuses_kernels_without_a_middle_or_a_norm(self, kernel, words):
        with pytest.raises(ValueError, match=f"Correlated: {words}"):
            Correlated(kernel=kernel)

    def test_refuses_what_does_not_fit_the_image(self):
        with pytest.raises(ValueError, match=r"at most 2 axes, as many as in along"):
            noise_of(Correlated(kernel=np.ones((1, 3, 3))), (20, 30))
        with pytest.raises(ValueError, match=r"sigma=600 is 1200 pixels, more than 1000: use"):
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


def mean_spectrum(component, shape, seeds, **options):
    """Return the mean power of each frequency of a real transform, 1 for white noise."""
    axes = range(len(shape))
    return np.mean(
        [
            abs(np.fft.rfftn(noise_of(component, shape, seed=k, **options), axes=axes)) ** 2
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
        with pytest.raises(
            ValueError, match=r"PowerLaw: an image of 1 × 1 pixels contains no freq"
        ):
            noise_of(PowerLaw(), (1, 1))


class TestMissingWedge:
    @pytest.mark.parametrize("shape", [(24, 25, 26), (25, 24, 27), (16, 16, 16)])
    @pytest.mark.parametrize(("low", "high"), [(-60.0, 60.0), (-40.0, 65.0), (10.0, 30.0)])
    @pytest.mark.parametrize("tilt_axis", ["y", "x"])
    def test_has_no_frequency_that_no_tilt_measures(self, shape, low, high, tilt_axis):
        spacing = (2.0, 1.0, 0.5)
        component = MissingWedge(tilt_axis, low, high)
        spectrum = abs(np.fft.fftn(noise_of(component, shape, seed=3, spacing=spacing)))
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
        with pytest.raises(ValueError, match=r"needs the axes y and x in along \(got along='y'"):
            noise_of(MissingWedge(), (10, 12), along="y")
        with pytest.raises(ValueError, match=r"MissingWedge: an image of 40 × 1 pixels"):
            noise_of(MissingWedge(), (40, 1))


class TestFilmGrain:
    @pytest.mark.parametrize(
        ("curve", "relative"),
        [
            ("root", lambda x: np.sqrt(x / 4.0)),
            ("midtones", lambda x: np.sqrt(x * (10.0 - x) / 24.0)),
        ],
    )
    def test_follows_the_curve(self, curve, relative):
        component = FilmGrain(size=0.0, curve=curve, white_level=10.0, reference=4.0)
        for level in (0.5, 4.0, 9.0):
            found = component(np.full((700, 1000), level), 0.3) - level
            expected = 0.3 * relative(level)
            assert distance(found, stats.norm(0, expected).cdf) < 2
            assert distance(found, stats.norm(0, 1.01 * expected).cdf) > 2
        for level in (0.0, -1.0, *((10.0, 11.0) if curve == "midtones" else ())):
            image = np.full((7, 10), level)
            np.testing.assert_array_equal(component(image, 0.3), image)

    def test_is_as_coarse_as_correlated_noise(self):
        component = FilmGrain(size=1.5, white_level=2.0, reference=1.0)
        found = component(np.ones((50, 60)), 0.3, seed=4) - 1.0
        expected = noise_of(Correlated(1.5), (50, 60), 0.3, seed=4)
        np.testing.assert_allclose(found, expected, atol=1e-6)

    def test_takes_white_and_the_reference_from_the_source(self):
        image = Image.of(np.array([[1.0, 2.0], [4.0, 9.0]]))
        found = FilmGrain(strength=0.25).resolved(image)
        assert found == FilmGrain(strength=0.25, white_level=9.0, reference=4.0)
        assert found.natural_scale() == 1.0
        assert found.in_words(1.0) == "25 % of 4"

    def test_refuses_what_has_no_grain(self):
        with pytest.raises(
            ValueError, match=r"FilmGrain: there is no grain at reference=4, at or above white"
        ):
            FilmGrain()(np.full((5, 6), 4.0), 0.1)
        assert FilmGrain(curve="root")(np.full((5, 6), 4.0), 0.1).std() > 0.05
        with pytest.raises(ValueError, match=r"FilmGrain: .*greater than 0 \(got -1\)"):
            FilmGrain()(np.array([[-7.0, 5.0]]), 0.1)
        with pytest.raises(ValueError, match=r"FilmGrain: size=5000 is 5000 pixels, more than"):
            FilmGrain(size=5000.0, curve="root")(np.full((5, 6), 4.0), 0.1)
