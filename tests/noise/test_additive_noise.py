"""Noise of single pixels: its distribution, its share, and sums of several noises."""

from __future__ import annotations

import numpy as np
import pytest
from dask import array as da
from noise_samples import distance, noise_of
from scipy import stats

import napari_diffusion as nd
from napari_diffusion import Grid
from napari_diffusion.core.address import Address
from napari_diffusion.core.image import Image
from napari_diffusion.engine.block import Block
from napari_diffusion.noise import (
    Gaussian,
    PowerLaw,
    Quantisation,
    SaltPepper,
    Stripes,
    Sum,
    Uniform,
)


class TestUniform:
    def test_is_uniform_between_its_limits(self):
        found = noise_of(Uniform(), (1000, 1500), scale=2.0)
        limit = 2.0 * np.sqrt(3.0)
        assert abs(found).max() <= limit
        assert abs(found).max() > limit * (1 - 1e-5)
        assert distance(found, stats.uniform(-limit, 2 * limit).cdf) < 2
        for wrong in (1.01, 0.99):
            assert distance(found, stats.uniform(-limit * wrong, 2 * limit * wrong).cdf) > 2

    def test_float32_images_get_the_same_numbers(self):
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

    def test_added_dither_stays_in_the_image_and_is_right_on_average(self):
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
    def test_is_the_sum_of_its_components_noise(self):
        image = np.random.default_rng(0).random((40, 50))
        components, weights = (Gaussian(), Stripes(), Uniform()), (3.0, 4.0, 12.0)
        found = Sum(components, weights)(image, 1.3, seed=4) - image
        block = Block(image[None, None, None], Grid.of(image.shape))
        expected = 0.0
        for k, (component, weight) in enumerate(zip(components, weights, strict=True)):
            address = Address(4, 0, 16 * k)
            noisy = component.add(block, (0.1 * weight,), address)
            expected = expected + noisy - block.values
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

    def test_equal_components_have_numbers_of_their_own(self):
        """√n of the same numbers would be √n as much; of nested sums too."""
        pair = Sum((Gaussian(), Gaussian()))
        for component in (pair, Sum((pair, pair)), Sum((pair, Gaussian(), Sum((Gaussian(),))))):
            found = noise_of(component, (700, 1000))
            assert found.std() == pytest.approx(1.0, rel=4e-3)

    def test_scales_by_channel(self):
        found = noise_of(Sum(), (3, 400, 500), (0.5, 0.0, 2.0), axes="cyx")
        np.testing.assert_allclose(found.std(axis=(1, 2)), (0.5, 0.0, 2.0), rtol=1e-2)

    def test_says_what_each_component_gets(self):
        found = Sum((Gaussian(), Stripes()), weights=(3.0, 4.0)).in_words(1.0)
        assert found == "Gaussian 0.6 + Row and column 0.8"

    def test_reaches_as_far_as_its_components(self):
        grid = Grid.of((20, 30))
        assert Sum().halo(grid) == (0, 0, 0, 0, 0)
        assert Sum((Gaussian(), PowerLaw())).halo(grid) is None

    def test_claims_what_all_its_components_do(self):
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
            ((1.0,), r"one value for each of the 2 components \(got 1\)"),
            ((0.0, 0.0), r"not all be 0"),
            ((1.0, -1.0), r"at least 0.*\(got -1\.0\)"),
        ],
    )
    def test_refuses_weights_that_do_not_fit(self, weights, words):
        with pytest.raises(ValueError, match=rf"Sum: weights must .*{words}"):
            Sum(weights=weights)


def outliers(found, image, value):
    return np.count_nonzero((found == value) & (image != value))


class TestSaltPepper:
    image = np.random.default_rng(0).uniform(0.2, 0.7, (1000, 1200))

    def test_replaces_the_fraction_typed(self):
        component = SaltPepper(fraction=0.5, salt=0.3, low=0.0, high=1.0)
        found, n = component(self.image), self.image.size
        for value, p in ((1.0, 0.5 * 0.3), (0.0, 0.5 * 0.7)):
            chance = 4.5 * np.sqrt(p * (1 - p) * n)
            assert abs(outliers(found, self.image, value) - p * n) < chance < 0.01 * p * n
        kept = (found != 0) & (found != 1)
        np.testing.assert_array_equal(found[kept], self.image[kept])

    @pytest.mark.parametrize("salt", [0.0, 0.5, 0.9, 1.0])
    @pytest.mark.parametrize("scale", [0.01, 0.07])
    def test_the_scale_is_the_standard_deviation_at_the_reference(self, salt, scale):
        component = SaltPepper(salt=salt, low=-0.1, high=0.5, reference=0.15)
        p = component.fraction_at(scale)
        deviation, weight = np.array([-0.25, 0.35]), np.array([1 - salt, salt])
        mean, square = (p * weight * deviation).sum(), (p * weight * deviation**2).sum()
        assert square - mean**2 == pytest.approx(scale**2, rel=1e-9)
        natural = component.replaced(fraction=p).natural_scale()
        assert natural == pytest.approx(scale, rel=1e-9)

    def test_automatic_values_are_those_of_the_source(self):
        image = np.array([[1.0, 2.0], [4.0, 9.0]])
        source = Image.of(image)
        expected = SaltPepper(low=1.0, high=9.0, reference=4.0)
        assert SaltPepper().resolved(source) == expected
        lazy = Image.of(da.from_array(image, chunks=1))
        assert SaltPepper().resolved(lazy) == expected
        masked = Image.of(image, mask=np.array([[1, 1], [1, 0]], bool))
        found = SaltPepper(reference=0.0).resolved(masked)
        assert found == SaltPepper(low=1.0, high=4.0, reference=0.0)

    def test_all_may_be_outliers(self):
        component = SaltPepper(low=0.0, high=1.0, reference=0.5)
        found = component(self.image, 0.5)
        assert set(np.unique(found)) == {0.0, 1.0}
        assert SaltPepper(fraction=0.0, low=0.0, high=1.0)(self.image) is not self.image

    @pytest.mark.parametrize(
        ("changes", "scale", "words"),
        [
            ({"low": 1.0, "high": 0.0}, None, r"low must be less than high \(got 1 and 0\)"),
            ({}, 0.51, r"noise_scale=0\.51 is more than 0\.5, .* of 0 and 1 can produce: use a"),
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
        block = Block(np.zeros((1, 1, 1, 5, 6), np.float32), Grid.of((5, 6)))
        with pytest.raises(ValueError, match='low is still "auto"'):
            SaltPepper().add(block, (0.1,), Address())
