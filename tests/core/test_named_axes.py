"""Arrays whose dimensions have names."""

import numpy as np
import pytest

import napari_diffusion as nd
from napari_diffusion.core.named_axes import named_axes
from napari_diffusion.filters import Heat, PeronaMalik

BLUR = Heat(time=2.0)


class Named:
    """An array with names of its axes, as xarray's, and nothing else."""

    def __init__(self, values, dims):
        self.values, self.dims, self.shape = values, dims, values.shape

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.values, dtype)


def numbers(shape=(5, 32, 33)):
    return np.random.default_rng(0).random(shape)


@pytest.mark.parametrize(
    ("dims", "axes"),
    [
        (("t", "y", "x"), "tyx"),
        (("time", "lat", "lon"), "tyx"),
        (("x", "channel", "y"), "xcy"),
        (("y", "x", "c"), "yxc"),
        (("dim_0", "y", "x"), "zyx"),
        (("time", "dim_1", "dim_2"), "tyx"),
    ],
)
def test_names_are_the_axes(dims, axes):
    image = numbers()
    expected = BLUR(image, axes=axes)
    out = BLUR(Named(image, dims))
    assert type(out) is np.ndarray
    np.testing.assert_array_equal(out, expected)
    np.testing.assert_array_equal(BLUR(Named(image, list(dims))), expected)


def test_names_that_say_nothing_are_none():
    image = numbers()
    np.testing.assert_array_equal(BLUR(Named(image, ("dim_0", "dim_1", "dim_2"))), BLUR(image))
    with pytest.raises(ValueError, match="needs the names of its axes"):
        BLUR(Named(numbers((2, 3, 4, 5)), ("a", "b", "dim_2", "dim_3")))


def test_axes_given_win():
    image = numbers()
    out = BLUR(Named(image, ("t", "y", "x")), axes="zyx")
    np.testing.assert_array_equal(out, BLUR(image, axes="zyx"))
    named = Named(image, ("step", "y", "x"))
    np.testing.assert_array_equal(BLUR(named, axes="tyx"), BLUR(image, axes="tyx"))


@pytest.mark.parametrize("name", ["step", "position", "seed"])
def test_a_further_axis_is_refused_by_name(name):
    with pytest.raises(ValueError, match=rf"dimension '{name}' is none of .*axes=…"):
        BLUR(Named(numbers(), (name, "y", "x")))


def test_two_of_one_name():
    with pytest.raises(ValueError, match=r"dimension 'row' .*\(got row, y, x\)"):
        BLUR(Named(numbers(), ("row", "y", "x")))


def test_colours():
    image = numbers((32, 33, 3))
    out = BLUR(Named(image, ("y", "x", "rgb")), rgb=True)
    np.testing.assert_array_equal(out, BLUR(image, rgb=True))


def test_arrays_without_names_have_none():
    assert named_axes(np.zeros((3, 4))) is None
    assert named_axes([[1.0, 2.0]]) is None
    assert named_axes(Named(np.zeros((3, 4)), ("y",))) is None
    assert named_axes(Named(np.zeros((3, 4)), "yx")) is None


def test_everything_knows_them():
    image, recipe = numbers(), nd.Recipe(num_steps=1, diffusion_filter=PeronaMalik(contrast=1.0))
    named = Named(image, ("time", "y", "x"))
    np.testing.assert_array_equal(
        nd.run(named, recipe).image, nd.run(image, recipe, axes="tyx").image
    )
    assert nd.estimate.contrast(named) == nd.estimate.contrast(image, axes="tyx")


class TestXarray:
    def test_dims(self):
        xarray = pytest.importorskip("xarray")
        image = numbers()
        array = xarray.DataArray(image, dims=("time", "latitude", "longitude"))
        np.testing.assert_array_equal(BLUR(array), BLUR(image, axes="tyx"))

    def test_dask_inside_stays_lazy(self):
        xarray = pytest.importorskip("xarray")
        from dask import array as da

        image = numbers()
        lazy = xarray.DataArray(da.from_array(image, chunks=(1, 16, 16)), dims=("t", "y", "x"))
        out = BLUR(lazy)
        assert isinstance(out, da.Array)
        np.testing.assert_array_equal(out.compute(), BLUR(image, axes="tyx"))


def test_zarr_dimension_names(tmp_path):
    zarr = pytest.importorskip("zarr")
    image = numbers()
    more = {"shape": image.shape, "dtype": "f8"}
    named = zarr.create_array(tmp_path / "a", dimension_names=["time", None, "x"], **more)
    plain = zarr.create_array(tmp_path / "b", **more)
    for array, axes in ((named, "tyx"), (plain, "zyx")):
        array[...] = image
        np.testing.assert_array_equal(BLUR(array), BLUR(image, axes=axes))
