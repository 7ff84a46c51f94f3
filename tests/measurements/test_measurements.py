"""What every measurement is held to, and what each measures."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from napari_diffusion import Grid, measurements
from napari_diffusion.core.array_parameter import ArrayParameter
from napari_diffusion.core.image import Image
from napari_diffusion.loop.registry import from_dict, to_dict
from napari_diffusion.measurements import (
    MEASUREMENTS,
    Binned,
    Blurred,
    DownsampledFrames,
    Masked,
    Measured,
    Measurement,
    Wedge,
)

# Shapes, and what is said of them.
SOURCES: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "plane": ((11, 14), {}),
    "uneven pixels": ((9, 10), {"spacing": (2.0, 0.5)}),
    "volume": ((5, 8, 7), {"spacing": (2.0, 1.0, 1.0)}),
    "planes": ((3, 8, 7), {"axes": "zyx", "along": "yx"}),
    "colours": ((9, 8, 3), {"axes": "yxc", "rgb": True}),
    "frames": ((3, 9, 8), {"axes": "tyx"}),
    "swapped": ((3, 8, 9), {"axes": "txy", "spacing": (2.0, 1.0)}),
}

CASES = [
    (cls, name)
    for cls in MEASUREMENTS
    for name, (_, options) in SOURCES.items()
    if cls is not DownsampledFrames or "t" in options.get("axes", "")
]


def _source(name: str, holes: bool = False) -> Image:
    shape, options = SOURCES[name]
    values = np.random.default_rng(0).normal(5.0, 1.0, shape)
    if holes:
        values.flat[::7] = np.nan
    return Image.of(values, missing="ignore", **options)


def _measured(cls: type[Measurement], source: Image) -> Measured:
    return Measured.of(cls(noise_sigma=0.1).resolved(source), source)


@pytest.mark.parametrize("holes", [False, True], ids=["whole", "holes"])
@pytest.mark.parametrize(("cls", "name"), CASES)
def test_the_adjoint_is_one(cls: type[Measurement], name: str, holes: bool) -> None:
    measured = _measured(cls, _source(name, holes))
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal(measured.grid.shape), rng.standard_normal(measured.values.shape)
    x_before, y_before = x.copy(), y.copy()
    forward, adjoint = measured.forward(x), measured.adjoint(y)
    assert forward.shape == y.shape
    assert adjoint.shape == x.shape
    assert forward.dtype == adjoint.dtype == np.float64
    assert np.vdot(forward, y) == pytest.approx(np.vdot(x, adjoint), rel=0, abs=1e-10)
    np.testing.assert_array_equal(x, x_before)
    np.testing.assert_array_equal(y, y_before)


@pytest.mark.parametrize(("cls", "name"), CASES)
def test_a_constant_image_measures_as_constant(cls: type[Measurement], name: str) -> None:
    measured = _measured(cls, _source(name))
    found = measured.forward(np.full(measured.grid.shape, 3.0))
    np.testing.assert_allclose(found, 3.0, rtol=1e-12)


@pytest.mark.parametrize(("cls", "name"), CASES)
def test_an_image_to_restore_starts_at_the_mean(cls: type[Measurement], name: str) -> None:
    source = _source(name, holes=cls is not Wedge)
    measured = _measured(cls, source)
    image = measured.image(source)
    assert image.data.shape == image.grid.shape == measured.grid.shape
    assert image.mask is None
    assert not image.grid.masked
    known = source.data if source.mask is None else source.data[source.mask]
    assert image.data.mean() == pytest.approx(known.mean(), rel=0.01)


@pytest.mark.parametrize("cls", MEASUREMENTS)
def test_what_was_not_measured_has_no_effect(cls: type[Measurement]) -> None:
    source = _source("frames", holes=True)
    measured = _measured(cls, source)
    assert source.mask is not None
    rng = np.random.default_rng(2)
    assert not measured.forward(rng.standard_normal(measured.grid.shape))[~source.mask].any()
    assert not measured.values[~source.mask].any()
    assert not measured.adjoint(np.where(source.mask, 0.0, 1.0)).any()


@pytest.mark.parametrize("cls", MEASUREMENTS)
def test_plain_values_give_it_back(cls: type[Measurement]) -> None:
    chosen = cls(noise_sigma=0.25)
    assert from_dict("measurement", json.loads(json.dumps(to_dict(chosen)))) == chosen


@pytest.mark.parametrize("cls", MEASUREMENTS)
def test_noise_of_the_wrong_channels_is_refused(cls: type[Measurement]) -> None:
    source = _source("frames")
    with pytest.raises(ValueError, match="noise_sigma lists 2 values"):
        cls(noise_sigma=(0.1, 0.2)).check(source.grid)


# --- Each of them ---


def test_missing_pixels_are_those_of_the_mask_and_nan() -> None:
    values = np.ones((4, 5))
    values[0, 0] = np.nan
    painted = np.zeros((4, 5), np.uint8)
    painted[2, 3] = 7
    source = Image.of(values, missing="ignore")
    known = Masked(noise_sigma=0.0, missing=ArrayParameter(painted)).known(source)
    assert known is not None
    assert sorted(zip(*np.nonzero(~known[0, 0, 0]), strict=True)) == [(0, 0), (2, 3)]


def test_a_mask_of_another_shape_is_refused() -> None:
    chosen = Masked(noise_sigma=0.0, missing=ArrayParameter(np.zeros((3, 3))))
    with pytest.raises(ValueError, match="A mask must have the image's shape"):
        chosen.check(Grid.of((4, 5)))


def test_nothing_measured_is_refused() -> None:
    source = Image.of(np.full((4, 4), np.nan), missing="ignore")
    with pytest.raises(ValueError, match="all pixels are missing"):
        Measured.of(Masked(noise_sigma=0.0), source)


def test_binned_pixels_are_smaller_and_more() -> None:
    grid = Grid.of((4, 6, 8), spacing=(3.0, 1.0, 0.5))
    larger = Binned(factor=4).grid_of(grid)
    assert larger.shape == (1, 1, 4, 24, 32)
    assert larger.spacing == (3.0, 0.25, 0.125)
    image = np.arange(16.0).reshape(1, 1, 1, 4, 4)
    found = Binned(factor=2).forward(image, Grid.of((4, 4)))
    np.testing.assert_array_equal(found[0, 0, 0], [[2.5, 4.5], [10.5, 12.5]])


def test_a_blur_is_the_mirrored_convolution() -> None:
    from scipy import ndimage

    rng = np.random.default_rng(3)
    image, psf = rng.random((1, 1, 1, 13, 17)), rng.random((5, 3))
    found = Blurred(psf=ArrayParameter(psf)).forward(image, Grid.of((13, 17)))
    wanted = ndimage.convolve(image[0, 0, 0], psf / psf.sum(), mode="reflect")
    np.testing.assert_allclose(found[0, 0, 0], wanted, atol=1e-12)


def test_a_gaussian_blur_is_in_world_units() -> None:
    image = np.zeros((1, 1, 1, 41, 41))
    image[..., 20, 20] = 1.0
    found = Blurred(psf_sigma=2.0).forward(image, Grid.of((41, 41), spacing=(1.0, 0.5)))[0, 0, 0]
    places = np.arange(41) - 20
    assert (found.sum(1) * places**2).sum() == pytest.approx(4.0, rel=0.02)
    assert (found.sum(0) * places**2).sum() == pytest.approx(16.0, rel=0.02)


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (Blurred(psf_sigma=50.0), "more than the image has"),
        (Blurred(psf=ArrayParameter(np.ones(3))), "must have the axes 'yx'"),
        (Blurred(psf=ArrayParameter(np.zeros((3, 3)))), "a sum greater than 0"),
        (Blurred(psf=ArrayParameter(np.ones((99, 3)))), "far larger than the image"),
    ],
)
def test_a_blur_that_does_not_fit_is_refused(chosen: Blurred, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        chosen.replaced(noise_sigma=0.0).check(Grid.of((9, 9)))


def test_a_wedge_keeps_what_lies_in_it() -> None:
    chosen = Wedge(min_tilt=-60.0, max_tilt=60.0)
    places = np.arange(32)
    grid = Grid.of((32, 32))
    across = np.broadcast_to(np.sin(2 * np.pi * places / 8), (1, 1, 1, 32, 32))
    along = np.swapaxes(across, -1, -2)
    np.testing.assert_allclose(chosen.forward(across, grid), across, atol=1e-12)
    np.testing.assert_allclose(chosen.forward(along, grid), 0.0, atol=1e-12)
    twice = chosen.forward(chosen.forward(across + along, grid), grid)
    np.testing.assert_allclose(twice, across, atol=1e-12)


def test_a_wedge_needs_both_of_its_axes() -> None:
    with pytest.raises(ValueError, match="needs the axes y and x"):
        Wedge(noise_sigma=0.0).check(Grid.of((8, 8), along="x"))


def test_shifts_of_frames_are_found() -> None:
    rng = np.random.default_rng(4)
    image = np.zeros((1, 1, 1, 96, 96))
    y, x = np.mgrid[:96, :96]
    for _ in range(30):
        a, b = rng.uniform(20, 76, 2)
        image += np.exp(-((y - a) ** 2 + (x - b) ** 2) / 18)
    shifts = np.array([[0.0, 0.0], [0.5, -0.25], [-0.75, 1.25]])
    grid = Grid.of((1, 96, 96), axes="tyx")
    chosen = DownsampledFrames(noise_sigma=0.01, factor=2, shifts=ArrayParameter(shifts))
    frames = Image.of(chosen.forward(image, grid)[:, 0, 0], axes="tyx")
    found = chosen.replaced(shifts=None).resolved(frames).shifts
    assert found is not None
    np.testing.assert_allclose(found.values, shifts, atol=0.04)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 8, 8)])
def test_frames_and_shifts_must_be_as_many(shape: tuple[int, ...]) -> None:
    chosen = DownsampledFrames(noise_sigma=0.0, shifts=ArrayParameter(np.zeros((2, 2))))
    with pytest.raises(ValueError, match=r"two or more frames|one row for each"):
        chosen.check(Grid.of(shape, axes="tyx"))


def test_every_measurement_is_public() -> None:
    assert {cls.__name__ for cls in MEASUREMENTS} < set(measurements.__all__)


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (2.0, 0.5)])
@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_the_content_of_a_wedge_is_expected_from_what_lies_outside(
    spacing: Any, noise: float
) -> None:
    """Of an image that is alike in all directions, as long as it is measured in world units."""
    rng, shape = np.random.default_rng(3), (160, 192)
    image = ndimage.gaussian_filter(
        rng.normal(size=shape), [2.0 / each for each in spacing], mode="wrap"
    )
    image /= image.std()
    wedge, grid = Wedge(noise_sigma=noise), Grid.of(shape, spacing=spacing)
    seen = wedge.forward(image[None, None, None], grid)[0, 0, 0]
    noisy = seen + rng.normal(0, noise, shape)
    expected = wedge.starting_scale(Image.of(noisy, spacing=spacing))
    assert expected == pytest.approx(2 * np.std(image - seen), rel=0.12)
    three = dataclasses.replace(wedge, noise_sigma=3 * noise)
    again = three.starting_scale(Image.of(3 * noisy, spacing=spacing))
    assert again == pytest.approx(3 * expected, rel=1e-6)


def test_a_wedge_without_content_is_begun_with_the_noise_of_the_image() -> None:
    image = Image.of(np.full((32, 32), 5.0))
    assert Wedge(noise_sigma=0.3).starting_scale(image) == pytest.approx(0.3)


def test_other_measurements_begin_with_the_range_of_the_image() -> None:
    values = np.random.default_rng(0).random((16, 16))
    scale = Masked(noise_sigma=0.1).starting_scale(Image.of(values))
    assert scale == pytest.approx(np.ptp(values), rel=1e-6)
