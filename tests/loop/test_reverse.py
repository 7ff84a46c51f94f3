"""Reverse updates: exact laws for a Gaussian prior, the same bits always, and what is refused."""

from __future__ import annotations

import functools
import itertools

import numpy as np
import pytest

import napari_diffusion as nd
from napari_diffusion.domains import Log
from napari_diffusion.engine.threads import use_threads
from napari_diffusion.filters import (
    FILTERS,
    Blend,
    Custom,
    HaarDiffusion,
    Heat,
    LearnedDiffusion,
    NonLocalDiffusion,
    ReactionDiffusion,
)
from napari_diffusion.filters.denoisers.guided_filter import at_noise_scale, with_strength
from napari_diffusion.noise import Gaussian, Poisson
from napari_diffusion.schedules import Geometric, Karras, Measured

SIZE, NOISE = 64, 0.1
POWERS = (0.003, 0.01, 0.1, 1.0)

RECIPE = nd.Recipe(
    num_steps=5,
    starting_noise_scale=0.1,
    schedule=Karras(end=0.05),
    diffusion_filter=LearnedDiffusion(noise_sigma="step"),
    update="reverse",
    seed=7,
)


def example_image(shape=(40, 44), dtype=np.float32):
    return np.random.default_rng(1).normal(0.5, 0.2, shape).astype(dtype)


def images(*args, **options):
    return [step.image for step in nd.steps(*args, **options)]


