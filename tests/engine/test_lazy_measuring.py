"""What is measured of a lazy image: the numbers of the image in memory, and how much is read."""

from __future__ import annotations

import threading
from functools import partial

import numpy as np
import pytest
from dask import array as da

import napari_diffusion as nd
from napari_diffusion.core.image import Image
from napari_diffusion.denoising.noise_report import noise_report
from napari_diffusion.engine import deviation, gathering, slab_reading
from napari_diffusion.engine.counting import Measurement, intensities
from napari_diffusion.engine.executor import measured
from napari_diffusion.engine.histogram import Histogram
from napari_diffusion.engine.threads import Stopped, stoppable
from napari_diffusion.estimate.contrast import contrast_of
from napari_diffusion.filters import Hybrid, PeronaMalik
from napari_diffusion.noise import Poisson
from napari_diffusion.noise.sampling.extremes import extremes_of
from napari_diffusion.noise.sampling.mean_intensity import mean_of


class Stored:
    """An array that counts the bytes of the whole chunks that are read of it."""

    def __init__(self, values, chunks):
        self.values, self.chunks = values, chunks
        self.shape, self.dtype, self.ndim = values.shape, values.dtype, values.ndim
        self.read, self.lock = 0, threading.Lock()

    def __getitem__(self, part):
        sizes = []
        for place, size, chunk in zip(part, self.shape, self.chunks, strict=True):
            start, stop, _ = place.indices(size)
            sizes.append(min(-(-stop // chunk) * chunk, size) - start // chunk * chunk)
        with self.lock:
            self.read += int(np.prod(sizes)) * self.dtype.itemsize
        return np.asarray(self.values[part])

    def lazy(self):
        return da.from_array(self, chunks=self.chunks)

    @property
    def passes(self):
        return self.read / self.values.nbytes


def volume(shape=(96, 96, 96), dtype=np.uint8):
    made = np.random.default_rng(0).normal(0, 8, shape)
    z, y, x = np.indices(shape, sparse=True)
    made += 40 * (np.sin(z / 11) + np.cos(y / 7) + 2 * (x > shape[2] // 2) + 3)
    return made.clip(0, 255).astype(dtype)


def small_slabs(monkeypatch, pixels):
    monkeypatch.setattr(slab_reading, "SLAB_PIXELS", pixels)


CHUNKS = [(24, 24, 24), (8, 96, 96)]


class TestHowMuchIsRead:
    # Each pass over the source counts 1; in windows, and of the noise model, more are needed.
    @pytest.mark.parametrize("chunks", CHUNKS)
    @pytest.mark.parametrize(
        ("recipe", "most"),
        [
            (nd.PRESETS["explore"], 1.1),
            (nd.PRESETS["smooth"], 1.1),
            (nd.PRESETS["explore"].replaced(noise=Poisson()), 1.1),
            (nd.Recipe(noise=Poisson()), 2.1),
            (nd.PRESETS["denoise fast"], 7.5),
        ],
        ids=["explore", "smooth", "mean", "windows", "denoise"],
    )
    def test_by_a_recipe(self, recipe, most, chunks):
        stored = Stored(volume(), chunks)
        source = Image.of(stored.lazy())
        resolved = recipe.resolved_on(source)
        if recipe.domain == "auto":
            noise_report(source, recipe, resolved)
        assert 0 < stored.passes <= most
        assert resolved == recipe.resolved(stored.values)

    def test_in_slabs_nothing_is_read_twice(self, monkeypatch):
        small_slabs(monkeypatch, 20 * 96 * 96)
        stored = Stored(volume(), (8, 96, 96))
        recipe = nd.PRESETS["explore"]
        assert recipe.resolved(stored.lazy()) == recipe.resolved(stored.values)
        assert stored.passes == 1.0

    def test_channels_are_read_together(self):
        values = np.stack([volume((24, 48, 48)), volume((24, 48, 48))[::-1]])
        stored = Stored(values, (1, 8, 48, 48))
        recipe = nd.Recipe(noise=None, diffusion_filter=nd.filters.NonLocalDiffusion(pilot=None))
        resolved = recipe.resolved(stored.lazy(), axes="czyx")
        assert stored.passes == 2.0
        assert resolved == recipe.resolved(values, axes="czyx")


class TestSameNumbers:
    @pytest.mark.parametrize("pixels", [1 << 11, 1 << 16])
    @pytest.mark.parametrize("chunks", [(9, 10, 11), (3, 30, 34), (28, 30, 5)])
    def test_in_slabs_of_any_size(self, chunks, pixels, monkeypatch):
        small_slabs(monkeypatch, pixels)
        values = volume((28, 30, 34))
        mask = values > 90
        mask[:14] = True
        for options in ({}, {"mask": mask}, {"axes": "tyx"}, {"axes": "cyx"}):
            recipe = nd.Recipe(noise=Poisson(), diffusion_filter=PeronaMalik(smoothing=0.7))
            lazy = recipe.resolved(da.from_array(values, chunks=chunks), **options)
            assert lazy == recipe.resolved(values, **options)

    @pytest.mark.parametrize("domain", ["auto", "anscombe", "log"])
    def test_of_domains(self, domain, monkeypatch):
        small_slabs(monkeypatch, 1 << 13)
        light = volume((20, 64, 70)).astype(float)
        values = np.random.default_rng(1).poisson(light / 5 + 1).astype(np.uint16)
        mask = np.ones(values.shape, bool)
        mask[3:9, 20:40] = False
        for options in ({}, {"mask": mask}):
            recipe = nd.Recipe(domain=domain)
            lazy = recipe.resolved(da.from_array(values, chunks=(6, 25, 33)), **options)
            assert lazy == recipe.resolved(values, **options)

    def test_of_two_numbers_that_follow_from_each_other(self):
        values = volume((24, 48, 48))
        recipe = nd.Recipe(diffusion_filter=Hybrid(), starting_noise_scale=1.0)
        lazy = recipe.resolved(da.from_array(values, chunks=(8, 20, 48)))
        assert lazy == recipe.resolved(values)

    def test_of_the_exact_mean_and_the_extremes(self):
        values = np.random.default_rng(2).normal(0, 1e6, (30, 40, 50)).astype(np.float32)
        lazy = Image.of(da.from_array(values, chunks=(7, 13, 50)))
        assert mean_of(lazy) == mean_of(Image.of(values))
        assert extremes_of(lazy) == extremes_of(Image.of(values))


class TestDeviation:
    """The median distance from the median, from one pass."""

    def contrasts(self, values, chunks, monkeypatch, **options):
        passes = []
        whole = gathering.in_one_pass
        monkeypatch.setattr(
            gathering, "in_one_pass", lambda each: passes.append(len(each)) or whole(each)
        )
        lazy = Image.of(da.from_array(values, chunks=chunks), **options)
        return contrast_of(lazy, 0.7), contrast_of(Image.of(values, **options), 0.7), len(passes)

    @pytest.mark.parametrize("spacing", [(1, 1, 1), (0.3, 0.107, 0.107)])
    @pytest.mark.parametrize("dtype", [np.uint8, np.float32])
    def test_is_exact(self, dtype, spacing, monkeypatch):
        found = self.contrasts(volume(dtype=dtype), 24, monkeypatch, spacing=spacing)
        assert found[0] == found[1]
        assert found[2] == 1

    def test_of_float64_takes_two_passes(self, monkeypatch):
        lazy, expected, passes = self.contrasts(volume(dtype=np.float64), 24, monkeypatch)
        assert lazy == expected
        assert passes == 3  # the range is checked first

    def test_a_wrong_guess_costs_a_pass_and_changes_nothing(self, monkeypatch):
        wrong = Histogram()
        wrong.add(np.linspace(1e4, 2e4, 100))
        monkeypatch.setattr(deviation, "_sampled", lambda *_: wrong)
        lazy, expected, passes = self.contrasts(volume(), 24, monkeypatch)
        assert lazy == expected
        assert passes == 2

    def test_a_beginning_that_is_empty(self, monkeypatch):
        small_slabs(monkeypatch, 24 * 96 * 96)
        values = volume()
        values[:4] = 0
        lazy, expected, passes = self.contrasts(values, 24, monkeypatch)
        assert lazy == expected
        assert passes == 1

    def test_of_an_image_without_gradients(self, monkeypatch):
        for values in (np.zeros((30, 30, 30), np.uint8), np.full((30, 30, 30), 7, np.uint8)):
            assert self.contrasts(values, 10, monkeypatch)[:2] == (1.0, 1.0)


class TestSlabs:
    @pytest.mark.parametrize("halo", [(0, 0, 0, 0, 0), (0, 0, 2, 3, 4), (1, 0, 9, 9, 0)])
    @pytest.mark.parametrize("pixels", [1, 500, 4000, 10**9])
    def test_every_pixel_is_in_one_core_with_its_halo(self, pixels, halo):
        chunks = ((1, 1, 1), (2,), (5, 5, 3), (4, 4, 4, 1), (8, 8))
        shape = tuple(map(sum, chunks))
        values = np.arange(np.prod(shape)).reshape(shape)
        seen = np.zeros(shape, int)
        for slab in slab_reading.slabs(chunks, halo, pixels, lambda box: [values[box]]):
            (part,) = slab.arrays
            whole = tuple(
                slice(start, start + size)
                for start, size in zip(slab.origin, part.shape, strict=True)
            )
            np.testing.assert_array_equal(part, values[whole])
            core = tuple(
                slice(start + each.start, start + each.stop)
                for start, each in zip(slab.origin, slab.core, strict=True)
            )
            seen[core] += 1
            for place, outer, reach, size in zip(core, whole, halo, shape, strict=True):
                assert outer.start <= max(place.start - reach, 0)
                assert outer.stop >= min(place.stop + reach, size)
        assert (seen == 1).all()


class TestTogether:
    def lazy(self):
        stored = Stored(volume((24, 48, 48)), (8, 48, 48))
        return stored, Image.of(stored.lazy())

    def tallied(self, image):
        return measured(image, intensities, (0,) * 5).total

    def test_functions_within_functions_share_a_pass(self):
        stored, image = self.lazy()
        one = partial(self.tallied, image)
        two = partial(gathering.together, image, [one, one, one])
        assert gathering.together(image, [one, two, two, lambda: 5]) == [
            stored.values.size, [stored.values.size] * 3, [stored.values.size] * 3, 5,
        ]  # fmt: skip
        assert stored.passes == 1.0

    def test_the_first_failure_is_raised_and_the_others_end(self):
        stored, image = self.lazy()
        ended = []

        def fails():
            raise ValueError("no")

        def measures_twice():
            ended.append(self.tallied(image) + self.tallied(image))

        with pytest.raises(ValueError, match="no"):
            gathering.together(image, [measures_twice, fails, measures_twice])
        assert len(ended) == 2
        assert stored.passes == 2.0

    def test_a_missing_value_fails_for_all(self):
        values = volume((24, 48, 48), np.float32)
        values[20, 3, 4] = np.nan
        lazy = da.from_array(values, chunks=(8, 48, 48))
        for recipe in (*nd.PRESETS.values(), nd.Recipe(noise=Poisson())):
            with pytest.raises(ValueError, match="A chunk has 1 NaN or infinite value: use"):
                recipe.resolved(lazy)

    def test_a_stop_ends_the_pass(self):
        _, image = self.lazy()
        stop = threading.Event()
        stop.set()
        with stoppable(stop), pytest.raises(Stopped):
            gathering.together(image, [partial(self.tallied, image)] * 2)

    def test_an_interruption_leaves_nobody_waiting(self, monkeypatch):
        _, image = self.lazy()

        def interrupted(_):
            raise KeyboardInterrupt

        monkeypatch.setattr(gathering, "_served", interrupted)
        with pytest.raises(KeyboardInterrupt):
            gathering.together(image, [partial(self.tallied, image)] * 2)

    def test_images_of_different_sizes_are_read_one_after_the_other(self):
        _, image = self.lazy()
        half = Image.of(da.zeros((12, 24, 24), chunks=6, dtype=np.float32))
        wanted = [Measurement(each, intensities, (0,) * 5, Histogram) for each in (half, image)]
        assert [each.total for each in gathering.in_one_pass(wanted)] == [
            12 * 24 * 24,
            24 * 48 * 48,
        ]
