"""Dask arrays: lazily, chunk by chunk, never whole, and the bits of the same array in memory."""

from __future__ import annotations

import itertools
import tracemalloc

import dask
import numpy as np
import pytest
from cases import CASES, FILTER_VARIANTS, MASKED_VARIANTS, THIN_CASES, label
from dask import array as da
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import example_images, filters

import napari_diffusion as nd
from napari_diffusion.core.image import Image
from napari_diffusion.engine import slab_reading
from napari_diffusion.engine.block import Block
from napari_diffusion.filters import Heat, PeronaMalik
from napari_diffusion.schedules import Geometric

RECIPE = nd.Recipe(
    num_steps=2,
    starting_noise_scale=0.1,
    schedule=Geometric(end=0.5),
    diffusion_filter=PeronaMalik(contrast=0.3, time=0.4),
    final_filter=Heat(time=0.3),
    seed=5,
)


def images(*args, **options):
    return [step.image for step in nd.steps(*args, **options)]


def chunkings(shape):
    """Return four ways to cut: whole, in halves, in thirds that do not fit, into thin slabs."""
    yield shape
    yield tuple((n + 1) // 2 for n in shape)
    yield tuple(max(1, n // 3) for n in shape)
    yield tuple(n if i < len(shape) - 2 else min(n, 3) for i, n in enumerate(shape))


def assert_equal_chunk_by_chunk(image, recipe, scheduler="synchronous", **options):
    expected = images(image, recipe, **options)
    for chunks in chunkings(image.shape):
        made = images(da.from_array(image, chunks=chunks), recipe, **options)
        assert all(isinstance(each, da.Array) for each in made)
        assert all(each.dtype == expected[0].dtype for each in made)
        assert all(each.shape == image.shape for each in made)
        for got, want in zip(dask.compute(*made, scheduler=scheduler), expected, strict=True):
            np.testing.assert_array_equal(got, want)


class Source:
    """An image that is made chunk by chunk and counts which ones were asked for."""

    def __init__(self, blocks, chunk, dtype=np.float32):
        self.chunk, self.loads, self.dtype = chunk, [], np.dtype(dtype)
        grid = np.empty(blocks, object)
        for at in np.ndindex(*blocks):
            lazy = dask.delayed(self.load, pure=False)(at)
            grid[at] = da.from_delayed(lazy, chunk, self.dtype)
        self.array = da.block(grid.tolist())

    def load(self, at):
        self.loads.append(at)
        return np.random.default_rng(at).random(self.chunk, self.dtype)


class TestSameBits:
    @pytest.mark.parametrize("component", FILTER_VARIANTS, ids=label)
    def test_for_four_chunkings(self, component):
        recipe = RECIPE.replaced(num_steps=1, diffusion_filter=component)
        for case in (CASES[1], CASES[4], CASES[6]):
            assert_equal_chunk_by_chunk(case.image(np.float32), recipe, **case.options)

    @pytest.mark.parametrize("case", [*CASES, *THIN_CASES], ids=str)
    def test_for_every_layout(self, case):
        assert_equal_chunk_by_chunk(case.image(np.float32), RECIPE, **case.options)

    @pytest.mark.parametrize("component", MASKED_VARIANTS, ids=label)
    def test_with_a_mask(self, component):
        recipe = RECIPE.replaced(num_steps=1, diffusion_filter=component)
        for case in (CASES[1], CASES[4]):
            image = case.image(np.float32)
            assert_equal_chunk_by_chunk(image, recipe, mask=case.mask(), **case.options)

    def test_with_a_mask_that_is_a_dask_array_of_other_chunks(self):
        case = CASES[2]
        image, mask = case.image(np.float32), case.mask()
        expected = nd.run(image, RECIPE, mask=mask, **case.options).image
        lazy = nd.run(
            da.from_array(image, chunks=4),
            RECIPE,
            mask=da.from_array(mask, chunks=(7, 2, 5)),
            **case.options,
        )
        np.testing.assert_array_equal(lazy.image.compute(), expected)

    @pytest.mark.parametrize("scheduler", ["synchronous", "threads"])
    def test_with_any_scheduler(self, scheduler):
        image = np.random.default_rng(0).random((31, 37))
        assert_equal_chunk_by_chunk(image, RECIPE, scheduler=scheduler)

    @pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float16, np.float64, bool])
    def test_of_any_type(self, dtype):
        image = (50 * np.random.default_rng(0).random((21, 22))).astype(dtype)
        assert_equal_chunk_by_chunk(image, RECIPE)

    def test_of_colours_with_alpha(self):
        image = np.random.default_rng(0).integers(0, 256, (21, 22, 4), np.uint8)
        recipe = RECIPE.replaced(starting_noise_scale=(5.0, 10.0, 20.0))
        assert_equal_chunk_by_chunk(image, recipe, axes="yxc", rgb=True)

    def test_of_channels_with_lists_of_numbers(self):
        image = np.random.default_rng(0).random((3, 21, 22)).astype(np.float32)
        recipe = RECIPE.replaced(
            starting_noise_scale=(0.1, 0.0, 0.4),
            diffusion_filter=PeronaMalik(contrast=(0.1, 0.5, 2.0), time=0.4),
        )
        for joint in (False, True):
            assert_equal_chunk_by_chunk(image, recipe, axes="cyx", joint_channels=joint)

    @given(filters(), example_images(), st.data())
    @settings(max_examples=50)
    def test_of_any_image_in_any_chunks(self, component, drawn, data):
        image, options = drawn
        scale = 0.1 * float(np.ptp(image.astype(float)))
        recipe = RECIPE.replaced(
            num_steps=1, diffusion_filter=component, starting_noise_scale=scale
        )
        chunks = tuple(data.draw(st.integers(1, n)) for n in image.shape)
        # No more than a few hundred chunks: their number is no part of the claim.
        while np.prod([-(-n // c) for n, c in zip(image.shape, chunks, strict=True)]) > 60:
            chunks = tuple(2 * c for c in chunks)
        lazy = nd.run(da.from_array(image, chunks=chunks), recipe, **options).image
        expected = nd.run(image, recipe, **options).image
        np.testing.assert_array_equal(lazy.compute(scheduler="synchronous"), expected)

    def test_components_alone(self):
        image = np.random.default_rng(0).random((31, 32)).astype(np.float32)
        lazy = da.from_array(image, chunks=11)
        for component in (Heat(), PeronaMalik(contrast=0.2)):
            assert isinstance(component(lazy), da.Array)
            np.testing.assert_array_equal(component(lazy).compute(), component(image))
        noisy = nd.noise.Gaussian()(lazy, 0.1, seed=3, step=2)
        expected = nd.noise.Gaussian()(image, 0.1, seed=3, step=2)
        np.testing.assert_array_equal(noisy.compute(), expected)

    def test_going_on_from_a_lazy_step(self):
        image = np.random.default_rng(0).random((31, 32)).astype(np.float32)
        whole = images(image, RECIPE)
        first = next(nd.steps(da.from_array(image, chunks=10), RECIPE)).image
        rest = images(first, RECIPE, first_step=1)
        for got, want in zip(rest, whole[1:], strict=True):
            np.testing.assert_array_equal(got.compute(), want)


class TestRegions:
    @pytest.mark.parametrize("case", CASES, ids=str)
    def test_equal_the_crop(self, case):
        image = case.image(np.float32)
        whole = images(image, RECIPE, **case.options)
        random = np.random.default_rng(3)
        for chunks in chunkings(image.shape):
            edges = [np.sort(random.choice(n + 1, 2, replace=False)) for n in case.shape]
            region = tuple(
                slice(None) if axis == "c" else slice(int(a), int(b))
                for axis, (a, b) in zip(case.axes, edges, strict=True)
            )
            lazy = da.from_array(image, chunks=chunks)
            made = images(lazy, RECIPE, region=region, **case.options)
            for got, want in zip(dask.compute(*made), whole, strict=True):
                np.testing.assert_array_equal(got, want[region])

    def test_only_the_chunks_near_by_are_loaded(self):
        source = Source((6, 6), (50, 50))
        # All steps together reach 12 pixels, so 108 … 142 and 208 … 242 are enough.
        region = (slice(120, 130), slice(220, 230))
        nd.run(source.array, RECIPE, region=region).image.compute()
        assert set(source.loads) == {(2, 4)}


class TestLazy:
    def test_nothing_is_loaded_until_a_step_is_computed(self):
        source = Source((3, 3), (20, 21))
        made = list(nd.steps(source.array, RECIPE))
        assert source.loads == []
        made[0].image.compute()
        assert sorted(set(source.loads)) == list(itertools.product(range(3), repeat=2))

    def test_a_part_of_a_step_loads_what_is_near(self):
        """Each filter asks for the neighbours of a chunk: three filters, three chunks away."""
        source = Source((6, 6), (40, 41))
        image = nd.run(source.array, RECIPE).image
        image[:5, :5].compute()
        assert np.max(source.loads) == 3

    def test_auto_looks_at_the_source_once_it_is_asked_and_each_chunk_at_a_time(self):
        source = Source((3, 3), (20, 21))
        made = nd.steps(source.array, nd.Recipe(num_steps=1))
        assert source.loads == []
        next(made)
        assert set(source.loads) == set(itertools.product(range(3), repeat=2))

    def test_storing_all_steps_makes_each_once(self, monkeypatch):
        calls = []
        with_noise = Block.with_noise
        monkeypatch.setattr(
            Block, "with_noise", lambda *args: calls.append(args[3].step) or with_noise(*args)
        )
        source = Source((2, 2), (20, 21))
        targets = [np.zeros((40, 42), np.float32) for _ in range(3)]
        da.store(images(source.array, RECIPE), targets, scheduler="synchronous")
        assert sorted(set(calls)) == [0, 1]
        # Halos may be merged or made twice at a border, steps may not.
        assert len(calls) == 2 * 4
        assert len(source.loads) == 4


class TestNeverWhole:
    @pytest.mark.parametrize("component", FILTER_VARIANTS, ids=label)
    def test_components_see_a_chunk_and_its_halo(self, component, monkeypatch):
        grid = nd.Grid.of((400, 420))
        halo = component.halo(grid)
        if halo is None or max(halo) > 100:
            # It sees everything, or chunks that are thinner than the halo are merged.
            return
        seen = []
        filtered = Block.filtered
        resolved = component.resolved(Image.of(np.zeros((400, 420), np.float32)))

        def watched(block, chosen):
            # Filters within see what the one around them hands on.
            if chosen == resolved:
                seen.append(block.shape)
            return filtered(block, chosen)

        monkeypatch.setattr(Block, "filtered", watched)
        image = da.zeros((400, 420), chunks=(100, 105), dtype=np.float32)
        component(image).compute(scheduler="synchronous")
        assert len(seen) == 16
        assert max(shape[3] for shape in seen) == 100 + 2 * halo[3]
        assert max(shape[4] for shape in seen) == 105 + 2 * halo[4]

    def test_global_components_see_one_image_of_the_batch(self, monkeypatch):
        seen = []
        filtered = Block.filtered
        monkeypatch.setattr(
            Block, "filtered", lambda block, chosen: seen.append(block.shape) or
            filtered(block, chosen),
        )  # fmt: skip
        image = np.random.default_rng(0).random((5, 40, 42)).astype(np.float32)
        component = Heat(time=5000.0)
        assert component.halo(nd.Grid.of(image.shape, axes="tyx")) is None
        expected = component(image, axes="tyx")
        seen.clear()
        made = component(da.from_array(image, chunks=(2, 10, 10)), axes="tyx").compute()
        np.testing.assert_array_equal(made, expected)
        assert set(seen) == {(2, 1, 1, 40, 42), (1, 1, 1, 40, 42)}

    # What is measured is read in slabs, which are as large as the chunks here.
    @pytest.mark.parametrize(("what", "allowed"), [("steps", 0.5), ("auto", 0.5)])
    def test_memory_grows_with_the_chunk_and_not_with_the_image(self, what, allowed, monkeypatch):
        monkeypatch.setattr(slab_reading, "SLAB_PIXELS", 1 << 18)

        def peak(blocks):
            source = Source((blocks, 2), (512, 512))
            tracemalloc.start()
            with dask.config.set(scheduler="synchronous"):
                if what == "auto":
                    nd.Recipe().resolved(source.array)
                else:
                    nd.run(source.array, RECIPE).image.max().compute()
            found = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return found

        small, large = peak(10), peak(40)
        added = 30 * 2 * 512 * 512 * 4
        assert large - small < allowed * added


class TestAuto:
    @pytest.mark.parametrize("case", [*CASES, *THIN_CASES], ids=str)
    def test_resolves_to_the_numbers_of_the_array_in_memory(self, case):
        image = case.image(np.float32)
        recipe = nd.Recipe(final_filter=PeronaMalik(smoothing=0.8))
        expected = recipe.resolved(image, **case.options)
        for chunks in list(chunkings(image.shape))[:2]:
            lazy = da.from_array(image, chunks=chunks)
            assert recipe.resolved(lazy, **case.options) == expected

    def test_with_a_mask(self):
        for case in CASES[:3]:
            image, options = case.image(np.float32), {**case.options, "mask": case.mask()}
            expected = nd.Recipe().resolved(image, **options)
            for chunks in list(chunkings(image.shape))[1:3]:
                lazy = da.from_array(image, chunks=chunks)
                assert nd.Recipe().resolved(lazy, **options) == expected


class TestRefusals:
    def test_values_that_are_not_finite(self):
        image = np.zeros((20, 21), np.float32)
        image[3, 4] = np.nan
        made = nd.run(da.from_array(image, chunks=10), RECIPE)
        with pytest.raises(ValueError, match=r"1 NaN or infinite value: use missing='ignore'"):
            made.image.compute()
        with pytest.raises(ValueError, match=r"1 NaN or infinite value: use missing='ignore'"):
            nd.Recipe().resolved(da.from_array(image, chunks=10))

    def test_their_cure_works(self):
        image = np.random.default_rng(0).random((20, 21)).astype(np.float32)
        image[3:5, 4], image[9, 9] = np.nan, np.finfo(np.float32).min
        lazy = da.from_array(image, chunks=10)
        expected = nd.run(image, RECIPE, missing="ignore").image
        np.testing.assert_array_equal(nd.run(lazy, RECIPE, missing="ignore").image, expected)
        filled, inside = da.where(da.isfinite(lazy), lazy, 0), da.isfinite(lazy)
        made = nd.run(filled, RECIPE, mask=inside & (lazy > -1)).image.compute()
        there = np.isfinite(image) & (image > -1)
        np.testing.assert_array_equal(made[there], expected[there])

    def test_unknown_chunk_sizes(self):
        image = da.from_array(np.arange(100.0), chunks=10)
        with pytest.raises(ValueError, match="compute_chunk_sizes"):
            nd.run(image[image > 5][None], RECIPE)

    def test_types(self):
        with pytest.raises(TypeError, match="complex64"):
            nd.run(da.zeros((20, 21), dtype=np.complex64), RECIPE)
        with pytest.raises(ValueError, match=r"at least one pixel \(got shape \(0, 21\)\)"):
            nd.run(da.zeros((0, 21)), RECIPE)
