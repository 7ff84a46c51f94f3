"""The loop: what it yields, in which order, and that nothing but the recipe decides the numbers."""

from __future__ import annotations

import hashlib
import inspect
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from cases import CASES, FILTER_VARIANTS, label

import napari_diffusion as nd
from napari_diffusion.engine import threads as threads_module
from napari_diffusion.filters import Gaussian, Heat, Median, PeronaMalik
from napari_diffusion.schedules import Constant, Geometric, Linear

RECIPE = nd.Recipe(
    num_steps=4,
    starting_noise_scale=0.2,
    schedule=Geometric(end=0.25),
    diffusion_filter=PeronaMalik(contrast=0.3, time=0.6),
    final_filter=Heat(time=0.5),
    seed=7,
)


def example_image(shape=(19, 23), dtype=np.float32):
    return np.random.default_rng(1).random(shape).astype(dtype)


def images(*args, **options):
    return [step.image for step in nd.steps(*args, **options)]


def assert_same(left, right):
    assert len(left) == len(right)
    for a, b in zip(left, right, strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == b.dtype


class TestSteps:
    def test_is_the_algorithm(self):
        """Noise, filter, next scale; at the end the final filter: written out, the same bits."""
        image = example_image()
        made = list(nd.steps(image, RECIPE))
        expected, scales = image, RECIPE.schedule(0.2, 4)
        for k in range(4):
            expected = RECIPE.noise(expected, scales[k], seed=7, step=k)
            expected = RECIPE.diffusion_filter(expected)
            np.testing.assert_array_equal(made[k].image, expected)
            assert made[k].noise_scale == scales[k]
        np.testing.assert_array_equal(made[4].image, RECIPE.final_filter(expected))

    def test_yields_one_more_than_num_steps(self):
        made = list(nd.steps(example_image(), RECIPE))
        assert [step.index for step in made] == [0, 1, 2, 3, 4]
        assert [step.is_final for step in made] == [False, False, False, False, True]
        assert made[-1].noise_scale == 0.0
        assert all(type(step.noise_scale) is float for step in made)

    def test_without_a_final_filter_the_last_image_is_the_one_before(self):
        made = list(nd.steps(example_image(), RECIPE.replaced(final_filter=None)))
        np.testing.assert_array_equal(made[-1].image, made[-2].image)
        assert not np.shares_memory(made[-1].image, made[-2].image)

    def test_one_step_is_the_fewest(self):
        assert len(list(nd.steps(example_image(), RECIPE.replaced(num_steps=1)))) == 2
        with pytest.raises(ValueError, match=r"num_steps must be .*1.* \(got 0\)"):
            RECIPE.replaced(num_steps=0)

    def test_step_k_uses_the_kth_filter_of_a_series(self):
        image, series = example_image(), (Heat(time=0.3), Median(), Heat(time=2.0))
        recipe = RECIPE.replaced(diffusion_filter=series, noise=None)
        expected = image
        for k, made in enumerate(images(image, recipe)[:4]):
            expected = series[min(k, 2)](expected)
            np.testing.assert_array_equal(made, expected)

    def test_computes_nothing_before_it_is_asked(self):
        class Untouchable:
            def __array__(self, *_args, **_more):
                raise AssertionError("read before a step was asked for")

        made = nd.steps(Untouchable(), RECIPE)
        assert inspect.isgenerator(made)
        with pytest.raises(AssertionError, match="before a step"):
            next(made)

    def test_makes_one_step_at_a_time(self, monkeypatch):
        calls = []
        apply = Heat.apply
        monkeypatch.setattr(Heat, "apply", lambda *args: calls.append(1) or apply(*args))
        made = nd.steps(example_image(), RECIPE.replaced(diffusion_filter=Heat()))
        for k in range(5):
            next(made)
            assert len(calls) == k + 1

    @pytest.mark.parametrize("final_filter", [None, Heat(time=0.0), Heat(time=0.5)])
    @pytest.mark.parametrize("time", [0.0, 0.6])
    @pytest.mark.parametrize("scale", [0.0, 0.2])
    def test_every_image_is_an_array_of_its_own(self, scale, time, final_filter):
        image = example_image()
        recipe = RECIPE.replaced(
            starting_noise_scale=scale,
            diffusion_filter=PeronaMalik(contrast=0.3, time=time),
            final_filter=final_filter,
        )
        expected, kept = images(image, recipe), image.copy()
        for k, step in enumerate(nd.steps(image, recipe)):
            np.testing.assert_array_equal(step.image, expected[k])
            step.image[...] = np.nan
        np.testing.assert_array_equal(image, kept)

    def test_run_returns_the_final_step(self):
        last = nd.run(example_image(), RECIPE)
        assert last.is_final
        np.testing.assert_array_equal(last.image, images(example_image(), RECIPE)[-1])

    @pytest.mark.parametrize("case", CASES, ids=str)
    def test_any_layout(self, case):
        recipe = RECIPE.replaced(num_steps=2)
        for dtype in (np.float32, np.float64, np.uint8):
            image = case.image() * (200 if dtype == np.uint8 else 1)
            made = images(image.astype(dtype), recipe, **case.options)
            assert all(each.shape == case.shape for each in made)
            wanted = np.float64 if dtype == np.float64 else np.float32
            assert all(each.dtype == wanted for each in made)

    @pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (1, 1, 1), (1, 7, 1)])
    def test_down_to_one_sample_along_any_axis(self, shape):
        for recipe in (RECIPE, *nd.PRESETS.values()):
            if recipe.autos().get("starting_noise_scale"):  # one pixel has no range
                recipe = recipe.replaced(starting_noise_scale=0.1)
            for image in images(example_image(shape), recipe):
                assert image.shape == shape or recipe.measurement is not None
                assert np.isfinite(image).all()

    def test_alpha_stays_as_it_is(self):
        image = np.random.default_rng(0).integers(0, 256, (12, 14, 4), np.uint8)
        recipe = RECIPE.replaced(starting_noise_scale=20.0)
        for made in images(image, recipe, axes="yxc", rgb=True):
            np.testing.assert_array_equal(made[..., 3], image[..., 3])
            assert np.mean(made[..., :3] == image[..., :3]) < 0.1

    def test_without_rgb_a_fourth_channel_is_a_channel(self):
        image = example_image((12, 14, 4))
        for made in images(image, RECIPE, axes="yxc"):
            assert np.mean(made[..., 3] == image[..., 3]) < 0.1

    def test_a_filter_that_takes_no_mask_says_so_before_any_work(self):
        class Whole(nd.filters.Heat):
            takes_mask = False

        image, mask = np.zeros((9, 9)), np.eye(9, dtype=bool)
        recipe = nd.Recipe(1, 0.0, diffusion_filter=nd.filters.Heat(), final_filter=Whole())
        made = nd.steps(image, recipe, mask=mask)
        for refused in (lambda: next(made), lambda: Whole()(image, mask=mask)):
            with pytest.raises(ValueError, match="Whole does not support masks or missing values"):
                refused()

    def test_outside_a_mask_neither_noise_nor_filter_does_anything(self):
        image, mask = example_image(), np.random.default_rng(0).random((19, 23)) > 0.4
        for made in images(image, RECIPE, mask=mask):
            np.testing.assert_array_equal(made[~mask], image[~mask])
            assert np.mean(made[mask] == image[mask]) < 0.1

    def test_holes_stay_holes(self):
        image = example_image()
        image[3:6, 4] = np.nan
        image[7, 8] = np.inf
        for made in images(image, RECIPE, missing="ignore"):
            np.testing.assert_array_equal(np.isnan(made), np.isnan(image))
            np.testing.assert_array_equal(np.isinf(made), np.isinf(image))

    def test_each_channel_may_have_its_own_noise(self):
        image = np.zeros((3, 60, 70), np.float32)
        recipe = RECIPE.replaced(
            starting_noise_scale=(0.1, 0.0, 2.0), diffusion_filter=Heat(time=0.0)
        )
        made = list(nd.steps(image, recipe, axes="cyx"))
        factor = recipe.schedule(1.0, 4)
        for k in range(4):
            np.testing.assert_allclose(made[k].noise_scale, np.array([0.1, 0, 2]) * factor[k])
        spread = made[0].image.std(axis=(1, 2))
        np.testing.assert_allclose(spread, (0.1, 0.0, 2.0), rtol=0.05)


