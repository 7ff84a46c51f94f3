"""Runs that restore an image from what was measured of it."""

from __future__ import annotations

from typing import Any

import dask.array as da
import numpy as np
import pytest

import napari_diffusion as nd
from napari_diffusion.core.image import Image
from napari_diffusion.filters import LearnedDiffusion
from napari_diffusion.loop.restoration import told_noise, with_measured
from napari_diffusion.measurements import (
    MEASUREMENTS,
    Binned,
    Blurred,
    Masked,
    Measured,
    Wedge,
)
from napari_diffusion.schedules import Karras

SIDE = 24


def _recipe(measurement: Any, **changes: Any) -> nd.Recipe:
    chosen = {
        "num_steps": 6,
        "starting_noise_scale": "100 % of range",
        "schedule": Karras(end=0.01),
        "diffusion_filter": LearnedDiffusion(noise_sigma="step"),
        "update": "reverse",
        "measurement": measurement,
        "rounds": 2,
        **changes,
    }
    return nd.Recipe(**chosen)


def _image() -> Any:
    """Return a bright disk on a ramp, without noise."""
    y, x = np.mgrid[:SIDE, :SIDE]
    disk = np.hypot(y - 11.5, x - 11.5) < 7
    return (0.2 + 0.01 * x + 0.5 * disk).astype(np.float32)


def _holed() -> Any:
    image = _image() + np.random.default_rng(0).normal(0, 0.02, (SIDE, SIDE)).astype(np.float32)
    image[8:12, 8:12] = np.nan
    return image


def test_holes_are_filled_and_what_was_measured_stays_within_its_noise() -> None:
    holed = _holed()
    last = nd.run(holed, _recipe(Masked(noise_sigma=0.02), num_steps=12), missing="ignore")
    assert np.isfinite(last.image).all()
    known = np.isfinite(holed)
    change = (last.image - holed)[known]
    assert 0.4 <= np.sqrt(np.mean(change**2)) / 0.02 <= 1.3
    assert np.abs(last.image - _image())[~known].max() < 0.2


def test_a_mask_given_does_what_missing_values_do() -> None:
    holed = _holed()
    whole = np.where(np.isfinite(holed), holed, np.float32(7.0))
    painted = np.where(np.isfinite(holed), 0, 3)
    by_values = nd.run(
        holed, _recipe(Masked(noise_sigma=0.02), starting_noise_scale=0.6), missing="ignore"
    )
    given = _recipe(Masked(noise_sigma=0.02, missing=painted), starting_noise_scale=0.6)
    np.testing.assert_array_equal(nd.run(whole, given).image, by_values.image)


