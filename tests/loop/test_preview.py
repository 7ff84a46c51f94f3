"""Parts of a run's result, the quickest first and the exact one last."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import napari_diffusion as nd
from napari_diffusion.core.image import Image
from napari_diffusion.loop import preview
from napari_diffusion.loop.preview import Preview, limited

IMAGE = np.random.default_rng(3).random((120, 150)).astype(np.float32)
REGION = (slice(20, 84), slice(60, 140))
LOCAL = nd.Recipe(
    num_steps=4,
    diffusion_filter=nd.filters.PeronaMalik(contrast="auto", time=2.0),
    final_filter=nd.filters.Heat(time=1.0),
    seed=5,
)


@pytest.fixture
def patient(monkeypatch):
    """Have nothing be late on a slow machine."""
    monkeypatch.setattr(preview, "QUICK", 1e6)


@pytest.fixture
def hurried(monkeypatch):
    """Have everything be late."""
    monkeypatch.setattr(preview, "QUICK", -1.0)


def parts(recipe, image=IMAGE, region=REGION, step=None, **options):
    return list(Preview(Image.of(image, **options)).parts(recipe, region, step))


def test_what_is_quick_is_shown_at_once_and_is_the_crop_to_the_bit(patient):
    whole = [step.image for step in nd.steps(IMAGE, LOCAL)]
    for step, index in ((None, 4), (0, 0), (2, 2), (9, 4)):
        (part,) = parts(LOCAL, step=step)
        assert (part.approximate, part.is_last, part.step.index) == (False, True, index)
        np.testing.assert_array_equal(part.step.image, whole[index][REGION])


def test_what_takes_a_while_shows_its_middle_first(hurried):
    made = parts(LOCAL)
    assert [part.step.image.shape for part in made] == [(8, 10), (64, 80)]
    assert [part.is_last for part in made] == [False, True]
    assert [part.approximate for part in made] == [True, False]
    whole = nd.run(IMAGE, LOCAL).image
    np.testing.assert_array_equal(made[-1].step.image, whole[REGION])
    for part in made[:-1]:
        # Noise and numbers are those of the whole, so that little is missing.
        assert np.abs(part.step.image - whole[part.region]).mean() < 0.02


def test_a_volume_and_colours(patient):
    stack = np.random.default_rng(0).random((9, 30, 40)).astype(np.float32)
    region = (slice(4, 5), slice(5, 20), slice(0, 40))
    options = {"axes": "zyx", "spacing": (2.0, 1.0, 1.0)}
    recipe = LOCAL.replaced(num_steps=2)
    (part,) = parts(recipe, stack, region, **options)
    np.testing.assert_array_equal(part.step.image, nd.run(stack, recipe, **options).image[region])
    colours = np.random.default_rng(0).random((30, 40, 4)).astype(np.float32)
    region = (slice(3, 20), slice(5, 20), slice(0, 4))
    options = {"axes": "yxc", "rgb": True}
    (part,) = parts(recipe, colours, region, **options)
    np.testing.assert_array_equal(part.step.image, nd.run(colours, recipe, **options).image[region])


@pytest.mark.parametrize(
    "recipe",
    [
        LOCAL.replaced(final_filter=nd.filters.PeronaMalik(contrast=0.1, time=1.0, solver="aos")),
        LOCAL.replaced(schedule=nd.schedules.Measured()),
    ],
    ids=["global filter", "measured schedule"],
)
def test_what_sees_the_whole_image_is_called_approximate(recipe, patient):
    (part,) = parts(recipe)
    assert part.approximate
    assert part.is_last
    assert part.step.image.shape == (64, 80)
    error = np.abs(part.step.image - nd.run(IMAGE, recipe).image[REGION]).mean()
    assert error < 0.02


def test_the_numbers_of_the_source_are_found_once():
    shown = Preview(Image.of(IMAGE.copy()))
    first = shown.resolved(LOCAL)
    # Whatever were measured now would be another number.
    shown.image.data[:] = 0
    longer = LOCAL.replaced(diffusion_filter=LOCAL.diffusion_filter.replaced(time=3.0))
    assert shown.resolved(longer).diffusion_filter.contrast == first.diffusion_filter.contrast
    assert shown.resolved(longer).starting_noise_scale == first.starting_noise_scale


def test_a_request_that_is_stopped_shows_nothing():
    stop = threading.Event()
    stop.set()
    with pytest.raises(nd.Stopped):
        list(Preview(Image.of(IMAGE)).parts(LOCAL, REGION, stop=stop))


def test_the_middle_of_a_large_region():
    region = (slice(7, 8), slice(0, 2048), slice(100, 300), slice(0, 3))
    assert limited(region, "zyxc", 512) == (slice(7, 8), slice(768, 1280), *region[2:])