class TestWithoutNoise:
    @pytest.mark.parametrize(
        "recipe",
        [
            RECIPE.replaced(noise=None),
            RECIPE.replaced(starting_noise_scale=0.0),
            RECIPE.replaced(noise=None, starting_noise_scale="auto"),
        ],
    )
    def test_it_is_the_filter_again_and_again(self, recipe):
        expected = example_image()
        for step in nd.steps(example_image(), recipe):
            if not step.is_final:
                expected = RECIPE.diffusion_filter(expected)
                np.testing.assert_array_equal(step.image, expected)
            assert step.noise_scale == 0.0

    def test_the_seed_does_not_matter(self):
        quiet = RECIPE.replaced(noise=None)
        assert_same(
            images(example_image(), quiet), images(example_image(), quiet.replaced(seed=99))
        )


class TestAuto:
    RECIPE = nd.Recipe(num_steps=3)

    def test_is_resolved_once_on_the_source(self):
        image = example_image()
        resolved = self.RECIPE.resolved(image)
        assert resolved.is_resolved
        assert resolved.starting_noise_scale == nd.estimate.noise_sigma(image)
        assert resolved.diffusion_filter.contrast == nd.estimate.contrast(image)
        assert_same(images(image, self.RECIPE), images(image, resolved))

    def test_a_crop_takes_the_numbers_of_the_whole(self):
        image = example_image((40, 50))
        image[:20] *= 10
        region = (slice(30, 38), slice(3, 20))
        whole = [made[region] for made in images(image, self.RECIPE)]
        assert_same(images(image, self.RECIPE, region=region), whole)

    def test_resolving_again_changes_nothing(self):
        resolved = self.RECIPE.resolved(example_image())
        assert resolved.resolved(100 * example_image()) == resolved

    def test_the_smoothed_gradient_sets_the_contrast_of_a_smoothed_filter(self):
        filter_ = PeronaMalik(smoothing=1.5)
        resolved = nd.Recipe(diffusion_filter=filter_, final_filter=filter_).resolved(
            example_image()
        )
        expected = nd.estimate.contrast(example_image(), smoothing=1.5)
        assert resolved.diffusion_filter.contrast == expected
        assert resolved.final_filter.contrast == expected


