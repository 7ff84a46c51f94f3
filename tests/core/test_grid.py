"""Axes by name, lengths in world units, and every way to get them wrong."""

from __future__ import annotations

import itertools
import math
import re

import numpy as np
import pytest

import napari_diffusion as nd
from napari_diffusion import Grid
from napari_diffusion.filters import Heat, PeronaMalik


class TestAxes:
    def test_planes_and_volumes_need_no_names(self):
        assert Grid.of((5, 6)).axes == "yx"
        assert Grid.of((5, 6, 7)).axes == "zyx"
        assert Grid.of((5, 6, 7)).shape == (1, 1, 5, 6, 7)

    def test_colours_need_none_either(self):
        assert Grid.of((40, 50, 3), rgb=True).axes == "yxc"
        assert Grid.of((40, 50, 4), rgb=True).shape == (1, 4, 1, 40, 50)

    @pytest.mark.parametrize("shape", [(30, 30, 3), (512, 640, 4)])
    def test_what_may_be_colours_or_a_volume_is_refused_with_both_readings(self, shape):
        with pytest.raises(ValueError, match=r"colour.*volume.*axes='yxc', rgb=True.*axes='zyx'"):
            Grid.of(shape)
        assert Grid.of(shape, axes="zyx").shape == (1, 1, *shape)
        assert Grid.of(shape, axes="yxc", rgb=True).rgb

    @pytest.mark.parametrize("shape", [(29, 512, 3), (512, 29, 4), (512, 512, 5), (512, 512, 2)])
    def test_what_can_only_be_a_volume_is_one(self, shape):
        assert Grid.of(shape).axes == "zyx"

    @pytest.mark.parametrize("shape", [(5,), (2, 3, 4, 5), (2, 3, 4, 5, 6)])
    def test_anything_else_must_be_named(self, shape):
        with pytest.raises(ValueError, match=rf"{len(shape)} axes.*needs the names"):
            Grid.of(shape)

    @pytest.mark.parametrize(
        ("axes", "words"),
        [
            ("yy", r"each axis once.*'yy'"),
            ("yw", r"letters t, c, z, y, x \(got 'yw'\)"),
            ("YX", r"letters.*'YX'"),
            ("zyx", r"'zyx' names 3 axes, but the array has 2 \(got shape \(5, 6\)\)"),
            ("y", r"'y' names 1 axes, but the array has 2"),
        ],
    )
    def test_names_that_do_not_fit(self, axes, words):
        with pytest.raises(ValueError, match=words):
            Grid.of((5, 6), axes=axes)

    def test_names_are_a_string(self):
        with pytest.raises(TypeError, match=r"axes must be a string.*\(got \('y', 'x'\)\)"):
            Grid.of((5, 6), axes=("y", "x"))

    def test_colours_need_their_axis_and_three_or_four_samples(self):
        with pytest.raises(ValueError, match=r"rgb=True needs an axis c \(got axes 'yx'\)"):
            Grid.of((5, 6), rgb=True)
        with pytest.raises(ValueError, match=r"3 or 4 channels along c \(got 5\).*omit rgb"):
            Grid.of((5, 6, 5), axes="yxc", rgb=True)

    @pytest.mark.parametrize("count", range(1, 6))
    def test_canonical_order_and_back(self, count):
        for axes in itertools.permutations("tczyx", count):
            if not set(axes) & set("zyx"):
                continue
            shape = tuple(2 + "tczyx".index(axis) for axis in axes)
            grid = Grid.of(shape, axes="".join(axes))
            array = np.arange(np.prod(shape)).reshape(shape)
            canonical = grid.canonical(array)
            assert canonical.shape == grid.shape
            assert np.shares_memory(canonical, array)
            np.testing.assert_array_equal(grid.restored(canonical), array)
            for axis, size in zip("tczyx", grid.shape, strict=True):
                assert size == (2 + "tczyx".index(axis) if axis in axes else 1)

    @pytest.mark.parametrize("axes", ["yx", "xy", "zyx", "xzy", "ctyx", "yxc", "tczyx", "xyzct"])
    def test_the_order_of_the_axes_does_not_change_a_bit(self, axes):
        order = [a for a in "tczyx" if a in axes]
        image = np.random.default_rng(0).random([3 + "tczyx".index(a) for a in order])
        recipe = nd.Recipe(
            num_steps=2, starting_noise_scale=0.1, diffusion_filter=PeronaMalik(contrast=0.3)
        )
        expected = nd.run(image, recipe, axes="".join(order)).image
        turn = [order.index(a) for a in axes]
        made = nd.run(image.transpose(turn), recipe, axes=axes).image
        np.testing.assert_array_equal(made, expected.transpose(turn))


