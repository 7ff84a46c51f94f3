"""The filter made of any function: what the function gets, and what it may return."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

import napari_diffusion as nd
from napari_diffusion.filters import Custom, Heat
from napari_diffusion.loop.registry import from_dict, to_dict

RANDOM = np.random.default_rng(0)


def blurred(u, spacing):
    """Blur by one world unit."""
    return ndimage.gaussian_filter(u, [1 / h for h in spacing])


class Seen:
    """A function that keeps what it was given."""

    def __init__(self):
        self.calls = []

    def __call__(self, u, spacing, channel_axis, *, mask=None):
        self.calls.append((u.shape, spacing, channel_axis, mask))
        return u + 1


CALLS = [
    # axes, shape, options, what each call gets, how many calls
    ("yx", (4, 5), {"spacing": (2.0, 3.0)}, ((4, 5), (2.0, 3.0), None), 1),
    ("xy", (4, 5), {"spacing": (2.0, 3.0)}, ((4, 5), (2.0, 3.0), None), 1),
    ("xy", (4, 5), {"along": "yx", "spacing": (2.0, 3.0)}, ((4, 5), (3.0, 2.0), None), 1),
    ("tyx", (3, 4, 5), {}, ((4, 5), (1.0, 1.0), None), 3),
    ("tyx", (3, 4, 5), {"along": "tyx"}, ((3, 4, 5), (1.0,) * 3, None), 1),
    ("yxt", (4, 5, 3), {"along": "t", "spacing": 2.0}, ((3,), (2.0,), None), 20),
    ("yxc", (4, 5, 3), {"rgb": True}, ((4, 5, 3), (1.0, 1.0), 2), 1),
    ("yxc", (4, 5, 4), {"rgb": True}, ((4, 5, 3), (1.0, 1.0), 2), 1),
    ("cyx", (2, 4, 5), {}, ((2, 4, 5), (1.0, 1.0), 0), 1),
    ("cyx", (2, 4, 5), {"joint_channels": False}, ((4, 5), (1.0, 1.0), None), 2),
    ("tczyx", (2, 2, 3, 4, 5), {}, ((2, 3, 4, 5), (1.0,) * 3, 0), 2),
]


@pytest.mark.parametrize(("axes", "shape", "options", "given", "count"), CALLS)
def test_what_the_function_is_given(axes, shape, options, given, count):
    seen, image = Seen(), RANDOM.random(shape)
    out = Custom(seen)(image, axes=axes, **options)
    assert seen.calls == [(*given, None)] * count
    inside = image[..., :3] if options.get("rgb") else image
    np.testing.assert_array_equal(out[..., : inside.shape[-1]], inside + 1)
    if inside is not image:
        np.testing.assert_array_equal(out[..., 3:], image[..., 3:])


def test_each_image_comes_in_the_image_s_own_order():
    image = RANDOM.random((6, 3, 5, 2))
    out = Custom(lambda u: ndimage.gaussian_filter(u, (2, 0)))(image, axes="xtyc", along="xy",
                                                              joint_channels=False)  # fmt: skip
    np.testing.assert_array_equal(out, ndimage.gaussian_filter(image, (2, 0, 0, 0)))


def test_lengths_reach_the_function():
    image = RANDOM.random((20, 30))
    out = Custom(blurred)(image, spacing=(0.5, 2.0))
    np.testing.assert_array_equal(out, ndimage.gaussian_filter(image, (2.0, 0.5)))


def test_the_default_leaves_channels_apart():
    from skimage.filters import gaussian

    image = RANDOM.random((20, 30, 3))
    out = Custom()(image, rgb=True)
    for c in range(3):
        np.testing.assert_array_equal(out[..., c], gaussian(image[..., c]))


def test_a_function_may_write_into_what_it_is_given():
    def cleared(u):
        u[...] = 0
        return u

    image = RANDOM.random((4, 5))
    before = image.copy()
    assert not Custom(cleared)(image).any()
    np.testing.assert_array_equal(image, before)


def test_a_mask_goes_to_a_function_that_takes_one_and_no_other():
    mask = np.eye(5, dtype=bool)
    image = RANDOM.random((5, 5))
    out = Custom(lambda u, mask: np.where(mask, 7, 8))(image, mask=mask)
    np.testing.assert_array_equal(out, np.where(mask, 7, image))
    with pytest.raises(ValueError, match="Custom does not support masks or missing values"):
        Custom(lambda u: u)(image, mask=mask)
    seen = Seen()
    Custom(seen)(np.stack([image] * 3, -1), rgb=True, mask=mask)
    np.testing.assert_array_equal(seen.calls[0][3], np.stack([mask] * 3, -1))


class TestName:
    def test_stands_for_the_function(self):
        image = RANDOM.random((9, 9))
        by_name = Custom("scipy.ndimage:sobel")
        np.testing.assert_array_equal(by_name(image), ndimage.sobel(image))

    def test_is_written_into_json(self):
        assert to_dict(Custom(blurred))["function"] == f"{__name__}:blurred"
        again = from_dict("filter", to_dict(Custom(blurred, reach=8)), allow_code=True)
        image = RANDOM.random((9, 9))
        np.testing.assert_array_equal(again(image), Custom(blurred)(image))
        assert again.reach == 8

    def test_a_lambda_has_none(self):
        with pytest.raises(ValueError, match=r"package\.module:function"):
            nd.Recipe(diffusion_filter=Custom(lambda u: u)).to_json()

    @pytest.mark.parametrize(
        ("function", "said"),
        [
            ("numpy:no_such_thing", "There is no function 'numpy:no_such_thing'"),
            ("no_such_package:f", "There is no function 'no_such_package:f'"),
            ("math:pi", "is not a function"),
            ("scipy.ndimage:gaussian_filter", "cannot be called with one array .*'sigma'"),
            (lambda: 0, "cannot be called with one array"),
        ],
    )
    def test_is_looked_up_before_any_work(self, function, said):
        image = np.zeros((5, 5))
        with pytest.raises(ValueError, match=said):
            Custom(function)(image)
        made = nd.steps(image, nd.Recipe(1, 0.0, final_filter=Custom(function)))
        with pytest.raises(ValueError, match=said):
            next(made)


class TestResults:
    @pytest.mark.parametrize(
        ("returned", "error", "said"),
        [
            (
                lambda u: u[1:],
                ValueError,
                r"must return an array of the input shape \(5, 6\) \(got \(4, 6\)\)",
            ),
            (lambda u: None, TypeError, r"must return real numbers \(got object\)"),
            (lambda u: u + 1j, TypeError, r"must return real numbers \(got complex128\)"),
            (lambda u: np.where(u > 0.5, np.nan, u), ValueError, r"\d+ values that are NaN"),
            (lambda u: u + np.float64(1e39), ValueError, r"30 values .* infinite in float32"),
        ],
    )
    def test_that_are_no_image_are_refused(self, returned, error, said):
        image = RANDOM.random((5, 6)).astype(np.float64 if error is TypeError else np.float32)
        with pytest.raises(error, match=f"^Custom: .*<lambda> .*{said}"):
            Custom(lambda u: returned(u.astype(float)))(image)

    def test_come_in_the_image_s_type(self):
        image = RANDOM.random((5, 6)).astype(np.float32)
        made = Custom(lambda u: u > 0.5)(image)
        assert made.dtype == np.float32
        np.testing.assert_array_equal(made, image > 0.5)

    def test_errors_of_the_function_come_through_with_its_name(self):
        def broken(u):
            raise KeyError("lost")

        with pytest.raises(KeyError, match="lost") as caught:
            Custom(broken)(np.zeros((3, 3)))
        assert "broken, the function of a Custom filter" in caught.value.__notes__[0]


class TestReach:
    component = Custom(blurred, reach=4)

    def test_is_the_halo_along_the_axes_that_diffuse(self):
        grid = nd.Grid.of((2, 9, 9), axes="tyx")
        assert self.component.halo(grid) == (0, 0, 0, 4, 4)
        assert Custom(blurred).halo(grid) is None

    def test_makes_chunks_and_regions_of_its_own(self):
        from dask import array

        image = RANDOM.random((60, 50))
        whole = self.component(image)
        lazy = self.component(array.from_array(image, chunks=(20, 25)))
        assert lazy.numblocks == (3, 2)
        np.testing.assert_array_equal(lazy.compute(scheduler="synchronous"), whole)
        recipe = nd.Recipe(
            1, 0.0, None, diffusion_filter=self.component, final_filter=Heat(time=0.1)
        )
        region = (slice(20, 30), slice(5, 25))
        part = nd.run(image, recipe, region=region).image
        np.testing.assert_array_equal(part, nd.run(image, recipe).image[region])

    def test_too_small_a_one_leaves_seams(self):
        from dask import array

        image = RANDOM.random((60, 50))
        lazy = self.component.replaced(reach=0)(array.from_array(image, chunks=(20, 25)))
        assert abs(lazy.compute(scheduler="synchronous") - self.component(image)).max() > 0.01

    def test_without_it_chunks_are_joined(self):
        from dask import array

        image = RANDOM.random((4, 30, 20))
        lazy = Custom(blurred)(array.from_array(image, chunks=(1, 10, 10)), axes="tyx")
        assert lazy.numblocks == (4, 1, 1)
        np.testing.assert_array_equal(
            lazy.compute(scheduler="synchronous"), Custom(blurred)(image, axes="tyx")
        )
