"""Images in any unit of intensity are filtered alike: of 1e-90 as of 1e90, or refused in words."""

import functools

import numpy as np
import pytest
from cases import in_units
from dask import array as da

import napari_diffusion as nd
from napari_diffusion.core.image import Image
from napari_diffusion.domains import Anscombe, Log
from napari_diffusion.estimate import contrast, noise_model, noise_sigma
from napari_diffusion.filters import FILTERS, Bilateral, Custom, Heat, PeronaMalik

SCALES = [
    *((np.float64, scale) for scale in (1e-90, 1e-60, 1e-30, 1e30, 1e60, 1e90)),
    *((np.float32, scale) for scale in (1e-30, 1e-12, 1e12, 1e30)),
]
FAST = [component for component in FILTERS if component is not Custom]


def power_of_two(scale):
    """Return a scale that changes no digit."""
    return 2.0 ** round(np.log2(scale))


def scene(shape=(48, 56)):
    y, x = np.mgrid[: shape[0], : shape[1]]
    squares = 50.0 * ((x // 12 + y // 12) % 2)
    return 100 + squares + 20 * np.sin(x / 5) + np.random.default_rng(0).normal(0, 8, shape)


def photons(shape=(128, 128)):
    y, x = np.mgrid[: shape[0], : shape[1]]
    return 3.0 * np.random.default_rng(0).poisson(10 + 2 * (x % 24) + 20 * (y > 30)) + 20.0


@functools.cache
def plain(component, dtype):
    return component(scene().astype(dtype)).astype(float)


def assert_alike(function, expected, image, dtype, scale):
    """`function` of the scaled image is as many times `expected`, or refuses its values."""
    factor = power_of_two(scale)
    scaled = (image * factor).astype(dtype)
    if dtype == np.float64 and not 1e-70 < scale < 1e70:
        with pytest.raises(ValueError, match=r"Values from .*e[+-].* are too (large|small) to "):
            function(scaled)
        return
    out = np.asarray(function(scaled), float) / factor
    np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize(("dtype", "scale"), SCALES)
@pytest.mark.parametrize("filter_class", FAST)
def test_every_filter_in_every_unit(filter_class, dtype, scale):
    component = filter_class()
    assert_alike(component, plain(component, dtype), scene(), dtype, scale)


@pytest.mark.parametrize(("dtype", "scale"), [each for each in SCALES if 1e-70 < each[1] < 1e70])
@pytest.mark.parametrize("filter_class", [each for each in FAST if each().autos()])
def test_every_filter_with_its_parameters_as_numbers(filter_class, dtype, scale):
    component = filter_class().resolved(Image.of(scene().astype(dtype)))
    scaled = in_units(component, intensity=power_of_two(scale))
    assert_alike(scaled, plain(component, dtype), scene(), dtype, scale)


ESTIMATES = {
    "contrast": contrast,
    "contrast of noise": functools.partial(contrast, smoothing=1.0, method="noise"),
    "contrast by quantile": functools.partial(contrast, method="percentile"),
    **{
        f"noise by {method}": functools.partial(noise_sigma, method=method)
        for method in ("windows", "differences", "wavelet", "mean", "components")
    },
    "noise scale": lambda image: noise_model(image).noise_scale,
    "gain": lambda image: noise_model(image).gain,
}


@pytest.mark.parametrize(("dtype", "scale"), SCALES)
@pytest.mark.parametrize("name", ESTIMATES)
def test_every_estimate_in_every_unit(name, dtype, scale):
    estimate, image = ESTIMATES[name], photons()
    expected = np.array(estimate(image.astype(dtype)))
    assert expected > 0
    assert_alike(estimate, expected, image, dtype, scale)


def domain_run(domain, image):
    recipe = nd.Recipe(
        num_steps=1, starting_noise_scale=0.0, diffusion_filter=Heat(time=1.0), domain=domain
    )
    return nd.run(image, recipe).image


RUNS = {
    "denoise": nd.denoise,
    "denoise fast": functools.partial(nd.denoise, fast=True),
    "explore": lambda image: nd.run(image, nd.PRESETS["explore"]).image,
    "smooth": lambda image: nd.run(image, nd.PRESETS["smooth"]).image,
    "Anscombe": functools.partial(domain_run, Anscombe()),
    "Log": functools.partial(domain_run, Log()),
}


@pytest.mark.filterwarnings("ignore::napari_diffusion.denoising.noise_report.NoiseWarning")
@pytest.mark.parametrize(("dtype", "scale"), SCALES)
@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("made", [scene, photons])
def test_every_run_in_every_unit(made, name, dtype, scale):
    image = made()
    expected = RUNS[name](image.astype(dtype)).astype(float)
    assert_alike(RUNS[name], expected, image, dtype, scale)


@pytest.mark.parametrize("scale", [1e-160, 1e-90, 1e90, 1e160])
def test_dask_arrays_beyond_the_limits_are_refused_where_they_are_measured(scale):
    lazy = da.from_array(scene() * scale, chunks=32)
    for made in (nd.denoise, noise_sigma, contrast, noise_model, PeronaMalik(), Bilateral()):
        with pytest.raises(ValueError, match=r"Values from .* are too (large|small) to compute"):
            made(lazy)


def test_a_chunk_of_dask_beyond_the_largest_is_refused():
    lazy = da.from_array(scene() * 1e160, chunks=32)
    with pytest.raises(ValueError, match=r"Values from .* are too large to compute"):
        Heat(time=1.0)(lazy).compute()


def test_a_dark_chunk_of_dask_is_none():
    image = scene()
    image[:, :32] *= 1e-90
    lazy = da.from_array(image, chunks=32)
    np.testing.assert_array_equal(Heat(time=1.0)(lazy).compute(), Heat(time=1.0)(image))
    assert contrast(lazy) == contrast(image)