class TestAlong:
    def test_the_spatial_axes_diffuse(self):
        assert Grid.of((2, 3, 4, 5), axes="tzyx").along == "zyx"
        assert Grid.of((2, 3, 4), axes="xcy").along == "xy"

    def test_frames_are_independent_unless_time_diffuses(self):
        image = np.zeros((3, 8, 9))
        image[1] = 1.0
        np.testing.assert_array_equal(Heat()(image, axes="tyx"), image)
        mixed = Heat()(image, axes="tyx", along="tyx")
        assert mixed[0].min() > 0.1
        np.testing.assert_allclose(mixed, mixed[:, :1, :1] + np.zeros((3, 8, 9)), atol=1e-12)

    def test_slices_are_independent_unless_they_diffuse(self):
        image = np.random.default_rng(0).random((4, 8, 9))
        apart = PeronaMalik(contrast=0.3)(image, along="yx")
        for each, alone in zip(apart, image, strict=True):
            np.testing.assert_array_equal(each, PeronaMalik(contrast=0.3)(alone))

    @pytest.mark.parametrize(
        ("along", "words"),
        [
            ("", r"at least one of the axes 'yx'.*\(got ''\)"),
            ("yy", r"each once \(got 'yy'\)"),
            ("zy", r"axes 'yx'.*\(got 'zy'\)"),
        ],
    )
    def test_what_cannot_diffuse(self, along, words):
        with pytest.raises(ValueError, match=words):
            Grid.of((5, 6), along=along)

    def test_channels_do_not_diffuse_into_each_other(self):
        with pytest.raises(ValueError, match=r"must not contain c.*joint_channels=True"):
            Grid.of((3, 5, 6), axes="cyx", along="cyx")

    def test_no_spatial_axis(self):
        with pytest.raises(ValueError, match=r"along must name at least one"):
            Grid.of((3, 5), axes="tc")
        assert Grid.of((3, 5), axes="tc", along="t").lengths[0] == 1.0


class TestSpacing:
    def test_one_number_is_for_all(self):
        assert Grid.of((5, 6, 7), spacing=0.5).spacing == (0.5, 0.5, 0.5)
        assert Grid.of((5, 6)).spacing == (1.0, 1.0)
        for number in (2, np.float32(2), np.int64(2), np.array(2.0)):
            assert Grid.of((5, 6), spacing=number).spacing == (2.0, 2.0)

    def test_a_list_is_in_the_order_of_along(self):
        grid = Grid.of((5, 6, 7), spacing=[2.0, 0.5, 0.25])
        assert grid.lengths == (math.inf, math.inf, 2.0, 0.5, 0.25)
        grid = Grid.of((5, 6, 7), axes="tyx", along="xt", spacing=np.array([0.25, 3.0]))
        assert grid.lengths == (3.0, math.inf, math.inf, math.inf, 0.25)

    @pytest.mark.parametrize("spacing", [(1.0,), (1, 1, 1), []])
    def test_one_for_each_axis_that_diffuses(self, spacing):
        with pytest.raises(ValueError, match=rf"one per axis of along='yx' \(got {len(spacing)}: "):
            Grid.of((5, 6), spacing=spacing)
        with pytest.raises(ValueError, match=r"along='zyx' \(got 4"):
            Grid.of((3, 5, 6, 7), axes="tzyx", spacing=(1, 1, 1, 1))

    @pytest.mark.parametrize("bad", [0, -1.0, math.nan, math.inf, 1e-200, 1e200])
    def test_lengths_are_greater_than_0(self, bad):
        for spacing in (bad, (1.0, bad)):
            with pytest.raises(ValueError, match=r"spacing must be greater than 0.*\(got "):
                Grid.of((5, 6), spacing=spacing)

    @pytest.mark.parametrize("bad", [None, "1", ("a", "b"), ((1, 2), (3, 4)), 1j])
    def test_lengths_are_numbers(self, bad):
        with pytest.raises(TypeError, match=r"spacing must be a number or a list.*\(got "):
            Grid.of((5, 6), spacing=bad)


