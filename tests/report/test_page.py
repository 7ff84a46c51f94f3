"""What is shown of large images, and how the file is written."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image
from report_cases import report, whole_report

from napari_diffusion.core.grid import Grid
from napari_diffusion.report import page as page_module
from napari_diffusion.report import write_report
from napari_diffusion.report.middle import middle_image
from napari_diffusion.report.page import page_of
from napari_diffusion.report.png_image import grey_uri, map_uri, reduced
from napari_diffusion.report.shown_part import shown_part


def pixels(uri):
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


def images(text):
    return [pixels(each) for each in re.findall(r'src="(data:image/png[^"]+)"', text)]


def stack(planes=7, side=20):
    return np.random.default_rng(5).normal(100, 5, (planes, side, side)).astype(np.float32)


def test_the_plane_that_changed_most_is_shown_and_said_to_be():
    before, after = stack(), stack() + 1
    after[5] += 30
    part = shown_part(Grid.of(before.shape, axes="tyx"), before, after)
    assert part.place == {"t": 5}
    np.testing.assert_array_equal(part.plane(after), after[5])
    assert part.in_words().startswith("Shown is frame 5 of 7 (counted from 0), the one that")
    assert shown_part(Grid.of(before.shape, axes="tyx"), None, after).place == {"t": 3}


def test_a_plane_has_rows_downwards_in_any_order_of_axes():
    values = np.arange(2 * 3 * 4 * 5.0).reshape(2, 3, 4, 5)
    part = shown_part(Grid.of(values.shape, axes="xczy"), None, values)
    assert part.place == {"z": 2}
    np.testing.assert_array_equal(part.plane(values, 1), values[:, 1, 2, :].T)


def test_pixels_that_are_not_square_are_shown_in_proportion():
    values = np.zeros((10, 40))
    part = shown_part(Grid.of(values.shape, axes="zx", spacing=(8.0, 1.0)), None, values)
    assert part.ratio == pytest.approx(0.5)
    text = page_of(report(stack()[0], axes="zx", spacing=(8.0, 1.0)))
    assert "aspect-ratio: 0.1250" in text


def test_a_large_image_is_reduced_by_means_and_that_is_said(monkeypatch):
    values = stack(1, 1100)[0]
    made = report(values)
    text = page_of(made)
    assert max(max(each.size) for each in images(text)) == 550
    assert "Each pixel shown is the mean of 2 × 2 pixels" in text
    assert "The middle of it, not reduced." in text
    mean = values[:2, :2].mean()
    assert reduced(values, 2)[0, 0] == pytest.approx(mean, rel=1e-6)


def test_of_a_plane_too_large_to_read_the_middle_is_shown():
    class Endless:
        shape, dtype = (10**9, 10**9), np.dtype(np.float32)

        def __getitem__(self, region):
            return np.zeros([len(range(*each.indices(10**9))) for each in region], np.float32)

    part = shown_part(Grid.of(Endless.shape), None, Endless())
    assert part.plane(Endless()).shape == (4096, 4096)
    assert "the middle 4096 × 4096 pixels" in part.in_words()


def test_images_shrink_until_the_file_is_small_enough(monkeypatch):
    made = report(stack(1, 300)[0])
    whole = len(page_of(made))
    monkeypatch.setattr(page_module, "MOST_BYTES", whole // 2)
    monkeypatch.setattr(page_module, "LONGEST_SIDE", 300)
    assert len(page_of(made)) <= whole // 2


def test_images_have_the_levels_of_their_values():
    grey = np.asarray(pixels(grey_uri(np.array([[-5.0, 0.0], [5.0, 99.0]]), (0, 10))))
    assert grey.tolist() == [[0, 0], [128, 255]]
    coloured = pixels(map_uri(np.array([[-1.0, 1.0, np.nan]]), (-1, 1), True)).convert("RGBA")
    found = np.asarray(coloured)[0]
    assert found[0].tolist() == [0x21, 0x66, 0xAC, 255]
    assert found[1].tolist() == [0xB2, 0x18, 0x2B, 255]
    assert found[2, 3] == 0


@pytest.mark.parametrize(
    ("shape", "options", "wanted"),
    [
        ((30, 20), {"axes": "yx"}, (8, 5)),
        ((9, 30, 20), {"axes": "tyx"}, (1, 8, 5)),
        ((8, 16, 16), {"axes": "zyx"}, (4, 4, 4)),
        ((3, 8, 8), {"axes": "cyx"}, (3, 8, 8)),
    ],
)
def test_the_middle_has_all_channels_and_few_pixels(shape, options, wanted):
    values = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    mask = np.ones(shape, bool)
    image, where = middle_image(values, {**options, "mask": mask}, 64)
    assert values[where].shape == wanted
    np.testing.assert_array_equal(image.grid.restored(image.data), values[where])
    assert image.mask.all()


def test_the_same_report_is_the_same_file(tmp_path):
    first = write_report(tmp_path / "a.html", whole_report()).read_bytes()
    assert write_report(tmp_path / "b.html", whole_report()).read_bytes() == first


def test_nothing_is_replaced_unasked(tmp_path):
    path = tmp_path / "a.html"
    path.write_text("mine")
    with pytest.raises(FileExistsError, match="exists"):
        write_report(path, report())
    assert path.read_text() == "mine"
    write_report(path, report(), overwrite=True)
    assert path.read_text("utf-8").startswith("<!DOCTYPE html>")
    assert [each.name for each in tmp_path.iterdir()] == ["a.html"]


@pytest.mark.parametrize("name", ["a.pdf", "a", "folder.html", "gone/a.html"])
def test_a_name_that_is_none_of_a_page_is_refused(tmp_path, name):
    (tmp_path / "folder.html").mkdir()
    with pytest.raises((ValueError, OSError)):
        write_report(tmp_path / name, report(), overwrite=True)
