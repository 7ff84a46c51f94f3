"""The filters of libraries: exact results, and the libraries' own called directly."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from skimage import restoration

import napari_diffusion as nd
from napari_diffusion.filters import Bilateral, NonLocalMeans, TotalVariation, Wavelet

RANDOM = np.random.default_rng(0)
PLANE = RANDOM.normal(size=(40, 48)).cumsum(axis=0).cumsum(axis=1) / 20
VOLUME = RANDOM.normal(size=(8, 9, 10))
COLOURS = RANDOM.normal(size=(20, 24, 3))


@pytest.mark.parametrize(
    ("component", "field", "factor"),
    [
        (Bilateral(), "sigma_intensity", 2.5),
        (NonLocalMeans(), "sigma", 1.0),
        (TotalVariation(), "weight", 0.75),
        (Wavelet(), "sigma", 1.0),
    ],
)
def test_automatic_strengths_are_multiples_of_the_noise(component, field, factor):
    noisy = PLANE + 0.1 * RANDOM.normal(size=PLANE.shape)
    found = factor * nd.estimate.noise_sigma(noisy)
    typed = component.replaced(**{field: found})
    np.testing.assert_array_equal(component(noisy), typed(noisy))
    assert not np.array_equal(typed(noisy), noisy)


@pytest.mark.parametrize("component", [Bilateral(), NonLocalMeans(), TotalVariation(), Wavelet()])
def test_a_image_without_noise_stays(component):
    plane = np.add.outer(np.arange(20.0), 2 * np.arange(30.0))
    np.testing.assert_allclose(component(plane), plane, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("component", [NonLocalMeans(), TotalVariation(), Wavelet()])
def test_what_a_library_cannot_leave_out_is_refused(component):
    with pytest.raises(
        ValueError, match=r"does not support masks or missing values: .* choose a filter"
    ):
        component(PLANE, mask=PLANE > 0)
    holed = np.where(PLANE.max() == PLANE, np.nan, PLANE)
    with pytest.raises(ValueError, match="does not support masks or missing values"):
        component(holed, missing="ignore")


@pytest.mark.parametrize("scale", [1e60, 1.0, 1e-60])
@pytest.mark.parametrize("component", [NonLocalMeans(sigma=1.0), TotalVariation(1.0), Wavelet(1.0)])
def test_any_unit_of_double_precision_can_be_computed_in(component, scale):
    """A strength beyond all measure acts as the largest or smallest that can be told apart."""
    image = PLANE * scale
    out = component(image)
    if scale > 1:
        np.testing.assert_allclose(out, image, atol=1e-9 * scale)
    else:
        assert np.isfinite(out).all()
        assert np.ptp(out) < 0.9 * np.ptp(image)


class TestBilateral:
    @staticmethod
    def reference(u, component, spacing, inside):
        """Sum over all pairs of pixels, (…, channels) joint."""
        shape = u.shape[:-1]
        out = u.copy()
        for p in np.ndindex(shape):
            above, below = 0.0, 0.0
            for q in np.ndindex(shape):
                away = sum(((a - b) * h) ** 2 for a, b, h in zip(p, q, spacing, strict=True))
                if inside[q] and away <= 9 * component.sigma**2 * (1 + 1e-9):
                    unlike = np.sum((u[q] - u[p]) ** 2)
                    likeness = unlike / (2 * component.sigma_intensity**2)
                    weight = np.exp(-away / (2 * component.sigma**2) - likeness)
                    above, below = above + weight * u[q], below + weight
            out[p] = above / below if inside[p] else u[p]
        return out

    @pytest.mark.parametrize("masked", [False, True])
    @pytest.mark.parametrize(
        ("shape", "spacing"), [((9, 11), (0.7, 1.3)), ((4, 5, 6), (2.0, 1.0, 0.9))]
    )
    def test_is_the_sum_over_all_pairs(self, shape, spacing, masked):
        component, axes = Bilateral(sigma=1.1, sigma_intensity=0.8), "zyx"[3 - len(shape) :]
        colours = RANDOM.normal(size=(*shape, 3))
        inside = RANDOM.random(shape) > 0.3 * masked
        expected = self.reference(colours, component, spacing, inside)
        mask = inside if masked else None
        made = component(colours, axes=axes + "c", spacing=spacing, mask=mask)
        np.testing.assert_allclose(made, expected, atol=1e-12)
        apart = component(
            colours, axes=axes + "c", spacing=spacing, joint_channels=False, mask=mask
        )
        expected = self.reference(colours[..., :1], component, spacing, inside)
        np.testing.assert_allclose(apart[..., :1], expected, atol=1e-12)
        assert abs(made - apart).max() > 0.01

    def test_is_opencv_s_away_from_the_border(self):
        """scikit-image's window is off by one pixel, and it knows no third dimension."""
        cv2 = pytest.importorskip("cv2")
        u = RANDOM.random((40, 40)).astype(np.float32)
        theirs = cv2.bilateralFilter(u, 7, 0.3, 1.0)
        ours = Bilateral(sigma=1.0, sigma_intensity=0.3)(u)
        inner = (slice(3, -3),) * 2
        np.testing.assert_allclose(ours[inner], theirs[inner], atol=1e-6)
        assert abs(ours - u).max() > 0.1

    def test_high_steps_stay_and_low_ones_are_blurred_as_by_a_gaussian(self):
        step = np.repeat([0.0, 1.0], 15)[None] * np.ones((7, 1))
        np.testing.assert_array_equal(Bilateral(sigma=2.0, sigma_intensity=0.02)(step), step)
        blurred = Bilateral(sigma=2.0, sigma_intensity=1e6)(step, spacing=(100.0, 1.0))
        weights = np.exp(-(np.arange(-6, 7) ** 2) / 8.0)
        edge = np.convolve(step[3], weights / weights.sum(), "same")
        np.testing.assert_allclose(blurred[3, 6:-6], edge[6:-6], atol=1e-9)

    def test_too_wide_is_refused(self):
        with pytest.raises(ValueError, match=r"^Bilateral: sigma=50 covers .*, more than 10000: "):
            Bilateral(sigma=50.0, sigma_intensity=1.0)(PLANE)


