"""The sheet of all steps shows each of them, in one range of intensities."""

from __future__ import annotations

import numpy as np
import pytest

from napari_diffusion.io.contact_sheet import Panel, contact_sheet, panel, shown_range, step_label


def flat(value, label="", size=8):
    return Panel(label, np.full((size, size), value))


def greys(sheet):
    """Return the grey levels of the images on the sheet, without the paper."""
    return np.unique(np.asarray(sheet)[40:-20, 20:-20])


@pytest.mark.parametrize(
    ("axes", "shape", "spacing", "expected"),
    [
        ("yx", (4, 6), {}, lambda image: image),
        ("xy", (4, 6), {}, lambda image: image.T),
        ("zyx", (5, 4, 6), {"z": 3.0}, lambda image: image[2]),
        ("tyx", (4, 4, 6), {}, lambda image: image[2]),
        ("tczyx", (2, 3, 5, 4, 6), {}, lambda image: image[1, 0, 2]),
        ("zx", (4, 6), {}, lambda image: image),
        ("x", (6,), {}, lambda image: image[np.newaxis]),
        ("yx", (4, 6), {"y": 2.0}, lambda image: image.repeat(2, axis=0)),
        ("yx", (4, 6), {"y": 1.0, "x": 3.0}, lambda image: image.repeat(3, axis=1)),
    ],
)
def test_what_is_shown(axes, shape, spacing, expected):
    image = np.arange(np.prod(shape), dtype=float).reshape(shape)
    shown = panel("a", image, axes, spacing=spacing)
    np.testing.assert_array_equal(shown.image, expected(image))


@pytest.mark.parametrize(("axes", "order"), [("yxc", (0, 1, 2)), ("cyx", (1, 2, 0))])
def test_colours_stay_colours_and_alpha_goes(axes, order):
    shape = [4 if axis == "c" else 5 for axis in axes]
    image = np.random.default_rng(0).random(shape)
    shown = panel("a", image, axes, rgb=True)
    np.testing.assert_array_equal(shown.image, image.transpose(order)[..., :3])


def test_lazy_images_are_shown():
    import dask.array as da

    image = np.arange(30.0).reshape(5, 6)
    assert np.array_equal(panel("a", da.from_array(image, chunks=2), "yx").image, image)


def test_one_range_for_all():
    sheet = contact_sheet([flat(0.0), flat(0.25), flat(1.0), flat(7.0)], (0.0, 1.0))
    assert {0, 64, 255} == set(greys(sheet))


def test_labels_are_drawn_with_letters_the_font_has():
    label = step_label(7, 0.0312, is_final=False)
    assert label == "step 07 · sigma 0.0312"
    assert step_label(3, (1.0, 0.5), is_final=False) == "step 03 · sigma 1 / 0.5"
    assert step_label(2, 0.0, is_final=False) == "step 02"
    assert step_label(8, 0.0, is_final=True) == "final filter"
    from PIL import ImageFont

    font = ImageFont.load_default(size=18)
    missing = bytes(font.getmask("\uffff"))
    assert all(bytes(font.getmask(letter)) != missing for letter in label)


def test_every_panel_is_on_the_sheet():
    panels = [flat(i / 20, str(i)) for i in range(1, 13)]
    sheet = contact_sheet(panels, (0.0, 1.0))
    levels = {round(255 * i / 20) for i in range(1, 13)}
    assert levels <= set(greys(sheet))
    # Four by three: of the sheets without an empty place the nearest to 16:10.
    assert sheet.width / sheet.height == pytest.approx(4 / 3 * 384 / (384 + 36), rel=0.1)


def test_large_images_are_made_smaller_and_keep_their_proportion():
    sheet = contact_sheet([Panel("", np.ones((2000, 1000)))], (0.0, 1.0))
    assert sheet.width < 250
    assert 384 < sheet.height < 450


def test_range_of_colours_is_that_of_their_type():
    assert shown_range(np.zeros((2, 2, 3), np.uint8), rgb=True) == (0, 255)
    assert shown_range(np.zeros((2, 2, 3), np.float32), rgb=True) == (0, 1)


def test_range_of_grey_leaves_out_what_is_far_off():
    image = np.linspace(0.0, 1.0, 100_001)
    image[7] = 1e6
    low, high = shown_range(image)
    assert low == pytest.approx(0.001, abs=1e-4)
    assert high == pytest.approx(0.999, abs=1e-4)
    low, high = shown_range(np.full(5, 3.0))
    assert low < high


def test_a_sheet_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one panel"):
        contact_sheet([], (0.0, 1.0))
