"""The noise that an image has: known noises are found again, and broken assumptions are said."""

from __future__ import annotations

import dataclasses
import io
import re

import numpy as np
import pytest
from dask import array as da
from noise_scenes import SHAPE, recorded, scene
from PIL import Image
from scipy import ndimage

import napari_diffusion as nd
from napari_diffusion.estimate import NoiseModel, noise_kernel, noise_model
from napari_diffusion.estimate.variance_fit import Points
from napari_diffusion.noise import Correlated, Gaussian, Poisson, Stripes


def region(shape=SHAPE):
    mask = np.zeros(shape, bool)
    mask[100:400, 150:550] = True
    mask[180:260, 200:330] = False
    return mask


class TestOfTheImageAlone:
    @pytest.mark.parametrize(
        ("gain", "read", "peak"), [(2.0, 12.0, 1000.0), (0.5, 3.0, 100.0), (30.0, 300.0, 20_000.0)]
    )
    def test_finds_gain_and_read_noise(self, gain, read, peak):
        models = [noise_model(recorded(peak * scene(), gain, read, seed=seed)) for seed in range(4)]
        assert re.match(r"σ = .*, gain .*, read noise not separable", models[0].in_words())
        for model in models:
            assert model.gain == pytest.approx(gain, rel=0.05)
            assert model.read_noise == pytest.approx(read, rel=0.12)
            expected = gain * model.level + read**2
            assert model.sigma == pytest.approx(np.sqrt(expected), rel=0.015)
            assert model.variance_at(model.level) == pytest.approx(model.sigma**2)
            assert (model.row_noise, model.column_noise, model.warnings) == (0, 0, ())
        assert np.mean([m.gain for m in models]) == pytest.approx(gain, rel=0.025)
        assert np.mean([m.read_noise for m in models]) == pytest.approx(read, rel=0.05)

    def test_finds_photons_without_a_camera(self):
        model = noise_model(recorded(40 * scene(), 1.0))
        assert model.gain == pytest.approx(1.0, rel=0.05)
        assert model.read_noise < 0.6
        assert model.offset < 0.4
        assert model.warnings == ()

    def test_finds_noise_that_does_not_depend_on_the_intensity(self):
        model = noise_model(recorded(100 * scene(), read=4.0))
        assert (model.gain, model.offset) == (0, 0)
        assert model.sigma == model.read_noise == pytest.approx(4.0, rel=0.015)
        assert model.warnings == ()
        assert model.noise() == Gaussian()

    def test_an_offset_that_is_known_tells_the_read_noise(self):
        image = recorded(300 * scene(), 1.0, read=8.0, offset=200.0)
        typed = noise_model(image, offset=200.0)
        assert typed.read_noise == pytest.approx(8.0, rel=0.05)
        assert typed.offset == 200.0
        alone = noise_model(image)
        assert alone.read_noise == 0
        assert alone.offset == pytest.approx(200.0 - 64.0, rel=0.05)
        for x in (250.0, 400.0):
            assert alone.variance_at(x) == pytest.approx(typed.variance_at(x), rel=1e-9)

    @pytest.mark.parametrize(("rows", "columns"), [(1.0, 0.0), (0.0, 2.0), (3.0, 1.5)])
    def test_finds_the_noise_of_rows_and_columns(self, rows, columns):
        image = Stripes("rows")(100 * scene(), rows, seed=1)
        image = Stripes("columns")(image, columns, seed=2)
        model = noise_model(recorded(image, read=4.0))
        assert model.row_noise == pytest.approx(rows, rel=0.15)
        assert model.column_noise == pytest.approx(columns, rel=0.15)
        assert model.sigma == pytest.approx(4.0, rel=0.02)

    def test_units_do_not_matter(self):
        image = recorded(100 * scene((200, 220)), 0.5, 3.0)
        plain, large = noise_model(image), noise_model(2.0**30 * image)
        assert large.gain == pytest.approx(2.0**30 * plain.gain)
        assert large.read_noise == pytest.approx(2.0**30 * plain.read_noise)

    def test_looks_inside_the_mask_alone(self):
        image = recorded(100 * scene(), read=4.0)
        mask = region()
        model = noise_model(np.where(mask, image, 1e6), mask=mask)
        assert model.sigma == pytest.approx(4.0, rel=0.03)

    def test_chunks_and_axes_do_not_matter(self):
        image = recorded(100 * scene((3 * 128, 150)), 0.5, 3.0).reshape(3, 128, 150)
        expected = noise_model(image, axes="tyx")
        lazy = da.from_array(image, chunks=(2, 50, 64))
        assert noise_model(lazy, axes="tyx") == expected
        assert noise_model(image.transpose(1, 2, 0), axes="yxt") == expected

    def test_the_fitted_noise_is_the_noise(self):
        model = noise_model(recorded(1000 * scene(), 2.0, 12.0))
        clean = np.full((300, 400), 300.0)
        noise = model.noise()
        assert noise.natural_scale() == pytest.approx(model.noise_scale, rel=1e-9)
        again = noise(clean, model.noise_scale) - clean
        expected = 2.0 * 300 + 144.0
        assert again.var() == pytest.approx(expected, rel=0.05)
        assert abs(again.mean()) < 4.5 * np.sqrt(expected / again.size)


