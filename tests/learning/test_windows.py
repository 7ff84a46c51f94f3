"""Windows of each kind of images, and the error that each of them estimates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_diffusion.filters.learned.weights import weights_named
from napari_diffusion.learning.errors import error_of
from napari_diffusion.learning.planes import Place, Planes
from napari_diffusion.learning.window_size import AROUND, MARGIN
from napari_diffusion.learning.windows import CleanWindows, FrameWindows, NoisyWindows


@pytest.fixture(scope="module")
def network():
    return weights_named("photographs").network


def random(seed=0):
    return np.random.Generator(np.random.Philox(seed))


def clean(size=256):
    y, x = np.mgrid[:size, :size]
    return (3 * np.sin(x / 9) + 4 * (y > x)).astype(np.float32)[None]


def noisy(frames):
    return clean() + random(1).standard_normal((frames, 256, 256), np.float32)


def estimated(windows, network):
    """Return the mean error on the windows held out, and that by the ground truth."""
    found = windows.held_out(network, 0)
    # The same random numbers turn and mirror the ground truth alike.
    truth = type(windows)(Planes([np.repeat(clean(), len(windows.planes.stacks[0]), 0)]))
    known = [
        replace(each, target=same.noisy, floor=0.0)
        for each, same in zip(found, truth.held_out(network, 0), strict=True)
    ]
    return [np.mean([error_of(network, each, None) for each in kind]) for kind in (found, known)]


@pytest.mark.parametrize(("kind", "frames"), [(NoisyWindows, 1), (FrameWindows, 3)])
def test_errors_without_ground_truth_are_those_with_it(network, kind, frames):
    estimate, error = estimated(kind(Planes([noisy(frames)])), network)
    assert 0.02 < error < 0.2
    assert estimate == pytest.approx(error, abs=0.02)


def test_clean_images_get_noise_of_the_level(network):
    windows = CleanWindows(Planes([clean()]), levels=(0.5, 0.5))
    window = windows.window(random(), Place(0, slice(0, 96), slice(0, 96)), network)
    assert np.std(window.noisy - window.target) == pytest.approx(1, abs=0.05)
    assert window.weight == 0.5


def test_levels_are_drawn_from_all_of_the_range():
    windows = CleanWindows(Planes([clean()]))
    levels = [windows._level(random(n)) for n in range(2000)]
    assert 0.01 <= min(levels) < 0.012
    assert 1.0 < max(levels) <= 1.2
    assert np.mean([0.02 <= each <= 0.3 for each in levels]) > 0.75


def test_windows_at_the_border_are_mirrored_with_their_random_numbers():
    planes = Planes([noisy(1)])
    windows, place = NoisyWindows(planes), Place(0, slice(0, 16), slice(240, 256))
    around = MARGIN + AROUND
    for values in (
        windows.cut(place, 0),
        windows.mirrored(place, lambda size: random().standard_normal(size, np.float32)),
    ):
        assert values.shape == (16 + 2 * around,) * 2
        np.testing.assert_array_equal(values[:around], values[around + 1 : 2 * around + 1][::-1])
        last = values.shape[1] - around - 1
        np.testing.assert_array_equal(
            values[:, last + 1 :], values[:, last - around : last][:, ::-1]
        )


def test_planes_smaller_than_what_is_around_are_mirrored_again():
    windows = NoisyWindows(Planes([noisy(1)[:, :16, :16], noisy(1)[:, :16, :16]]))
    values = windows.cut(Place(0, slice(0, 16), slice(0, 16)), 0)
    np.testing.assert_array_equal(values[24:40, 24:40], windows.planes.stacks[0][0])


def test_small_windows_are_more():
    assert NoisyWindows(Planes([noisy(1)])).count == 6
    small = NoisyWindows(Planes([noisy(1)[:, :64, :64]] * 2))
    assert small.count == 13
