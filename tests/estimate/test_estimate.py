"""Noise and contrast of an image, where they are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from cases import CASES, THIN_CASES
from dask import array as da
from scipy import fft
from skimage import data, restoration

import napari_diffusion as nd
from napari_diffusion.engine.histogram import Histogram
from napari_diffusion.estimate import contrast, diffusion_time, noise_by_region, noise_sigma
from napari_diffusion.estimate.sigma_windows import without_texture


def scene(shape=(200, 220)):
    """Planes that meet at edges: no second difference but at the edges."""
    y, x = np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")
    return 0.3 * x - 0.2 * y + 100.0 * (x + y > 180) + 50.0 * (x > 70)


def noise(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


class TestNoiseSigma:
    @pytest.mark.parametrize("sigma", [0.01, 1.0, 30.0])
    def test_of_known_noise_on_edges_and_slopes(self, sigma):
        image = scene() + sigma * noise((200, 220))
        # The median of n |normal| numbers scatters by 1.17 / √n, of correlated ones by somewhat
        # more; edges that are there add a little.
        assert noise_sigma(image) == pytest.approx(sigma, rel=0.03)

    def test_a_plane_has_none(self):
        y, x = np.meshgrid(np.arange(30.0), np.arange(40.0), indexing="ij")
        assert noise_sigma(3 * x - 7 * y + 11) == 0.0
        assert noise_sigma(np.full((30, 40), 1e6)) == 0.0

    @pytest.mark.parametrize("shape", [(1, 1), (2, 2), (1, 2), (2, 1), (1, 1, 2)])
    def test_images_too_small_to_tell_have_none(self, shape):
        assert noise_sigma(np.full(shape, 100.0)) == 0.0
        assert noise_sigma(100 * noise(shape)) == 0.0

    def test_a_row_is_enough(self):
        assert noise_sigma(2.0 * noise((1, 40000))) == pytest.approx(2.0, rel=0.03)
        assert noise_sigma(2.0 * noise((40000, 1))) == pytest.approx(2.0, rel=0.03)

    @pytest.mark.parametrize(
        ("axes", "shape"), [("zyx", (9, 60, 70)), ("tyx", (9, 60, 70)), ("cyx", (3, 90, 100))]
    )
    def test_of_stacks(self, axes, shape):
        assert noise_sigma(2.0 * noise(shape), axes=axes) == pytest.approx(2.0, rel=0.03)

    def test_is_one_number_over_all_frames(self):
        """The median over both halves, not the mean of two medians."""
        image = np.concatenate([1.0 * noise((5, 60, 70)), 3.0 * noise((5, 60, 70), 1)])

        def sigma(frames):
            return noise_sigma(frames, "differences", axes="tyx")

        halves, both = (sigma(image[:5]), sigma(image[5:])), sigma(image)
        assert halves[0] < both < halves[1]
        # Half of it below: erf(m/√2) + erf(m/3√2) = 1, and σ = m / 0.6745.
        m = both * 0.6744898
        assert math.erf(m / math.sqrt(2)) + math.erf(m / math.sqrt(18)) == pytest.approx(
            1, abs=0.02
        )

    def test_of_calm_windows_it_is_that_of_the_calmer_half(self):
        image = np.concatenate([1.0 * noise((100, 170)), 3.0 * noise((100, 170), 1)])
        assert noise_sigma(image) == pytest.approx(1.0, rel=0.03)

    @pytest.mark.parametrize("name", ["camera", "coins", "moon", "cell", "brick", "retina"])
    @pytest.mark.parametrize(("share", "allowed"), [(0.05, 0.03), (0.2, 0.03)])
    def test_of_noise_added_to_photographs(self, name, share, allowed):
        """Texture must not pass for noise, as it does by a sixth for a median of differences."""
        clean = np.asarray(getattr(data, name)(), float)
        clean = clean.mean(axis=2) if clean.ndim == 3 else clean
        clean = clean[:300, :300]
        sigma = share * 255.0
        assert noise_sigma(clean + sigma * noise(clean.shape)) == pytest.approx(sigma, rel=allowed)

    def test_clipped_parts_have_no_say(self):
        image = 20.0 * noise((200, 220))
        image[:, :80] = -1000.0
        assert noise_sigma(np.maximum(image, -200.0)) == pytest.approx(20.0, rel=0.03)

    def test_windows_by_scipy(self):
        """The same by another road: dctn of every fourth window, and the line through groups."""
        image = scene((90, 101)) + noise((90, 101))
        windows = np.lib.stride_tricks.sliding_window_view(image, (8, 8))[::4, ::4]
        c = fft.dctn(windows, axes=(2, 3), norm="ortho").reshape(-1, 8, 8) ** 2
        order = np.add.outer(np.arange(8), np.arange(8))
        activity = c[:, (order > 0) & (order < 8)].sum(axis=1)
        ranked = np.argsort(activity)[: len(c) // 2]
        groups = np.array_split(ranked, 8)
        middle = np.array([c[g][:, (order >= 4) & (order < 8)].mean() for g in groups])
        fine = np.array([c[g][:, order >= 10].mean() for g in groups])
        expected = np.sqrt(without_texture(middle, fine))
        assert noise_sigma(image) == pytest.approx(expected, rel=5e-3)

    def test_what_texture_adds_is_taken_away_again(self):
        middle = 4.0 + np.array([0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0])
        assert without_texture(middle, 4.0 + 0.3 * (middle - 4.0)) == pytest.approx(4.0, rel=1e-3)
        assert without_texture(middle, np.full(8, 4.0)) == pytest.approx(4.0)

    @pytest.mark.parametrize("method", ["differences", "wavelet", "mean", "components"])
    def test_other_ways_find_known_noise_too(self, method):
        image = 0.3 * np.arange(220) + 3.0 * noise((200, 220))
        assert noise_sigma(image, method) == pytest.approx(3.0, rel=0.03)
        lazy = da.from_array(image, chunks=(70, 90))
        assert noise_sigma(lazy, method) == noise_sigma(image, method)
        assert noise_sigma(3.0 * noise((5, 6)), method) > 0

    def test_the_wavelet_is_that_of_scikit_image(self):
        image = 2.0 * noise((300, 310))
        expected = restoration.estimate_sigma(image)
        assert noise_sigma(image, "wavelet") == pytest.approx(expected, rel=0.01)

    @pytest.mark.parametrize("chunks", [(50, 60), (33, 220)])
    def test_chunks_do_not_matter(self, chunks):
        image = (scene() + 3.0 * noise((200, 220))).astype(np.float32)
        assert noise_sigma(da.from_array(image, chunks=chunks)) == noise_sigma(image)

    def test_unknown_methods_are_refused(self):
        with pytest.raises(ValueError, match="method must be one of windows, differences, w"):
            noise_sigma(noise((9, 9)), "guess")

    def test_does_not_depend_on_spacing(self):
        image = noise((60, 70))
        assert noise_sigma(image, spacing=0.1) == noise_sigma(image)

    @pytest.mark.parametrize("factor", [2.0**-40, 2.0**-3, 2.0**60])
    def test_scales_with_the_image(self, factor):
        image = noise((60, 70)).astype(np.float32)
        assert noise_sigma(image * np.float32(factor)) == noise_sigma(image) * factor

    def test_looks_at_the_inside_of_a_mask_alone(self):
        image, mask = noise((100, 110)), np.ones((100, 110), bool)
        mask[:50] = False
        other = np.where(mask, image, 1e6 * noise((100, 110), 1))
        assert noise_sigma(other, mask=mask) == noise_sigma(image, mask=mask)
        assert noise_sigma(image, mask=mask) == pytest.approx(1.0, rel=0.08)

    def test_holes_are_not_measured(self):
        image = 100 + noise((300, 310))
        image[np.random.default_rng(1).random(image.shape) < 0.05] = np.nan
        assert noise_sigma(image, missing="ignore") == pytest.approx(1.0, rel=0.05)

    def test_nothing_inside(self):
        assert noise_sigma(noise((9, 9)), mask=np.zeros((9, 9), bool)) == 0.0


class TestNoiseByRegion:
    image = np.where(np.arange(220) < 110, 1.0, 3.0) * noise((200, 220)) + scene()

    def test_of_labels(self):
        labels = np.zeros((200, 220), int)
        labels[20:180, 5:105], labels[20:180, 115:215], labels[:2, :2] = 2, 7, 9
        found = noise_by_region(self.image, labels)
        assert found[2] == pytest.approx(1.0, rel=0.05)
        assert found[7] == pytest.approx(3.0, rel=0.05)
        assert list(found) == [2, 7, 9]
        assert math.isnan(found[9])

    def test_of_boxes_and_colours(self):
        boxes = [(slice(0, 100), slice(0, 100)), (slice(50, 200), slice(120, 220))]
        found = noise_by_region(self.image, boxes, "differences")
        assert found == {0: pytest.approx(1.0, rel=0.05), 1: pytest.approx(3.0, rel=0.05)}
        colours = np.stack([self.image, self.image + 5, self.image - 5], axis=-1)
        labels = np.where(np.arange(220) < 100, 1, 0) * np.ones((200, 1), int)
        found = noise_by_region(colours, labels, axes="yxc", rgb=True)
        assert found == {1: pytest.approx(1.0, rel=0.05)}
        boxes = [(slice(0, 100), slice(0, 100), slice(None))]
        assert noise_by_region(colours, boxes, axes="yxc", rgb=True)[0] == pytest.approx(
            1, rel=0.05
        )

    def test_is_within_the_mask(self):
        labels, mask = np.ones((200, 220), int), np.ones((200, 220), bool)
        mask[:, 105:] = False
        assert noise_by_region(self.image, labels, mask=mask)[1] == pytest.approx(1.0, rel=0.05)

    def test_labels_are_whole_numbers(self):
        with pytest.raises(TypeError, match=r"regions must be labels .* \(got float64\)"):
            noise_by_region(self.image, np.ones((200, 220)))


class TestContrast:
    def test_is_in_intensity_per_world_unit(self):
        image = noise((80, 90))
        assert contrast(image, spacing=0.5) == 2 * contrast(image)
        assert contrast(4 * image) == 4 * contrast(image)

    def test_formula(self):
        """√5 · 1.4826 · MAD of the gradients by central differences, border pixels mirrored."""
        image, spacing = noise((80, 90)), (0.7, 1.3)
        padded = np.pad(image, 1, mode="edge")
        dy = (padded[2:, 1:-1] - padded[:-2, 1:-1]) / (2 * spacing[0])
        dx = (padded[1:-1, 2:] - padded[1:-1, :-2]) / (2 * spacing[1])
        gradient = np.hypot(dy, dx)
        mad = np.median(np.abs(gradient - np.median(gradient)))
        expected = math.sqrt(5) * 1.4826 * mad
        assert contrast(image, spacing=spacing) == pytest.approx(expected, rel=1e-3)

    def test_of_joint_channels_it_is_their_common_gradient(self):
        image = noise((60, 70))
        three = np.stack([image] * 3)
        assert contrast(three, axes="cyx") == pytest.approx(
            contrast(image) * math.sqrt(3), rel=1e-3
        )
        assert contrast(three, axes="cyx", joint_channels=False) == contrast(image)

    def test_smoothing_lowers_that_of_noise(self):
        image = noise((80, 90))
        assert contrast(image, smoothing=2.0) < 0.2 * contrast(image)
        assert contrast(image, smoothing=2.0) == contrast(image, 2.0, spacing=1.0)

    def test_a_constant_image_gets_1(self):
        for value in (0.0, 5.0, 1e30):
            assert contrast(np.full((8, 9), value, np.float32)) == 1.0

    def test_where_most_gradients_are_equal_an_edge_still_counts(self):
        image = np.zeros((40, 50))
        image[:, 25:] = 3.0
        assert contrast(image) == pytest.approx(1.5, rel=1e-3)

    @pytest.mark.parametrize("scale", [1e30, 1e-30, 1e-40])
    def test_of_huge_and_tiny_images(self, scale):
        image = (scale * noise((60, 70))).astype(np.float32)
        assert contrast(image) == pytest.approx(scale * contrast(noise((60, 70))), rel=2e-2)

    @pytest.mark.parametrize("case", [*CASES, *THIN_CASES], ids=str)
    def test_is_always_a_number_that_can_be_used(self, case):
        found = contrast(case.image(np.float32), **case.options)
        assert 0 < found < math.inf
        assert nd.filters.PeronaMalik(contrast=found).contrast == found

    def test_looks_at_the_inside_of_a_mask_alone(self):
        image, mask = noise((100, 110)), np.ones((100, 110), bool)
        mask[:50] = False
        other = np.where(mask, image, 1e6 * noise((100, 110), 1))
        assert contrast(other, mask=mask) == contrast(image, mask=mask)
        assert contrast(other, 1.5, mask=mask) == contrast(image, 1.5, mask=mask)
        assert contrast(image, mask=mask) == pytest.approx(contrast(image), rel=0.05)


class TestWaysToContrast:
    def test_a_percentile_is_that_of_the_gradients(self):
        """Of planes of two slopes: 30 % are steeper."""
        x = np.arange(200.0)
        image = np.where(x < 140, x, 140 + 5 * (x - 140)) * np.ones((40, 1))
        assert contrast(image, 0.0, "percentile", quantile=0.5) == pytest.approx(1.0, rel=1e-3)
        assert contrast(image, 0.0, "percentile", quantile=0.9) == pytest.approx(5.0, rel=1e-3)

    @pytest.mark.parametrize("smoothing", [0.0, 1.0])
    def test_of_noise_it_is_the_gradient_that_noise_has(self, smoothing):
        image = 2.0 * noise((300, 310))
        by_noise = contrast(image, smoothing, "noise", noise_sigma=2.0)
        everywhere = np.ones(image.shape, bool)
        found = contrast(image, smoothing, "background", background=everywhere)
        assert by_noise == pytest.approx(found, rel=0.02)
        assert contrast(image, smoothing, "noise") == pytest.approx(by_noise, rel=0.03)
        if not smoothing:  # central differences: two of variance 4 · 2 / 4
            assert by_noise == pytest.approx(2.0, rel=1e-6)

    def test_of_a_background_it_is_that_of_the_background_alone(self):
        image = noise((100, 110)) * np.where(np.arange(110) < 50, 1.0, 20.0)
        background = np.zeros(image.shape, bool)
        background[:, :48] = True
        found = contrast(image, 0.0, "background", background=background)
        assert found == pytest.approx(1.0, rel=0.05)

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"method": "guess"}, "one of robust, percentile, noise, background"),
            ({"method": "percentile", "quantile": 1.0}, r"between 0 and 1 \(got 1.0\)"),
            ({"method": "background"}, "go together"),
            ({"background": np.ones((9, 9), bool)}, "go together"),
        ],
    )
    def test_refusals(self, options, words):
        with pytest.raises(ValueError, match=words):
            contrast(noise((9, 9)), **options)


class TestDiffusionTime:
    @pytest.mark.parametrize("left", [0.5, 0.25])
    @pytest.mark.parametrize(("shape", "spacing"), [((200, 210), 1.0), ((40, 50, 60), (3.0, 1, 1))])
    def test_leaves_the_share_of_the_noise_that_was_asked_for(self, left, shape, spacing):
        image = noise(shape)
        time = diffusion_time(image, left, spacing=spacing)
        made = nd.filters.Heat(time=time)(image, spacing=spacing)
        assert made.std() == pytest.approx(left, rel=0.06)

    def test_has_the_least_error(self):
        """Against the ground truth, by a search."""
        clean = 20 * np.sin(np.arange(200) / 7.0) + 15 * np.cos(np.arange(190) / 9.0)[:, None]
        image = clean + 6.0 * noise(clean.shape)
        time = diffusion_time(image)

        def error(t):
            return np.mean((nd.filters.Heat(time=t)(image) - clean) ** 2)

        best = min(error(t) for t in np.geomspace(0.1, 10, 40))
        assert error(time) < 1.02 * best

    def test_without_noise_or_under_a_mask(self):
        assert diffusion_time(np.ones((40, 50))) == 0.0
        image, mask = noise((100, 110)), np.zeros((100, 110), bool)
        mask[20:80, 20:80] = True
        image[~mask] = 1e6
        assert diffusion_time(image, mask=mask) > 10
        with pytest.raises(ValueError, match=r"between 0 and 1 \(got 2\)"):
            diffusion_time(image, 2)


class TestHistogram:
    @pytest.mark.parametrize("fraction", [0.0, 0.1, 0.5, 0.9, 1.0])
    @pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
    def test_quantiles_are_those_of_the_values(self, fraction, scale):
        values = np.abs(noise(20001)) * scale
        histogram = Histogram()
        histogram.add(values)
        assert histogram.total == 20001
        assert histogram.quantile(fraction) == pytest.approx(
            np.quantile(values, fraction), rel=1e-3
        )

    def test_the_order_and_the_parts_do_not_matter(self):
        values = np.abs(noise(1000)).astype(np.float32)
        whole, parts = Histogram(), Histogram()
        whole.add(values)
        for part in np.array_split(values[::-1], 7):
            parts.add(part)
        for fraction in np.linspace(0, 1, 21):
            assert parts.quantile(fraction) == whole.quantile(fraction)

    def test_nothing_counted(self):
        assert Histogram().quantile(0.5) == 0.0

    def test_zeros_are_exactly_0(self):
        histogram = Histogram()
        histogram.add(np.zeros(10))
        histogram.add(np.ones(3))
        assert histogram.quantile(0.5) == 0.0
        assert histogram.quantile(1.0) == pytest.approx(1.0, rel=1e-3)