class TestSaysWhatIsWrong:
    clean = 30 + 150 * scene()

    def said(self, image, **options):
        return " ".join(noise_model(image, **options).warnings)

    @pytest.mark.parametrize("quality", [60, 85, 95])
    def test_with_compressed_images(self, quality):
        image = np.clip(np.round(recorded(self.clean, read=5.0)), 0, 255).astype(np.uint8)
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=quality)
        assert "not white" not in self.said(image)
        assert self.said(np.asarray(Image.open(file))).startswith("The image was JPEG-compressed")

    @pytest.mark.parametrize(
        "processed",
        [
            lambda u: ndimage.gaussian_filter(u, 0.5),
            lambda u: ndimage.median_filter(u, 3),
            lambda u: ndimage.zoom(u[:300, :350], 2, order=1),
            lambda u: 2 * u - ndimage.gaussian_filter(u, 1),
            lambda u: nd.filters.PeronaMalik(contrast=20.0, time=0.5)(u),
        ],
        ids=["smoothed", "median", "enlarged", "sharpened", "diffused"],
    )
    def test_with_processed_images(self, processed):
        assert "not white" in self.said(processed(recorded(self.clean, read=5.0)))

    def test_where_values_were_cut_off(self):
        image = np.minimum(recorded(self.clean, read=5.0), 140.0)
        assert "exactly 140" in self.said(image)
        assert noise_model(image).sigma == pytest.approx(5.0, rel=0.02)
        assert "exactly" not in self.said(recorded(self.clean, read=5.0).round())

    def test_where_few_photons_came(self):
        model = noise_model(recorded(0.2 + 0.2 * scene(), 1.0))
        assert "Few photons" in model.warnings[0]
        assert model.gain == pytest.approx(1.0, rel=0.15)

    def test_with_tone_curves(self):
        assert "decreases with intensity" in self.said(
            np.log(recorded(20 + 1000 * scene(), 1.0, 2.0).clip(1))
        )
        stretched = np.round(1.7 * np.round(recorded(self.clean, read=4.0)))
        assert "unevenly spaced" in self.said(stretched)

    def test_with_rounding(self):
        said = self.said(np.round(recorded(self.clean, read=0.3)))
        assert "in steps of 1, more than twice the noise" in said

    def test_with_intensities_all_alike(self):
        model = noise_model(recorded(np.full((200, 200), 50.0), 2.0))
        assert "too similar" in model.warnings[0]
        assert model.sigma == pytest.approx(10.0, rel=0.03)

    def test_with_texture_everywhere(self):
        texture = 60 * ndimage.gaussian_filter(np.random.default_rng(0).random(SHAPE), 0.8)
        assert self.said(recorded(texture + self.clean, read=0.5))