class TestGoingOn:
    def test_from_any_step_the_bits_are_those_of_the_whole_run(self):
        image = example_image()
        whole = list(nd.steps(image, RECIPE))
        for k in range(4):
            rest = list(nd.steps(whole[k].image, RECIPE, first_step=k + 1))
            assert [step.index for step in rest] == list(range(k + 1, 5))
            assert [s.noise_scale for s in rest] == [s.noise_scale for s in whole[k + 1 :]]
            assert_same([step.image for step in rest], [step.image for step in whole[k + 1 :]])

    def test_fewer_or_more_steps_than_the_schedule_spans(self):
        image = example_image()
        longer = RECIPE.replaced(stop_at=7)
        whole = list(nd.steps(image, longer))
        scales = [*RECIPE.schedule(0.2, 4), *[RECIPE.schedule(0.2, 4)[-1]] * 3, 0.0]
        assert [step.noise_scale for step in whole] == scales
        assert_same([s.image for s in whole[:4]], images(image, RECIPE)[:4])
        short = list(nd.steps(image, RECIPE.replaced(stop_at=2)))
        assert [step.noise_scale for step in short] == [*scales[:2], 0.0]
        np.testing.assert_array_equal(short[-1].image, RECIPE.final_filter(whole[1].image))
        rest = images(short[1].image, RECIPE.replaced(stop_at=7), first_step=2)
        assert_same(rest, [step.image for step in whole[2:]])

    def test_the_final_filter_alone(self):
        before = images(example_image(), RECIPE)[3]
        (last,) = nd.steps(before, RECIPE, first_step=4)
        assert last.is_final
        np.testing.assert_array_equal(last.image, RECIPE.final_filter(before))

    def test_in_a_region_with_colours_and_a_mask(self):
        image = np.random.default_rng(0).integers(0, 256, (20, 24, 4), np.uint8)
        options = {"axes": "yxc", "rgb": True, "mask": np.tri(20, 24, 5, bool)}
        recipe = RECIPE.replaced(starting_noise_scale=10.0, stop_at=3)
        whole = images(image, recipe, **options)
        region = (slice(5, 12), slice(0, 9), slice(None))
        rest = images(whole[0], recipe, first_step=1, region=region, **options)
        assert_same(rest, [made[region] for made in whole[1:]])

    def test_an_unresolved_recipe_cannot_know_the_source(self):
        recipe = nd.Recipe(num_steps=3)
        with pytest.raises(ValueError, match=r"first_step=1 .*resolved.*source"):
            next(nd.steps(example_image(), recipe, first_step=1))

    @pytest.mark.parametrize("first_step", [-1, 5, 1.0, 0.5, "1", None, True])
    def test_only_steps_of_the_recipe(self, first_step):
        with pytest.raises((TypeError, ValueError), match=r"first_step .* from 0 to 4.*\(got "):
            next(nd.steps(example_image(), RECIPE, first_step=first_step))


