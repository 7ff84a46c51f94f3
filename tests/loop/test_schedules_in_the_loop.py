"""Schedules at work: lists and rules of one's own, and scales that are measured on the way."""

from __future__ import annotations

import itertools

import dask.array as da
import numpy as np
import pytest

import napari_diffusion as nd
from napari_diffusion.engine import threads
from napari_diffusion.filters import Heat, PeronaMalik
from napari_diffusion.records import provenance
from napari_diffusion.schedules import Constant, Custom, Levels, Measured

MEASURED = nd.Recipe(
    num_steps=5,
    starting_noise_scale=0.2,
    schedule=Measured(share=0.8),
    diffusion_filter=PeronaMalik(contrast=0.3, time=0.6),
    final_filter=Heat(time=0.5),
    seed=7,
)


def example_image(shape=(37, 41)):
    return np.random.default_rng(1).random(shape).astype(np.float32)


def made(*args, **options):
    return list(nd.steps(*args, **options))


def scales(steps):
    return [step.noise_scale for step in steps]


def assert_same(left, right):
    assert scales(left) == scales(right)
    for a, b in zip(left, right, strict=True):
        np.testing.assert_array_equal(a.image, b.image)


def removed_by(recipe, image, scale, step):
    """Return what the filter took out in a step, as plain numpy has it."""
    noisy = recipe.noise(image, scale, seed=recipe.seed, step=step).astype(np.float64)
    return noisy - recipe.diffusion_filter(noisy.astype(np.float32))


class TestMeasured:
    def test_the_next_scale_is_a_share_of_what_the_filter_removed(self):
        image, steps = example_image(), made(example_image(), MEASURED)
        for step, after in itertools.pairwise(steps[:5]):
            taken = removed_by(MEASURED, image, step.noise_scale, step.index)
            expected = min(step.noise_scale, 0.8 * np.sqrt(np.mean(taken**2)))
            assert after.noise_scale == pytest.approx(expected, rel=1e-5)
            assert step.next_noise_scale == after.noise_scale
            image = step.image
        assert 0 < steps[4].noise_scale < 0.5 * steps[0].noise_scale

    def test_each_channel_for_itself_where_the_start_is(self):
        image = np.stack([example_image(), 3 * example_image()])
        recipe = MEASURED.replaced(starting_noise_scale=(0.2, 0.6), num_steps=2)
        first, second, _ = made(image, recipe, axes="cyx")
        noisy = recipe.noise(image, (0.2, 0.6), seed=7, step=0, axes="cyx")
        taken = noisy - recipe.diffusion_filter(noisy, axes="cyx")
        expected = 0.8 * np.sqrt(np.mean(taken.astype(np.float64) ** 2, axis=(1, 2)))
        np.testing.assert_allclose(
            second.noise_scale, np.minimum(first.noise_scale, expected), 1e-5
        )

    def test_inside_the_mask_alone(self):
        image, mask = example_image(), np.zeros((37, 41), bool)
        mask[5:20, 4:30] = True
        other = np.where(mask, image, np.float32(1e6))
        assert scales(made(image, MEASURED, mask=mask)) == scales(made(other, MEASURED, mask=mask))

    def test_going_on_from_any_step_gives_the_same_bits(self):
        whole = made(example_image(), MEASURED)
        for k in range(4):
            rest = made(
                whole[k].image,
                MEASURED,
                first_step=k + 1,
                noise_scale=whole[k].next_noise_scale,
            )
            assert_same(rest, whole[k + 1 :])
        assert_same(made(whole[4].image, MEASURED, first_step=5), whole[5:])

    def test_going_on_with_the_record(self):
        whole = made(example_image(), MEASURED.replaced(stop_at=7))
        kept = provenance.record(MEASURED, whole[2], {"axes": "yx"}, "image")
        scale = provenance.next_noise_scale_of(kept)
        rest = made(
            whole[2].image,
            provenance.recipe_of(kept).replaced(stop_at=7),
            first_step=3,
            noise_scale=scale,
            **provenance.grid_of(kept),
        )
        assert_same(rest, whole[3:])
        quiet = provenance.record(
            MEASURED.replaced(schedule=Constant()), whole[2], {"axes": "yx"}, "image"
        )
        assert provenance.next_noise_scale_of(quiet) is None

    def test_going_on_without_the_scale_is_refused(self):
        with pytest.raises(ValueError, match=r"first_step=2 .* Measured needs noise_scale"):
            made(example_image(), MEASURED, first_step=2)
        assert len(made(example_image(), MEASURED.replaced(noise=None), first_step=2)) == 4

    def test_a_region_has_the_scales_of_the_whole(self):
        region = (slice(3, 9), slice(20, 33))
        whole, part = (
            made(example_image(), MEASURED),
            made(example_image(), MEASURED, region=region),
        )
        assert scales(part) == scales(whole)
        for a, b in zip(part, whole, strict=True):
            np.testing.assert_array_equal(a.image, b.image[region])

    def test_chunks_and_threads_do_not_matter(self, monkeypatch):
        whole = made(example_image(), MEASURED)
        chunked = made(da.from_array(example_image(), chunks=(11, 17)), MEASURED)
        assert scales(chunked) == scales(whole)
        np.testing.assert_array_equal(chunked[-1].image.compute(), whole[-1].image)
        monkeypatch.setattr(threads, "TILE_VOXELS", 100)
        monkeypatch.setenv("NAPARI_DIFFUSION_THREADS", "3")
        assert_same(made(example_image(), MEASURED), whole)

    def test_no_noise_stays_none(self):
        for quiet in ({"noise": None}, {"starting_noise_scale": 0.0}):
            assert scales(made(example_image(), MEASURED.replaced(**quiet))) == [0.0] * 6

    def test_a_filter_that_does_nothing_ends_the_noise(self):
        still = MEASURED.replaced(diffusion_filter=Heat(time=0.0))
        assert scales(made(example_image(), still)) == [0.2, 0.0, 0.0, 0.0, 0.0, 0.0]