class TestOfABackground:
    image = np.where(region(), 100.0 + np.linspace(0, 30, SHAPE[1]), 300 * scene())

    def test_finds_white_noise_on_a_slope(self):
        model = noise_model(recorded(self.image, read=4.0), region_mask=region())
        assert model.sigma == model.read_noise == pytest.approx(4.0, rel=0.01)
        assert (model.gain, model.kernel, model.warnings) == (0, (), ())
        assert model.level == pytest.approx(self.image[region()].mean(), abs=0.1)
        np.testing.assert_allclose(model.power[1:], 1.0, atol=0.06)
        assert model.noise() == Gaussian()

    def test_finds_the_correlation_of_noise(self):
        image = Correlated(1.2)(self.image, 4.0, seed=3)
        model = noise_model(image, region_mask=region())
        assert model.sigma == pytest.approx(4.0, rel=0.03)
        assert "not white" in model.warnings[0]
        assert (model.row_noise, model.column_noise) == (0, 0)
        made = model.noise()
        assert made == Correlated(kernel=noise_kernel(image, region()))
        kernel = made.kernel.values
        for shift in range(4):
            found = (kernel[shift:] * kernel[: 9 - shift]).sum()
            assert found == pytest.approx(np.exp(-(shift**2) / 4 / 1.2**2), abs=0.04)

    def test_finds_the_noise_of_rows(self):
        image = Stripes("rows")(recorded(self.image, read=4.0), 3.0, seed=5)
        model = noise_model(image, region_mask=region())
        assert model.sigma == pytest.approx(4.0, rel=0.02)
        assert model.row_noise == pytest.approx(3.0, rel=0.15)
        assert (model.column_noise, model.warnings) == (0, ())
        components = model.noise()
        assert components.components == (Gaussian(), Stripes("rows"))
        assert components.weights == (model.sigma, model.row_noise)
        assert model.noise_scale == pytest.approx(5.0, rel=0.06)
        assert re.match(
            r"σ = [34][.\d]* at intensity 11[.\d]*, row noise [23].*\.$", model.in_words()
        )

    def test_is_within_the_mask(self):
        image = np.where(region(), recorded(self.image, read=4.0), 1e6)
        whole = noise_model(image, region_mask=np.ones(SHAPE, bool), mask=region())
        assert whole == noise_model(image, region_mask=region())


class TestOfRepeatedFrames:
    def frames(self, count, gain=2.0, read=5.0, offset=0.0, clean=None):
        clean = 500 * scene((200, 220)) if clean is None else clean
        return recorded(np.stack([clean] * count), gain, read, offset)

    @pytest.mark.parametrize("count", [2, 3, 16])
    def test_finds_gain_and_read_noise(self, count):
        model = noise_model(self.frames(count), axes="tyx", repeats="t")
        assert model.gain == pytest.approx(2.0, rel=0.03)
        assert model.read_noise == pytest.approx(5.0, rel=0.12 if count == 2 else 0.05)
        assert model.warnings == ()
        np.testing.assert_allclose(model.power[:10], 1.0, atol=0.05)

    def test_texture_does_not_matter(self):
        texture = np.random.default_rng(0).choice([20.0, 400.0], (200, 220))
        model = noise_model(self.frames(8, clean=texture), axes="tyx", repeats="t")
        assert model.gain == pytest.approx(2.0, rel=0.02)
        assert model.read_noise == pytest.approx(5.0, rel=0.05)

    def test_an_offset_that_is_known_tells_the_read_noise(self):
        frames = self.frames(8, read=9.0, offset=100.0)
        model = noise_model(frames, axes="tyx", repeats="t", offset=100.0)
        assert (model.offset, model.gain) == (100.0, pytest.approx(2.0, rel=0.02))
        assert model.read_noise == pytest.approx(9.0, rel=0.05)

    def test_finds_the_noise_of_rows(self):
        frames = Stripes("rows")(self.frames(8), 6.0, axes="tyx")
        model = noise_model(frames, axes="tyx", repeats="t")
        assert model.row_noise == pytest.approx(6.0, rel=0.05)
        assert model.read_noise == pytest.approx(5.0, rel=0.1)
        assert model.column_noise == 0

    def test_any_axis_may_hold_them(self):
        frames = self.frames(5)
        expected = noise_model(frames, axes="tyx", repeats="t")
        for axes in ("zyx", "cyx"):
            model = noise_model(frames, axes=axes, repeats=axes[0])
            assert model == expected
        lazy = da.from_array(frames, chunks=(2, 70, 90))
        assert noise_model(lazy, axes="tyx", repeats="t") == expected

    def test_looks_inside_the_mask_alone(self):
        frames, mask = self.frames(8), np.zeros((200, 220), bool)
        mask[20:150, 30:200] = True
        model = noise_model(np.where(mask, frames, 1e5), axes="tyx", repeats="t", mask=mask)
        assert model.gain == pytest.approx(2.0, rel=0.04)

    def test_says_when_the_scene_does_not_stand_still(self):
        frames = self.frames(10) * np.linspace(1, 0.8, 10)[:, None, None]
        moved = np.stack([np.roll(f, k, 1) for k, f in enumerate(self.frames(8))])
        for changed in (frames, moved):
            model = noise_model(changed, axes="tyx", repeats="t")
            assert "moves, bleaches or drifts" in " ".join(model.warnings)

    def test_says_when_frames_were_smoothed(self):
        smooth = ndimage.gaussian_filter(self.frames(4), (0, 0.6, 0.6))
        model = noise_model(smooth, axes="tyx", repeats="t")
        assert "not white" in " ".join(model.warnings)