class TestRegion:
    def test_slices_become_canonical(self):
        grid = Grid.of((5, 6, 7), axes="xty")
        found = grid.canonical_slices((slice(1, -1), slice(None), slice(-3, None)))
        assert found == (slice(0, 6), slice(0, 1), slice(0, 1), slice(4, 7), slice(1, 4))

    @pytest.mark.parametrize(
        "region", [(slice(3, 3), slice(None)), (slice(4, 2), slice(None)), (slice(0, 5, 2),) * 2]
    )
    def test_they_hold_something_and_have_no_steps(self, region):
        with pytest.raises(ValueError, match=r"non-empty slices with step 1 \(got "):
            Grid.of((5, 6)).canonical_slices(region)

    @pytest.mark.parametrize("region", [(), (slice(None),), (slice(None), 2), slice(None), None])
    def test_there_is_one_for_each_axis(self, region):
        with pytest.raises(ValueError, match=r"one slice per axis of 'yx' \(got "):
            Grid.of((5, 6)).canonical_slices(region)


class TestHalo:
    """Times and widths are in world units, so their reach in pixels follows the spacing."""

    def test_of_explicit_sub_steps(self):
        component = PeronaMalik(contrast=1.0, time=1.6)
        # tau ≤ 0.8 / (2 · 2) at spacing 1; 4 times as much at twice the spacing.
        assert component.halo(Grid.of((9, 9))) == (0, 0, 0, 8, 8)
        assert component.halo(Grid.of((9, 9), spacing=2.0)) == (0, 0, 0, 2, 2)
        assert component.halo(Grid.of((3, 9, 9), axes="tyx")) == (0, 0, 0, 8, 8)
        assert component.halo(Grid.of((3, 9, 9), axes="tyx", along="t")) == (4, 0, 0, 0, 0)

    def test_the_number_of_sub_steps_never_depends_on_the_image(self):
        """Two images of other values, types and sizes take as many."""
        component = PeronaMalik(contrast=1e-3, time=3.0)
        counts = {component.sub_steps(Grid.of(shape)) for shape in ((2, 2), (9, 9), (1, 4000))}
        assert counts == {15}

    @pytest.mark.parametrize("count", [1, 5, 7, 100, 9999])
    def test_a_time_of_exactly_n_sub_steps_takes_n(self, count):
        for spacing in (1.0, 0.1, 0.3, 7.0):
            time = count * 0.8 * spacing**2 / 4
            assert PeronaMalik(contrast=1.0, time=time).sub_steps(
                Grid.of((9, 9), spacing=spacing)
            ) in (count, count + 1)
        assert PeronaMalik(contrast=1.0, time=count * 0.2).sub_steps(Grid.of((9, 9))) == count

    def test_no_time_takes_none(self):
        assert PeronaMalik(contrast=1.0, time=0.0).halo(Grid.of((9, 9))) == (0, 0, 0, 0, 0)

    @pytest.mark.parametrize("time", [2001.0, 1e30, 1e300])
    def test_more_than_ten_thousand_are_refused_with_the_count_and_the_cure(self, time):
        sentence = rf"time={re.escape(f'{time:g}')} .* \d.* sub-steps, more than 10000.*reduce"
        with pytest.raises(ValueError, match=sentence):
            PeronaMalik(contrast=1.0, time=time).sub_steps(Grid.of((9, 9)))
