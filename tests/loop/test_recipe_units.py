"""A recipe's lengths keep their meaning on an image with another unit."""

from __future__ import annotations

import numpy as np
import pytest

import napari_diffusion as nd
from napari_diffusion.filters import Gaussian, Heat, PeronaMalik
from napari_diffusion.loop.recipe_units import (
    LengthUnit,
    converted,
    in_pixels,
    to_json,
    unit_of,
    unit_of_json,
)

RECIPE = nd.Recipe(
    num_steps=2,
    starting_noise_scale=0.1,
    noise=nd.noise.FilmGrain(size=1.5),
    diffusion_filter=PeronaMalik(contrast=0.5, time=0.25, smoothing=0.75),
    final_filter=Gaussian(sigma=1.25),
)
PIXELS = LengthUnit()
FINE = LengthUnit("µm", 0.107)


def numbers(recipe):
    filter_, noise = recipe.diffusion_filter, recipe.noise
    lengths = noise.size, filter_.smoothing, recipe.final_filter.sigma
    return (*lengths, filter_.time, filter_.contrast)


def test_in_the_same_unit_nothing_changes():
    for unit in (PIXELS, FINE):
        assert converted(RECIPE, unit, unit) == (RECIPE, "")
    # Physical lengths do not depend on the pixel size.
    assert converted(RECIPE, FINE, LengthUnit("micron", 2.0)) == (RECIPE, "")


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("nm", 1000), ("Å", 10_000), ("mm", 0.001), ("cm", 1e-4), ("m", 1e-6), ("inch", 1e-4 / 2.54)],
)
def test_one_physical_unit_becomes_another(unit, factor):
    made, said = converted(RECIPE, FINE, LengthUnit(unit, 3.0))
    shown = {"inch": "in"}.get(unit, unit)
    assert said == f"Lengths converted from µm to {shown}."
    expected = (1.5 * factor, 0.75 * factor, 1.25 * factor, 0.25 * factor**2, 0.5 / factor)
    assert numbers(made) == pytest.approx(expected, rel=1e-13)
    back, _ = converted(made, LengthUnit(unit, 3.0), FINE)
    assert numbers(back) == pytest.approx(numbers(RECIPE), rel=1e-13)
    if factor >= 1:
        assert made.final_filter.sigma == 1.25 * factor  # no 1249.9999999999998


def test_pixels_become_micrometres_with_the_same_effect_on_the_pixels():
    made, said = converted(RECIPE, PIXELS, FINE)
    assert said == "Lengths converted from pixels to µm; the effect on the pixels is the same."
    assert made.diffusion_filter.time == 0.00286225  # 0.25 · 0.107²
    image = np.random.default_rng(0).random((24, 30))
    before = nd.run(image, RECIPE).image
    np.testing.assert_allclose(nd.run(image, made, spacing=0.107).image, before, rtol=1e-10)
    back, said = converted(made, FINE, PIXELS)
    assert said == "Lengths converted from µm to pixels; the effect on the pixels is the same."
    assert numbers(back) == pytest.approx(numbers(RECIPE), rel=1e-14)


def test_without_a_unit_the_numbers_are_in_that_of_the_image():
    said = "The recipe names no unit: its lengths are read in µm."
    assert converted(RECIPE, None, FINE) == (RECIPE, said)
    assert converted(RECIPE, None, PIXELS) == (RECIPE, "")


def test_pixels_of_another_size_and_unknown_units():
    made, said = converted(RECIPE, PIXELS, LengthUnit("pixel", 0.5))
    assert (made, said) == (
        RECIPE.scaled(0.5),
        "Lengths converted to the pixel size; the effect on the pixels is the same.",
    )
    furlong = LengthUnit("furlong", 2.0)
    made, said = converted(RECIPE, furlong, FINE)
    assert "from furlong to µm; the effect on the pixels" in said
    assert made == RECIPE.scaled(0.107 / 2, 15)
    made, said = converted(RECIPE, LengthUnit("µm"), PIXELS)
    assert made == RECIPE
    assert said == (
        "Lengths of the recipe are in µm, but a pixel size is missing: they are read in pixels."
    )


def test_a_recipe_without_lengths_has_nothing_to_convert():
    recipe = nd.Recipe(diffusion_filter=Heat(time=0.0), starting_noise_scale="auto")
    for made_for in (None, PIXELS, LengthUnit("nm", 1.0)):
        assert converted(recipe, made_for, FINE) == (recipe, "")


def test_a_file_carries_the_unit_beside_the_recipe():
    text = to_json(RECIPE, FINE)
    assert nd.Recipe.from_json(text) == RECIPE
    assert unit_of_json(text) == FINE == LengthUnit("micrometer", 0.107)
    assert text.startswith('{\n  "schema": 1,\n  "unit": "micrometer",\n  "pixel_size": 0.107,\n')
    assert to_json(RECIPE, None) == RECIPE.to_json()
    assert unit_of_json(RECIPE.to_json()) is None
    assert unit_of({"grid": {"unit": "nanometer", "spacing": [3.0, 2.0]}}) == LengthUnit("nm", 2.0)
    assert unit_of({"grid": {"spacing": [3.0, 2.0]}}) is None


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"unit": 3}, r"unit of a recipe must be text.*got 3"),
        ({"unit": "nm", "pixel_size": 0}, r"pixel_size must be a number greater than 0 \(got 0\)"),
        ({"unit": "nm", "pixel_size": "1"}, r"pixel_size .*got '1'"),
    ],
)
def test_a_bad_unit_is_refused(values, words):
    with pytest.raises(ValueError, match=words):
        unit_of(values)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1.07, "world", "10 px"),
        ((1.07, 0.107), "world", "10, 1 px"),
        (0.107**2, "world²", "1 px²"),
        (2.0, "intensity/world", "0.214 intensity/px"),
        (2, "intensity·world", "18.7 intensity·px"),
        (3.0, "intensity", ""),
        ("auto", "world", ""),
        (None, "world", ""),
        (True, "world", ""),
    ],
)
def test_the_pixel_equivalent_of_a_length(value, unit, text):
    assert in_pixels(value, unit, 0.107) == text
