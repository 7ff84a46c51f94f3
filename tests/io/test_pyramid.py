"""The levels of a pyramid: their shapes, and means of the pixels before."""

from __future__ import annotations

import math

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_diffusion.io.ome_zarr.pyramid import chunk_shape, coarser, fill, levels


def test_an_image_that_is_small_has_one_level():
    (only,) = levels("tcyx", (9, 3, 256, 200), {})
    assert (only.shape, only.step, only.factor) == ((9, 3, 256, 200), (1,) * 4, (1,) * 4)


def test_y_and_x_are_halved_until_they_are_small():
    made = levels("tyx", (9, 1000, 101), {})
    assert [each.shape for each in made] == [(9, 1000, 101), (9, 500, 51), (9, 250, 26)]
    assert [each.factor for each in made] == [(1, 1, 1), (1, 2, 2), (1, 4, 4)]


def test_z_is_halved_where_voxels_are_not_longer_there():
    shape = (64, 2048, 2048)
    assert [each.factor[0] for each in levels("zyx", shape, {})] == [1, 2, 4, 8]
    lengths = {"z": 0.3, "y": 0.1, "x": 0.1}
    assert [each.factor[0] for each in levels("zyx", shape, lengths)] == [1, 1, 1, 2]
    assert {each.shape[0] for each in levels("zyx", (1, 2048, 2048), {})} == {1}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[1, 2, 10], [2, 2, 20], [7, 8, 50]], np.uint8), [[2, 15], [8, 50]]),
        (np.array([[1.0, 2, 10], [2, 2, 20], [7, 8, 50]], "f4"), [[1.75, 15], [7.5, 50]]),
        (np.array([[True, True], [True, False]]), [[True]]),
        (np.full((2, 2), 2**63, np.uint64), [[2**63]]),
        (np.array([[np.nan, 4.0], [2.0, np.nan]]), [[3.0]]),
        (np.full((2, 2), np.nan, np.float16), [[np.nan]]),
        (np.array([[-3, -4], [-4, -4]], np.int16), [[-4]]),
    ],
)
def test_means(values, expected):
    found = coarser(values, (2, 2))
    assert found.dtype == values.dtype
    np.testing.assert_array_equal(found, expected)


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 7), min_size=1, max_size=3).map(tuple),
    st.lists(st.sampled_from([1, 2]), min_size=3, max_size=3),
    st.integers(2, 5),
)
def test_a_level_made_chunk_by_chunk_is_that_made_at_once(shape, step, size):
    step = tuple(step[: len(shape)])
    values = np.random.default_rng(0).random(shape)
    expected = coarser(values, step)
    fine = zarr.create_array({}, shape=shape, dtype="f8", chunks=(2,) * len(shape))
    coarse = zarr.create_array({}, shape=expected.shape, dtype="f8", chunks=(size,) * len(shape))
    fine[...] = values
    fill(fine, coarse, step, ())
    np.testing.assert_array_equal(coarse[...], expected)


@pytest.mark.parametrize(
    ("shape", "dtype", "expected"),
    [
        ((64, 64), "f4", (64, 64)),
        ((5000, 5000), "f4", (625, 1250)),
        ((500, 512, 512), "f4", (4, 512, 512)),
        ((3, 2, 50, 512, 512), "u2", (1, 1, 8, 512, 512)),
        ((1000, 64, 64), "u1", (1000, 64, 64)),
        ((1, 10**9), "f8", (1, 488282)),
    ],
)
def test_chunks_have_some_megabytes(shape, dtype, expected):
    found = chunk_shape(shape, dtype)
    assert found == expected
    assert math.prod(found) * np.dtype(dtype).itemsize <= 1 << 22