class TestTotalVariation:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("image", [PLANE, VOLUME])
    def test_is_scikit_image_s_to_the_bit(self, image, dtype):
        image = image.astype(dtype)
        theirs = restoration.denoise_tv_chambolle(image, weight=0.3)
        np.testing.assert_array_equal(TotalVariation(weight=0.3)(image, spacing=2.0), theirs)

    def test_channels_are_those_of_scikit_image(self):
        theirs = restoration.denoise_tv_chambolle(COLOURS, weight=0.3, channel_axis=-1)
        ours = TotalVariation(weight=0.3)(COLOURS, rgb=True)
        np.testing.assert_array_equal(ours, theirs)

    def test_a_step_comes_down_by_the_weight_over_its_length(self):
        step = np.repeat([0.0, 1.0], [10, 20])
        exact = np.repeat([0.5 / 10, 1 - 0.5 / 20], [10, 20])
        component = TotalVariation(weight=0.5, tolerance=1e-12, rounds=20_000)
        made = component(step[None] * np.ones((3, 1)))
        np.testing.assert_allclose(made, exact[None] * np.ones((3, 1)), atol=1e-3)
        early = component.replaced(rounds=10)(step[None] * np.ones((3, 1)))
        assert abs(early - exact).max() > 0.01

    def test_a_disk_comes_down_by_twice_the_weight_over_its_radius(self):
        y, x = np.mgrid[-32:32, -32:32] + 0.5
        disk = np.where(np.hypot(y, x) < 16, 1.0, 0.0)
        made = TotalVariation(weight=2.0, tolerance=1e-9, rounds=3000)(disk)
        assert 1 - made[30:34, 30:34].mean() == pytest.approx(2 * 2.0 / 16, rel=0.1)