class TestRefuses:
    image = np.random.default_rng(0).random((5, 100, 100))

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"repeats": "c"}, r"repeats must be one axis of 'tyx', such as 't' \(got 'c'\)"),
            ({"repeats": "ty"}, r"repeats must be one axis of 'tyx'.*\(got 'ty'\)"),
            ({"repeats": 0}, r"repeats must be one axis"),
            (
                {"repeats": "t", "region_mask": np.ones((100, 100), bool)},
                "either region_mask or repeats",
            ),
            ({"region_mask": np.zeros((100, 100), bool)}, r"has 0 pixels, fewer than 40"),
            (
                {"region_mask": np.ones((9, 9), bool), "mask": np.ones((100, 100), bool)},
                r"the same shape \(got \(9, 9\) and \(100, 100\)\)",
            ),
            ({"mask": np.eye(100, dtype=bool)}, r"0 windows .* vary, fewer than 40"),
        ],
    )
    def test_in_one_sentence(self, options, words):
        with pytest.raises(ValueError, match=words):
            noise_model(self.image, axes="tyx", **options)

    def test_values_too_large_for_variances(self):
        noise_model(1e69 * self.image, axes="tyx")
        with pytest.raises(ValueError, match=r"to 1e\+71 are too large to compute with"):
            noise_model(1e71 * self.image / self.image.max(), axes="tyx")

    def test_images_too_small(self):
        with pytest.raises(ValueError, match=r"8 × 8 pixels.*\(got y: 7, x: 100\)"):
            noise_model(np.zeros((7, 100)))
        with pytest.raises(ValueError, match="fewer than 40"):
            noise_model(np.random.default_rng(0).random((12, 12)))
        with pytest.raises(ValueError, match="2 frames or more"):
            noise_model(self.image[:1], axes="tyx", repeats="t")


class TestLine:
    levels = np.linspace(10.0, 100.0, 30)

    def points(self, variances):
        return Points(self.levels, variances, np.full(30, 1000.0))

    def test_of_points_on_it_is_that_line(self):
        line = self.points(3.0 * self.levels + 7.0).line()
        assert line.slope == pytest.approx(3.0, rel=1e-9)
        assert line.intercept == pytest.approx(7.0, rel=1e-7)
        assert line.misfit == 0

    def test_outliers_do_not_matter(self):
        variances = 3.0 * self.levels + 7.0
        variances *= 1 + np.sqrt(2 / 1000) * np.random.default_rng(0).normal(size=30)
        variances[::7] *= 5
        line = self.points(variances).line()
        assert line.slope == pytest.approx(3.0, rel=0.03)
        assert line.at(55.0) == pytest.approx(172.0, rel=0.03)

    def test_is_level_where_no_slope_can_be_told(self):
        variances = 5.0 * (1 + np.sqrt(2 / 1000) * np.random.default_rng(0).normal(size=30))
        line = self.points(variances).line()
        assert line.slope == 0
        assert line.at(0.0) == pytest.approx(5.0, rel=0.03)
        assert 0 < line.unsure < 0.1


def test_a_model_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        NoiseModel(sigma=1.0, level=0.0).sigma = 2.0


def test_photons_alone_are_poisson_noise():
    model = NoiseModel(sigma=1.0, level=10.0, gain=0.5)
    assert model.noise() == Poisson(gain=0.5, reference=10.0)
    dark = dataclasses.replace(model, level=-1.0)
    assert dark.noise() == Poisson(gain=0.5)
