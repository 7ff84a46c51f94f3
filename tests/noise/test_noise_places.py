"""Noise that is no counting has the same bits wherever and however it is made."""

from __future__ import annotations

import numpy as np
import pytest
from dask import array as da
from noise_samples import noise_of

import napari_diffusion as nd
from napari_diffusion import Grid
from napari_diffusion.core.address import Address
from napari_diffusion.engine.block import Block
from napari_diffusion.filters import Heat
from napari_diffusion.noise import (
    Correlated,
    FilmGrain,
    Gaussian,
    MissingWedge,
    PowerLaw,
    Quantisation,
    SaltPepper,
    Stripes,
    Sum,
    Uniform,
)

KERNEL = np.array([[1.0, 0.0, -2.0], [0.5, 3.0, 1.0], [0.0, 0.25, 0.0]])

LOCAL = (
    Uniform(),
    Quantisation(),
    Quantisation("added"),
    Quantisation("none"),
    Sum(),
    Sum((Gaussian(), Correlated(), Sum((Gaussian(), Stripes()))), weights=(1.0, 2.0, 0.5)),
    Correlated(),
    Correlated(kernel=KERNEL),
    Stripes(),
    Stripes("columns", drift=7.0),
    Stripes("rows", drift=2.5, fixed=True),
    SaltPepper(low=-1.0, high=2.0, reference=0.3),
    FilmGrain(white_level=1.5, reference=0.3),
    FilmGrain(curve="root", reference=0.3),
)
GLOBAL = (PowerLaw(), PowerLaw(-0.5), MissingWedge(), Sum((Gaussian(), PowerLaw())))


def named(component):
    return f"{component}".replace("napari_diffusion.", "")[:60]


def still(component, scale=0.5):
    return nd.Recipe(
        num_steps=2, starting_noise_scale=scale, noise=component, diffusion_filter=Heat(time=0.0)
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("component", [*LOCAL, *GLOBAL], ids=named)
def test_a_crop_has_the_bits_of_the_whole(component, dtype):
    image = np.random.default_rng(0).random((4, 21, 34)).astype(dtype)
    whole = nd.run(image, still(component), axes="zyx").image
    for x in (0, 1, 2, 3, 10):
        region = (slice(1, 3), slice(x, 15), slice(x, 33 - x // 2))
        crop = nd.run(image, still(component), axes="zyx", region=region).image
        np.testing.assert_array_equal(crop, whole[region])


@pytest.mark.parametrize("component", [*LOCAL, *GLOBAL], ids=named)
def test_parts_of_a_image_have_the_bits_of_the_whole(component):
    """Of components that reach everywhere too, told where the part lies."""
    block = np.random.default_rng(0).random((2, 1, 5, 21, 34)).astype(np.float32)
    grid = Grid.of(block.shape, axes="tczyx")
    address = Address(7, 3, 2)
    whole = component.add(Block(block, grid), (0.5,), address)
    for origin in ((0, 0, 0, 0, 0), (1, 0, 2, 5, 3), (0, 0, 4, 20, 33)):
        part = tuple(slice(first, first + 9) for first in origin)
        cut = np.ascontiguousarray(block[part])
        found = component.add(Block(cut, grid.at(origin)), (0.5,), address)
        np.testing.assert_array_equal(found, whole[part])


@pytest.mark.parametrize("component", [*LOCAL, *GLOBAL], ids=named)
def test_chunks_have_the_bits_of_the_whole(component):
    image = np.random.default_rng(0).random((3, 21, 34)).astype(np.float32)
    for axes in ("zyx", "tyx"):
        expected = component(image, 0.5, seed=9, axes=axes)
        for chunks in ((1, 8, 9), (2, 21, 5)):
            lazy = component(da.from_array(image, chunks=chunks), 0.5, seed=9, axes=axes)
            np.testing.assert_array_equal(lazy.compute(scheduler="synchronous"), expected)


@pytest.mark.parametrize("component", [*LOCAL, *GLOBAL], ids=named)
def test_threads_change_no_bit(component, monkeypatch):
    image = np.random.default_rng(0).random((2, 2, 300, 1000)).astype(np.float32)
    made = []
    for threads in ("1", "3"):
        monkeypatch.setenv("NAPARI_DIFFUSION_THREADS", threads)
        made.append(component(image, 0.5, axes="tcyx"))
    np.testing.assert_array_equal(*made)


@pytest.mark.parametrize("component", [*LOCAL, *GLOBAL], ids=named)
def test_a_plane_is_the_first_of_a_stack(component):
    image = np.random.default_rng(0).random((3, 21, 34)).astype(np.float32)
    stack = component(image, 0.5, axes="tyx")
    np.testing.assert_array_equal(stack[0], component(image[0], 0.5))


@pytest.mark.parametrize("component", [*LOCAL, *GLOBAL], ids=named)
def test_float64_images_get_the_same_noise(component):
    if isinstance(component, Quantisation | SaltPepper | FilmGrain):
        return
    single, double = (noise_of(component, (21, 34), dtype=t) for t in (np.float32, np.float64))
    np.testing.assert_allclose(single, double, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("component", [*LOCAL, *GLOBAL], ids=named)
def test_channels_have_scales_of_their_own(component):
    image = np.full((3, 40, 50), 0.25, np.float32)
    found = component(image, (0.5, 0.0, 0.8), axes="cyx")
    np.testing.assert_array_equal(found[1], image[1])
    if isinstance(component, Quantisation | SaltPepper):
        return
    even = component(image, 0.4, axes="cyx") - image
    np.testing.assert_allclose((found - image)[0], 1.25 * even[0], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose((found - image)[2], 2.0 * even[2], rtol=1e-6, atol=1e-6)
