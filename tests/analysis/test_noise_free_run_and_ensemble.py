"""What the noise did, and how much the seed matters, beside explicit runs."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import napari_diffusion as nd
from napari_diffusion.analysis.ensemble import Gathering
from napari_diffusion.analysis.noise_free_run import noise_effect

IMAGE = np.random.default_rng(3).random((20, 24)).astype(np.float32)
RECIPE = nd.Recipe(
    num_steps=3,
    diffusion_filter=nd.filters.PeronaMalik(contrast="auto", time=0.4),
    final_filter=nd.filters.Heat(time=0.3),
    seed=5,
)


def test_the_noise_free_run_is_the_run_without_noise_and_with_the_same_numbers():
    pairs = list(nd.analysis.noise_free_run(IMAGE, RECIPE))
    quiet = RECIPE.resolved(IMAGE).replaced(noise=None, starting_noise_scale=0.0)
    assert len(pairs) == 4
    for (step, noise_free_run), noisy, without in zip(
        pairs, nd.steps(IMAGE, RECIPE), nd.steps(IMAGE, quiet), strict=True
    ):
        np.testing.assert_array_equal(step.image, noisy.image)
        np.testing.assert_array_equal(noise_free_run.image, without.image)
        expected = np.sqrt(np.mean((noisy.image.astype(float) - without.image) ** 2))
        assert noise_effect(step, noise_free_run) == pytest.approx(expected)
        assert (step.index, noise_free_run.noise_scale) == (noise_free_run.index, 0.0)


def test_of_a_region_and_of_a_mask():
    region = (slice(3, 9), slice(5, 20))
    for (part, quiet), (step, noise_free_run) in zip(
        nd.analysis.noise_free_run(IMAGE, RECIPE, region=region),
        nd.analysis.noise_free_run(IMAGE, RECIPE),
        strict=True,
    ):
        np.testing.assert_array_equal(part.image, step.image[region])
        np.testing.assert_array_equal(quiet.image, noise_free_run.image[region])
        inside = np.zeros(IMAGE.shape, bool)
        inside[region] = True
        assert noise_effect(step, noise_free_run, inside) == pytest.approx(
            noise_effect(part, quiet)
        )


def test_a_recipe_without_noise_has_no_noise_free_run():
    with pytest.raises(ValueError, match="this recipe adds none: choose a noise"):
        next(nd.analysis.noise_free_run(IMAGE, RECIPE.replaced(noise=None)))


@pytest.mark.parametrize("update", ["whole", "reverse"])
def test_steps_that_follow_from_the_noise_have_no_noise_free_run(update):
    told = nd.filters.NonLocalDiffusion(noise_sigma="step")
    recipe = RECIPE.replaced(diffusion_filter=told, update=update)
    with pytest.raises(ValueError, match="no noise-free run of reverse updates, nor of a filter"):
        next(nd.analysis.noise_free_run(IMAGE, recipe))


def explicit(seeds, **options):
    resolved = RECIPE.resolved(IMAGE)
    runs = [list(nd.steps(IMAGE, resolved.replaced(seed=seed), **options)) for seed in seeds]
    return np.array([[step.image for step in run] for run in runs], float)


def test_mean_and_sensitivity_are_those_of_explicit_runs():
    made = nd.analysis.ensemble(IMAGE, RECIPE, seeds=4)
    images = explicit([5, 6, 7, 8])[:, -1]
    assert made.seeds == (5, 6, 7, 8)
    assert made.recipe.seed == 5
    assert made.steps[0].is_final
    np.testing.assert_allclose(made.mean, images.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(made.sensitivity, images.std(axis=0, ddof=1), rtol=1e-5)
    assert made.mean.dtype == np.float32


def test_every_step_with_seeds_of_ones_own_and_a_region():
    region = (slice(0, 7), slice(2, 24))
    made = nd.analysis.ensemble(IMAGE, RECIPE, seeds=[9, 2], every_step=True, region=region)
    images = explicit([9, 2], region=region)
    assert [step.index for step in made.steps] == [0, 1, 2, 3]
    assert [step.is_final for step in made.steps] == [False, False, False, True]
    for place, step in enumerate(made.steps):
        np.testing.assert_allclose(step.mean, images[:, place].mean(axis=0), rtol=1e-6)
        spread = images[:, place].std(axis=0, ddof=1)
        np.testing.assert_allclose(step.sensitivity, spread, rtol=1e-4, atol=1e-8)
    last = nd.analysis.ensemble(IMAGE, RECIPE.replaced(final_filter=None), seeds=2)
    assert [step.index for step in last.steps] == [2]


def test_what_was_done_before_a_stop_is_kept():
    stop = threading.Event()
    gathering = Gathering(IMAGE, RECIPE, seeds=8, stop=stop)
    run = gathering.run()
    assert [next(run), next(run)] == [1, 2]
    two = gathering.ensemble()
    stop.set()
    with pytest.raises(nd.Stopped):
        next(run)
    after = gathering.ensemble()
    assert after.seeds == (5, 6)
    np.testing.assert_array_equal(after.sensitivity, two.sensitivity)
    np.testing.assert_allclose(after.mean, explicit([5, 6])[:, -1].mean(axis=0), rtol=1e-6)


def test_one_seed_has_a_mean_and_no_spread():
    gathering = Gathering(IMAGE, RECIPE)
    next(gathering.run())
    assert gathering.ensemble().sensitivity is None


@pytest.mark.parametrize("seeds", [1, 0, [3], [3, 3]])
def test_a_spread_takes_two_seeds(seeds):
    with pytest.raises(ValueError, match="seeds must be 2 or more"):
        nd.analysis.ensemble(IMAGE, RECIPE, seeds=seeds)


def test_without_noise_every_seed_makes_the_same_image():
    for recipe in (RECIPE.replaced(noise=None), RECIPE.replaced(starting_noise_scale=0.0)):
        with pytest.raises(ValueError, match="every seed gives the same result"):
            nd.analysis.ensemble(IMAGE, recipe)
    with pytest.raises(TypeError, match="seeds must be a whole number"):
        nd.analysis.ensemble(IMAGE, RECIPE, seeds=True)