class TestNonLocalMeans:
    @pytest.mark.parametrize("image", [PLANE, VOLUME])
    def test_is_scikit_image_s(self, image):
        theirs = restoration.denoise_nl_means(
            image, patch_size=3, patch_distance=2, h=0.7 * 0.5, sigma=0.5, fast_mode=True
        )
        ours = NonLocalMeans(sigma=0.5, patch=1, search=2)(image)
        np.testing.assert_allclose(ours, theirs, atol=1e-12)
        assert abs(ours - image).max() > 0.1

    def test_channels_share_their_weights_where_they_are_joint(self):
        theirs = restoration.denoise_nl_means(
            COLOURS, patch_size=3, patch_distance=2, h=0.7, sigma=1.0, channel_axis=-1
        )
        component = NonLocalMeans(sigma=1.0, patch=1, search=2)
        np.testing.assert_allclose(component(COLOURS, rgb=True), theirs, atol=1e-12)
        apart = component(COLOURS, axes="yxc", joint_channels=False)
        np.testing.assert_allclose(apart[..., 0], component(COLOURS[..., 0]), atol=1e-12)
        assert abs(apart - theirs).max() > 0.01

    def test_where_all_is_alike_it_is_the_mean_of_the_box(self):
        made = NonLocalMeans(sigma=1e9, patch=1, search=2)(PLANE)
        windows = np.lib.stride_tricks.sliding_window_view(PLANE, (5, 5)).mean(axis=(2, 3))
        np.testing.assert_allclose(made[2:-2, 2:-2], windows, atol=1e-7)

    @pytest.mark.parametrize("field", ["patch", "search"])
    def test_boxes_of_too_many_samples_are_refused(self, field):
        component = NonLocalMeans(sigma=1.0).replaced(**{field: 9})
        with pytest.raises(ValueError, match=rf"^NonLocalMeans: {field}=9 .*, more than 5000: "):
            component(VOLUME)

    def test_large_float32_images_have_the_digits_of_double_precision(self):
        image = (PLANE + 1000).astype(np.float32)
        component = NonLocalMeans(sigma=0.1, patch=1, search=2)
        np.testing.assert_allclose(component(image), component(image.astype(float)), rtol=1e-6)


class TestWavelet:
    @pytest.mark.parametrize(("threshold", "method"), [("bayes", "BayesShrink"),
                                                       ("universal", "VisuShrink")])  # fmt: skip
    @pytest.mark.parametrize("image", [PLANE, np.pad(VOLUME, 4, mode="symmetric")])
    def test_a_single_transform_is_scikit_image_s(self, image, threshold, method):
        image = image[tuple(slice(n // 8 * 8) for n in image.shape)]
        theirs = restoration.denoise_wavelet(
            image, sigma=1.5, wavelet="haar", wavelet_levels=2, method=method
        )
        component = Wavelet(sigma=1.5, threshold=threshold, wavelet="haar", levels=2, shifts=0)
        np.testing.assert_allclose(component(image), theirs, atol=1e-12)
        assert abs(theirs - image).max() > 0.1

    def test_all_shifts_make_a_shifted_image_the_shifted_result(self):
        """Whatever is threshold, a window one pixel further on must have the same inner part."""
        noise = RANDOM.normal(size=(41, 41))
        moved = itertools.product((0, 1), repeat=2)
        windows = [(y, x, noise[y : y + 40, x : x + 40]) for y, x in moved]

        def inner_parts(shifts):
            component = Wavelet(1.0, "universal", "haar", levels=1, shifts=shifts)
            made = [(y, x, component(window)) for y, x, window in windows]
            return [out[5 - y : 35 - y, 5 - x : 35 - x] for y, x, out in made]

        first, *others = inner_parts(1)
        for other in others:
            np.testing.assert_allclose(other, first, atol=1e-12)
        first, *others = inner_parts(0)
        for other in others:
            assert abs(other - first).max() > 0.1

    def test_borders_do_not_mix(self):
        ramp = np.add.outer(np.zeros(33), np.linspace(0, 10, 33))
        assert abs(Wavelet(0.1, "universal", "haar", shifts=2)(ramp) - ramp).max() < 1.5

    @pytest.mark.parametrize("unit", [1e-12, 1.0, 1e12])
    def test_bands_with_nothing_but_noise_go(self, unit):
        """The library's floor of a variance is an absolute number, and must not show."""
        noise = unit * np.random.default_rng(1).normal(size=(64, 64))
        left = Wavelet(sigma=1.2 * unit, wavelet="haar", levels=1, shifts=0)(noise)
        blocks = noise.reshape(32, 2, 32, 2).mean(axis=(1, 3))
        expected = np.kron(blocks, np.ones((2, 2)))
        np.testing.assert_allclose(left, expected, atol=1e-9 * unit)

    def test_too_many_shifts_are_refused(self):
        with pytest.raises(ValueError, match=r"^Wavelet: shifts=9 takes 1000 .*, more than 600: "):
            Wavelet(sigma=1.0, shifts=9)(VOLUME)
