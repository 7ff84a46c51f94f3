"""What comes in: types, shapes, values, masks and holes; what is refused, and with which words."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest

import napari_diffusion as nd
from napari_diffusion.core.image import Image
from napari_diffusion.core.value_limits import limits_of
from napari_diffusion.filters import Gaussian, Heat, Median, PeronaMalik

BLUR = PeronaMalik(contrast=10.0, time=1.0)


def numbers(shape=(9, 11), dtype=np.float32):
    return (100 * np.random.default_rng(0).random(shape)).astype(dtype)


class TestTypes:
    @pytest.mark.parametrize(
        "dtype", ["?", "b", "B", "h", "H", "i", "I", "q", "Q", "e", "f", ">f4", ">i2", "<u4"]
    )
    def test_become_float32(self, dtype):
        image = numbers(dtype=dtype)
        out = BLUR(image)
        assert out.dtype == np.dtype(np.float32)
        assert out.dtype.isnative
        np.testing.assert_array_equal(out, BLUR(image.astype(np.float32)))

    @pytest.mark.parametrize("dtype", ["d", ">f8"])
    def test_float64_stays(self, dtype):
        image = numbers(dtype=np.float64).astype(dtype)
        out = BLUR(image)
        assert out.dtype == np.dtype(np.float64)
        assert out.dtype.isnative
        assert np.abs(out - BLUR(image.astype(np.float32))).max() > 1e-7

    def test_lists_and_whatever_numpy_reads(self):
        expected = BLUR(np.eye(5))
        np.testing.assert_array_equal(BLUR(np.eye(5).tolist()), expected)
        np.testing.assert_array_equal(BLUR(memoryview(np.eye(5))), expected)

    @pytest.mark.parametrize(
        "dtype",
        [
            object,
            "datetime64[s]",
            "U3",
            "S3",
            pytest.param(
                np.longdouble,
                marks=pytest.mark.skipif(
                    np.dtype(np.longdouble).itemsize == 8, reason="longdouble is float64 here"
                ),
            ),
        ],
    )
    def test_others_are_refused_by_name(self, dtype):
        image = np.zeros((4, 5), dtype)
        got = re.escape(str(image.dtype))
        with pytest.raises(TypeError, match=rf"integers, bool, float.*got {got}.*astype"):
            BLUR(image)

    @pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0,), (3, 0, 5)])
    def test_empty_arrays_are_refused(self, shape):
        with pytest.raises(ValueError, match=r"at least one pixel \(got shape \("):
            BLUR(np.zeros(shape))

    def test_single_numbers_are_refused(self):
        for image in (3.0, np.array(3.0)):
            with pytest.raises(ValueError, match=r"at least one pixel \(got shape \(\)\)"):
                BLUR(image)

    @pytest.mark.parametrize("dtype", [complex, np.complex64])
    def test_complex_numbers_are_refused_with_the_cure(self, dtype):
        image = np.ones((4, 5), dtype)
        got = re.escape(str(image.dtype))
        with pytest.raises(TypeError, match=rf"real numbers \(got {got}\).*abs\(image\)"):
            BLUR(image)
        assert np.isfinite(BLUR(abs(image))).all()

    @pytest.mark.parametrize("dtype", [np.int32, np.uint32, np.int64, np.uint64])
    def test_integers_that_float32_cannot_hold_warn(self, dtype):
        image = np.full((4, 5), 2**24, dtype)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            BLUR(image)
        image[1, 2] += 1
        with pytest.warns(UserWarning, match=r"to 16777217 are rounded.*astype\('float64'\)"):
            BLUR(image)
        if np.dtype(dtype).kind == "i":
            with pytest.warns(UserWarning, match="from -16777217 "):
                BLUR(-image)

    def test_the_warning_points_to_the_caller(self):
        image = np.full((4, 5), 2**25)
        for call in (
            lambda: BLUR(image),
            lambda: nd.noise.Gaussian()(image, 1.0),
            lambda: next(nd.steps(image, nd.Recipe())),
            lambda: nd.run(image, nd.Recipe(num_steps=1)),
            lambda: nd.Recipe().resolved(image),
            lambda: nd.estimate.contrast(image),
        ):
            with pytest.warns(UserWarning, match="rounded to float32") as caught:
                call()
            assert caught[0].filename == __file__

    def test_negative_zero_and_denormals_pass(self):
        image = np.array([[-0.0, 1e-45, 0.0], [1e-40, -1e-45, 1e-38]], np.float32)
        assert np.isfinite(BLUR(image)).all()


class TestValues:
    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize("component", [BLUR, Heat(), Gaussian(), Median()])
    def test_not_finite_is_refused_with_count_and_hint(self, component, bad):
        image = numbers()
        image[2, 3] = image[4, 5] = image[8, 10] = bad
        with pytest.raises(ValueError, match=r"has 3 NaN or infinite values.*'ignore'"):
            component(image)

    def test_everything_refuses_it(self):
        image = numbers()
        image[2, 3] = np.nan
        recipe = nd.Recipe()
        for call in (
            lambda: next(nd.steps(image, recipe)),
            lambda: nd.run(image, recipe),
            lambda: recipe.resolved(image),
            lambda: nd.noise.Gaussian()(image, 0.1),
            lambda: nd.estimate.noise_sigma(image),
            lambda: nd.estimate.contrast(image),
        ):
            with pytest.raises(ValueError, match="has 1 NaN or infinite value"):
                call()

    def test_values_without_room_to_compute(self):
        image = numbers()
        image[2, 3] = 3e38
        with pytest.raises(ValueError, match=r"Values from .* to 3e\+38 .*float32.*divide"):
            BLUR(image)
        assert np.isfinite(BLUR(image.astype(np.float64))).all()
        for limit in (5e36, -5e36):
            image[2, 3] = limit
            assert np.isfinite(BLUR(image)).all()

    def test_missing_is_one_of_two_words(self):
        with pytest.raises(ValueError, match=r"'refuse' or 'ignore' \(got 'nan'\)"):
            BLUR(numbers(), missing="nan")


class TestMasks:
    def test_for_all_axes_or_without_c_or_t(self):
        image = numbers((2, 3, 8, 9))
        mask = np.random.default_rng(1).random((8, 9)) > 0.4
        expected = BLUR(image, axes="tcyx", mask=np.broadcast_to(mask, image.shape))
        for shape in ((8, 9), (2, 1, 8, 9), (3, 8, 9)):
            given = np.broadcast_to(mask, shape)
            given = given[:, 0] if shape == (2, 1, 8, 9) else given
            np.testing.assert_array_equal(BLUR(image, axes="tcyx", mask=given), expected)

    def test_in_the_order_of_the_image_s_axes(self):
        image = numbers((8, 3, 9))
        mask = np.random.default_rng(1).random((8, 9)) > 0.4
        out = BLUR(image, axes="xcy", mask=mask)
        expected = BLUR(image.transpose(1, 2, 0), axes="cyx", mask=mask.T).transpose(2, 0, 1)
        np.testing.assert_array_equal(out, expected)

    @pytest.mark.parametrize("dtype", [bool, np.uint8, np.int32, np.int64])
    def test_labels_count_as_inside(self, dtype):
        mask = np.zeros((9, 11), dtype)
        mask[2:7, 3:9] = True if dtype is bool else 7
        expected = BLUR(numbers(), mask=mask > 0)
        np.testing.assert_array_equal(BLUR(numbers(), mask=mask), expected)
        np.testing.assert_array_equal(BLUR(numbers(), mask=mask.tolist()), expected)

    def test_nothing_or_everything_inside(self):
        image = numbers()
        for component in (BLUR, Heat(), Gaussian(), Median()):
            out = component(image, mask=np.zeros((9, 11), bool))
            np.testing.assert_array_equal(out, image)
            assert not np.shares_memory(out, image)
        out = BLUR(image, mask=np.ones((9, 11), bool))
        np.testing.assert_allclose(out, BLUR(image), rtol=0, atol=1e-4)

    def test_heat_flows_through_no_face_of_it(self):
        """Two rooms with a wall between them: neither hears of the other."""
        image, mask = numbers((9, 21), np.float64), np.ones((9, 21), bool)
        mask[:, 10] = False
        for component in (BLUR, Heat(time=5.0), PeronaMalik(contrast=9.0, smoothing=2.0)):
            out = component(image, mask=mask)
            other = image.copy()
            other[:, 11:] += 1000.0
            if not getattr(component, "smoothing", 0):
                np.testing.assert_array_equal(component(other, mask=mask)[:, :10], out[:, :10])
            assert out[:, :10].mean() == pytest.approx(image[:, :10].mean(), rel=1e-12)

    def test_a_single_sample_alone_stays(self):
        mask = np.zeros((9, 11), bool)
        mask[4, 4] = True
        for component in (BLUR, Heat(), Median()):
            np.testing.assert_array_equal(component(numbers(), mask=mask), numbers())

    @pytest.mark.parametrize("shape", [(9, 10), (11, 9), (9,), (1, 9, 11)])
    def test_of_another_shape(self, shape):
        with pytest.raises(ValueError, match=r"mask must have the image's shape.*got \("):
            BLUR(numbers(), mask=np.ones(shape, bool))

    @pytest.mark.parametrize("dtype", [float, complex, "U1"])
    def test_of_another_type(self, dtype):
        with pytest.raises(
            TypeError, match=rf"booleans or integer labels \(got {np.dtype(dtype)}\)"
        ):
            BLUR(numbers(), mask=np.zeros((9, 11), dtype))

    def test_colours_share_one(self):
        image = numbers((9, 11, 4))
        mask = np.tri(9, 11, 2, bool)
        out = BLUR(image, axes="yxc", rgb=True, mask=mask)
        np.testing.assert_array_equal(out[~mask], image[~mask])
        np.testing.assert_array_equal(out[..., 3], image[..., 3])
        assert np.mean(out[mask][:, :3] == image[mask][:, :3]) < 0.1
        with pytest.raises(ValueError, match="mask must have the image's shape"):
            BLUR(image, axes="yxc", rgb=True, mask=np.ones(image.shape, bool))

    def test_what_is_not_finite_outside_of_it_does_not_matter(self):
        image, mask = numbers(), np.ones((9, 11), bool)
        mask[3, 4:6] = False
        expected = BLUR(image, mask=mask)
        for bad in (np.nan, np.inf, 3e38):
            image[~mask] = bad
            out = BLUR(image, mask=mask)
            np.testing.assert_array_equal(out[mask], expected[mask])
            np.testing.assert_array_equal(out[~mask], image[~mask])

    def test_what_is_not_finite_inside_of_it_does(self):
        image, mask = numbers(), np.ones((9, 11), bool)
        image[3, 4] = image[5, 5] = np.nan
        mask[5, 5] = False
        with pytest.raises(ValueError, match="has 1 NaN or infinite value"):
            BLUR(image, mask=mask)


class TestHoles:
    def test_are_kept_and_nothing_flows_through_them(self):
        image = numbers((9, 21), np.float64)
        image[:, 10] = np.nan
        image[0, 0] = np.inf
        image[8, 0] = -np.inf
        out = Heat(time=5.0)(image, missing="ignore")
        np.testing.assert_array_equal(np.isnan(out), np.isnan(image))
        np.testing.assert_array_equal(out[~np.isfinite(image)], image[~np.isfinite(image)])
        right = out[:, 11:].mean()
        assert right == pytest.approx(image[:, 11:].mean(), rel=1e-12)

    def test_in_one_channel_they_leave_the_others_whole(self):
        image = numbers((3, 9, 11))
        image[1, 4, 4:7] = np.nan
        out = BLUR(image, axes="cyx", joint_channels=False, missing="ignore")
        np.testing.assert_array_equal(np.isnan(out), np.isnan(image))
        np.testing.assert_allclose(out[0], BLUR(image[0]), rtol=0, atol=1e-4)

    def test_together_with_a_mask(self):
        image, mask = numbers(), np.ones((9, 11), bool)
        mask[:3] = False
        image[5, 5] = image[1, 1] = np.nan
        out = BLUR(image, mask=mask, missing="ignore")
        expected = BLUR(np.where(np.isnan(image), 0, image), mask=mask & ~np.isnan(image))
        np.testing.assert_array_equal(out[~np.isnan(image)], expected[~np.isnan(image)])
        np.testing.assert_array_equal(np.isnan(out), np.isnan(image))

    def test_nothing_but_holes(self):
        image = np.full((5, 6), np.nan, np.float32)
        out = nd.run(image, nd.Recipe(num_steps=2), missing="ignore").image
        assert np.isnan(out).all()

    def test_without_any_it_is_as_if_nothing_was_said(self):
        for component in (BLUR, Heat(), Gaussian(), Median()):
            plain = component(numbers())
            np.testing.assert_array_equal(component(numbers(), missing="ignore"), plain)


class TestImage:
    def test_a_part_knows_its_place(self):
        image = Image.of(numbers((4, 9, 11)), axes="tyx")
        part = image.cut((slice(1, 3), slice(0, 1), slice(0, 1), slice(2, 9), slice(5, 6)))
        assert part.grid.origin == (1, 0, 0, 2, 5)
        assert part.grid.shape == image.grid.shape
        np.testing.assert_array_equal(part.data[:, 0, 0], numbers((4, 9, 11))[1:3, 2:9, 5:6])
        deeper = part.cut((slice(1, 2), slice(0, 1), slice(0, 1), slice(3, 4), slice(0, 1)))
        assert deeper.grid.origin == (2, 0, 0, 5, 5)

    def test_computing_never_begins_in_the_user_s_array(self):
        """Read without a copy where that is possible, and then never written."""
        image = numbers()
        source = Image.of(image)
        assert source.data.flags.c_contiguous
        kept = image.copy()
        nd.run(image, nd.Recipe())
        np.testing.assert_array_equal(image, kept)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sign", [1, -1])
def test_what_leaves_room_to_compute_is_told_from_what_does_not(dtype, sign):
    limit = dtype(limits_of(dtype)[1])
    for others in ([0.0, 1.0], [-0.0, -2.0], [-3.0, 4.0]):
        fits = np.array([[sign * limit, *others]], dtype)
        np.testing.assert_array_equal(Image.of(fits).data.ravel(), fits.ravel())
        for wrong in (np.nextafter(limit, dtype(np.inf)), np.inf, np.nan):
            image = np.array([[*others, np.copysign(dtype(wrong), sign)]], dtype)
            with pytest.raises(ValueError, match=r"too large to compute|NaN or infinite"):
                Image.of(image)


@pytest.mark.parametrize("axes", ["yxc", "cyx", "yxct"])
def test_colours_come_back_to_their_places(axes):
    sizes = {"c": 4, "y": 5, "x": 6, "t": 2}
    shape = [sizes[axis] for axis in axes]
    image = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    source = Image.of(image, axes=axes, rgb=True)
    assert source.data.flags.c_contiguous
    np.testing.assert_array_equal(source.restored(source.data), image)
