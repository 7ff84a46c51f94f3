"""Rows and columns that repeat a pattern, as after enlargement."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from napari_diffusion.forensics.enlarged import Enlarged


def scene(seed=0, side=240):
    """Return a power law and noise, whole numbers."""
    rng = np.random.default_rng(seed)
    radius = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)) + 1 / 200
    texture = np.fft.ifft2(np.fft.fft2(rng.normal(size=(side, side))) / radius).real
    values = 128 + 30 * texture / texture.std() + rng.normal(size=(side, side)) * 2
    return np.clip(np.rint(values), 0, 255)


def enlarged(image, factor, order):
    """Return an image enlarged with samples in the middle of their pixels."""
    from scipy import ndimage

    found = ndimage.zoom(image, factor, order=order, grid_mode=True, mode="grid-mirror")
    return np.clip(np.rint(found), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("factor", [2, 3, 5])
@pytest.mark.parametrize("order", [0, 1])
def test_the_factor_is_found(factor, order):
    image = enlarged(scene(side=480 // factor // 2), factor, order)
    (place,) = Enlarged()(image).places
    assert place.words == f"period {factor} along y and x"
    assert place.log10_nfa < -3
    assert place.outline.max() == image.shape[0]


def test_each_second_line_that_repeats_the_one_before_is_beyond_doubt():
    (place,) = Enlarged()(enlarged(scene(side=120), 2, 0)).places
    assert place.log10_nfa < -50


@pytest.mark.parametrize(("factor", "said"), [(1, None), (2, None), (3, 3), (6, 6)])
def test_in_a_jpeg_blocks_are_not_taken_for_a_factor(factor, said):
    stream = io.BytesIO()
    Image.fromarray(enlarged(scene(side=240 // factor), factor, 0)).save(stream, "JPEG", quality=85)
    reading = Enlarged()(np.asarray(Image.open(stream)))
    assert [p.words for p in reading.places] == ([f"period {said} along y and x"] if said else [])
    assert "factors 2 and 4 cannot be told" in reading.remarks[-1]


def test_untouched_images_have_no_more_places_than_chance_gives():
    readings = [Enlarged()(scene(seed, 160).astype(np.uint8)) for seed in range(10)]
    places = [place for each in readings for place in each.places]
    assert len(places) <= 2
    assert all(place.log10_nfa > -1 for place in places)
    assert readings[0].remarks == ("Nothing that this method can see.",)


def test_periods_of_rows_alone_are_no_enlargement():
    image = scene(side=160)
    image[::3] += 9
    assert not Enlarged()(image).places


def test_periods_of_blocks_are_no_enlargement():
    image = scene(side=160)
    image[::8] += 9
    image[:, ::8] += 9
    assert not Enlarged()(image).places


def test_the_scale_of_intensities_does_not_matter():
    image = enlarged(scene(side=80), 3, 1).astype(float)
    first, second = (Enlarged()(each).places[0].log10_nfa for each in (image, image / 1e4))
    assert first == pytest.approx(second)


def test_each_plane_is_read():
    stack = np.stack([scene(1, 120), enlarged(scene(2, 40), 3, 0)])
    (place,) = Enlarged()(stack).places
    assert place.plane == (1,)
    assert "plane 1" in Enlarged()(stack).remarks[0]


def test_a_constant_image_has_nothing():
    assert not Enlarged()(np.full((100, 100), 7.0)).places


def test_small_images_are_refused():
    with pytest.raises(ValueError, match="96 rows"):
        Enlarged()(np.zeros((50, 200)))