@pytest.mark.parametrize("measurement", [Masked(0.02), Binned(0.02), Blurred(0.02), Wedge(0.02)])
def test_bits_depend_on_the_seed_alone(measurement: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = _recipe(measurement, num_steps=3)
    first = nd.run(_image(), recipe).image
    for threads in ("1", "3"):
        monkeypatch.setenv("NAPARI_DIFFUSION_THREADS", threads)
        np.testing.assert_array_equal(nd.run(_image(), recipe).image, first)
    assert (nd.run(_image(), recipe.replaced(seed=1)).image != first).any()


def test_an_enlarged_image_has_more_pixels_and_the_means_of_the_source() -> None:
    fine = _image()
    source = fine.reshape(12, 2, 12, 2).mean((1, 3))
    last = nd.run(source, _recipe(Binned(noise_sigma=0.005), num_steps=12, rounds=4))
    assert last.image.shape == (SIDE, SIDE)
    means = last.image.reshape(12, 2, 12, 2).mean((1, 3))
    assert np.sqrt(np.mean((means - source) ** 2)) < 0.015


def test_planes_are_restored_one_by_one() -> None:
    planes = np.stack([_holed(), _holed()[::-1]])
    recipe = _recipe(Masked(noise_sigma=0.02), starting_noise_scale=0.6)
    options: dict[str, Any] = {"axes": "tyx", "missing": "ignore"}
    both = nd.run(planes, recipe, **options).image
    alone = nd.run(planes[:1], recipe, **options).image
    np.testing.assert_allclose(both[:1], alone, atol=1e-6)


def test_the_noise_is_measured_and_the_record_says_so() -> None:
    recipe = _recipe(Masked(), starting_noise_scale=0.6)
    assert recipe.autos() == {"measurement.noise_sigma": "auto"}
    noisy = _image() + np.random.default_rng(1).normal(0, 0.1, (SIDE, SIDE))
    resolved = recipe.resolved(noisy)
    assert resolved.is_resolved
    assert resolved.measurement is not None
    assert resolved.measurement.number("noise_sigma") == pytest.approx(0.1, rel=0.3)
    assert resolved.asked == {"measurement.noise_sigma": "auto"}


def test_the_covariance_is_that_of_the_noise_that_a_filter_is_told() -> None:
    assert told_noise(LearnedDiffusion(noise_sigma=0.3), 0.2) == 0.3
    assert told_noise(nd.filters.Heat(), 0.2) == 0.2
    # Of a filter without a noise, C is that of the step: one that keeps all takes over the source.
    whole = nd.filters.Heat(time=0.0)
    source = _image()
    made = _recipe(Masked(noise_sigma=0.0), diffusion_filter=whole, starting_noise_scale=0.5)
    np.testing.assert_allclose(nd.run(source, made).image, source, atol=1e-4)


@pytest.mark.parametrize("cls", MEASUREMENTS)
def test_a_recipe_keeps_its_measurement(cls: Any) -> None:
    recipe = _recipe(cls(noise_sigma=0.1), rounds=5)
    assert nd.Recipe.from_json(recipe.to_json()) == recipe


def test_lengths_are_scaled_with_the_pixel_size() -> None:
    scaled = _recipe(Blurred(psf_sigma=2.0)).scaled(0.5).measurement
    assert isinstance(scaled, Blurred)
    assert scaled.psf_sigma == 1.0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"update": "whole"}, "reverse updates"),
        ({"domain": "anscombe"}, "use domain=None"),
        ({"rounds": 101}, "rounds must be a whole number"),
        ({"rounds": True}, "rounds must be a whole number"),
    ],
)
def test_recipes_that_do_not_go_together_are_refused(changes: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        _recipe(Masked(), **changes)
    with pytest.raises(TypeError, match="object, with brackets"):
        _recipe(Masked)


def test_what_is_not_whole_is_refused_before_work_starts() -> None:
    recipe = _recipe(Masked(noise_sigma=0.02), starting_noise_scale=0.6)
    with pytest.raises(ValueError, match="as a whole, in memory"):
        next(nd.steps(da.from_array(_image()), recipe))
    with pytest.raises(ValueError, match="got a region"):
        next(nd.steps(_image(), recipe, region=(slice(0, 8), slice(0, 8))))
    with pytest.raises(ValueError, match="start again from the source"):
        next(nd.steps(_image(), recipe, first_step=2))


def test_the_filter_is_given_measured_frequencies_with_the_noise_it_is_told() -> None:
    source, wedge = Image.of(_image()), Wedge(noise_sigma=0.1)
    measured = Measured.of(wedge, source)
    rng = np.random.default_rng(4)
    z, unit = (rng.standard_normal((1, 1, 1, SIDE, SIDE)) for _ in range(2))
    given = with_measured(z, 0.5 * unit, 0.5, measured)
    left = np.sqrt(0.5**2 - 0.1**2) * measured.forward(unit)
    np.testing.assert_allclose(measured.forward(given), measured.values + left, atol=1e-9)
    # The wedge itself stays as it is, and so does all below the noise that was measured.
    np.testing.assert_allclose(given - measured.forward(given), z - measured.forward(z), atol=1e-9)
    np.testing.assert_array_equal(with_measured(z, 0.05 * unit, 0.05, measured), z)
    assert not Measured.of(Masked(0.1), source).keeps_part


def test_measured_frequencies_stay_within_their_noise() -> None:
    rng = np.random.default_rng(5)
    wedge = Wedge(noise_sigma=0.05)
    noisy = _image() + rng.normal(0, 0.05, (SIDE, SIDE)).astype(np.float32)
    measured = Measured.of(wedge, Image.of(noisy))
    last = nd.run(noisy, _recipe(wedge, num_steps=12)).image.astype(float)[None, None, None]
    misfit = measured.forward(last) - measured.values
    kept = np.mean(measured.forward(rng.normal(0, 0.05, (1, 1, 1, SIDE, SIDE))) ** 2)
    assert 0.4 <= np.sqrt(np.mean(misfit**2) / kept) <= 1.2


def test_auto_begins_with_what_a_measurement_needs() -> None:
    image = _image()
    for measurement in (Masked(0.02), Wedge(0.02)):
        recipe = _recipe(measurement, starting_noise_scale="auto").resolved(image)
        expected = measurement.starting_scale(Image.of(image))
        assert recipe.starting_noise_scale == pytest.approx(expected)
        assert recipe.asked["starting_noise_scale"] == "auto"