class TestLevels:
    RECIPE = MEASURED.replaced(schedule=Levels((0.3, 0.1)))

    @pytest.mark.parametrize("start", ["auto", 17.0])
    def test_the_list_takes_the_place_of_the_start(self, start):
        recipe = self.RECIPE.replaced(starting_noise_scale=start)
        resolved = recipe.resolved(example_image())
        assert resolved.starting_noise_scale == 0.3
        assert resolved.resolved(example_image()) == resolved
        whole = made(example_image(), recipe)
        assert scales(whole) == [0.3, 0.1, 0.1, 0.1, 0.1, 0.0]
        assert_same(made(whole[1].image, resolved, first_step=2), whole[2:])

    def test_for_every_channel_alike(self):
        recipe = self.RECIPE.replaced(starting_noise_scale=(1.0, 0.0))
        found = scales(made(np.stack([example_image()] * 2), recipe, axes="cyx"))
        assert found[:3] == [(0.3, 0.0), (0.1, 0.0), (0.1, 0.0)]

    def test_without_noise_there_is_none(self):
        for quiet in ({"noise": None}, {"starting_noise_scale": 0.0}):
            assert scales(made(example_image(), self.RECIPE.replaced(**quiet))) == [0.0] * 6

    def test_levels_that_would_overflow(self):
        with pytest.raises(ValueError, match=r"noise_scale.*float32"):
            made(example_image(), self.RECIPE.replaced(schedule=Levels((1e37, 1.0))))


def bumped(noise_scale, step, num_steps):
    return {1: 1e38, 2: 0.1}.get(step, noise_scale)


class TestCustom:
    def test_is_asked_once_after_every_step(self):
        asked = []

        def rule(noise_scale, step, num_steps):
            asked.append((noise_scale, step, num_steps))
            return noise_scale / 4

        recipe = MEASURED.replaced(schedule=Custom(rule))
        steps = nd.steps(example_image(), recipe)
        assert next(steps).noise_scale == 0.2
        asked.clear()
        assert scales(steps) == [0.05, 0.0125, 0.003125, 0.00078125, 0.0]
        assert asked == [(0.05, 1, 5), (0.0125, 2, 5), (0.003125, 3, 5)]
        whole = made(example_image(), recipe)
        assert_same(made(whole[1].image, recipe, first_step=2), whole[2:])

    def test_a_scale_that_would_overflow_on_the_way_is_refused_before_the_first_step(self):
        with pytest.raises(ValueError, match=r"noise_scale=1e\+38 .*float32"):
            next(nd.steps(example_image(), MEASURED.replaced(schedule=Custom(bumped))))