def assert_same(left, right):
    assert len(left) == len(right)
    for a, b in zip(left, right, strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == b.dtype


# A stationary Gaussian process with one power in each of four parts of the frequencies.
_WAVES = np.arange(SIZE)
_PART = np.add.outer(np.minimum(_WAVES, SIZE - _WAVES), _WAVES[: SIZE // 2 + 1]) % len(POWERS)
_POWER = np.array(POWERS)[_PART]


def expected_image(noisy, scale):
    """Return the mean of the process given a noisy image: the exact denoiser."""
    gain = _POWER / (_POWER + scale**2)
    return np.fft.irfft2(np.fft.rfft2(noisy) * gain, s=noisy.shape)


def oracle(steps, end=0.01):
    schedule = Karras(end=end)
    series = [Custom(functools.partial(expected_image, scale=s)) for s in schedule(NOISE, steps)]
    return nd.Recipe(
        num_steps=steps,
        starting_noise_scale=NOISE,
        schedule=schedule,
        diffusion_filter=tuple(series),
        update="reverse",
    )


def power_of(image):
    """Return the mean power of each part of the frequencies."""
    found = np.abs(np.fft.rfft2(image)) ** 2 / image.size
    return np.array([found[part == _PART].mean() for part in range(len(POWERS))])


def recursion(steps, end=0.01):
    """Return the variance of the last image for each power, by the linear recursion."""
    power, scales = np.array(POWERS), Karras(end=end)(NOISE, steps)
    variance = 0.0
    for a, b in itertools.pairwise(scales):
        gain, left = power / (power + a * a), (b / a) ** 2
        variance = (gain + left * (1 - gain)) ** 2 * variance + b * b * (1 - left)
    return (power / (power + scales[-1] ** 2)) ** 2 * variance


class TestGaussianPrior:
    @pytest.mark.parametrize("steps", [1, 5, 30])
    def test_the_mean_is_that_of_the_posterior(self, steps):
        """The loop is linear here: two images with the same noise differ by the gain alone."""
        image = np.random.default_rng(2).normal(size=(SIZE, SIZE))
        recipe = oracle(steps)
        made = nd.run(image, recipe).image - nd.run(0 * image, recipe).image
        gain = np.fft.rfft2(made) / np.fft.rfft2(image)
        np.testing.assert_allclose(gain, _POWER / (_POWER + NOISE**2), atol=1e-3)

    def test_the_variance_is_that_of_the_recursion_and_near_the_posteriors(self):
        recipe, zero = oracle(100), np.zeros((SIZE, SIZE))
        made = [power_of(nd.run(zero, recipe.replaced(seed=seed)).image) for seed in range(12)]
        exact = recursion(100)
        count = 12 * SIZE * SIZE / len(POWERS)
        np.testing.assert_allclose(np.mean(made, axis=0), exact, rtol=4 * (2 / count) ** 0.5)
        power = np.array(POWERS)
        posterior = power * NOISE**2 / (power + NOISE**2)
        assert (exact / posterior)[power >= 0.01].min() >= 0.9
        assert (exact / posterior).max() <= 1.0


class TestSteps:
    def test_is_the_algorithm(self):
        """Filter, then less of the noise and some anew: written out, the same bits."""
        image = example_image()
        made = list(nd.steps(image, RECIPE, keep_noisy=True))
        scales, noisy, dtype = RECIPE.schedule(0.1, 5), image, np.float32
        for k, step in enumerate(made[:5]):
            clean = LearnedDiffusion(noise_sigma=scales[k])(noisy)
            np.testing.assert_array_equal(step.noisy, noisy)
            np.testing.assert_array_equal(step.image, clean)
            assert step.noise_scale == scales[k]
            if k < 4:
                left = (scales[k + 1] / scales[k]) ** 2
                less = clean + dtype(left) * (noisy - clean)
                fresh = scales[k + 1] * (1 - left) ** 0.5
                noisy = Gaussian()(less, fresh, seed=7, step=k + 1)
        np.testing.assert_array_equal(made[5].image, made[4].image)
        np.testing.assert_array_equal(made[5].noisy, noisy)
        assert made[5].is_final

    def test_the_last_step_alone_has_its_noisy_image_unless_asked(self):
        made = list(nd.steps(example_image(), RECIPE))
        assert [step.noisy is not None for step in made] == [False] * 4 + [True] * 2
        made = list(nd.steps(example_image(), RECIPE.replaced(final_filter=Heat(time=1.0))))
        assert [step.noisy is not None for step in made] == [False] * 4 + [True, False]
        whole = RECIPE.replaced(update="whole")
        assert all(step.noisy is None for step in nd.steps(example_image(), whole, keep_noisy=True))

    def test_the_source_is_not_written_and_images_are_apart(self):
        image = example_image()
        before = image.copy()
        made = [
            each for s in nd.steps(image, RECIPE, keep_noisy=True) for each in (s.image, s.noisy)
        ]
        np.testing.assert_array_equal(image, before)
        for a, b in itertools.combinations([image, *made], 2):
            assert not np.shares_memory(a, b)

    def test_seeds_are_reproducible_and_differ(self):
        image = example_image()
        assert_same(images(image, RECIPE), images(image, RECIPE))
        other = nd.run(image, RECIPE.replaced(seed=8)).image
        assert np.abs(other - nd.run(image, RECIPE).image).max() > 0.01

    def test_auto_is_the_noise_of_the_source(self):
        image = example_image() * 0.5
        recipe = RECIPE.replaced(starting_noise_scale="auto")
        first = next(nd.steps(image, recipe))
        assert first.noise_scale == nd.estimate.noise_sigma(image)
        np.testing.assert_array_equal(first.image, LearnedDiffusion()(image))


class TestSameBits:
    def test_regions(self):
        image, region = example_image((150, 150)), (slice(20, 47), slice(60, 90))
        recipe = RECIPE.replaced(num_steps=2)
        parts = images(image, recipe, region=region)
        assert_same(parts, [each[region] for each in images(image, recipe)])
        noisy = nd.run(image, recipe, region=region).noisy
        np.testing.assert_array_equal(noisy, nd.run(image, recipe).noisy[region])

    @pytest.mark.parametrize("chunks", [(17, 44), (40, 9)])
    def test_chunks(self, chunks):
        da = pytest.importorskip("dask.array")
        image = example_image()
        made = images(da.from_array(image, chunks=chunks), RECIPE)
        assert_same([each.compute() for each in made], images(image, RECIPE))

    @pytest.mark.parametrize("threads", [1, 3])
    def test_threads(self, threads):
        expected = images(example_image(), RECIPE)
        use_threads(threads)
        try:
            assert_same(images(example_image(), RECIPE), expected)
        finally:
            use_threads(None)

    @pytest.mark.parametrize("first", [1, 3])
    @pytest.mark.parametrize("domain", [None, Log(looks=4.0, floor=0.1)])
    def test_going_on(self, first, domain):
        image = example_image() + 2
        recipe = RECIPE.replaced(domain=domain, final_filter=Heat(time=0.5))
        whole = list(nd.steps(image, recipe, keep_noisy=True))
        before = whole[first - 1]
        resolved = recipe.resolved(image)
        went_on = images(before.image, resolved, first_step=first, noisy=before.noisy)
        assert_same(went_on, [step.image for step in whole[first:]])

    def test_more_steps(self):
        image, more = example_image(), RECIPE.replaced(stop_at=7)
        last, resolved = nd.run(image, RECIPE), more.resolved(image)
        went_on = images(last.image, resolved, first_step=5, noisy=last.noisy)
        assert_same(went_on, images(image, more)[5:])

    def test_channels_have_their_own_noise(self):
        image = np.stack([example_image(), 3 * example_image()])
        recipe = RECIPE.replaced(starting_noise_scale=(0.1, 0.3))
        made = images(image, recipe, axes="cyx", joint_channels=False)
        assert made[0].shape == image.shape
        one = images(image[0], RECIPE)
        assert_same([each[0] for each in made], one)

    def test_pixels_outside_a_mask_stay(self):
        image, mask = example_image(), np.zeros((40, 44), bool)
        mask[5:30, 9:33] = True
        recipe = RECIPE.replaced(diffusion_filter=Heat(time=1.0))
        for step in nd.steps(image, recipe, mask=mask, keep_noisy=True):
            np.testing.assert_array_equal(step.image[~mask], image[~mask])


class TestTheNoiseOfAStep:
    def test_whole_steps_tell_it_too(self):
        image = example_image()
        recipe = RECIPE.replaced(update="whole")
        series = tuple(LearnedDiffusion(noise_sigma=s) for s in recipe.schedule(0.1, 5))
        assert_same(images(image, recipe), images(image, recipe.replaced(diffusion_filter=series)))

    def test_a_factor_multiplies_it(self):
        image = example_image()
        told = RECIPE.replaced(diffusion_filter=LearnedDiffusion(noise_sigma="1.5 × step"))
        series = tuple(LearnedDiffusion(noise_sigma=1.5 * s) for s in RECIPE.schedule(0.1, 5))
        assert_same(images(image, told), images(image, told.replaced(diffusion_filter=series)))

    @pytest.mark.parametrize("text", ["step", "1.5 × step", "0.5*step"])
    def test_survives_json_and_being_resolved(self, text):
        recipe = RECIPE.replaced(diffusion_filter=LearnedDiffusion(noise_sigma=text))
        again = nd.Recipe.from_json(recipe.to_json())
        assert again == recipe
        assert again.update == "reverse"
        kept = recipe.resolved(example_image())
        assert kept.is_resolved
        assert kept.filters[0].noise_sigma == recipe.filters[0].noise_sigma

    def test_filters_within_are_told_it(self):
        inner = ReactionDiffusion(noise_sigma="step", pilot=NonLocalDiffusion())
        resolved = RECIPE.replaced(diffusion_filter=inner).resolved(example_image())
        told = at_noise_scale(resolved.filters[0], 0.25)
        assert told.noise_sigma == told.pilot.noise_sigma == 0.25

    @pytest.mark.parametrize("cls", [each for each in FILTERS if hasattr(each, "noise_sigma")])
    def test_every_filter_with_a_noise_sigma_is_told_it(self, cls):
        weights = {HaarDiffusion: {"weights": (0.3, 0.4)}, Blend: {"weights": (0.5, 0.5)}}
        chosen = cls(noise_sigma="1.5 × step", **weights.get(cls, {}))
        recipe = RECIPE.replaced(diffusion_filter=chosen, num_steps=2)
        resolved = recipe.resolved(example_image())
        told = at_noise_scale(resolved.filters[0], 0.5)
        assert told.noise_sigma == 0.75
        assert not told.set_by_step()
        assert np.isfinite(nd.run(example_image(), recipe).image).all()

    @pytest.mark.parametrize("cls", [HaarDiffusion, Blend])
    def test_weights_are_not_measured_for_a_noise_that_differs(self, cls):
        recipe = RECIPE.replaced(diffusion_filter=cls(noise_sigma="step"))
        with pytest.raises(ValueError, match='weights="auto" are measured for one noise'):
            recipe.resolved(example_image())

    def test_a_strength_multiplies_it(self):
        chosen = ReactionDiffusion(noise_sigma="step", pilot=NonLocalDiffusion("1.5 × step"))
        stronger = with_strength(chosen, 2.0)
        assert (stronger.noise_sigma, stronger.pilot.noise_sigma) == ("2 × step", "3 × step")

    def test_a_filter_alone_says_that_there_is_no_loop(self):
        with pytest.raises(ValueError, match=r'noise_sigma="step" is the noise scale.*no loop'):
            LearnedDiffusion(noise_sigma="step")(example_image())
        with pytest.raises(ValueError, match="no loop"):
            nd.denoise(example_image(), noise_sigma="step")


class TestRefused:
    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"update": "half"}, r'"whole" or "reverse" \(got \'half\'\)'),
            ({"noise": Poisson(gain=1.0)}, r"white Gaussian noise \(got noise=Poisson\)"),
            ({"schedule": Measured()}, r"known before the run \(got Measured\)"),
            ({"noise": None}, r"needs noise in the steps \(got noise=None\)"),
            (
                {"noise": None, "diffusion_filter": Heat()},
                r"white Gaussian noise \(got noise=None\)",
            ),
            (
                {"final_filter": LearnedDiffusion(noise_sigma="step")},
                r'final_filter\.noise_sigma="step" is not possible',
            ),
        ],
    )
    def test_recipes(self, changes, words):
        with pytest.raises(ValueError, match=words):
            RECIPE.replaced(**changes)

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"schedule": Geometric(end=2.0)}, r"never grow \(got 0\.1 in step 0 and"),
            ({"starting_noise_scale": 0.0}, r"starting_noise_scale is 0"),
        ],
    )
    def test_before_any_work(self, changes, words):
        with pytest.raises(ValueError, match=words):
            next(nd.steps(example_image(), RECIPE.replaced(**changes)))

    def test_an_image_without_its_noisy_one_cannot_be_continued(self):
        image = example_image()
        with pytest.raises(ValueError, match=r"needs the noisy image of the step before"):
            next(nd.steps(image, RECIPE, first_step=2))
        with pytest.raises(ValueError, match=r"leave it out"):
            next(nd.steps(image, RECIPE, noisy=image))
        with pytest.raises(ValueError, match=r"shape and type of the image"):
            next(nd.steps(image, RECIPE, first_step=2, noisy=image.astype(float)))
