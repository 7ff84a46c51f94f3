"""Missing values: NaN, infinity, no-data marks, masked arrays, and values beyond the limits."""

import numpy as np
import pytest
from dask import array as da

import napari_diffusion as nd
from napari_diffusion.filters import Gaussian, Heat, Wavelet

BLUR = Heat(time=1.0)


def numbers(shape=(12, 21), dtype=np.float32):
    return (100 * np.random.default_rng(0).random(shape)).astype(dtype)


# Every number that marks missing values, and the type of image that it is in.
MARKS = [
    (image_type, sign * float(np.finfo(number_type).max))
    for sign in (1, -1)
    for image_type, number_type in (
        (np.float32, np.float32),
        (np.float64, np.float64),
        (np.float64, np.float32),
    )
]


class TestMarks:
    @pytest.mark.parametrize(("dtype", "mark"), MARKS)
    def test_are_missing_values(self, dtype, mark):
        image = numbers(dtype=dtype)
        image[:4], image[7, 7] = mark, mark
        holed = np.where(np.abs(image) < 1e3, image, np.nan)
        out, expected = BLUR(image, missing="ignore"), BLUR(holed, missing="ignore")
        inside = np.isfinite(holed)
        np.testing.assert_array_equal(out[inside], expected[inside])
        assert (out[~inside] == dtype(mark)).all()
        assert out.dtype == dtype

    @pytest.mark.parametrize(("dtype", "mark"), MARKS)
    def test_are_refused_with_count_and_cure(self, dtype, mark):
        image = numbers(dtype=dtype)
        image[:2] = mark
        with pytest.raises(ValueError, match=r"has 42 values of .*e\+.* “no data”: .*'ignore'"):
            BLUR(image)
        image[3, 3] = np.nan
        with pytest.raises(ValueError, match=r"has 43 values of .* “no data”, NaN or infinity: "):
            BLUR(image)

    def test_beside_nan_and_outside_of_a_mask(self):
        image, mask = numbers(), np.ones((12, 21), bool)
        image[2], image[4, 4] = np.finfo(np.float32).min, np.inf
        mask[2], mask[4, 4] = False, False
        expected = BLUR(np.where(mask, image, 0), mask=mask)
        for missing in ("refuse", "ignore"):
            out = BLUR(image, mask=mask, missing=missing)
            np.testing.assert_array_equal(out[mask], expected[mask])
            np.testing.assert_array_equal(out[~mask], image[~mask])

    def test_in_every_step_of_a_run(self):
        image = numbers()
        image[5] = np.finfo(np.float32).min
        for step in nd.steps(image, nd.Recipe(num_steps=2), missing="ignore"):
            assert (step.image[5] == image[5]).all()
            assert np.abs(np.delete(step.image, 5, axis=0)).max() < 1e3

    def test_half_precision_has_none(self):
        image = numbers().astype(np.float16)
        image[3, 3] = np.finfo(np.float16).max
        assert BLUR(image)[3, 3] < 5e4