def digest(image):
    return hashlib.sha256(np.ascontiguousarray(image).tobytes()).hexdigest()


ELSEWHERE = """
import hashlib, sys
import numpy as np
import napari_diffusion as nd
with open(sys.argv[1]) as file:
    recipe = nd.Recipe.from_json(file.read())
image = np.random.default_rng(1).random((3, 61, 67)).astype(np.float32)
for step in nd.steps(image, recipe, axes="cyx", spacing=(0.5, 1.0)):
    print(hashlib.sha256(step.image.tobytes()).hexdigest())
"""


class TestSameBits:
    @pytest.fixture
    def small_tiles(self, monkeypatch):
        monkeypatch.setattr(threads_module, "TILE_VOXELS", 300)

    @pytest.mark.parametrize("component", FILTER_VARIANTS, ids=label)
    def test_for_any_number_of_threads_and_size_of_tiles(self, component, monkeypatch):
        recipe = RECIPE.replaced(diffusion_filter=component, num_steps=1)
        for case in CASES:
            image = case.image(np.float32)
            whole = images(image, recipe, **case.options)
            for threads, voxels in ((1, 64), (2, 64), (2, 200), (3, 37)):
                with monkeypatch.context() as patch:
                    patch.setenv("NAPARI_DIFFUSION_THREADS", str(threads))
                    patch.setattr(threads_module, "TILE_VOXELS", voxels)
                    assert_same(images(image, recipe, **case.options), whole)

    def test_in_another_process(self, tmp_path):
        recipe = RECIPE.replaced(diffusion_filter=(PeronaMalik(contrast=0.3), Gaussian(), Median()))
        image = np.random.default_rng(1).random((3, 61, 67)).astype(np.float32)
        here = [digest(made) for made in images(image, recipe, axes="cyx", spacing=(0.5, 1.0))]
        (tmp_path / "recipe.json").write_text(recipe.to_json(), "utf-8")
        done = subprocess.run(
            [sys.executable, "-c", ELSEWHERE, str(tmp_path / "recipe.json")],
            env={**os.environ, "NAPARI_DIFFUSION_THREADS": "3"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split() == here

    def test_two_runs_at_once_do_not_disturb_each_other(self, small_tiles):
        alone = [images(example_image((90, 91)), RECIPE.replaced(seed=seed)) for seed in (1, 2)]
        together = {}

        def work(seed):
            together[seed] = images(example_image((90, 91)), RECIPE.replaced(seed=seed))

        threads = [threading.Thread(target=work, args=(seed,)) for seed in (1, 2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for seed in (1, 2):
            assert_same(together[seed], alone[seed - 1])

    def test_two_generators_in_turn(self):
        image = example_image()
        whole = images(image, RECIPE)
        for k, (a, b) in enumerate(
            zip(nd.steps(image, RECIPE), nd.steps(image, RECIPE), strict=True)
        ):
            np.testing.assert_array_equal(a.image, whole[k])
            np.testing.assert_array_equal(b.image, whole[k])

    def test_the_seed_and_the_step_choose_the_noise(self):
        image, quiet = example_image(), RECIPE.replaced(diffusion_filter=Heat(time=0.0))
        first, other = images(image, quiet), images(image, quiet.replaced(seed=8))
        assert all(np.mean(a == b) < 0.1 for a, b in zip(first, other, strict=True))
        constant = quiet.replaced(schedule=Constant())
        one, two = (np.diff([image, *images(image, constant)[:2]], axis=0) / 0.2).reshape(2, -1)
        assert abs(np.corrcoef(one, two)[0, 1]) < 4.5 / np.sqrt(image.size)


class Polled:
    """A stop token that counts how often it is asked, and is set from the n-th time on."""

    def __init__(self, after):
        self.after, self.times, self.lock = after, 0, threading.Lock()

    def is_set(self):
        with self.lock:
            self.times += 1
            return self.times > self.after


class TestStop:
    def test_before_the_first_step(self):
        stop = threading.Event()
        stop.set()
        with pytest.raises(nd.Stopped):
            next(nd.steps(example_image(), RECIPE, stop=stop))

    @pytest.mark.parametrize("component", FILTER_VARIANTS, ids=label)
    def test_every_filter_answers(self, component):
        stop = threading.Event()
        recipe = RECIPE.replaced(noise=None, diffusion_filter=component, num_steps=3)
        made = nd.steps(example_image(), recipe, stop=stop)
        kept = next(made)
        before = kept.image.copy()
        stop.set()
        with pytest.raises(nd.Stopped):
            next(made)
        np.testing.assert_array_equal(kept.image, before)

    def test_within_a_tile_of_the_step_at_hand(self, monkeypatch):
        """Of many tiles no more are worked on than threads were in one when it was set."""
        monkeypatch.setattr(threads_module, "TILE_VOXELS", 100)
        monkeypatch.setenv("NAPARI_DIFFUSION_THREADS", "2")
        worked = []
        advance = PeronaMalik.advance
        monkeypatch.setattr(
            PeronaMalik, "advance", lambda *args: worked.append(1) or advance(*args)
        )
        recipe = RECIPE.replaced(noise=None)
        list(nd.steps(example_image((60, 61)), recipe))
        assert len(worked) > 4 * 2 * 10
        for after in (5, 30):
            worked.clear()
            stop = Polled(after)
            with pytest.raises(nd.Stopped):
                list(nd.steps(example_image((60, 61)), recipe, stop=stop))
            assert len(worked) <= after
            assert stop.times <= after + 2

    def test_a_token_that_is_not_set_changes_nothing(self):
        made = images(example_image(), RECIPE, stop=threading.Event())
        assert_same(made, images(example_image(), RECIPE))

    def test_a_run_after_a_stopped_one(self):
        with pytest.raises(nd.Stopped):
            list(nd.steps(example_image(), RECIPE, stop=Polled(6)))
        assert len(images(example_image(), RECIPE)) == 5


class TestRefusals:
    """In one sentence, before any work: the fact, the value, the cure."""

    def refused(self, match, *args, error=ValueError, **options):
        with pytest.raises(error, match=match):
            next(nd.steps(*args, **options))

    def test_images(self):
        nan = example_image()
        nan[2, 3] = np.nan
        nan[4, 5] = -np.inf
        self.refused(r"2 NaN or infinite values.*missing='ignore'", nan, RECIPE)
        self.refused(r"at least one pixel \(got shape \(0, 5\)\)", np.zeros((0, 5)), RECIPE)
        self.refused(
            r"complex128.*abs\(image\)", np.zeros((4, 4), complex), RECIPE, error=TypeError
        )
        self.refused(r"\(5, 6, 7, 8\).*needs the names", np.zeros((5, 6, 7, 8)), RECIPE)
        self.refused(r"axes='yxc', rgb=True or axes='zyx'", np.zeros((40, 40, 3)), RECIPE)

    def test_regions(self):
        for region in ((slice(0, 5),), (slice(0, 5), 3), slice(0, 5)):
            self.refused(r"one slice per axis of 'yx'", example_image(), RECIPE, region=region)
        for region in ((slice(5, 5), slice(None)), (slice(0, 9, 2), slice(None))):
            self.refused(r"non-empty slices with step 1", example_image(), RECIPE, region=region)
        self.refused(r"non-empty", example_image(), RECIPE, region=(slice(30, 40), slice(None)))

    def test_lists_of_one_number_per_channel_that_are_of_another_length(self):
        image = example_image((2, 8, 9))
        self.refused(
            r"2 channels", image, RECIPE.replaced(starting_noise_scale=(0.1, 0.2, 0.3)), axes="cyx"
        )
        chosen = PeronaMalik(contrast=(0.1, 0.2, 0.3))
        for slot in ("diffusion_filter", "final_filter"):
            self.refused(
                r"contrast lists 3 values, but the image has 2 channels",
                image,
                RECIPE.replaced(**{slot: chosen}),
                axes="cyx",
            )

    @pytest.mark.parametrize("first", [{}, {"region": (slice(3, 5), slice(3, 5))}])
    @pytest.mark.parametrize("chosen", [Gaussian(sigma=1e9), PeronaMalik(contrast=1.0, time=5e4)])
    def test_what_a_later_filter_cannot_do(self, chosen, first):
        """Before the first step, not when its turn comes."""
        sentence = r"(sigma=1e\+09|time=50000) .*more than 10000: "
        for changes in (
            {"diffusion_filter": chosen},
            {"diffusion_filter": (Heat(), chosen)},
            {"final_filter": chosen},
        ):
            self.refused(sentence, example_image(), RECIPE.replaced(**changes), **first)

    def test_noise_that_would_overflow(self):
        for start, schedule in ((1e38, Constant()), (1e35, Linear(end=1e4))):
            recipe = RECIPE.replaced(starting_noise_scale=start, schedule=schedule)
            self.refused(r"noise_scale.*float32", example_image(), recipe)
        recipe = RECIPE.replaced(starting_noise_scale=1e38)
        assert np.isfinite(nd.run(example_image(dtype=np.float64), recipe).image).all()

    def test_unknown_keywords(self):
        self.refused("sigma", example_image(), RECIPE, error=TypeError, sigma=1)


def test_a_linear_filter_leaves_the_noise_that_theory_says():
    """Var = Σ_k σ_k² · mean over modes of G^(2(N − k)), and the mean is the plain cascade."""
    size, count, runs = 20, 4, 500
    recipe = nd.Recipe(
        num_steps=count,
        starting_noise_scale=1.0,
        schedule=Geometric(end=0.3),
        diffusion_filter=Heat(time=0.3),
        final_filter=None,
    )
    image = example_image((size, size), np.float64)
    cascade = nd.run(image, recipe.replaced(noise=None)).image
    noise = np.array([nd.run(image, recipe.replaced(seed=k)).image for k in range(runs)]) - cascade

    waves = 4 * np.sin(np.pi * np.arange(size) / (2 * size)) ** 2
    gain = np.exp(-0.3 * np.add.outer(waves, waves))
    spectrum = sum(
        scale**2 * gain ** (2 * (count - k)) for k, scale in enumerate(recipe.schedule(1.0, count))
    )
    # The mean square over runs and pixels scatters by this much of itself.
    scatter = np.sqrt(2 * np.sum(spectrum**2) / runs) / np.sum(spectrum)
    assert scatter < 0.01
    assert np.mean(noise**2) == pytest.approx(spectrum.mean(), rel=4.5 * scatter)
    assert np.abs(noise.mean(axis=0)).max() < 5.5 * np.sqrt(noise.var(axis=0).max() / runs)
