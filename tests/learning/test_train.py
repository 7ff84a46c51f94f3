"""Training as users call it: what images are, what is refused, and what is made."""

from __future__ import annotations

import json
from dataclasses import replace

import dask.array as da
import numpy as np
import pytest

import napari_diffusion as nd
from napari_diffusion.core.image import Image
from napari_diffusion.learning import image_planes
from napari_diffusion.learning.measured_image import measured
from napari_diffusion.learning.train import _check_length

SIZE = 200


def scene(size=SIZE):
    y, x = np.mgrid[:size, :size]
    return (100 + 20 * np.sin(x / 15) * np.sin(y / 17) + 20 * (x > y)).astype(np.float32)


def noisy(*shape, seed=0, sigma=8.0, size=SIZE):
    noise = np.random.default_rng(seed).standard_normal((*shape, size, size), np.float32)
    return scene(size) + np.float32(sigma) * noise


@pytest.fixture(scope="module")
def trained():
    return nd.learning.train(noisy(), steps=12, seed=3, names=["cells.tif"])


def test_it_says_what_it_learned_from_and_how(trained):
    about = json.loads(json.dumps(trained.about, allow_nan=False))
    (image,) = about["images"]
    assert image["name"] == "cells.tif"
    assert image["axes"] == "yx"
    assert image["shape"] == [SIZE, SIZE]
    assert len(image["sha256"]) == 64
    assert image["noise_sigma"] == pytest.approx([8], rel=0.05)
    assert about["kind"] == "noisy"
    assert about["start"] == nd.filters.LearnedDiffusion().resolved(Image.of(scene())).weights
    assert (about["seed"], about["steps"], about["ended"]) == (3, 12, "time")
    assert len(about["scores"]) == len(trained.scores)
    assert about["program"].startswith("napari-diffusion")
    assert trained.weights.about == trained.about


def told(trained, before, after, better=True):
    state = replace(trained.state, errors=[np.array(before), np.array(after)])
    return replace(trained, state=state, is_better=better).summary()


def test_the_summary_says_whether_it_helped(trained):
    assert trained.is_better
    assert "the error fell by 12%" in told(trained, [1.0, 2.0, 3.0], [0.88, 1.76, 2.64])
    assert "start is kept" in told(trained, [1.0, 2.0, 3.0], [1.0, 2.0, 3.0], better=False)
    # The noise of the squares themselves is larger than the errors.
    assert "too few to say" in told(trained, [0.11, -0.07, 0.03], [0.10, -0.08, 0.02])
    assert "too few to say" in told(trained, [0.3], [0.2])


def test_the_weights_filter_images_at_once_and_from_their_file(trained, tmp_path):
    path = trained.save(tmp_path / "weights.npz")
    named = nd.filters.LearnedDiffusion(noise_sigma=8.0, weights=trained.weights.name)
    from_file = nd.filters.LearnedDiffusion(noise_sigma=8.0, weights=str(path))
    shipped = nd.filters.LearnedDiffusion(noise_sigma=8.0)
    image = noisy(seed=9)
    results = [each(image) for each in (named, from_file, shipped)]
    np.testing.assert_array_equal(results[0], results[1])
    assert np.square(results[0] - scene()).mean() < np.square(results[2] - scene()).mean()


def test_nothing_is_overwritten_unasked(trained, tmp_path):
    path = trained.save(tmp_path / "weights.npz")
    with pytest.raises(FileExistsError):
        trained.save(path)
    with pytest.raises(FileExistsError):
        trained.save_state(path)
    trained.save(path, overwrite=True)
    with pytest.raises(ValueError, match=r"\.npz file"):
        trained.save(tmp_path / "weights.txt")


def test_it_goes_on_from_its_state(trained, tmp_path):
    state = trained.save_state(tmp_path / "state.npz")
    more = nd.learning.train(noisy(), steps=14, seed=3, names=["cells.tif"], resume=state)
    whole = nd.learning.train(noisy(), steps=14, seed=3, names=["cells.tif"])
    assert more.about["steps"] == 14
    assert more.state.steps == whole.state.steps
    with pytest.raises(ValueError, match="differs in images"):
        nd.learning.train(noisy(seed=1), steps=14, seed=3, resume=trained.state)


@pytest.mark.parametrize(
    ("kind", "images", "options"),
    [
        ("noisy", noisy(2), {"axes": "cyx"}),
        ("noisy", [noisy(), noisy(seed=1)], {}),
        ("noisy", noisy(20, size=64), {"axes": "tyx"}),
        ("noisy", da.from_array(noisy(), chunks=100), {}),
        ("frames", noisy(3), {}),
        ("frames", [noisy(), noisy(seed=1)], {}),
        ("frames", noisy(2, 2), {"axes": "tzyx"}),
        ("clean", scene(), {}),
        ("clean", scene(), {"noise_sigma": 5.0}),
    ],
)
def test_images_of_each_kind(kind, images, options):
    made = nd.learning.train(images, kind=kind, steps=1, **options)
    assert made.about["kind"] == kind
    assert len(made.about["images"]) == (2 if kind == "noisy" and isinstance(images, list) else 1)
    assert np.isfinite([each.held_out for each in made.scores]).all()
    assert nd.learning.refusal(images, kind, **options) == ""