class TestMaskedArrays:
    def test_masked_pixels_are_outside_and_stay(self):
        image = numbers()
        masked = np.ma.masked_greater(image, 60.0)
        out = BLUR(masked)
        assert type(out) is np.ndarray
        np.testing.assert_array_equal(out, BLUR(image, mask=image <= 60))
        np.testing.assert_array_equal(out[image > 60], image[image > 60])
        assert np.isfinite(BLUR(np.ma.masked_invalid(np.where(image > 60, np.nan, image)))).sum()

    def test_with_a_mask_too(self):
        image, mask = numbers(), np.tri(12, 21, 4, bool)
        out = BLUR(np.ma.masked_greater(image, 60.0), mask=mask)
        np.testing.assert_array_equal(out, BLUR(image, mask=mask & (image <= 60)))

    def test_that_mask_nothing_are_plain(self):
        image = numbers((32, 32))
        out = Wavelet(sigma=1.0)(np.ma.array(image, mask=False))
        np.testing.assert_array_equal(out, Wavelet(sigma=1.0)(image))

    @pytest.mark.parametrize("channels", [3, 4])
    def test_of_colours_where_one_is_masked(self, channels):
        image, mask = numbers((9, 11, channels)), np.zeros((9, 11, channels), bool)
        mask[2, 3, 1] = mask[5, 6] = True
        mask[..., 3:] = True
        out = BLUR(np.ma.array(image, mask=mask), axes="yxc", rgb=True)
        expected = BLUR(image, axes="yxc", rgb=True, mask=~mask[..., :3].any(axis=-1))
        np.testing.assert_array_equal(out, expected)

    def test_in_the_order_of_the_axes(self):
        image = np.ma.masked_less(numbers((8, 3, 9)), 20.0)
        out = BLUR(image, axes="xcy")
        assert (out[image.mask] == image.data[image.mask]).all()
        moved = BLUR(image.transpose(1, 2, 0), axes="cyx").transpose(2, 0, 1)
        np.testing.assert_array_equal(out, moved)

    def test_as_chunks_of_dask(self):
        image = numbers()
        lazy = da.ma.masked_greater(da.from_array(image, chunks=7), 60.0)
        out = BLUR(lazy)
        assert isinstance(out, da.Array)
        out = out.compute()
        assert type(out) is np.ndarray
        np.testing.assert_array_equal(out, BLUR(np.ma.masked_greater(image, 60.0)))


class TestLazily:
    def test_holes_of_dask_arrays_are_those_in_memory(self):
        image = numbers((6, 20, 21))
        image[2, 3:9, 4], image[0, 0, 0] = np.nan, -np.inf
        image[4] = np.finfo(np.float32).min
        mask = np.random.default_rng(1).random(image.shape) > 0.2
        lazy = da.from_array(image, chunks=(3, 8, 9))
        for more in ({}, {"mask": mask}, {"mask": da.from_array(mask, chunks=5)}):
            out = Gaussian(sigma=1.0)(lazy, missing="ignore", **more)
            assert isinstance(out, da.Array)
            own = {name: np.asarray(each) for name, each in more.items()}
            expected = Gaussian(sigma=1.0)(image, missing="ignore", **own)
            np.testing.assert_array_equal(out.compute(), expected)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("mark", [np.nan, float(np.finfo(np.float32).max)])
    def test_in_a_chunk_they_are_refused(self, dtype, mark):
        image = numbers(dtype=dtype)
        image[2] = mark
        lazy = da.from_array(image, chunks=7)
        for made in (lambda: BLUR(lazy).compute(), lambda: nd.estimate.contrast(lazy)):
            with pytest.raises(ValueError, match=r"A chunk has [0-9]+ .*: use missing='ignore'"):
                made()


class TestLimits:
    @pytest.mark.parametrize("scale", [1e-300, 1e-90, -1e-75, 1e75, -1e90, 1e160, 1e300])
    def test_beyond_them_values_are_refused_with_the_cure(self, scale):
        image = scale * numbers(dtype=np.float64)
        words = "too small .*: multiply" if abs(scale) < 1 else "too large .*: divide"
        with pytest.raises(ValueError, match=rf"Values from .*e.*[0-9][0-9] are {words} the image"):
            BLUR(image)
        with pytest.raises(ValueError, match="Values from"):
            BLUR(image, mask=np.ones(image.shape, bool))

    def test_within_them_and_all_0_they_are_not(self):
        for scale in (-1e68, 1e-68, 0.0):
            image = scale * numbers(dtype=np.float64)
            assert np.isfinite(BLUR(image)).all()
            assert np.isfinite(BLUR(image, mask=image != 0)).all()

    def test_one_number_of_size_is_enough(self):
        image = 1e-200 * numbers(dtype=np.float64)
        image[3, 3] = 1.0
        assert 0.01 < BLUR(image)[3, 3] < 1