def test_each_channel_is_in_units_of_its_own_noise():
    image = Image.of(np.stack([noisy(sigma=4), noisy(sigma=16)]), axes="cyx")
    assert measured(image, "", "noisy", "auto").units == pytest.approx((4, 16), rel=0.05)
    frames = Image.of(np.stack([noisy(3, sigma=4), noisy(3, sigma=16)], 1), axes="tcyx")
    assert measured(frames, "", "frames", "auto").units == pytest.approx((4, 16), rel=0.02)


def photons():
    light = 40 * (scene() / 100) ** 4 + 5
    return np.random.default_rng(0).poisson(light).astype(np.float32)


def test_photon_noise_is_stabilised():
    image = photons()
    found = measured(Image.of(image), "", "noisy", "auto")
    assert found.about()["domain"]["type"] == "Anscombe"
    assert found.units == pytest.approx((1,), rel=0.05)
    assert np.ptp(found.image.data) < np.ptp(image) / 4


def smoothed():
    image = noisy()
    return (image + np.roll(image, 1, 0) + np.roll(image, 1, 1)) / 3


@pytest.mark.parametrize(
    ("image", "options", "words"),
    [
        (smoothed(), {}, "not white.*frames"),
        (smoothed(), {"noise_sigma": 3.0}, "not white.*frames"),
        (noisy()[:30, :30], {}, "too small to measure"),
        (noisy()[:60, :60], {"noise_sigma": 8.0}, "no room to learn"),
        (noisy(20)[:, :12, :], {"noise_sigma": 8.0, "axes": "tyx"}, "at least 16 pixels"),
        (photons(), {"noise_sigma": 8.0}, "differs by a factor.*auto"),
        (noisy(), {"kind": "frames", "axes": "yx"}, "along t"),
        ([noisy(), noisy(size=120)], {"kind": "frames"}, "same axes and shape"),
        ([scene() + 10 * n for n in range(4)], {"kind": "frames"}, "Frames must show"),
        (np.full((SIZE, SIZE), 5.0), {"kind": "clean"}, "constant"),
        (noisy(), {"kind": "sharp"}, "noisy, frames, clean"),
        ([], {}, "no images"),
        (noisy(3), {"axes": "tyx", "along": "ty"}, "leave out t"),
        ([noisy(), smoothed()], {}, "Image 2 of 2"),
        (noisy(), {"mask": np.zeros((SIZE, SIZE), bool)}, "too small|No noise"),
    ],
)
def test_what_cannot_be_learned_from_is_refused_before_any_work(image, options, words):
    assert nd.learning.refusal(image, **options)
    with pytest.raises(ValueError, match=words):
        nd.learning.train(image, progress=pytest.fail, **options)


@pytest.mark.parametrize("seconds", [0, -1, 481, float("nan"), float("inf")])
def test_time_has_limits(seconds):
    with pytest.raises(ValueError, match="at most 480"):
        _check_length(seconds, None)


def test_missing_and_masked_pixels_are_never_in_a_window():
    image = noisy()
    image[20:60, 20:180] = np.nan
    made = nd.learning.train(image, steps=1, noise_sigma=8.0, missing="ignore")
    assert np.isfinite([each.held_out for each in made.scores]).all()


def test_a_stop_returns_the_best_so_far():
    import threading

    stop = threading.Event()
    made = nd.learning.train(noisy(), steps=50, progress=lambda score: stop.set(), stop=stop)
    assert made.ended == "stopped"
    assert not made.is_better
    assert "start is kept" in made.summary()


def test_of_large_data_some_planes_and_the_middle_of_large_ones_are_taken(monkeypatch):
    monkeypatch.setattr(image_planes, "_MOST_PIXELS", 4 * 150**2)
    monkeypatch.setattr(image_planes, "_SIDES", (150, 150))
    stack = Image.of(noisy(40), axes="tyx")
    found = measured(stack, "", "noisy", 8.0)
    planes = image_planes.planes_of([found], False, 0)
    assert [each.shape for each in planes.stacks] == [(1, 150, 150)] * 4
    np.testing.assert_array_equal(planes.stacks[3][0], stack.data[39, 0, 0, 25:175, 25:175] / 8)
    assert len(image_planes.planes_of([found], True, 0).stacks[0]) == 16
